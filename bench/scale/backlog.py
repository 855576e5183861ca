"""A backlog in the real outbox: a process dies with so many entries said and not delivered, another one finds them.

The entries are written by the service's own commits, taken over by its recovery and delivered by its deliveries. What is
counted at the end is what a resident would see: nothing missing, nothing twice, each chat in its order.
"""

import asyncio
import contextlib
import resource
import time
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Final

import msgspec

from bench.size.process import CHANNEL, Process, chat, started
from bench.size.servers import Deployment, one
from bot.dialogs.violations import FindFines
from bot.model import Chat, Outgoing, Say, Session, Span
from bot.runtime.deliver import IDLE
from bot.runtime.entries import Codec, Entry

A_CHAT: Final = 2
"""Replies of each chat: one turn's."""
WRITERS: Final = 200
TEXT: Final = "عليك مخالفتان بمبلغ 35.000 د.ك. اختر ما تريد دفعه، أو اكتب رقماً آخر."
LONGEST: Final = 1200.0
"""Seconds after which a backlog that does not drain is given up."""


class Drained(msgspec.Struct, frozen=True):
    """How a backlog went.

    Attributes:
        entries: how many there were.
        memory: bytes of Redis for each.
        rounds: of recovery until there was nothing left.
        seconds: of work in these rounds, without the pauses between them.
        cpu_us: of the process for each entry.
        redis_us: of the server for each entry.
        hold_ms: of one round of signs of life with as much in hand as one round of recovery takes.
        rss_mib: by which the process grew at its peak.
        missing: entries that nobody heard.
        doubled: entries that were heard twice.
        disordered: entries that were heard before an earlier one of their chat.
    """

    entries: int
    memory: float
    rounds: int
    seconds: float
    cpu_us: float
    redis_us: float
    hold_ms: float
    rss_mib: float
    missing: int
    doubled: int
    disordered: int


class Listener:
    """Implements `bot.ports.Channel`: knows what each chat heard last."""

    name = CHANNEL

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.heard: dict[str, int] = {}
        self.count = self.doubled = self.disordered = 0

    async def deliver(self, chat: Chat, outgoing: Outgoing) -> None:
        await self.open.wait()
        number = int(outgoing.key) if isinstance(outgoing, Say) else 0
        last = self.heard.get(chat.id, 0)
        self.doubled += number == last
        self.disordered += number not in {last, last + 1}
        self.heard[chat.id] = number
        self.count += 1

    async def typing(self, chat: Chat) -> None:
        del chat


async def left_behind(process: Process, entries: int) -> None:
    """Commit turns whose replies nobody delivers."""
    codec, numbers = Codec([FindFines]), iter(range(entries // A_CHAT))
    session = Session(rev=1, language="ar", touched=1)

    async def writer() -> None:
        for number in numbers:
            whose = chat(number)
            said = [
                codec.encode(Entry(whose, (Say(str(each), "ar", (Span(TEXT),)),)))
                for each in range(1, A_CHAT + 1)
            ]
            await process.store.commit(whose, 0, session, said)

    await asyncio.gather(*(writer() for _ in range(WRITERS)))


async def drained(servers: Deployment, entries: int, *, patient: bool = True) -> Drained:
    """Leave ``entries`` behind and have another process find them.

    Args:
        servers: empty.
        entries: how many.
        patient: wait until they are idle by the clock; else they are made to look so.
    """
    before, small = await servers.counts(), _peak_mib()
    dead = await started(servers.url, "dead")
    await left_behind(dead, entries)
    stored = (await servers.counts()).since(before)
    await dead.tasks.close()
    await dead.redis.aclose()
    await (asyncio.sleep(IDLE) if patient else _aged(servers))
    listener = Listener()
    async with _taking_over(servers, listener) as process:
        hold_ms, rounds, seconds, cpu = await _rounds(process, listener, entries)
        used = (await servers.counts()).since(before)
        left = sum([await node.xlen(key) for node in servers.nodes for key in await node.keys("o:*")])
    missing = max(entries - listener.count, left)
    return Drained(
        entries,
        stored.memory / entries,
        rounds,
        seconds,
        1e6 * cpu / entries,
        (used.cpu_us - stored.cpu_us) / entries,
        hold_ms,
        _peak_mib() - small,
        missing,
        listener.doubled,
        listener.disordered,
    )


@contextlib.asynccontextmanager
async def _taking_over(servers: Deployment, listener: Listener) -> AsyncGenerator[Process, None]:
    process = await started(servers.url, "heir", listener)
    try:
        yield process
    finally:
        await process.close()


async def _rounds(process: Process, listener: Listener, entries: int) -> tuple[float, int, float, float]:
    """Recover until nothing is left; a round of signs of life is timed while the first one's entries are in hand."""
    deliveries = process.runtime.deliveries
    began, cpu, hold_ms, rounds = time.perf_counter(), time.process_time(), 0.0, 0
    async with asyncio.timeout(LONGEST):
        while listener.count < entries:
            taken = await deliveries.recover()
            rounds += 1
            if not hold_ms:
                at = time.perf_counter()
                await deliveries.hold()
                hold_ms = 1e3 * (time.perf_counter() - at)
                listener.open.set()
            await deliveries.finish(LONGEST)
            await process.store.flush()
            if not taken:
                await asyncio.sleep(IDLE / 8)  # the rest is not idle yet
    return hold_ms, rounds, time.perf_counter() - began, time.process_time() - cpu


async def _aged(servers: Deployment) -> None:
    """Make every entry look untouched for an hour."""
    for node in servers.nodes:
        for key in await node.keys("o:*"):
            for row in await node.xpending_range(key, "out", "-", "+", 1_000_000):
                await node.xclaim(
                    key, "out", row["consumer"], 0, [row["message_id"]], idle=3_600_000, justid=True
                )


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


async def measured(entries: int, folder: Path) -> Drained:
    """A backlog of ``entries`` on a server of its own."""
    async with one(folder) as servers:
        return await drained(servers, entries)


def line(row: Drained | None) -> str:
    """A line of the table; its head without a row."""
    if row is None:
        return (
            "| left behind | B/entry | rounds | CPU µs/entry | Redis µs/entry | seconds of work | signs of life, ms"
            " | grown by, MiB | missing | doubled | out of order |\n|---|---|---|---|---|---|---|---|---|---|---|"
        )
    return (
        f"| {row.entries:,} | {row.memory:,.0f} | {row.rounds} | {row.cpu_us:.0f} | {row.redis_us:.0f} | {row.seconds:.1f}"
        f" | {row.hold_ms:.0f} | {row.rss_mib:.0f} | {row.missing} | {row.doubled} | {row.disordered} |"
    )
