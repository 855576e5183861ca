"""Everything a soak runs on: the watched service, its ledger, its Valkey, the world outside, Telegram."""

import asyncio
import contextlib
import json
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter, deque
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import aiohttp
from redis.asyncio import Redis

from bot.crypto import Keyring
from bot.embedded import EmbeddedValkey
from tests.chaos.books import Books, SQLite, open_books
from tests.chaos.botapi import BotApi
from tests.chaos.journal import Journal, Note
from tests.chaos.ports import free, opens
from tests.chaos.surroundings import begun, ended, leading_to

LEVELS: Final = ("warning", "error", "critical")
ROOT: Final = Path(__file__).resolve().parents[2]
_PATHS: Final = os.pathsep.join([*filter(None, [os.environ.get("PYTHONPATH")]), str(ROOT)])
"""``PYTHONPATH=build/compiled`` soaks the compiled service."""
_LIVES: Final = {"PAY_LINK_MINUTES": "1440", "SIGN_IN_MINUTES": "1440", "QUOTE_MINUTES": "240"}
"""On a clock that runs faster these would end in the middle of a walk."""
_LINE: Final = 1 << 24
"""Bytes of an answer of the service about itself, at most."""
_START: Final = 300.0
_STOP: Final = 30.0
"""Seconds."""


class Counts(Journal):
    """A journal that counts and forgets: an hour's notes would be the harness's own leak."""

    def __init__(self) -> None:
        super().__init__()
        self.odd: deque[str] = deque(maxlen=50)
        """The last things that should seldom be."""

    def note(self, kind: str, chat: str = "", **data: Any) -> Note:
        self.counts[kind] += 1
        if kind in {"session lost", "silence", "not taken"}:
            self.odd.append(f"{self.now():.1f} {kind} {data}")
        return Note(self.now(), kind, chat, data)


