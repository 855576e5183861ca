"""What one process of the service does while it is measured: visits of residents, then its rounds one by one."""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Final

import msgspec

from bench.size.process import Process, chat
from bench.size.servers import Counts, Deployment
from bot.model import Typed

VISIT: Final = ("القائمة", "المخالفات", "1", "رجوع")
"""What somebody writes who comes back: menu, fines, of whom, back. No look-up: the registry is not measured here."""
STRIDE: Final = 7_368_787
"""A prime: chats come in no order that the store knows, and none twice before all others came."""
ROUNDS: Final = 20

SECONDS_APART: Final = {
    "timers": 1.0,
    "recovery": 5.0,
    "notes": 0.5,
    "signs of life": 2.0,
    "forgetting": 10.0,
}
"""How often a process makes each round."""


class Turns(msgspec.Struct, frozen=True):
    """What turns took.

    Attributes:
        cpu_us: of the process, for a turn.
        redis_us: of all servers.
        trips: reads of the servers for a turn.
        calls: commands sent for a turn.
        inner: commands run for a turn, inside scripts.
        p50_ms: from the event to the commit, all walkers at once.
        alone_ms: the same with one walker.
        heard: messages a turn.
        a_second: turns.
    """

    turns: int
    cpu_us: float
    redis_us: float
    trips: float
    calls: float
    inner: float
    p50_ms: float
    alone_ms: float
    heard: float
    a_second: float


class Round(msgspec.Struct, frozen=True):
    """What one round costs: microseconds of the process and of the servers, and how many commands."""

    cpu_us: float
    redis_us: float
    calls: float


class Share(msgspec.Struct, frozen=True):
    """Which chats are one process's: every ``of``-th of ``population``, beginning with ``number``."""

    population: int
    number: int = 0
    of: int = 1

    def numbers(self) -> Iterator[int]:
        """For ever, in a mixed sequence."""
        place = self.number
        while True:
            yield place * STRIDE % self.population
            place += self.of


class Visits:
    """Residents who come back, some at once.

    Attributes:
        done: turns so far.
    """

    def __init__(self, process: Process, name: str, share: Share) -> None:
        self._process = process
        self._name = name
        self._numbers = share.numbers()
        self.done = 0

    async def walk(self, turns: int, walkers: int) -> list[float]:
        """At least ``turns`` turns; seconds of each."""
        took: list[float] = []
        left = turns

        async def walker() -> None:
            nonlocal left
            while left > 0:
                left -= len(VISIT)
                await self._visit(next(self._numbers), took)

        await asyncio.gather(*(walker() for _ in range(walkers)))
        return took

    async def _visit(self, number: int, took: list[float]) -> None:
        whose = chat(number)
        for text in VISIT:
            self.done += 1
            event = Typed(id=f"{self._name}:{self.done}", chat=whose, text=text)
            began = time.perf_counter()
            await self._process.runtime.handle(event)
            took.append(time.perf_counter() - began)
            await self._process.runtime.deliveries.settled(whose)


async def turns(process: Process, servers: Deployment, visits: Visits, count: int, walkers: int) -> Turns:
    """Let residents take ``count`` turns, ``walkers`` at once."""
    await visits.walk(count // 5, walkers)
    heard, before = process.ear.heard, await servers.counts()
    cpu, began = time.process_time(), time.perf_counter()
    took = await visits.walk(count, walkers)
    spent, seconds = time.process_time() - cpu, time.perf_counter() - began
    await process.store.flush()
    used = (await servers.counts()).since(before)
    done = len(took)
    alone = await visits.walk(max(200, count // 20), 1)
    return Turns(
        turns=done,
        cpu_us=1e6 * spent / done,
        redis_us=used.cpu_us / done,
        trips=used.reads / done,
        calls=used.calls / done,
        inner=used.inner / done,
        p50_ms=1e3 * statistics.median(took),
        alone_ms=1e3 * statistics.median(alone),
        heard=(process.ear.heard - heard) / done,
        a_second=done / seconds,
    )


async def rounds(process: Process, servers: Deployment) -> dict[str, Round]:
    """Each round of a process that has nothing to do, by name."""
    work: dict[str, Callable[[], Awaitable[object]]] = {
        "timers": process.sweeper.timers,
        "recovery": process.runtime.deliveries.recover,
        "notes": process.store.flush,
        "signs of life": process.runtime.deliveries.hold,
        "forgetting": process.memory.round,
    }
    return {name: await _round(servers, each) for name, each in work.items()}


async def _round(servers: Deployment, work: Callable[[], Awaitable[object]]) -> Round:
    await work()
    before, cpu = await servers.counts(), time.process_time()
    for _ in range(ROUNDS):
        await work()
    spent = time.process_time() - cpu
    used: Counts = (await servers.counts()).since(before)
    return Round(1e6 * spent / ROUNDS, used.cpu_us / ROUNDS, used.inner / ROUNDS)


def a_second(found: dict[str, Round]) -> Round:
    """All rounds together, for each second a process runs."""
    return Round(
        *(
            sum(getattr(each, field) / SECONDS_APART[name] for name, each in found.items())
            for field in Round.__struct_fields__
        )
    )
