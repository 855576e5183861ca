"""Processes of the service on real servers, with a clock that obeys and outside systems that follow a script."""

import asyncio
import contextlib
import heapq
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from bot.crypto import Keyring
from bot.dialogs import book
from bot.dialogs.checkout import CancelOrder, CheckPayment, OpenOrder, PayLink, RenewLink, Standing, Status
from bot.dialogs.find_reference import FindReference, Reference
from bot.dialogs.home import Operator
from bot.dialogs.violations import FindFines, Owed
from bot.domain import Fine, FineKind
from bot.engine import Book
from bot.i18n.catalog import Catalog
from bot.i18n.render import Renderer, bare
from bot.i18n.speech import Keywords
from bot.i18n.text import Local
from bot.model import Button, Chat, Event, Outgoing, Pressed, Say, Typed, plain
from bot.ports import Asked, Effect, Executor
from bot.runtime import Runtime
from bot.runtime.deliver import LOOK_EVERY
from bot.runtime.sweep import Sweeper
from bot.store.connect import connect
from bot.store.sessions import Sessions
from bot.tasks import Tasks
from tests.store.servers import Deployment

NOON = 1_795_251_600
"""21 November 2026, 12:00 in Kuwait."""
CHAT = Chat("test", "96550001234")
CIVIL_ID = "285011500029"
SAFETY = 30.0
"""Seconds after which a test that waits for what never happens is given up."""

RENDERER = Renderer(Catalog())
BOOK = book(Operator(), Keywords(RENDERER))
OWED = Owed(
    (
        Fine(
            "T-00000000001", FineKind.TRAFFIC, Local("وقوف ممنوع", "Prohibited parking"), "2026-08-30", 15_000
        ),
        Fine("R-00000000002", FineKind.RESIDENCY, Local("انتهاء الإقامة", "Expired"), "2026-03-12", 20_000),
    )
)
LINK = PayLink("IQ-TEST-0001", "https://pay.test/p/token", "gateway.test", NOON + 1800, 35_000)


class FakeClock:
    """Implements `bot.ports.Clock`: stands still until told; who sleeps wakes in order."""

    def __init__(self, at: float = NOON) -> None:
        self.at = at
        self._sleepers: list[tuple[float, int, asyncio.Event]] = []
        self._count = 0
        self._asked: list[float] = []
        self._changed = asyncio.Condition()

    def now(self) -> int:
        return int(self.at)

    def monotonic(self) -> float:
        return self.at

    async def sleep(self, seconds: float) -> None:
        alarm = asyncio.Event()
        self._count += 1
        sleeper = (self.at + seconds, self._count, alarm)
        heapq.heappush(self._sleepers, sleeper)
        self._asked.append(seconds)
        async with self._changed:
            self._changed.notify_all()
        try:
            await alarm.wait()
        finally:
            if sleeper in self._sleepers:
                self._sleepers.remove(sleeper)
                heapq.heapify(self._sleepers)

    async def asked(self, seconds: float) -> None:
        """Return once somebody has gone to sleep for ``seconds`` (each is reported once)."""
        async with asyncio.timeout(SAFETY), self._changed:
            await self._changed.wait_for(lambda: seconds in self._asked)
        self._asked.remove(seconds)

    def forget(self) -> None:
        """Report no nap that began before now."""
        self._asked.clear()

    async def advance(self, seconds: float) -> None:
        """Let ``seconds`` pass."""
        until = self.at + seconds
        while self._sleepers and self._sleepers[0][0] <= until:
            self.at, _, alarm = heapq.heappop(self._sleepers)
            alarm.set()
            await asyncio.sleep(0)
        self.at = until


