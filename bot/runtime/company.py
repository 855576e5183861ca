"""What goes on beside effects: typing is shown, who waits long is told so once, and an effect's time runs out.

One task keeps company to all of them: most are done long before anything has to be shown.
"""

import asyncio
import heapq
from collections.abc import Callable, Coroutine
from typing import Any, Final

from bot.model import Chat
from bot.ports import Clock
from bot.runtime.entries import Job
from bot.tasks import Tasks

TYPING_AFTER: Final = 1.0
"""Seconds after which typing is shown: what takes longer than a second shows that it works."""
TYPING_EVERY: Final = 4.0
"""Seconds a typing mark lasts on Telegram (5), less one."""
SLOW_AFTER: Final = TYPING_AFTER + TYPING_EVERY
"""Seconds a resident waits without a word."""


class Company:
    """An effect under way.

    Attributes:
        chat: whose it is.
        job: what it is.
        task: runs it, and its outcome after it.
        begun: when it was begun (seconds of the monotonic clock).
        late: its time is up, and ``task`` was told so by cancelling it.
        over: it has ended, whichever way.
        shown: what is being shown meanwhile.
        told: the resident was told that it takes long.
    """

    def __init__(self, chat: Chat, job: Job, task: "asyncio.Task[Any]", begun: float) -> None:
        self.chat = chat
        self.job = job
        self.task = task
        self.begun = begun
        self.late = self.over = self.told = False
        self.shown: asyncio.Task[None] | None = None

    @property
    def ends(self) -> float:
        """When its time is up (seconds of the monotonic clock)."""
        return self.begun + self.job.timeout


Show = Callable[[Company, bool], Coroutine[Any, Any, None]]
"""Shows typing; with True also says that it takes long."""


class Companies:
    """Company of all effects of this process.

    Args:
        clock: the time, and the sleep.
        tasks: own the one task, and what is shown.
        show: see `Show`.
    """

    def __init__(self, clock: Clock, tasks: Tasks, show: Show) -> None:
        self._clock = clock
        self._tasks = tasks
        self._show = show
        # When something is due, in which order they came, and whose it is; what is over stays until its time comes.
        self._due: list[tuple[float, int, Company]] = []
        self._count = 0
        self._under_way = 0
        self._watch: asyncio.Task[None] | None = None
        self._until = 0.0

    def join(self, chat: Chat, job: Job) -> Company:
        """Keep the current task company, which runs ``job``, until `leave`."""
        task: Any = asyncio.current_task()
        company = Company(chat, job, task, self._clock.monotonic())
        self._under_way += 1
        self._put(company, min(company.begun + TYPING_AFTER, company.ends))
        if self._watch is None or self._watch.done() or self._due[0][0] < self._until:
            self._rest()
            self._until = self._due[0][0]
            self._watch = self._tasks.spawn(self._keep(), "company")
        return company

    def leave(self, company: Company) -> None:
        """The effect has ended: nothing more is shown, and its time no longer matters."""
        if company.over:
            return
        company.over = True
        self._under_way -= 1
        if not self._under_way:
            self._rest()
            self._due.clear()

    def _rest(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None

    def _put(self, company: Company, at: float) -> None:
        self._count += 1
        heapq.heappush(self._due, (at, self._count, company))

    async def _keep(self) -> None:
        while self._due:
            self._until = self._due[0][0]
            await self._clock.sleep(max(0.0, self._until - self._clock.monotonic()))
            now = self._clock.monotonic()
            while self._due and (self._due[0][0] <= now or self._due[0][2].over):
                company = heapq.heappop(self._due)[2]
                if not company.over:
                    self._look(company, now)
        self._watch = None

    def _look(self, company: Company, now: float) -> None:
        if now >= company.ends:
            company.late = True
            company.task.cancel()
            return
        if company.shown is None or company.shown.done():  # beside the clock: a channel may be slow, too
            slow = company.job.slow and now - company.begun >= SLOW_AFTER and not company.told
            company.told |= slow
            company.shown = self._tasks.spawn(self._show(company, slow), "typing")
        self._put(company, min(now + TYPING_EVERY, company.ends))
