"""What chats occupy: in the process, and in Redis, idle, with an open page, and in the middle of a turn.

    python -m bench.memory [--chats 2000] [--json memory.json]

The service is `bench.web`'s contender, in a process of its own. *Stored* chats have walked to the middle of the dialog
and nobody is connected any more; *open* ones hold a stream; *busy* ones have a turn under way, whose look-up is not
answered until all have been counted.
"""

import argparse
import asyncio
import os
import sys
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import redis
import uvloop

from bench.table import Row, free_port, shown, written
from bench.telegram import harness as h
from bench.web.__main__ import contender, world
from bench.web.loadgen import Load
from bench.web.registry import Registry

AHEAD: Final = 4
"""Turns until the number is asked for."""
ROUNDS: Final = 3
"""Times that the stored chats are doubled: what grows with each of them is a chat's, the rest is there once."""
SETTLED: Final = 2.0
"""Seconds of rest before anything is counted."""

COLUMNS: Final = {
    "chats": "chats",
    "rss_mib": "RSS MiB",
    "per_1000_mib": "MiB per 1,000 more",
    "redis_mib": "Redis MiB",
    "redis_per_1000_mib": "MiB per 1,000 more",
    "keys": "keys",
    "connections": "Redis connections",
}


class Held:
    """A registry whose answers wait until they are let go."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.open.set()
        self.waiting = 0
        self._tasks: set[asyncio.Task[None]] = set()

    def connection(self) -> Registry:
        held = self

        class Patient(Registry):
            def data_received(self, data: bytes) -> None:
                held.waiting += 1
                task = asyncio.get_running_loop().create_task(self._later(data))
                held._tasks.add(task)
                task.add_done_callback(held._tasks.discard)

            async def _later(self, data: bytes) -> None:
                await held.open.wait()
                held.waiting -= 1
                super().data_received(data)

        return Patient()


class Ledger:
    """What is occupied, from one count to the next."""

    def __init__(self, pid: int, client: Any) -> None:
        self._pid, self._client = pid, client
        self.rows: list[Row] = []

    async def note(self, what: str, more: int) -> None:
        """Count, after ``more`` chats than before."""
        await asyncio.sleep(SETTLED)
        row: Row = {
            "chats": what,
            "rss_mib": round(h.rss_mib(self._pid), 1),
            "redis_mib": round(self._client.info("memory")["used_memory"] / 2**20, 2),
            "keys": self._client.dbsize(),
            "connections": self._client.info("clients")["connected_clients"] - 1,
        }
        if self.rows and more:
            last = self.rows[-1]
            for name, each in (("rss_mib", "per_1000_mib"), ("redis_mib", "redis_per_1000_mib")):
                row[each] = round((row[name] - last[name]) * 1000 / more, 2)
        self.rows.append(row)


@asynccontextmanager
async def served(held: Held) -> AsyncGenerator[tuple[int, int, Any]]:
    """The contender: its port, its process, and its Redis."""
    upstream, port = free_port(), free_port()
    loop = asyncio.get_running_loop()
    fines = await loop.create_server(held.connection, "127.0.0.1", upstream, backlog=4096)
    with world() as redis_port:
        client = redis.Redis(port=redis_port)
        try:
            with contender("bench.web.contender", port, redis_port, upstream) as process:
                yield port, process.pid, client
        finally:
            client.close()
            fines.close()


async def walked(port: int, chats: int) -> Load:
    """Residents who stand where the number is asked for, their streams open."""
    load = Load(port, chats=chats, inflight=50)
    for walk in load.walks:
        walk.first = AHEAD + 1
    await load.open()
    await load.park(AHEAD)
    return load


async def until(holds: Callable[[], bool], seconds: float = 60.0) -> None:
    """Return once it holds."""
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            raise TimeoutError("it never came to that")
        await asyncio.sleep(0.05)


async def main(argv: list[str]) -> None:
    """Measure."""
    parser = argparse.ArgumentParser(prog="python -m bench.memory", description=__doc__)
    parser.add_argument("--chats", type=int, default=2000)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args(argv)
    if h.several_cores():
        os.sched_setaffinity(0, {1})
    held = Held()
    async with served(held) as (port, pid, client):
        ledger = Ledger(pid, client)
        (await walked(port, 100)).close()  # what is there once: scripts, partitions, caches
        await ledger.note("warmed up", 0)
        load = await walked(port, args.chats)
        await ledger.note(f"{args.chats:,} pages open", args.chats)
        held.open.clear()
        load.all_at_once(AHEAD)
        # The lean client has a hundred connections: the other turns wait for one.
        await until(lambda: held.waiting >= min(100, args.chats) and load.taken >= args.chats)
        await ledger.note(f"the same, {args.chats:,} turns under way", args.chats)
        held.open.set()
        await until(lambda: not load.inflight)
        load.close()
        await until(lambda: len(client.pubsub_channels("wl:*")) <= 1)
        await ledger.note("they are done and gone", args.chats)
        for number in range(1, ROUNDS + 1):
            (await walked(port, args.chats)).close()
            await until(lambda: len(client.pubsub_channels("wl:*")) <= 1)
            await ledger.note(f"{number * args.chats:,} more stored, nobody there", args.chats)
        if load.errors:
            print(f"errors: {dict(load.errors)}", file=sys.stderr)
    print(shown(ledger.rows, COLUMNS))
    written(args.json, ledger.rows)


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1:]))