class Phone:
    """Implements `bot.ports.Channel`: what a resident sees. Processes share it.

    Attributes:
        seen: everything that arrived, in order.
        faults: raised by the next deliveries, one each; None by one that arrives.
        typed: how often typing was shown.
    """

    def __init__(self, name: str = "test") -> None:
        self.name = name
        self.seen: list[tuple[Chat, Outgoing]] = []
        self.faults: deque[Exception | None] = deque()
        self.down: Exception | None = None
        self.tries = 0
        self.typed = 0
        self.mute: asyncio.Event | None = None
        """Typing waits for it."""
        self.open = asyncio.Event()
        self.open.set()
        self._changed = asyncio.Condition()

    async def deliver(self, chat: Chat, outgoing: Outgoing) -> None:
        self.tries += 1
        async with self._changed:
            self._changed.notify_all()
        await self.open.wait()
        if self.down:
            raise self.down
        fault = self.faults.popleft() if self.faults else None
        if fault is not None:
            raise fault
        self.seen.append((chat, outgoing))
        async with self._changed:
            self._changed.notify_all()

    async def typing(self, chat: Chat) -> None:
        del chat
        self.typed += 1
        if self.mute is not None:
            await self.mute.wait()
        async with self._changed:
            self._changed.notify_all()

    async def shows_typing(self, times: int) -> None:
        """Return once typing was shown ``times`` times in all."""
        async with asyncio.timeout(SAFETY), self._changed:
            await self._changed.wait_for(lambda: self.typed >= times)

    async def tried(self, times: int) -> None:
        """Return once ``times`` deliveries were begun in all."""
        async with asyncio.timeout(SAFETY), self._changed:
            await self._changed.wait_for(lambda: self.tries >= times)

    async def shows(self, count: int) -> None:
        """Return once ``count`` messages arrived in all."""
        async with asyncio.timeout(SAFETY), self._changed:
            await self._changed.wait_for(lambda: len(self.seen) >= count)

    @property
    def keys(self) -> list[str]:
        """Delivery keys, in the order of arrival."""
        return [outgoing.key for _, outgoing in self.seen]

    @property
    def texts(self) -> list[str]:
        """What was said, in the order of arrival."""
        return [bare(plain(out.spans)) for _, out in self.seen if isinstance(out, Say)]

    @property
    def buttons(self) -> list[Button]:
        """The latest question's buttons."""
        said = [out for _, out in self.seen if isinstance(out, Say) and out.rows]
        return [button for row in said[-1].rows for button in row]

    def button(self, label: str) -> str:
        """The token of the latest question's button ``label``."""
        return next(button.token for button in self.buttons if label in bare(button.label))


Script = Callable[[Any, Asked], Awaitable[Any]]


class Desk:
    """The outside systems. ``answers`` holds a result, an exception or a function for each effect."""

    def __init__(self) -> None:
        self.asked: list[tuple[Effect, Asked]] = []
        self.answers: dict[type[Effect], Any] = {
            FindFines: OWED,
            FindReference: Reference("1234567890"),
            OpenOrder: LINK,
            RenewLink: LINK,
            CheckPayment: Standing(Status.NONE),
            CancelOrder: Standing(Status.CANCELLED),
        }
        self._changed = asyncio.Condition()

    async def run(self, effect: Effect, asked: Asked) -> Any:
        self.asked.append((effect, asked))
        async with self._changed:
            self._changed.notify_all()
        answer = self.answers[type(effect)]
        if isinstance(answer, Exception):
            raise answer
        return await answer(effect, asked) if callable(answer) else answer

    async def was_asked(self, times: int) -> None:
        """Return once ``times`` effects were begun in all."""
        async with asyncio.timeout(SAFETY), self._changed:
            await self._changed.wait_for(lambda: len(self.asked) >= times)

    @property
    def keys(self) -> list[str]:
        """Idempotency keys, as asked."""
        return [asked.key for _, asked in self.asked]

    def executors(self) -> dict[type[Effect], Executor]:
        return dict.fromkeys(self.answers, self.run)


