"""Instructions a turn, counted by callgrind: ``python -m bench.telegram.instructions --peers compiled,ours,floor``.

CPU time on a shared machine differs by a third from one minute to the next; what a process executes does not, as long as
the machine is not overloaded: then more chats share a write, and a turn executes less. Only user
space is counted, none of the kernel's work, and an instruction that waits for memory is one like any other: so this says
what a change brought, and not how long a turn takes. Needs valgrind. A contender runs some thirty times slower under it, so
that what it does by the clock weighs thirty times as much: what it executes in as many idle seconds is taken off.

``--keep`` leaves a profile for each contender in this folder, for ``callgrind_annotate`` or KCachegrind.
"""

import argparse
import asyncio
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

from bench.telegram import harness as h

if __name__ == "__main__":
    h.in_bench_env("bench.telegram.instructions")

import uvloop

from bench.telegram import fake_bot_api
from bench.telegram.loadgen import Load

PORTS: Final = h.Ports(8580, 6490)
START_SECONDS: Final = 300.0
WARM_UP: Final = 1_500
"""Turns: every question of every chat was asked, every connection is open."""
MOST_SECONDS: Final = 300.0
_TOTALS: Final = re.compile(r"^(?:summary|totals): (\d+)", re.MULTILINE)


class Counter:
    """callgrind's hold on one contender."""

    def __init__(self, pid: int, profile: Path) -> None:
        self._pid = pid
        self._profile = profile
        self._parts = 0

    async def begin(self) -> None:
        """Count from now on."""
        await self._told("--instr=on")
        await self._told("--zero")

    async def taken(self) -> int:
        """Instructions since the last time, and begin anew."""
        await self._told("--dump")
        self._parts += 1
        part = self._profile.with_name(f"{self._profile.name}.{self._parts}")
        return int(_TOTALS.findall(part.read_text())[-1])

    async def _told(self, what: str) -> None:
        control = await asyncio.create_subprocess_exec(
            "callgrind_control", what, str(self._pid), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        if await control.wait():
            raise RuntimeError(f"callgrind_control {what} failed")


async def counted(name: str, turns: int, api: fake_bot_api.BotApi, profile: Path) -> int:
    """Instructions a turn of ``name``, with fifty turns under way."""
    command, env = h.PEERS[name]
    watched = f"valgrind --tool=callgrind --instr-atstart=no --callgrind-out-file={profile} {command}"
    with (h.BENCH_ENV / f"{name}.log").open("ab") as log:
        bot = await asyncio.to_thread(h.start_bot, watched, {**env, "PYTHONHASHSEED": "0"}, log, PORTS)
        try:
            await asyncio.to_thread(h.wait_port, PORTS.bot, bot, START_SECONDS)
            load = Load(api, PORTS.bot, h.WEBHOOK_PATH, h.SECRET, chats=100, inflight=50, conns=50)
            await load.connect()
            await load.run(turns=WARM_UP, max_seconds=MOST_SECONDS)
            counter = Counter(bot.pid, profile)
            await counter.begin()
            begun = time.monotonic()
            await load.run(turns=turns, max_seconds=MOST_SECONDS)
            await load.drain()
            seconds, done = time.monotonic() - begun, load.turns
            under_load = await counter.taken()
            await asyncio.sleep(seconds)
            idle = await counter.taken()
            load.close()
            return (under_load - idle) // done
        finally:
            bot.kill()
            bot.wait()


async def main(argv: list[str]) -> None:
    """Count one contender after the other."""
    parser = argparse.ArgumentParser(prog="python -m bench.telegram.instructions", description=__doc__)
    parser.add_argument("--peers", default="compiled,ours,floor,floor-story")
    parser.add_argument("--turns", type=int, default=2_000, help="turns that are counted, at least")
    parser.add_argument("--keep", type=Path, help="folder for the profiles")
    args = parser.parse_args(argv)
    if shutil.which("valgrind") is None:
        raise SystemExit("valgrind is missing")
    folder = args.keep or Path(tempfile.mkdtemp(prefix="instructions-"))
    folder.mkdir(parents=True, exist_ok=True)
    if h.several_cores():
        os.sched_setaffinity(0, {1})
    server = h.start_redis(PORTS.redis, aof=False)
    try:
        api: Any = fake_bot_api.BotApi()
        await fake_bot_api.serve(api, PORTS.api)
        await fake_bot_api.serve(fake_bot_api.Registry(), PORTS.upstream)
        for name in args.peers.split(","):
            print(f"{name:17}{await counted(name, args.turns, api, folder / name):>10,}", flush=True)
    finally:
        h.stop(server)
        if args.keep is None:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1:]))
