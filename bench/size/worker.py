"""A process to be measured; `bench.size` starts it and reads one line of JSON. ``python -m bench.size.worker '{…}'``."""

import sys
import time

import msgspec
import uvloop

from bench.size.measure import Round, Share, Turns, Visits, rounds, turns
from bench.size.process import Process, chat, started
from bench.size.servers import attached
from bot.serve import spare_collector


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
        find_ms: to find all keys of one chat, as forgetting it does.
    """

    turns: Turns
    rounds: dict[str, Round]
    find_ms: float
    done: int


async def measured(order: Order) -> Report:
    """Do what ``order`` says."""
    process = await started(order.url, order.name)
    async with attached(order.url, order.nodes) as servers:
        spare_collector()
        visits = Visits(process, order.name, order.share)
        found = await turns(process, servers, visits, order.turns, order.walkers)
        quiet = await rounds(process, servers) if order.rounds else {}
        find_ms = await _find_ms(process) if order.rounds else 0.0
    await process.close()
    return Report(found, quiet, find_ms, visits.done)


async def _find_ms(process: Process) -> float:
    began = time.perf_counter()
    await process.memory.keys(chat(0))
    return 1e3 * (time.perf_counter() - began)


def main() -> None:
    """Read the order, print the report."""
    order = msgspec.json.decode(sys.argv[1], type=Order)
    report = uvloop.run(measured(order))
    sys.stdout.write(msgspec.json.encode(report).decode() + "\n")


if __name__ == "__main__":
    main()