@dataclass
class Process:
    """One process of the service."""

    redis: Any
    store: Sessions
    runtime: Runtime
    sweeper: Sweeper
    tasks: Tasks
    alive: bool = True

    async def handle(self, event: Event) -> None:
        await self.runtime.handle(event)

    async def settled(self, chat: Chat = CHAT) -> None:
        async with asyncio.timeout(SAFETY):
            await self.runtime.deliveries.settled(chat)

    async def recover(self) -> int:
        """Take over what is idle, and wait until it is done."""
        taken = await self.runtime.deliveries.recover()
        await self.settled()
        return taken

    async def die(self) -> None:
        """What was in hand is dropped; no note leaves any more."""
        if self.alive:
            self.alive = False
            await self.tasks.close()
            await self.redis.aclose()


@dataclass
class World:
    """Servers, a phone, a desk and a clock, and the processes between them."""

    servers: Deployment
    clock: FakeClock = field(default_factory=FakeClock)
    phone: Phone = field(default_factory=Phone)
    desk: Desk = field(default_factory=Desk)
    keyring: Keyring = field(default_factory=lambda: Keyring.parse(Keyring.generate()))
    processes: list[Process] = field(default_factory=list)
    events: int = 0

    async def process(
        self, dialogs: Book = BOOK, *, url: str = "", executors: dict[type[Effect], Executor] | None = None
    ) -> Process:
        """Start one more process."""
        redis = await connect(url or self.servers.url)
        store = Sessions(redis, self.keyring, f"process-{len(self.processes)}")
        tasks = Tasks()
        runtime = Runtime(
            dialogs,
            store,
            RENDERER,
            (self.phone,),
            self.desk.executors() if executors is None else executors,
            self.clock,
            tasks,
        )
        made = Process(redis, store, runtime, Sweeper(runtime, store, self.clock, tasks), tasks)
        self.processes.append(made)
        return made

    def typed(self, text: str, chat: Chat = CHAT) -> Typed:
        """A message nobody sent before."""
        self.events += 1
        return Typed(id=f"u{self.events}", chat=chat, text=text)

    def pressed(self, label: str, chat: Chat = CHAT) -> Pressed:
        """A press of the latest question's button ``label``."""
        self.events += 1
        return Pressed(id=f"u{self.events}", chat=chat, token=self.phone.button(label))

    async def say(self, process: Process, *texts: str) -> None:
        """Write ``texts``, each after the answer to the one before."""
        for text in texts:
            await process.handle(self.typed(text))
            await process.settled()

    async def greeted(self) -> Process:
        """A process that has said hello, and nothing on the phone any more."""
        process = await self.process()
        await self.say(process, "السلام عليكم")
        await process.store.flush()
        self.phone.seen.clear()
        self.phone.tries = 0
        return process

    async def press(self, process: Process, *labels: str) -> None:
        for label in labels:
            await process.handle(self.pressed(label))
            await process.settled()

    async def together(self, *processes: Process, chat: Chat = CHAT) -> None:
        """Let ``processes`` come to rest that wait for one another's replies; their notes leave as they would."""
        tasks = Tasks()
        await self.clock.advance(LOOK_EVERY)
        settled = {tasks.spawn(process.settled(chat), "settled") for process in processes}
        while settled:
            looks = tasks.spawn(self.clock.asked(LOOK_EVERY), "looks")
            done, _ = await asyncio.wait({*settled, looks}, return_when=asyncio.FIRST_COMPLETED)
            for finished in settled & done:
                finished.result()
            settled -= done
            if looks in done:
                for process in processes:
                    await process.store.flush()
                await self.clock.advance(LOOK_EVERY)
            looks.cancel()
        await tasks.close()


@contextlib.asynccontextmanager
async def opened(servers: Deployment) -> AsyncGenerator[World, None]:
    """A world on empty servers; its processes end with it."""
    await servers.empty()
    world = World(servers)
    try:
        yield world
    finally:
        for process in world.processes:
            await process.die()
