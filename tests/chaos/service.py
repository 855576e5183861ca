"""The service as whole processes: started by its command, killed without a word, started again."""

import asyncio
import json
import os
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.chaos.journal import Journal

ROOT = Path(__file__).resolve().parents[2]
START = 60.0
"""Seconds within which a process must listen, on a busy machine."""
AGAIN = 0.5
"""Seconds after which one that did not is started once more."""


_PATHS: Final = os.pathsep.join([*filter(None, [os.environ.get("PYTHONPATH")]), str(ROOT)])
"""``PYTHONPATH=build/compiled`` has the compiled service run."""


class Nursery:
    """The process that the service's are forked from: `tests.chaos.nursery`."""

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process | None = None
        self._over: dict[str, asyncio.Future[int]] = {}
        self._reading: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Return once everything is imported."""
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.chaos.nursery"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            cwd=tempfile.gettempdir(),  # the folder it is started in comes before all others
            env={"PATH": os.environ["PATH"], "PYTHONPATH": _PATHS, "PYTHONUTF8": "1"},
            start_new_session=True,
        )
        assert self._process.stdout is not None
        assert await self._process.stdout.readline(), "the service cannot be imported"
        self._reading = asyncio.get_running_loop().create_task(self._read(self._process.stdout))

    def born(
        self, name: str, folder: Path, environment: dict[str, str], wrong: float
    ) -> "asyncio.Future[int]":
        """Have one started; its exit status, once it is over."""
        over = self._over[name] = asyncio.get_running_loop().create_future()
        self._ask(name=name, folder=str(folder), environment=environment, wrong=wrong)
        return over

    def kill(self, name: str) -> None:
        """SIGKILL."""
        self._ask(kill=name)

    async def stop(self) -> None:
        """End all of them."""
        if self._process is None or self._process.stdin is None:
            return
        self._process.stdin.close()
        await self._process.wait()
        if self._reading is not None:
            await self._reading

    def _ask(self, **what: Any) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(what).encode() + b"\n")

    async def _read(self, told: asyncio.StreamReader) -> None:
        while line := await told.readline():
            ended = json.loads(line)
            self._over.pop(ended["name"]).set_result(ended["status"])


@dataclass
class Process:
    """One process: its port, what it was started with, how often it was killed.

    Attributes:
        over: done when this life of it is; its exit status.
        wrong: seconds its clock is wrong by.
        age: counts its starts; with ``name`` it tells one life from the next.
        since: when it came up, by the run's clock.
        served: updates it took since.
    """

    name: str
    port: int
    folder: Path
    over: "asyncio.Future[int]"
    wrong: float = 0.0
    age: int = 0
    up: bool = False
    since: float = 0.0
    served: int = 0

    @property
    def life(self) -> str:
        return f"{self.name}.{self.age}"

    def at(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"


@dataclass
class Fleet:
    """All processes of the service.

    Attributes:
        settings: of the process, at its start (the address of Redis is that of a server that lives).
    """

    journal: Journal
    settings: Callable[[Process], dict[str, str]]
    nursery: Nursery
    processes: list[Process] = field(default_factory=list[Process])
    starting: set["asyncio.Task[None]"] = field(default_factory=set["asyncio.Task[None]"])

    def add(self, port: int, folder: Path, wrong: float) -> None:
        """One more, not started yet."""
        folder.mkdir()
        over = asyncio.get_running_loop().create_future()
        over.set_result(0)
        self.processes.append(Process(folder.name, port, folder, over, wrong))

    async def start(self, process: Process) -> None:
        """Start it, again and again until it listens, as who watches over processes does."""
        while not process.up:
            process.age += 1
            self._launch(process)
            if await self._listens(process):
                process.up, process.served = True, 0
                process.since = self.journal.note("process up", who=process.life).at
                process.over.add_done_callback(lambda over: self._over(process, over))
                return
            self.journal.note("process did not start", who=process.life)
            await self._end(process)
            await asyncio.sleep(AGAIN)

    async def kill(self, process: Process) -> None:
        """SIGKILL, and a new start in the background."""
        process.up = False
        self.journal.note("kill", who=process.life)
        await self._end(process)
        self._again(process)

    async def all_up(self) -> None:
        """Return once every process is."""
        while not all(process.up for process in self.processes):
            await asyncio.gather(*self.starting)

    async def end(self) -> None:
        """End every process for good."""
        await self.stop()
        for process in self.processes:
            process.up = False
            await self._end(process)

    async def stop(self) -> None:
        """Start none any more."""
        for task in self.starting:
            task.cancel()
        await asyncio.gather(*self.starting, return_exceptions=True)

    def _over(self, process: Process, over: "asyncio.Future[int]") -> None:
        if process.up and over is process.over:  # nobody killed it
            process.up = False
            self.journal.note("process ended by itself", who=process.life, status=over.result())
            self._again(process)

    def _again(self, process: Process) -> None:
        task = asyncio.get_running_loop().create_task(self.start(process))
        self.starting.add(task)
        task.add_done_callback(self.starting.discard)

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
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONUTF8": "1",
            "PORT": str(process.port),
            "DATA_DIR": "data",
            **self.settings(process),
        }
        process.over = self.nursery.born(process.life, process.folder, environment, process.wrong)

    async def _listens(self, process: Process) -> bool:
        """Whether it answers before it ends, or START is over."""
        # The socket is bound before the service is joined together: ask for an answer.
        asking: asyncio.Future[Any] = asyncio.get_running_loop().create_task(_answering(process.port))
        over: asyncio.Future[Any] = process.over
        await asyncio.wait({asking, over}, timeout=START, return_when=asyncio.FIRST_COMPLETED)
        up = asking.done() and not over.done()
        asking.cancel()
        return up

    async def _end(self, process: Process) -> None:
        if not process.over.done():
            self.nursery.kill(process.life)
            await process.over


async def _answering(port: int) -> None:
    """Return once somebody answers on ``port``."""
    while not await _answers(port):
        await asyncio.sleep(0.05)


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
