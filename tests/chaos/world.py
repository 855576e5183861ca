"""What a run is made of, started and stopped."""

import asyncio
import contextlib
import json
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import aiohttp

from bot.crypto import Keyring
from tests.chaos.books import Books, SQLite, open_books
from tests.chaos.botapi import TOKEN, BotApi
from tests.chaos.cluster import Cluster
from tests.chaos.doors import PUBLIC, SECRET
from tests.chaos.journal import Journal
from tests.chaos.ports import free, opens
from tests.chaos.service import ROOT, Fleet, Nursery, Process
from tests.chaos.size import Size

_OUTSIDE_SECRET: Final = "chaos-outside-secret"
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
        stack.callback(_end, _outside(folder, outside, ports, size.failing, seed))
        await asyncio.gather(nursery.start(), cluster.start(), api.start())
        assert await opens(outside, _START), "registry and gateway do not start"
        books, keys = await opening, Keyring.generate()

        def settings(process: Process) -> dict[str, str]:
            return _settings(cluster.url(chance), books.url, keys, api.base(process.life), outside)

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


def _settings(redis: str, ledger: str, keys: str, api: str, outside: int) -> dict[str, str]:
    base = f"http://127.0.0.1:{outside}"
    return {
        "PUBLIC_URL": PUBLIC,
        "REDIS_URL": redis,
        "DATABASE_URL": ledger,
        "SECRET_KEYS": keys,
        "TELEGRAM_TOKEN": TOKEN,
        "TELEGRAM_API_BASE": api,
        "TELEGRAM_WEBHOOK_SECRET": SECRET,
        "TELEGRAM_PER_SECOND": "1000",
        "REGISTRY_URL": f"{base}/registry",
        "REGISTRY_TOKEN": _OUTSIDE_SECRET,
        "PAYMENTS": "sandbox",
        "GATEWAY_URL": f"{base}/gateway",
        "GATEWAY_SECRET": _OUTSIDE_SECRET,
        "OIDC_ISSUER": f"{base}/identity",
        "OIDC_CLIENT_ID": "iqamati",
        "OIDC_CLIENT_SECRET": _OUTSIDE_SECRET,
    }


def _outside(
    folder: Path, port: int, ports: list[int], failing: float, seed: int
) -> "subprocess.Popen[bytes]":
    settings = {
        "folder": str(folder),
        "port": port,
        "ports": ports,
        "failing": failing,
        "seed": seed,
        "secret": _OUTSIDE_SECRET,
        "public": PUBLIC,
    }
    with (folder / "outside.log").open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "tests.chaos.outside", json.dumps(settings)],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.kill()
    process.wait()
