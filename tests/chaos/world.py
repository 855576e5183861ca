"""What a run is made of, started and stopped."""

import asyncio
import contextlib
import random
import shutil
import tempfile
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import aiohttp

from bot.crypto import Keyring
from tests.chaos.books import Books, SQLite, open_books
from tests.chaos.botapi import BotApi
from tests.chaos.cluster import Cluster
from tests.chaos.journal import Journal
from tests.chaos.ports import free, opens
from tests.chaos.service import Fleet, Nursery, Process
from tests.chaos.size import Size
from tests.chaos.surroundings import begun, ended, leading_to

_START: Final = 120.0
"""Seconds within which all processes must be up the first time."""


@dataclass
class World:
    """What a run is made of."""

    size: Size
    seed: int
    folder: Path
    journal: Journal
    chance: random.Random
    cluster: Cluster
    books: Books
    fleet: Fleet
    api: BotApi
    outside: int
    http: aiohttp.ClientSession

    async def book(self) -> dict[str, Any]:
        """What registry and gateway did."""
        async with self.http.get(f"http://127.0.0.1:{self.outside}/book") as answer:
            found: dict[str, Any] = await answer.json()
            return found

    async def weather(self, failing: float) -> None:
        async with self.http.post(f"http://127.0.0.1:{self.outside}/weather", data=str(failing)):
            pass


@contextlib.asynccontextmanager
async def world_of(size: Size, seed: int) -> AsyncGenerator[World, None]:
    chance, journal = random.Random(seed), Journal()
    folder = Path(tempfile.mkdtemp(prefix="iqamati-chaos-"))
    async with contextlib.AsyncExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        nursery, cluster = Nursery(), Cluster(folder / "redis")
        stack.push_async_callback(nursery.stop)
        stack.push_async_callback(cluster.stop)
        opening = asyncio.get_running_loop().create_task(_open(folder, sqlite=size.sqlite))
        stack.push_async_callback(_close, opening)
        api = BotApi(journal, random.Random(seed + 3), 0.05 if size.failing else 0.0)
        stack.push_async_callback(api.stop)
        outside, *ports = free(size.processes + 1)
        stack.callback(ended, begun(folder, outside, ports, seed, failing=size.failing))
        await asyncio.gather(nursery.start(), cluster.start(), api.start())
        assert await opens(outside, _START), "registry and gateway do not start"
        books, keys = await opening, Keyring.generate()

        def settings(process: Process) -> dict[str, str]:
            return {
                "REDIS_URL": cluster.url(chance),
                "DATABASE_URL": books.url,
                "SECRET_KEYS": keys,
                "TELEGRAM_API_BASE": api.base(process.life),
                **leading_to(outside),
            }

        fleet = Fleet(journal, settings, nursery)
        stack.push_async_callback(fleet.stop)
        for number, port in enumerate(ports):
            fleet.add(port, folder / f"p{number}", size.wrong if number and number == len(ports) - 1 else 0.0)
        first, *others = fleet.processes
        async with asyncio.timeout(_START):
            await fleet.start(first)  # it makes the ledger's tables
            await asyncio.gather(*(fleet.start(each) for each in others))
        connector = aiohttp.TCPConnector(limit=0, force_close=True)
        http = aiohttp.ClientSession(
            connector=connector, timeout=aiohttp.ClientTimeout(total=60), cookie_jar=aiohttp.DummyCookieJar()
        )
        stack.push_async_callback(http.close)
        yield World(size, seed, folder, journal, chance, cluster, books, fleet, api, outside, http)


async def _open(folder: Path, *, sqlite: bool) -> Books:
    return SQLite(folder) if sqlite else await asyncio.to_thread(open_books, folder)


async def _close(opening: "asyncio.Task[Books]") -> None:
    (await opening).stop()
