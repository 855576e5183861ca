"""Cost against size, and against processes: tables, JSON and plots.

    python -m bench.size [--most 1000000] [--processes 4] [--shards 3] [--turns 8000] [--json FILE] [--plots FOLDER]

First one Valkey is filled with 1, 10, 100 … sessions by the service's own store, and at each size a fresh process of the
service lets fifty residents at a time come back. Then the same on the shards of a cluster with 1, 2, 3 … processes,
which share no chat at a time. Every server and process is started here and ended here; loopback only.
"""

import argparse
import asyncio
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

import msgspec

from bench.size import fill
from bench.size.measure import Share, a_second
from bench.size.process import started
from bench.size.report import Found, Grown, Shared, grown_line, plots, shared_line
from bench.size.servers import Deployment, cluster, one
from bench.size.worker import Order, Report

RUNS: Final = 3
WALKERS: Final = 50
FEWEST: Final = 64
"""Chats that residents come back to while fewer are stored: one for each walker, and some."""
ON_SHARDS: Final = 10_000
WALKERS_EACH: Final = 16
LIMIT: Final = 600.0
"""Seconds for one process's measurement."""


def begun(order: Order) -> "subprocess.Popen[bytes]":
    """A process that does what ``order`` says."""
    command = [sys.executable, "-m", "bench.size.worker", msgspec.json.encode(order).decode()]
    return subprocess.Popen(command, stdout=subprocess.PIPE)


def ended(process: "subprocess.Popen[bytes]") -> Report:
    """What it found."""
    try:
        out, _ = process.communicate(timeout=LIMIT)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise
    if process.returncode:
        raise SystemExit(f"a measured process ended with {process.returncode}")
    return msgspec.json.decode(out, type=Report)


async def against_size(most: int, turns: int, folder: Path) -> list[Grown]:
    """One server, more and more sessions."""
    rows: list[Grown] = []
    async with one(folder) as servers:
        filler = await started(servers.url, "filler")
        session = await fill.conversation(filler)
        stored, size = 0, 1
        while size <= most:
            before = await servers.counts()
            await fill.store(filler, session, range(stored, size))
            filled = (await servers.counts()).since(before)
            added = max(1, filled.keys // 2)  # a session, and what is kept of the chat
            held = filled.memory / added
            reports = [await _alone(servers, size, run, turns) for run in range(RUNS)]
            reports.sort(key=lambda report: report.turns.cpu_us)
            found = reports[len(reports) // 2]
            spread = reports[0].turns.cpu_us, reports[-1].turns.cpu_us
            rows.append(
                Grown(
                    size,
                    found.turns,
                    spread,
                    held,
                    a_second(found.rounds),
                    found.rounds,
                    found.show_ms,
                    found.forget_ms,
                    found.walk_ms,
                )
            )
            print(grown_line(rows[-1]), flush=True)
            stored, size = size, size * 10
        await filler.close()
    return rows


async def _alone(servers: Deployment, size: int, run: int, turns: int) -> Report:
    share = Share(max(size, FEWEST))
    order = Order(servers.url, servers.addresses, f"s{size}r{run}", share, turns, WALKERS)
    return await asyncio.to_thread(ended, begun(order))


async def against_processes(processes: int, shards: int, turns: int, folder: Path) -> list[Shared]:
    """A cluster, more and more processes; each has every n-th of the chats, wherever they are stored."""
    rows: list[Shared] = []
    async with cluster(folder, shards) as servers:
        filler = await started(servers.url, "filler")
        await fill.store(filler, await fill.conversation(filler), range(ON_SHARDS))
        keys = tuple([int(await node.dbsize()) for node in servers.nodes])
        for count in range(1, processes + 1):
            rows.append(await _together(servers, count, turns, keys))
            print(shared_line(rows[-1]), flush=True)
        await filler.close()
    return rows


async def _together(servers: Deployment, count: int, turns: int, keys: tuple[int, ...]) -> Shared:
    before = await servers.counts()
    running = [
        begun(
            Order(
                servers.url,
                servers.addresses,
                f"p{count}n{number}",
                Share(ON_SHARDS, number, count),
                turns,
                WALKERS_EACH,
                rounds=False,
            )
        )
        for number in range(count)
    ]
    reports = [await asyncio.to_thread(ended, process) for process in running]
    used = (await servers.counts()).since(before)
    done = sum(report.done for report in reports)
    costs = [report.turns.cpu_us for report in reports]
    return Shared(
        processes=count,
        cpu_us=statistics.mean(costs),
        spread=(min(costs), max(costs)),
        redis_us=used.cpu_us / done,
        calls=used.calls / done,
        inner=used.inner / done,
        shards=tuple(100 * calls / used.calls for calls in used.shards),
        keys=tuple(100 * number / sum(keys) for number in keys),
    )


def arguments() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.size", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument(
        "--most", type=int, default=1_000_000, help="sessions stored at last (about 0.9 kB each)"
    )
    parser.add_argument("--processes", type=int, default=4)
    parser.add_argument("--shards", type=int, default=3)
    parser.add_argument("--turns", type=int, default=8_000, help="turns of each process at each size")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--plots", type=Path, help="folder for the plots")
    parser.add_argument("--note", default="", help="under the plots: date and machine")
    return parser.parse_args()


async def main() -> None:
    """Measure, print, write."""
    given = arguments()
    with tempfile.TemporaryDirectory(prefix="size-") as folder:
        print(grown_line(None))
        sizes = await against_size(given.most, given.turns, Path(folder))
    print()
    with tempfile.TemporaryDirectory(prefix="size-") as folder:
        print(shared_line(None))
        shared = await against_processes(given.processes, given.shards, given.turns // 2, Path(folder))
    found = Found(sizes, shared)
    if given.json:
        given.json.write_bytes(msgspec.json.format(msgspec.json.encode(found)) + b"\n")
    if given.plots:
        plots(found, given.plots, given.note)


if __name__ == "__main__":
    asyncio.run(main())
