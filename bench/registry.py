"""Look-ups of fines by many at once: what one costs, and what everybody is told when the registry stalls.

    python -m bench.registry [--askers 500] [--seconds 4] [--json registry.json]

The client is the service's, with its breaker and retries; the registry is the sandbox in a process of its own, over
loopback. Measured over the lean client (`bot.wire`) and over httpx.
"""

import argparse
import asyncio
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import uvloop

from bench.batch import SERVE, TOKEN
from bench.table import Row, shown, written
from bench.telegram.harness import wait_port
from bot import logs
from bot.clock import SystemClock
from bot.domain import Subject
from bot.errors import OutsideError
from bot.sandbox.people import by_index
from bot.services.http import Client, make_client, make_wire
from bot.services.registry import Registry

PEOPLE: Final = [person.civil_id for number in range(400) if (person := by_index(number)) is not None]
REST: Final = 10.5
"""Seconds until the breaker lets one call through again."""
STALLED: Final = 2.0
"""Seconds an asker waits at most while the registry stalls; in service it is `REGISTRY_TIMEOUT`."""

LOAD: Final = {
    "client": "client",
    "askers": "askers",
    "lookups_s": "look-ups/s",
    "cpu_us": "CPU us/look-up",
    "p50_ms": "p50 ms",
    "p99_ms": "p99 ms",
    "connections": "connections",
    "told": "told",
}
STALL: Final = {
    "client": "client",
    "when": "when",
    "askers": "askers",
    "told": "told",
    "longest_ms": "longest ms",
    "connections": "connections",
}


@contextmanager
def registry() -> Generator["tuple[subprocess.Popen[bytes], int]"]:
    """The sandbox's registry on the other core, and its port."""
    pinned = ["taskset", "-c", "1"] if (os.cpu_count() or 1) > 1 else []
    process = subprocess.Popen([*pinned, sys.executable, "-c", SERVE], stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        wait_port(port, process)
        yield process, port
    finally:
        process.send_signal(signal.SIGCONT)
        process.terminate()
        process.wait()


class Askers:
    """Look-ups, what came of each and how long it took."""

    def __init__(self, client: Client, timeout: float) -> None:
        self._registry = Registry(client, SystemClock(), timeout=timeout)
        self.told: Counter[str] = Counter()
        self.took: list[float] = []

    async def ask(self, number: str) -> None:
        """One look-up."""
        began = time.perf_counter()
        try:
            await self._registry.find_fines(Subject.CIVIL_ID, number)
            self.told["fines"] += 1
        except OutsideError as error:
            self.told[str(error).partition(": ")[2] or type(error).__name__] += 1
        self.took.append(time.perf_counter() - began)

    async def once(self, count: int) -> None:
        """Everybody asks once."""
        self.told.clear()
        self.took.clear()
        await asyncio.gather(*(self.ask(PEOPLE[each % len(PEOPLE)]) for each in range(count)))

    async def on(self, count: int, seconds: float) -> None:
        """Everybody asks again and again."""
        end = time.perf_counter() + seconds

        async def again(number: int) -> None:
            while time.perf_counter() < end:
                await self.ask(PEOPLE[number % len(PEOPLE)])

        self.told.clear()
        self.took.clear()
        await asyncio.gather(*(again(number) for number in range(count)))


def connections(port: int) -> int:
    """How many of this process's are open to ``port``."""
    lines = Path("/proc/self/net/tcp").read_text("ascii").splitlines()[1:]
    peer = f":{port:04X}"
    return sum(line.split()[2].endswith(peer) and line.split()[3] == "01" for line in lines)


def _told(askers: Askers) -> str:
    return ", ".join(f"{count} {what}" for what, count in askers.told.most_common())


async def load(name: str, client: Client, port: int, args: argparse.Namespace) -> Row:
    """What a look-up costs."""
    askers = Askers(client, 20.0)
    await askers.on(args.askers, args.seconds / 4)
    cpu, began = time.process_time(), time.perf_counter()
    await askers.on(args.askers, args.seconds)
    cpu, took = time.process_time() - cpu, time.perf_counter() - began
    done, waits = len(askers.took), sorted(askers.took)
    return {
        "client": name,
        "askers": args.askers,
        "lookups_s": round(done / took),
        "cpu_us": round(cpu / done * 1e6, 1),
        "p50_ms": round(waits[done // 2] * 1e3, 1),
        "p99_ms": round(waits[int(done * 0.99)] * 1e3, 1),
        "connections": connections(port),
        "told": _told(askers),
    }


async def stall(
    name: str, client: Client, process: "subprocess.Popen[bytes]", port: int, args: argparse.Namespace
) -> list[Row]:
    """The registry stops answering, and begins again."""
    askers, rows = Askers(client, STALLED), list[Row]()

    async def noted(when: str) -> None:
        await askers.once(args.askers)
        rows.append(
            {
                "client": name,
                "when": when,
                "askers": args.askers,
                "told": _told(askers),
                "longest_ms": round(max(askers.took) * 1e3, 1),
                "connections": connections(port),
            }
        )

    process.send_signal(signal.SIGSTOP)
    await noted("it stalls")
    await noted("right after")
    process.send_signal(signal.SIGCONT)
    await asyncio.sleep(REST)
    await askers.ask(PEOPLE[0])
    await noted("it is back")
    return rows


async def main(argv: list[str]) -> None:
    """Measure both."""
    parser = argparse.ArgumentParser(prog="python -m bench.registry", description=__doc__)
    parser.add_argument("--askers", type=int, default=500)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args(argv)
    logs.set_up("error")
    if (os.cpu_count() or 1) > 1:
        os.sched_setaffinity(0, {0})
    loads, stalls = list[Row](), list[Row]()
    for name in ("wire", "httpx"):
        with registry() as (process, port):
            client, close = _opened(name, f"http://127.0.0.1:{port}/registry")
            loads.append(await load(name, client, port, args))
            stalls += await stall(name, client, process, port, args)
            await close()
    print(shown(loads, LOAD), "", shown(stalls, STALL), sep="\n")
    written(args.json, {"load": loads, "stall": stalls})


def _opened(name: str, url: str) -> tuple[Client, Callable[[], Awaitable[None]]]:
    if name == "wire":
        wire = make_wire(url, TOKEN)
        assert wire is not None
        return wire, wire.close
    seldom = make_client(url, TOKEN)
    return seldom, seldom.close


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1:]))
