"""What a process does on its own: timers, recovery, signs of life, notes of deliveries."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Final

import structlog

from bot.errors import StoreAway
from bot.model import Chat
from bot.ports import Clock, Outbox
from bot.runtime.deliver import HOLD
from bot.runtime.runtime import Runtime
from bot.tasks import Tasks

log = structlog.get_logger(__name__)

TIMERS_EVERY: Final = 1.0
FLUSH_EVERY: Final = 0.25
RECOVER_EVERY: Final = 5.0
TIDY_EVERY: Final = 3600.0
"""Seconds between rounds."""
IN_TIME: Final = HOLD
"""Seconds that a sign of life or a note may take. While a server of many is away, whoever asks it waits long; the next
sign of life must not wait with it, as the others would call this process's entries abandoned."""
AT_ONCE: Final = 64
"""Timer edges taken at once: they share writes, and leave room for residents' turns."""


class Sweeper:
    """The rounds of one process. Any number of processes may make them at once."""

    def __init__(self, runtime: Runtime, store: Outbox, clock: Clock, tasks: Tasks) -> None:
        self._runtime = runtime
        self._store = store
        self._clock = clock
        self._tasks = tasks

    def start(self) -> None:
        """Begin all rounds; they end with ``tasks``."""
        self._runtime.deliveries.begun()
        self.attend()
        self._begin(TIMERS_EVERY, self.timers, "timers")
        self._begin(RECOVER_EVERY, self._runtime.deliveries.recover, "recovery")
        self._begin(TIDY_EVERY, self._store.tidy, "tidying")

    def attend(self) -> None:
        """Begin the rounds that look after this process's own deliveries only."""
        self._begin(FLUSH_EVERY, self._store.flush, "delivery notes", IN_TIME)
        self._begin(HOLD, self._runtime.deliveries.hold, "signs of life", IN_TIME)

    def _begin(
        self, every: float, work: Callable[[], Awaitable[object]], name: str, limit: float | None = None
    ) -> None:
        self._tasks.spawn(self._forever(every, work, name, limit), name)

    async def timers(self) -> int:
        """Take the timer edges that are due. Returns how many chats were looked at."""
        chats = await self._store.due(self._clock.now())
        for begin in range(0, len(chats), AT_ONCE):
            await asyncio.gather(*(self._elapse(chat) for chat in chats[begin : begin + AT_ONCE]))
        return len(chats)

    async def _elapse(self, chat: Chat) -> None:
        # It stays due; the next chat may be fine, this one may be a newer release's.
        with contextlib.suppress(StoreAway):
            await self._runtime.elapse(chat)

    async def _forever(
        self, every: float, work: Callable[[], Awaitable[object]], name: str, limit: float | None
    ) -> None:
        failing = False
        while True:
            try:
                async with asyncio.timeout(limit):
                    await work()
                failing = False
            except Exception as error:  # noqa: BLE001 - a round that ended would be missed by nobody but residents
                if not failing:  # once, not every second while the store is away
                    log.warning("round failed", round=name, error=type(error).__name__)
                failing = True
            await self._clock.sleep(every)
