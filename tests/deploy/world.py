"""What a rehearsal is made of: Redis, ledger, outside world, Bot API, both releases, the residents' net."""

import asyncio
import contextlib
import random
import shutil
import tempfile
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
from tests.chaos.journal import Journal
from tests.chaos.ports import free, opens
from tests.chaos.surroundings import begun, ended, leading_to
from tests.deploy.doors import Net
from tests.deploy.fleet import Fleet, Front, Nursery
from tests.deploy.releases import Release, new_release, old_release
from tests.deploy.residents import Chapters
from tests.deploy.watch import Watch

_OPENS: Final = 60.0


@dataclass
class World:
    """All of it.

    Attributes:
        ring: the newest value of SECRET_KEYS that any process has.
        faults: what went wrong with the deploy itself.
        commands: outputs of the operator's commands, by name.
    """

    seed: int
    folder: Path
    journal: Journal
    books: Books
    redis: Redis
    fleet: Fleet
    old: Nursery
    new: Nursery
    net: Net
    outside: int
    chapters: Chapters
    ring: str
    watch: Watch = field(init=False)
    faults: list[str] = field(default_factory=list[str])
    commands: dict[str, str] = field(default_factory=dict[str, str])

    def __post_init__(self) -> None:
        self.watch = Watch(self.redis, lambda: self.ring)

    async def book(self) -> dict[str, Any]:
        """What registry and gateway did."""
        async with self.net.http.get(f"http://127.0.0.1:{self.outside}/book") as answer:
            found: dict[str, Any] = await answer.json()
            return found

    async def command(self, name: str, nursery: Nursery, keys: str, *arguments: str) -> tuple[int, str]:
        """Run ``iqamati``; its exit status and output."""
        folder = self.folder / name
        folder.mkdir()
        async with asyncio.timeout(_OPENS):
            status = await nursery.fork(name, folder, self.fleet.settings(name, keys), *arguments)
        told = (folder / "log").read_text("utf-8")
        self.commands[name] = told
        return status, told


@contextlib.asynccontextmanager
async def opened(seed: int, *, sqlite: bool = False, without: str = "") -> AsyncGenerator[World, None]:
    """Open everything; nothing of it is left afterwards. ``without``: see `tests.deploy.releases`."""
    journal, chance = Journal(), random.Random(seed)
    folder = Path(tempfile.mkdtemp(prefix="iqamati-deploy-"))
    async with contextlib.AsyncExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        valkey = EmbeddedValkey(folder / "valkey")
        stack.callback(valkey.stop)
        valkey.start()
        api = BotApi(journal, random.Random(seed + 1), 0.0)
        stack.push_async_callback(api.stop)
        await api.start()
        (outside,) = free()
        fleet = Fleet(folder / "processes", journal, lambda _name, _keys: {})
        fleet.folder.mkdir()
        front = Front(fleet, chance)
        await front.start()
        stack.push_async_callback(front.close)
        stack.callback(ended, begun(folder, outside, [front.port], seed))
        books, old, new, listens = await asyncio.gather(
            _books(stack, folder, sqlite=sqlite),
            _nursery(stack, old_release(folder / "old", without=without)),
            _nursery(stack, new_release(folder / "new", without=without)),
            opens(outside, _OPENS),
        )
        assert listens, "registry and gateway do not start"

        def settings(name: str, keys: str) -> dict[str, str]:
            return {
                "SECRET_KEYS": keys,
                "REDIS_URL": valkey.url,
                "DATABASE_URL": books.url,
                "TELEGRAM_API_BASE": api.base(name),
                **leading_to(outside),
            }

        fleet.settings = settings
        connector = aiohttp.TCPConnector(limit=0, force_close=True)
        http = aiohttp.ClientSession(
            connector=connector, timeout=aiohttp.ClientTimeout(total=60), cookie_jar=aiohttp.DummyCookieJar()
        )
        stack.push_async_callback(http.close)
        redis: Any = Redis(unix_socket_path=valkey.url.removeprefix("unix://"))
        stack.push_async_callback(redis.aclose)
        behind = await stack.enter_async_context(asyncio.TaskGroup())
        net = Net(fleet, api, http, journal, random.Random(seed + 2), behind, twice=0.2)
        yield World(
            seed, folder, journal, books, redis, fleet, old, new, net, outside, Chapters(), Keyring.generate()
        )


async def _books(stack: contextlib.AsyncExitStack, folder: Path, *, sqlite: bool) -> Books:
    books = SQLite(folder) if sqlite else await asyncio.to_thread(open_books, folder)
    stack.callback(books.stop)
    return books


async def _nursery(stack: contextlib.AsyncExitStack, release: Release) -> Nursery:
    nursery = await Nursery.open(release)
    stack.push_async_callback(nursery.close)
    return nursery
