"""Everything around the orders: time, processes that stop half-way, the registry, the chats.

What runs, runs one at a time and stops only where it waits for the outside world or begins a transaction:
there it passes a gate, and a gate can hold it while others go on. So every interleaving of processes that a
database allows can be chosen, and chosen again.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.crypto import Keyring
from bot.domain import Item
from bot.errors import Declined, OutsideError, StoreAway, Unavailable
from bot.model import Woken
from bot.ports import Asked, Failed
from bot.services.ledger import Ledger, Reads, Work, open_engine
from bot.services.orders import Orders, Terms
from bot.services.orders.closing import Closing
from bot.services.orders.refunds import NotPossible, Refunds
from bot.services.payments.gateways import Gateways
from bot.tasks import Tasks
from tests.payments.machine.bank import Bank
from tests.payments.machine.databases import Book, Database, Reader
from tests.payments.machine.gateway import BankPayments, Mood

NOON = 1_795_500_000
KNOWN = "R2"
LONGEST_CALL = 45
"""Seconds anything may be held up; clients give up earlier."""

T = TypeVar("T")


class Clock:
    """Time that moves when told to."""

    def __init__(self) -> None:
        self._now = NOON

    def now(self) -> int:
        return self._now

    def monotonic(self) -> float:
        return float(self._now)

    async def sleep(self, seconds: float) -> None:
        raise AssertionError(f"nothing here sleeps ({seconds})")

    def advance(self, seconds: int) -> None:
        self._now += seconds


class Loop(asyncio.SelectorEventLoop):
    """An event loop whose time is the town's, so that a timeout runs out when the clock is advanced."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        super().__init__()

    def time(self) -> float:
        return self._clock.monotonic()


class Op:
    """Something under way in one process.

    Attributes:
        label: what it is.
        began: epoch seconds.
        held: it was stopped at a gate at least once.
        quiet: it is done or stopped.
    """

    def __init__(self, label: str, began: int) -> None:
        self.label = label
        self.began = began
        self.held = False
        self.quiet = asyncio.Event()
        self.then: Callable[[Any], None] = lambda _: None
        self._left = 0
        self._go = asyncio.Event()
        self._task: asyncio.Task[Any] | None = None

    def start(self, tasks: Tasks, work: Coroutine[Any, Any, Any], stop: int) -> None:
        """Run ``work`` until it is done or passes its ``stop``-th gate; 0 is none."""
        self._left = stop
        token = _OP.set(self)
        self._task = tasks.spawn(work, self.label)
        _OP.reset(token)
        self._task.add_done_callback(lambda _: self.quiet.set())

    async def gate(self) -> None:
        """Where it may be held."""
        if not self._left:
            return
        self._left -= 1
        if self._left:
            return
        self.held = True
        self._go.clear()
        self.quiet.set()
        try:
            await self._go.wait()
        finally:  # let go, or timed out, or killed
            self.quiet.clear()

    def let_go(self, stop: int) -> None:
        """On to the ``stop``-th gate from here."""
        if self.is_done:
            return
        self._left = stop
        self.quiet.clear()
        self._go.set()

    def kill(self) -> None:
        """Its process dies where it stands."""
        assert self._task is not None
        if not self._task.done():
            self.quiet.clear()
            self._task.cancel()

    @property
    def is_done(self) -> bool:
        return self._task is not None and self._task.done()

    def result(self) -> Any:
        """What it returned; an error that nobody outside may see is raised."""
        assert self._task is not None
        if self._task.cancelled():
            return None
        try:
            return self._task.result()
        except (Failed, OutsideError, NotPossible) as error:
            return error


_OP: ContextVar[Op | None] = ContextVar("op", default=None)


async def gate() -> None:
    """Passed by whatever waits for the outside world or begins a transaction."""
    if (op := _OP.get()) is not None:
        await op.gate()


class GatedLedger(Ledger):
    """The ledger, with a gate before every transaction."""

    @asynccontextmanager
    async def read(self) -> AsyncGenerator[Reads, None]:
        await gate()
        async with super().read() as reads:
            yield reads

    @asynccontextmanager
    async def write(self) -> AsyncGenerator[Work, None]:
        await gate()
        async with super().write() as work:
            yield work


@dataclass
class Registry:
    """The ministry's records: one payment of one fine, one renewal of one residency.

    Attributes:
        mood: what becomes of a call.
        refuses: it knows none of what is paid, the residency `KNOWN` excepted.
        recorded: by part of an order: when, the bank's reference, the lines.
        refused: parts of orders it refused for good.
    """

    mood: Mood = Mood.WELL
    refuses: bool = False
    recorded: dict[str, tuple[int, str, tuple[Item, ...]]] = field(
        default_factory=dict[str, tuple[int, str, tuple[Item, ...]]]
    )
    refused: set[str] = field(default_factory=set[str])
    _fines: dict[str, str] = field(default_factory=dict[str, str])

    async def record_payment(
        self, order: str, paid_at: int, gateway_reference: str, items: tuple[Item, ...]
    ) -> None:
        await gate()
        if self.mood is Mood.DOWN:
            raise Unavailable("registry", "answered 503")
        if self.mood is Mood.RUDE:
            raise Declined("registry", "unauthorised")
        word = "unknown_fine" if self.refuses and items[0].number != KNOWN else ""
        if any(self._fines.get(item.number, order) != order for item in items):
            word = "already_paid"
        if word and order not in self.recorded:
            self.refused.add(order)
            raise Declined("registry", word)
        said = (paid_at, gateway_reference, items)
        assert self.recorded.setdefault(order, said) == said, "recorded twice, and not alike"
        self._fines |= dict.fromkeys((item.number for item in items), order)
        await gate()
        if self.mood is Mood.LOST:
            raise Unavailable("registry", "timeout")


