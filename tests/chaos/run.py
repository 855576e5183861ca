"""A run: everything started, residents sent on their walks, everything broken meanwhile, all of it calmed and counted."""

import asyncio
import random
import shutil
import sys
from collections.abc import Awaitable, Iterator
from datetime import date
from pathlib import Path
from typing import Final, TypeVar

from bot.clock import SystemClock, local
from tests.chaos import people
from tests.chaos.audit import Evidence, Report, audit
from tests.chaos.doors import Door, Net, TelegramDoor, WebDoor
from tests.chaos.outbox import lying
from tests.chaos.size import PLANS, Size
from tests.chaos.troubles import Troubles
from tests.chaos.walker import Plan, Walk
from tests.chaos.world import World, world_of

_LOGS_AT_ONCE: Final = 20
_SAY_EVERY: Final = 30.0
"""Seconds between lines on standard error."""

T = TypeVar("T")


async def run(size: Size, seed: int, kept: Path | None = None) -> Report:
    """Run it; the evidence, every note and the processes' logs go into the folder ``kept``, where one is given."""
    async with world_of(size, seed) as world:
        doors = await _walks(world)
        world.journal.note("walks over")
        await _calm(world)
        settled = await _settled(world)
        pages = [door for door in doors if isinstance(door, WebDoor)]
        logs = dict(
            zip((door.chat for door in pages), await _few([door.log() for door in pages]), strict=True)
        )
        await world.fleet.end()  # what is compared stands still
        evidence = Evidence(
            journal=world.journal,
            orders=await world.books.rows("SELECT * FROM orders"),
            items=await world.books.rows("SELECT * FROM order_items"),
            attempts=await world.books.rows("SELECT * FROM attempts"),
            book=await world.book(),
            outbox=settled,
            sessions=len(await world.cluster.read("s:*")),
            aside=len(await world.cluster.read("q:*:*:*")),
            logs=logs,
            errors=dict(world.fleet.errors()),
            ledger=world.books.name,
            planned=size.walks,
        )
        if kept is not None:
            _keep(world, evidence, kept)
        return audit(evidence)


async def _few(work: list[Awaitable[T]]) -> list[T]:
    """Results of ``work``, a few at once."""
    room = asyncio.Semaphore(_LOGS_AT_ONCE)

    async def one(each: Awaitable[T]) -> T:
        async with room:
            return await each

    return await asyncio.gather(*(one(each) for each in work))


def _keep(world: World, evidence: Evidence, kept: Path) -> None:
    kept.mkdir(parents=True, exist_ok=True)
    evidence.keep(kept)
    told = (f"{note.at:9.3f} {note.kind:<16} {note.chat} {note.data}\n" for note in world.journal.notes)
    (kept / "journal").write_text("".join(told))
    for process in world.fleet.processes:
        shutil.copy(process.folder / "log", kept / process.name)


# --- the walks ------------------------------------------------------------------------------------------


async def _walks(world: World) -> list[Door]:
    """Send everybody on their way, and break things until the last one is back."""
    size, troubles = world.size, Troubles(world)
    room = asyncio.Semaphore(0 if size.rounds else size.at_once)
    async with asyncio.TaskGroup() as behind:
        chance = random.Random(world.seed + 1)
        net = Net(world.fleet, world.api, world.http, world.journal, chance, behind, size.twice)
        walks = list(_residents(world, net))
        loop = asyncio.get_running_loop()
        doors_shut = loop.time() + size.seconds

        async def one(walk: Walk) -> None:
            await room.acquire()
            if loop.time() < doors_shut:
                await walk.go()
                await walk.door.close()
            if not size.rounds:
                room.release()

        def let_in(count: int) -> None:
            for _ in range(count):
                room.release()

        works = [troubles.one_by_one(let_in)] if size.rounds else troubles.beside()
        watching = behind.create_task(_told(world))
        breaking = [behind.create_task(each) for each in works]
        try:
            async with asyncio.timeout(size.seconds + size.patience):
                await asyncio.gather(*(one(walk) for walk in walks), *(breaking if size.rounds else ()))
        except TimeoutError:
            world.journal.note("time is up")
        for each in (watching, *breaking):
            each.cancel()
        await asyncio.gather(*breaking, return_exceptions=True)
        await troubles.healed()
        while net.pending:
            await asyncio.wait(net.pending, timeout=60)
        for walk in walks:  # of those whose time was up, too
            await walk.door.close()
    begun = {note.chat for note in world.journal.of("begin")}
    return [walk.door for walk in walks if walk.door.chat in begun]


def _residents(world: World, net: Net) -> Iterator[Walk]:
    chance = random.Random(world.seed + 2)
    today: date = local(SystemClock().now()).date()
    owing, families, all_ = (
        people.with_fines(chance, today),
        people.with_family(chance, today),
        people.anybody(chance),
    )
    plans = chance.choices(list(PLANS), list(PLANS.values()), k=world.size.walks)
    for number, plan in enumerate(plans):
        address = f"5.{number >> 12 & 255}.{number >> 4 & 255}.{(number & 15) * 16 + 1}"
        kind = TelegramDoor if chance.random() < 0.6 else WebDoor
        whose = families if plan is Plan.RENEW else all_ if plan is Plan.LOOK else owing
        door = kind(net, number, address)
        walk = Walk(net, door, plan, next(whose), world.size.patience, world.size.think)
        walk.stray = chance.random() < 0.1
        yield walk


async def _told(world: World) -> None:
    """Say on standard error how far it is, until cancelled."""
    counts = world.journal.counts
    while True:
        await asyncio.sleep(_SAY_EVERY)
        told = ", ".join(
            f"{kind} {counts[kind]}" for kind in ("begin", "end", "kill", "failover", "asked again")
        )
        sys.stderr.write(f"{world.journal.now():.0f} s of {world.size.walks} walks: {told}\n")


async def _calm(world: World) -> None:
    await world.weather(0.0)
    world.api.failing = 0.0


async def _settled(world: World) -> list[str]:
    """Wait until nothing is left in the outbox and what was paid is recorded; entries of the outbox left."""
    loop = asyncio.get_running_loop()
    begun = loop.time()
    left = ["not looked at"]
    while left and loop.time() - begun < world.size.settle:
        await asyncio.sleep(1.0)
        left = await lying(await world.cluster.read("o:*"))
    while loop.time() - begun < world.size.record:
        if not await world.books.rows("SELECT id FROM orders WHERE status = 'paid'"):
            break
        await asyncio.sleep(1.0)
    return left
