"""The service's processes: of which release, with which keys, started, taken out of rotation, stopped."""

import asyncio
import contextlib
import json
import os
import random
import signal
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.chaos.journal import Journal
from tests.chaos.ports import free, opens
from tests.deploy.releases import Release

NURSERY: Final = Path(__file__).with_name("nursery.py")
IMPORT: Final = 300.0
"""Seconds in which a release must be imported, on a busy machine."""
START: Final = 120.0
"""Seconds in which a process must answer, likewise."""
END: Final = 60.0
"""Seconds a process has to end after SIGTERM."""


@dataclass
class Nursery:
    """Forks the processes of one release (`tests.deploy.nursery`)."""

    release: Release
    running: asyncio.subprocess.Process
    ended: dict[str, "asyncio.Future[int]"] = field(default_factory=dict[str, "asyncio.Future[int]"])
    reader: "asyncio.Task[None] | None" = None

    @classmethod
    async def open(cls, release: Release) -> "Nursery":
        running = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",
            str(NURSERY),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            cwd=release.folder,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(release.folder), "PYTHONUTF8": "1"},
            start_new_session=True,
        )
        nursery = cls(release, running)
        try:
            async with asyncio.timeout(IMPORT):
                told = await nursery._line()
        except BaseException:
            with contextlib.suppress(ProcessLookupError):
                running.kill()
            await running.wait()
            raise
        assert Path(told["ready"]).is_relative_to(release.folder), f"another release: {told['ready']}"
        nursery.reader = asyncio.get_running_loop().create_task(nursery._read())
        return nursery

    def fork(
        self, name: str, folder: Path, environment: dict[str, str], *arguments: str
    ) -> "asyncio.Future[int]":
        """Start the command line in ``folder``, where its output goes into ``log``; its exit status, once it has ended."""
        env = {"PATH": os.environ["PATH"], "PYTHONUTF8": "1", "DATA_DIR": "data", **environment}
        self._tell(name=name, args=arguments, env=env, folder=str(folder))
        self.ended[name] = asyncio.get_running_loop().create_future()
        return self.ended[name]

    def signal(self, name: str, number: signal.Signals) -> None:
        self._tell(name=name, signal=int(number))

    async def close(self) -> None:
        """End it, and whatever of it still runs."""
        assert self.running.stdin is not None
        self.running.stdin.close()
        await self.running.wait()
        if self.reader is not None:
            self.reader.cancel()
            await asyncio.gather(self.reader, return_exceptions=True)

    def _tell(self, **told: Any) -> None:
        assert self.running.stdin is not None
        self.running.stdin.write(json.dumps(told).encode() + b"\n")

    async def _line(self) -> dict[str, Any]:
        assert self.running.stdout is not None
        line = await self.running.stdout.readline()
        assert line, f"the {self.release.name} release cannot be imported"
        found: dict[str, Any] = json.loads(line)
        return found

    async def _read(self) -> None:
        while True:
            told = await self._line()
            self.ended[told["name"]].set_result(told["ended"])


@dataclass(frozen=True)
class Process:
    """A process that answers: one life of it, on a port of its own."""

    name: str
    port: int
    folder: Path
    nursery: Nursery
    ended: "asyncio.Future[int]"

    @property
    def release(self) -> str:
        return self.nursery.release.name


@dataclass
class Fleet:
    """All processes of the service, the living ones in rotation.

    Attributes:
        settings: of a process, by its name and its SECRET_KEYS.
        lives: every process there ever was.
        statuses: with which each of those that were stopped ended.
    """

    folder: Path
    journal: Journal
    settings: Callable[[str, str], dict[str, str]]
    up: list[Process] = field(default_factory=list[Process])
    lives: list[Process] = field(default_factory=list[Process])
    statuses: Counter[int] = field(default_factory=Counter[int])

    async def start(self, name: str, nursery: Nursery, keys: str) -> Process:
        """Start a process and take it into rotation once it answers."""
        folder = self.folder / name
        folder.mkdir()
        (port,) = free()
        environment = {"PORT": str(port), **self.settings(name, keys)}
        process = Process(name, port, folder, nursery, nursery.fork(name, folder, environment, "run"))
        self.lives.append(process)
        async with asyncio.timeout(START):
            while not (await opens(port, 1.0) and await _answers(port)):
                assert not process.ended.done(), f"{name} ended: {(folder / 'log').read_text()}"
                await asyncio.sleep(0.02)
        self.up.append(process)
        self.journal.note("process up", who=name, release=process.release)
        return process

    async def stop(self, process: Process) -> None:
        """SIGTERM, as whoever deploys does it; it finishes what it has in hand."""
        self.up.remove(process)
        process.nursery.signal(process.name, signal.SIGTERM)
        async with asyncio.timeout(END):
            status = await process.ended
        self.statuses[status] += 1
        self.journal.note("process stopped", who=process.name, release=process.release, status=status)

    def any(self, chance: random.Random, release: str = "") -> Process:
        """A living process, as a load balancer gives it; one of ``release`` where there is one."""
        return chance.choice([process for process in self.up if process.release == release] or self.up)

    def died(self) -> list[str]:
        """Those in rotation that ended by themselves."""
        return [process.name for process in self.up if process.ended.done()]

    def lines(self, begins: str) -> Counter[str]:
        """Lines of all logs that begin so."""
        return Counter(line for line in self._lines() if line.startswith(begins))

    def told(self) -> Counter[str]:
        """What the logs tell of at the level of warnings and above, each by its words."""
        found: Counter[str] = Counter()
        for line in self._lines():
            if line.startswith("Traceback"):
                found["traceback"] += 1
            with contextlib.suppress(ValueError):
                told: dict[str, Any] = json.loads(line)
                found[" ".join(str(told[name]) for name in ("level", "event", "error") if name in told)] += 1
        return found

    def _lines(self) -> list[str]:
        logs = [process.folder / "log" for process in self.lives]
        return [
            line for log in logs if log.exists() for line in log.read_text("utf-8", "replace").splitlines()
        ]


class Front:
    """The address the gateway knows: each connection goes to a living process."""

    def __init__(self, fleet: Fleet, chance: random.Random) -> None:
        self.port = 0
        self._fleet = fleet
        self._chance = chance
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, IndexError):
            there = await asyncio.open_connection("127.0.0.1", self._fleet.any(self._chance).port)
            await asyncio.gather(_pump(reader, there[1]), _pump(there[0], writer))
        writer.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


async def _answers(port: int) -> bool:
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(5.0):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
            line = await reader.readline()
            writer.close()
            return line.startswith(b"HTTP/1.1 200")
    return False
