"""A process to be measured; `bench.size` starts it and reads one line of JSON. ``python -m bench.size.worker '{…}'``."""

import sys
import time
from collections.abc import Awaitable
from typing import Final

import msgspec
import uvloop

from bench.size.measure import Round, Share, Turns, Visits, rounds, turns
from bench.size.process import CHANNEL, Process, chat, started
from bench.size.servers import attached
from bot.model import Chat
from bot.serve import spare_collector

NOBODY: Final = Chat(CHANNEL, "nobody")
"""A chat of which nothing is kept: forgetting it leaves all others as they are."""


class Order(msgspec.Struct, frozen=True):
    """What to measure.

    Attributes:
        url: of Redis.
        nodes: addresses of its servers, for their counts.
        name: of the process.
        share: whose chats it serves.
        turns: at least so many.
        walkers: chats at once.
        rounds: measure the rounds, and finding a chat's keys, too.
    """

    url: str
    nodes: tuple[str, ...]
    name: str
    share: Share
    turns: int
    walkers: int
    rounds: bool = True


class Report(msgspec.Struct, frozen=True):
    """What was found.

    Attributes:
        done: turns in all, those that were not measured included.
        show_ms: to tell which keys a chat has.
        forget_ms: to forget a chat.
        walk_ms: to look through all keys for some of forgotten chats that nobody listed, which is done once an hour.
    """

    turns: Turns
    rounds: dict[str, Round]
    show_ms: float
    forget_ms: float
    walk_ms: float
    done: int


async def measured(order: Order) -> Report:
    """Do what ``order`` says."""
    process = await started(order.url, order.name)
    async with attached(order.url, order.nodes) as servers:
        spare_collector()
        visits = Visits(process, order.name, order.share)
        found = await turns(process, servers, visits, order.turns, order.walkers)
        quiet = await rounds(process, servers) if order.rounds else {}
        show_ms = await _ms(process.memory.keys(chat(0))) if order.rounds else 0.0
        forget_ms = await _ms(process.memory.forget(NOBODY)) if order.rounds else 0.0
        walk_ms = await _walk_ms(process) if order.rounds else 0.0
    await process.close()
    return Report(found, quiet, show_ms, forget_ms, walk_ms, visits.done)


async def _walk_ms(process: Process) -> float:
    """As if the hour of a chat that is gone were over."""
    tag, name = process.store.place(NOBODY)
    await process.redis.zadd(f"f:{tag}", {name: 0})
    return await _ms(process.memory.round())


async def _ms(work: Awaitable[object]) -> float:
    began = time.perf_counter()
    await work
    return 1e3 * (time.perf_counter() - began)


def main() -> None:
    """Read the order, print the report."""
    order = msgspec.json.decode(sys.argv[1], type=Order)
    report = uvloop.run(measured(order))
    sys.stdout.write(msgspec.json.encode(report).decode() + "\n")


if __name__ == "__main__":
    main()