@dataclass
class Service:
    """The one process of the service, with the task beside it.

    Attributes:
        settings: its environment.
        hurry: when its clock began to run faster, and by how much.
        leak: a leak made on purpose, empty for none.
        trace: every allocation; it takes twice the time.
        served: what residents' doors count.
    """

    port: int
    folder: Path
    settings: dict[str, str]
    hurry: tuple[float, float]
    leak: str = ""
    trace: bool = False
    served: int = 0
    _running: "subprocess.Popen[bytes] | None" = None
    _channel: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    def any(self, _chance: random.Random) -> "Service":
        """As a load balancer over many would choose."""
        return self

    def at(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    async def start(self) -> None:
        """Start it, and return once it answers."""
        ours, theirs = socket.socketpair()
        given = {"base": self.hurry[0], "faster": self.hurry[1], "leak": self.leak, "trace": self.trace}
        command = ["-m", "bench.soak.watched", str(theirs.fileno()), json.dumps(given), "run"]
        with theirs, (self.folder / "log").open("wb") as log:
            self._running = subprocess.Popen(  # noqa: ASYNC220 - it returns at once
                [sys.executable, *command],
                cwd=self.folder,
                env={"PATH": os.environ["PATH"], "PYTHONPATH": _PATHS, **self.settings},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
            )
        self._channel = await asyncio.open_connection(sock=ours, limit=_LINE)
        async with aiohttp.ClientSession() as http:
            while not await _healthy(http, self.at("/health")):
                if self._running.poll() is not None:
                    raise RuntimeError("the service ended: " + " | ".join(self._log()[-5:]))
                await asyncio.sleep(0.2)

    async def ask(self, what: str) -> dict[str, Any]:
        """What the process says of itself: ``sample`` or ``census``."""
        assert self._channel is not None
        reader, writer = self._channel
        writer.write(json.dumps({"what": what}).encode() + b"\n")
        async with asyncio.timeout(60):
            found: dict[str, Any] = json.loads(await reader.readline())
        return found

    async def end(self) -> int:
        """SIGTERM; its exit status."""
        running = self._running
        if running is None:
            return -1
        self._running = None
        running.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            await asyncio.to_thread(running.wait, _STOP)
        if running.poll() is None:
            running.kill()
        if self._channel is not None:
            self._channel[1].close()
        return running.wait()

    def errors(self) -> dict[str, int]:
        """What its log says went wrong, by the words."""
        return dict(Counter(word for line in self._log() if (word := _wrong(line))))

    def _log(self) -> list[str]:
        return (self.folder / "log").read_text("utf-8", "replace").splitlines()


async def _healthy(http: aiohttp.ClientSession, url: str) -> bool:
    # The socket is bound before the service is joined together: ask for an answer.
    try:
        async with http.get(url, timeout=aiohttp.ClientTimeout(total=5)) as answer:
            return answer.status == 200
    except (aiohttp.ClientError, OSError, TimeoutError):
        return False


def _wrong(line: str) -> str:
    """What the line says that is an error or a warning; nothing for the rest."""
    try:
        told: dict[str, Any] = json.loads(line)
    except ValueError:
        return "traceback" if line.startswith("Traceback") else ""
    if told.get("level") not in LEVELS:
        return ""
    return " ".join(str(told[name]) for name in ("level", "event", "error", "reason") if name in told)


@dataclass
class World:
    """What a soak is made of."""

    folder: Path
    journal: Counts
    chance: random.Random
    service: Service
    books: Books
    api: BotApi
    redis: Any
    http: aiohttp.ClientSession
    peers: dict[int, str] = field(default_factory=dict[int, str])
    """Ports by what listens there."""


@contextlib.asynccontextmanager
async def world(
    seed: int, faster: float, leak: str, *, sqlite: bool, trace: bool = False
) -> AsyncGenerator[World, None]:
    """Everything up and answering while the block runs; nothing left of it afterwards."""
    journal, chance = Counts(), random.Random(seed)  # noqa: S311 - chances, no secrets
    folder = Path(tempfile.mkdtemp(prefix="iqamati-soak-"))
    async with contextlib.AsyncExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        books = SQLite(folder) if sqlite else await asyncio.to_thread(open_books, folder)
        stack.callback(books.stop)
        api = BotApi(journal, random.Random(seed + 1), 0.0)  # noqa: S311
        stack.push_async_callback(api.stop)
        await api.start()
        outside, port = free(2)
        hurry = (time.time(), faster)  # noqa: TID251 - where the hurried clock begins
        through = ("bench.soak.hurried", *map(str, hurry))
        stack.callback(ended, begun(folder, outside, [port], seed, through=through))
        settings = {
            "DATA_DIR": "data",
            "PYTHONUTF8": "1",
            "DATABASE_URL": books.url,
            "SECRET_KEYS": Keyring.generate(),
            "TELEGRAM_API_BASE": api.base("one"),
            **leading_to(outside),
            **_LIVES,
        }
        service = Service(port, folder, {**settings, "PORT": str(port)}, hurry, leak, trace)
        valkey = EmbeddedValkey(folder / "data" / "valkey")
        stack.callback(valkey.stop)
        stack.push_async_callback(service.end)
        async with asyncio.timeout(_START):
            await service.start()  # beside the world outside, which it needs with its first look-up only
        if not await opens(outside, _START):
            raise RuntimeError((folder / "outside.log").read_text("utf-8", "replace")[-2000:])
        http = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, force_close=True),
            timeout=aiohttp.ClientTimeout(total=60),
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        stack.push_async_callback(http.close)
        redis = Redis(unix_socket_path=valkey.url.removeprefix("unix://"))
        stack.push_async_callback(redis.aclose)
        peers = {outside: "outside", port: "inbound", api.port: "Bot API"}
        if (ledger := getattr(books, "port", 0)) > 0:
            peers[ledger] = "ledger"
        yield World(folder, journal, chance, service, books, api, redis, http, peers)