class Prices:
    """Prices that hold."""

    async def holds(self, items: tuple[Item, ...], owners: tuple[str, ...], body: str) -> bool:
        await gate()
        return bool(items) and owners in {(), ("285011500029",)} and not body

    async def lines(self, ref: str, asked: Asked) -> tuple[Item, ...] | None:
        raise AssertionError(f"no basket is kept here: {ref} {asked}")


class Chats:
    """Where news arrive; each is held against what the ledger says at that moment."""

    def __init__(self, look: Callable[[], Awaitable[Book]], judge: Callable[[Woken, Book], None]) -> None:
        self.away = False
        self.news: list[Woken] = []
        self._look = look
        self._judge = judge

    async def wake(self, woken: Woken) -> None:
        # Judged as of the last look into the ledger: what happens on the way to the chat cannot be known.
        self._judge(woken, await self._look())
        await gate()
        if self.away:
            raise StoreAway("no answer")
        self.news.append(woken)
        await gate()


class Process:
    """One process of the service, on connections of its own; new payments go to the ``current`` gateway."""

    def __init__(self, town: "Town", engine: AsyncEngine, current: int) -> None:
        self._town = town
        self.engine = engine
        self.ledger = GatedLedger(engine)
        self.configure(current)

    def configure(self, current: int) -> None:
        """Start anew, with the ``current`` gateway for new payments."""
        town = self._town
        self.gateways = Gateways(town.gateways[current], town.gateways[1 - current])
        self.orders = Orders(
            ledger=self.ledger,
            gateways=self.gateways,
            registry=town.registry,
            appraiser=Prices(),
            baskets=Prices(),
            clock=town.clock,
            keyring=town.keyring,
            wake=town.chats.wake,
            # What runs side by side in one process is what several do: each row is claimed on its own.
            terms=Terms(
                "https://iqamati.example",
                30,
                lambda ref: f"https://iqamati.example/{ref}.pdf",
                side_by_side=1,
            ),
        )

    @property
    def refunds(self) -> Refunds:
        return Refunds(self.ledger, self.gateways, self._town.clock)

    @property
    def closing(self) -> Closing:
        return Closing(self.ledger, self.gateways, self._town.clock)


class Town:
    """Everything, on one fresh ledger; synchronous on the outside.

    Args:
        database: where the ledger comes from.
        judge: of what chats are told, given what the ledger says.
    """

    def __init__(self, database: Database, judge: Callable[[Woken, Book], None]) -> None:
        self._database = database
        self.clock = Clock()
        self.loop = Loop(self.clock)
        self.bank, self.registry, self.keyring = Bank(), Registry(), Keyring.parse(Keyring.generate())
        self.gateways = [BankPayments(name, once, self.bank, self.clock, gate) for name, once in _KINDS]
        self.ops: list[Op] = []
        self._tasks = Tasks()
        self._url = self.run(database.fresh())
        self._reader: Reader = self.run(database.reader(self._url))
        self.chats = Chats(self._reader.read, judge)
        self.processes = [Process(self, _engine(self._url), current) for current in range(2)]

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """``work``, to its end."""
        return self.loop.run_until_complete(work)

    def look(self) -> Book:
        """What the ledger says."""
        return self.run(self._reader.read())

    def begin(self, label: str, work: Coroutine[Any, Any, Any], stop: int = 0) -> Op:
        """Begin something and let it come to its end or to its ``stop``-th gate."""
        op = Op(label, self.clock.now())
        self.ops.append(op)
        self.run(self._begin(op, work, stop))
        return op

    def resume(self, op: Op, stop: int = 0) -> None:
        """Let ``op`` go on."""
        self.run(self._resume(op, stop))

    def kill(self, op: Op) -> None:
        """The process dies in which ``op`` is held."""
        self.run(self._kill(op))

    def advance(self, seconds: int) -> None:
        """Time passes; what would be held up for too long comes to its end first."""
        for op in list(self.ops):
            if self.clock.now() + seconds - op.began > LONGEST_CALL and not op.is_done:
                self.resume(op)
        self.clock.advance(seconds)
        self.run(self._settle())

    def settled(self) -> list[Op]:
        """What came to its end meanwhile, each once."""
        done = [op for op in self.ops if op.is_done]
        self.ops = [op for op in self.ops if not op.is_done]
        return done

    def close(self) -> None:
        """Release everything."""
        self.run(self._close())
        self.loop.close()

    # --- inside ----------------------------------------------------------------------------------

    async def _begin(self, op: Op, work: Coroutine[Any, Any, Any], stop: int) -> None:
        op.start(self._tasks, work, stop)
        await self._settle()

    async def _resume(self, op: Op, stop: int) -> None:
        op.let_go(stop)
        await self._settle()

    async def _kill(self, op: Op) -> None:
        op.kill()
        await self._settle()

    async def _settle(self) -> None:
        """Until all are done or held, timeouts that ran out included."""
        for _ in range(5):
            await asyncio.sleep(0)
        for op in self.ops:
            await op.quiet.wait()

    async def _close(self) -> None:
        await self._tasks.close()
        await self._reader.close()
        for process in self.processes:
            await process.engine.dispose()
        with suppress(FileNotFoundError):
            await self._database.drop(self._url)


_KINDS = (("opens", True), ("once", False))


def _engine(url: str) -> AsyncEngine:
    engine = open_engine(url)
    if url.startswith("sqlite"):
        event.listen(engine.sync_engine, "connect", _hurry)
    return engine


def _hurry(connection: Any, _record: object) -> None:
    # No machine loses its power here; syncing would take most of the time.
    cursor = connection.cursor()
    cursor.execute("PRAGMA synchronous=OFF")
    cursor.close()
