"""What is measured every few seconds, and how what Redis keeps is made to go sooner."""

import asyncio
from collections import Counter
from typing import Any, Final

from bench.soak.world import World

_MILLION: Final = 1e6
_BATCH: Final = 500
KINDS: Final = {
    b"s": "sessions",
    b"k": "languages",
    b"w": "logs",
    b"o": "outbox streams",
    b"t": "timer sets",
    b"u": "windows",
    b"v": "standings",
    b"d": "files",
    b"i": "sign-ins",
    b"f": "forgetting",
    b"q": "put aside",
    b"c": "verifications",
}
"""Prefixes of keys (ARCHITECTURE.md, Redis)."""


async def sampled(world: World) -> dict[str, float]:
    """One look at the service and at Redis."""
    own = await world.service.ask("sample")
    found = {name: float(own[name]) for name in ("rss", "private", "fds", "tasks", "objects", "collected")}
    found["cpu"] = (own["cpu"] - own["spent"]) * _MILLION
    memory, clients = await world.redis.info("memory"), await world.redis.info("clients")
    found["redis"] = float(memory["used_memory"])
    found["redis dataset"] = float(memory["used_memory_dataset"])
    found["redis clients"] = float(clients["connected_clients"])
    found["redis blocked"] = float(clients["blocked_clients"])
    found["updates"] = float(world.journal.counts["update"])
    return found


async def outbox(world: World) -> tuple[int, int]:
    """Entries left in the outbox, and those that a process holds."""
    left = held = 0
    async for key in world.redis.scan_iter("o:*", count=_BATCH):
        left += await world.redis.xlen(key)
        held += int((await world.redis.xpending(key, "out"))["pending"])
    return left, held


async def hastened(world: World, lives: float) -> Counter[str]:
    """Have every key that would live longer than ``lives`` seconds go by then; how many keys there are of each kind.

    Redis measures a life by its own clock, which cannot be hurried: this is done from outside, as an operator could.
    """
    most = int(lives * 1000)
    kinds: Counter[str] = Counter()
    cursor = 0
    while True:
        cursor, keys = await world.redis.scan(cursor, count=_BATCH)
        kinds.update(KINDS.get(key.partition(b":")[0], "other") for key in keys)
        pipe = world.redis.pipeline(transaction=False)
        for key in keys:
            pipe.pttl(key)
        left = await pipe.execute()
        pipe = world.redis.pipeline(transaction=False)
        for key, ends in zip(keys, left, strict=True):
            if ends > most:
                pipe.pexpire(key, most)
        if len(pipe):
            await pipe.execute()
        if not cursor:
            return kinds
        await asyncio.sleep(0)


async def ledger(world: World) -> dict[str, float]:
    """Connections to the ledger, and its size and rows."""
    if world.books.name == "PostgreSQL":
        tables = await world.books.rows(
            "SELECT relname, pg_total_relation_size(relid) AS bytes, n_live_tup AS rows FROM pg_stat_user_tables"
        )
        (here,) = await world.books.rows(
            "SELECT count(*) - 1 AS n FROM pg_stat_activity WHERE backend_type = 'client backend'"
        )
        found = {f"rows {each['relname']}": float(each["rows"]) for each in tables}
        return {
            **found,
            "ledger": float(sum(each["bytes"] for each in tables)),
            "ledger connections": float(here["n"]),
        }
    (size,) = await world.books.rows(
        "SELECT page_count * page_size AS bytes FROM pragma_page_count(), pragma_page_size()"
    )
    return {"ledger": float(size["bytes"])}


async def settled(world: World, seconds: float) -> tuple[int, int]:
    """Wait until the outbox is empty; what is left in it."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    left = await outbox(world)
    while any(left) and loop.time() < end:
        await asyncio.sleep(0.5)
        left = await outbox(world)
    return left


async def rested(world: World, seconds: float, pause: float = 1.0) -> dict[str, Any]:
    """The census once nobody is there: the least number of tasks and descriptors that is seen within ``seconds``.

    ``pause`` seconds lie between two looks, and five looks in a row must find nothing less. Kept connections to other servers are closed by their own time.
    """
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    least: dict[str, Any] = {}
    quiet = 0
    while quiet < 5 and loop.time() < end:
        own = await world.service.ask("sample")
        size = own["tasks"] + own["fds"]
        quiet = quiet + 1 if least and size >= least["tasks"] + least["fds"] else 0
        least = min(least or own, own, key=lambda each: each["tasks"] + each["fds"])
        await asyncio.sleep(pause)
    found = await world.service.ask("census")
    return {**found, "fds by kind": named(found, world.peers)}


def named(census: dict[str, Any], peers: dict[int, str]) -> dict[str, int]:
    """Descriptors by whom they lead to."""
    found: Counter[str] = Counter()
    for name, count in census["fds by kind"].items():
        found[_peer(name, peers)] += count
    return dict(found)


def _peer(name: str, peers: dict[int, str]) -> str:
    ends = [int(each) for each in name.split("-") if each.isdigit()]
    if name.startswith("listens "):
        return "listens"
    return next((peers[each] for each in ends if each in peers), name if not ends else "another server")
