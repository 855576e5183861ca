"""The service as whole processes: started by its command, killed without a word, started again."""

import asyncio
import json
import os
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.chaos.journal import Journal
from tests.chaos.ports import opens

ROOT = Path(__file__).resolve().parents[2]
START = 60.0
"""Seconds within which a process must listen, on a busy machine."""


@dataclass
class Process:
    """One process: its port, what it was started with, how often it was killed.

    Attributes:
        wrong: seconds its clock is wrong by.
        age: counts its starts; with ``name`` it tells one life from the next.
    """

    name: str
    port: int
    folder: Path
    wrong: float = 0.0
    age: int = 0
    up: bool = False
    running: "subprocess.Popen[bytes] | None" = None

    @property
    def life(self) -> str:
        return f"{self.name}.{self.age}"


@dataclass
class Fleet:
    """All processes of the service.

    Attributes:
        settings: of the process, at its start (the address of Redis is that of a server that lives).
    """

    journal: Journal
    settings: Callable[[Process], dict[str, str]]
    processes: list[Process] = field(default_factory=list[Process])

    async def start(self, process: Process) -> None:
        """Start it, again and again until it listens, as who watches over processes does."""
        while not process.up:
            process.age += 1
            self._launch(process)
            if await self._listens(process):
                process.up = True
                self.journal.note("process up", who=process.life)
                return
            self.journal.note("process did not start", who=process.life)
            self._end(process)
            await asyncio.sleep(1.0)

    def kill(self, process: Process) -> None:
        """SIGKILL."""
        process.up = False
        self.journal.note("kill", who=process.life)
        self._end(process)

    def stop(self) -> None:
        for process in self.processes:
            process.up = False
            self._end(process)

    def any(self, chance: random.Random) -> Process:
        """A process as a load balancer gives it: one of those that listen, where some do."""
        up = [each for each in self.processes if each.up]
        return chance.choice(up or self.processes)

    def errors(self) -> Counter[str]:
        """What the logs say went wrong, each by its own words and the type of the error."""
        found: Counter[str] = Counter()
        for process in self.processes:
            log = process.folder / "log"
            for line in log.read_text("utf-8", "replace").splitlines() if log.exists() else ():
                found.update(_wrong(line))
        return found

    def _launch(self, process: Process) -> None:
        module = ["tests.chaos.skewed", str(process.wrong)] if process.wrong else ["bot"]
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "PYTHONUTF8": "1",
            "PORT": str(process.port),
            "DATA_DIR": "data",
            **self.settings(process),
        }
        with (process.folder / "log").open("ab") as log:
            process.running = subprocess.Popen(
                [sys.executable, "-m", *module, "run"],
                cwd=process.folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    async def _listens(self, process: Process) -> bool:
        running = process.running
        assert running is not None
        for _ in range(int(START)):
            # The socket is bound before the service is joined together: ask for an answer.
            if running.poll() is not None:
                return False
            if await opens(process.port, 1.0) and await _answers(process.port):
                return True
        return False

    def _end(self, process: Process) -> None:
        if process.running is not None:
            process.running.kill()
            process.running.wait()
            process.running = None


async def _answers(port: int) -> bool:
    try:
        async with asyncio.timeout(5.0):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
            line = await reader.readline()
            writer.close()
            return line.startswith(b"HTTP/1.1 ")
    except (OSError, TimeoutError):
        return False


def _wrong(line: str) -> list[str]:
    """What the line says that is an error; nothing for the rest."""
    try:
        told: dict[str, Any] = json.loads(line)
    except ValueError:
        return ["traceback"] if line.startswith("Traceback") else []
    if told.get("level") not in {"error", "critical"}:
        return []
    return [" ".join(str(told[name]) for name in ("event", "error", "reason") if name in told)]
