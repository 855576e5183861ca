"""A run: everything started, residents sent on their walks, everything broken meanwhile, all of it calmed and counted."""

import asyncio
import contextlib
import json
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

import aiohttp

from bot.clock import SystemClock, local
from bot.crypto import Keyring
from tests.chaos import people
from tests.chaos.audit import Evidence, Report, audit
from tests.chaos.books import Books, SQLite, open_books
from tests.chaos.botapi import TOKEN, BotApi
from tests.chaos.cluster import Cluster
from tests.chaos.doors import PUBLIC, SECRET, Door, Net, TelegramDoor, WebDoor
from tests.chaos.journal import Journal
from tests.chaos.ports import free, opens
from tests.chaos.service import ROOT, Fleet, Process
from tests.chaos.walker import Plan, Walk

_OUTSIDE_SECRET: Final = "chaos-outside-secret"
_START: Final = 300.0
"""Seconds within which all processes must be up."""
PLANS: Final = {Plan.PAY: 45, Plan.LOOK: 20, Plan.CANCEL: 10, Plan.DECLINED: 10, Plan.RENEW: 15}
"""Of a hundred walks."""


@dataclass(frozen=True)
class Size:
    """How much of everything.

    Attributes:
        walks: residents, each with a chat of their own.
        at_once: of them at one moment.
        processes: of the service; the last one has the wrong clock.
        seconds: the longest the walks may take, all together.
        settle: seconds the service has afterwards, in fair weather, to empty the outbox.
        record: seconds it has then to record at the registry what was paid; a failed try is made again after a minute.
        kills: of a process, at most; 0 for as many as there is time for.
        failovers: likewise, of a Redis primary.
        restarts: likewise, of PostgreSQL.
        cuts: likewise, troubles of the network between service and Redis.
        every: seconds between troubles of one kind: of a process, the network, Redis, PostgreSQL.
        failing: share of calls to registry and gateway that fail or stall.
        twice: share of updates brought twice.
        think: seconds a resident looks at a question, at most.
        wrong: seconds the last process's clock is wrong by.
        sqlite: keep the ledger in SQLite even where PostgreSQL is.
    """

    walks: int = 100
    at_once: int = 40
    processes: int = 3
    seconds: float = 600.0
    settle: float = 90.0
    record: float = 150.0
    kills: int = 0
    failovers: int = 0
    restarts: int = 0
    cuts: int = 0
    every: tuple[float, float, float, float] = (5.0, 8.0, 25.0, 20.0)
    failing: float = 0.3
    twice: float = 0.2
    think: float = 3.0
    wrong: float = 45.0
    sqlite: bool = False


SMALL: Final = Size(
    walks=40,
    processes=2,
    seconds=240.0,
    record=0.0,
    kills=2,
    cuts=1,
    failovers=1,
    restarts=1,
    every=(1.0, 3.0, 2.0, 2.0),
    failing=0.1,
    think=1.0,
    wrong=0.0,
)
"""What the test runs: over in a minute, and nothing in it waits for a try a minute later."""


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


async def run(size: Size, seed: int, kept: Path | None = None) -> Report:
    """Run it; every note, and the processes' logs, go into the folder ``kept``, where one is given."""
    async with _world(size, seed) as world:
        doors = await _walks(world)
        world.journal.note("walks over")
        await _calm(world)
        settled = await _settled(world)
        logs = {door.chat: await door.log() for door in doors if isinstance(door, WebDoor)}
        evidence = Evidence(
            journal=world.journal,
            book=await world.book(),
            orders=await world.books.rows("SELECT * FROM orders"),
            items=await world.books.rows("SELECT * FROM order_items"),
            attempts=await world.books.rows("SELECT * FROM attempts"),
            outbox=settled,
            sessions=len(await world.cluster.read("s:*")),
            aside=len(await world.cluster.read("q:*")),
            logs=logs,
            errors=dict(world.fleet.errors()),
            ledger=world.books.name,
        )
        if kept is not None:
            _keep(world, kept)
        return audit(evidence)


def _keep(world: World, kept: Path) -> None:
    kept.mkdir(parents=True, exist_ok=True)
    told = (f"{note.at:9.3f} {note.kind:<16} {note.chat} {note.data}\n" for note in world.journal.notes)
    (kept / "journal").write_text("".join(told))
    for process in world.fleet.processes:
        shutil.copy(process.folder / "log", kept / process.name)


# --- the walks ------------------------------------------------------------------------------------------


async def _walks(world: World) -> list[Door]:
    """Send everybody on their way, and break things until the last one is back."""
    doors: list[Door] = []
    room = asyncio.Semaphore(world.size.at_once)
    async with asyncio.TaskGroup() as behind:
        net = Net(
            world.fleet,
            world.api,
            world.http,
            world.journal,
            random.Random(world.seed + 1),
            behind,
            world.size.twice,
        )
        troubles = [behind.create_task(each) for each in _troubles(world)]
        walks = list(_residents(world, net))
        doors += [walk.door for walk in walks]

        async def one(walk: Walk) -> None:
            async with room:
                await walk.go()

        try:
            async with asyncio.timeout(world.size.seconds):
                await asyncio.gather(*(one(walk) for walk in walks))
                if world.size.kills:  # a small run is over sooner than its troubles
                    await asyncio.gather(*troubles)
        except TimeoutError:
            world.journal.note("time is up")
        for trouble in troubles:
            trouble.cancel()
        await asyncio.gather(*troubles, return_exceptions=True)
        await _repaired(world)
        while net.pending:
            await asyncio.wait(net.pending, timeout=60)
        for door in doors:
            await door.close()
    return doors


def _residents(world: World, net: Net) -> list[Walk]:
    chance = random.Random(world.seed + 2)
    today: date = local(SystemClock().now()).date()
    owing, families, all_ = (
        people.with_fines(chance, today),
        people.with_family(chance, today),
        people.anybody(chance),
    )
    plans = chance.choices(list(PLANS), list(PLANS.values()), k=world.size.walks)
    found: list[Walk] = []
    for number, plan in enumerate(plans):
        address = f"5.{number >> 12 & 255}.{number >> 4 & 255}.{(number & 15) * 16 + 1}"
        kind = TelegramDoor if chance.random() < 0.6 else WebDoor
        whose = families if plan is Plan.RENEW else all_ if plan is Plan.LOOK else owing
        door = kind(net, number, address)
        walk = Walk(net, door, plan, next(whose), world.size.seconds, world.size.think)
        walk.stray = chance.random() < 0.1
        found.append(walk)
    return found


# --- troubles -------------------------------------------------------------------------------------------


def _troubles(world: World) -> list[Any]:
    size, (kills, cuts, failovers, restarts) = world.size, world.size.every
    starting: list[asyncio.Task[None]] = []

    async def kill() -> None:
        while len(up := [each for each in world.fleet.processes if each.up]) < 2:
            await asyncio.sleep(0.2)
        process = min(up, key=lambda each: each.age)
        world.fleet.kill(process)
        starting.append(asyncio.get_running_loop().create_task(world.fleet.start(process)))

    async def cut() -> None:
        chance, nodes = world.chance, world.cluster.nodes
        kind = chance.choice(("reset", "delay", "cut"))
        world.journal.note("network", what=kind)
        touched = chance.sample(nodes, 2)
        for node in touched:
            node.proxy.delay = chance.uniform(0.05, 1.0) if kind == "delay" else 0.0
            node.proxy.shut = kind == "cut"
            if kind != "delay":
                node.proxy.reset()
        await asyncio.sleep(0.0 if kind == "reset" else chance.uniform(0.5, 2.5))
        for node in touched:
            node.proxy.delay, node.proxy.shut = 0.0, False

    async def failover() -> None:
        world.journal.note("primary killed")
        took = await world.cluster.kill_primary(world.chance)
        world.journal.note("failover", seconds=round(took, 1))

    async def restart() -> None:
        if await world.books.restart():
            world.journal.note("ledger restarted")

    return [
        _again(kill, kills, size.kills),
        _again(cut, cuts, size.cuts),
        _again(failover, failovers, size.failovers),
        _again(restart, restarts, size.restarts),
    ]


async def _again(trouble: Callable[[], Awaitable[None]], every: float, most: int) -> None:
    """Make trouble every so many seconds (0: never), ``most`` times (0: until cancelled)."""
    done = 0
    while every > 0 and (not most or done < most):
        await asyncio.sleep(every)
        begun = asyncio.get_running_loop().create_task(_made(trouble))
        try:
            await asyncio.shield(begun)
        except asyncio.CancelledError:
            await begun  # a trouble that was begun is ended: nothing is left half broken
            raise
        done += 1


async def _made(trouble: Callable[[], Awaitable[None]]) -> None:
    await trouble()


async def _repaired(world: World) -> None:
    """Every process up, nothing between service and Redis."""
    for node in world.cluster.nodes:
        node.proxy.delay, node.proxy.shut = 0.0, False
    async with asyncio.timeout(_START):
        while not all(process.up for process in world.fleet.processes):
            await asyncio.sleep(0.1)


async def _calm(world: World) -> None:
    await world.weather(0.0)
    world.api.failing = 0.0


async def _settled(world: World) -> int:
    """Wait until nothing is left in the outbox and what was paid is recorded; entries of the outbox left."""
    loop = asyncio.get_running_loop()
    begun = loop.time()
    left = 1
    while left and loop.time() - begun < world.size.settle:
        await asyncio.sleep(1.0)
        left = sum([await client.xlen(key) for key, client in await world.cluster.read("o:*")])
    while loop.time() - begun < world.size.record:
        if not await world.books.rows("SELECT id FROM orders WHERE status = 'paid'"):
            break
        await asyncio.sleep(1.0)
    return left


# --- the world ------------------------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def _world(size: Size, seed: int) -> AsyncGenerator[World, None]:
    chance, journal = random.Random(seed), Journal()
    folder = Path(tempfile.mkdtemp(prefix="iqamati-chaos-"))
    async with contextlib.AsyncExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        cluster = Cluster(folder / "redis")
        stack.push_async_callback(cluster.stop)
        await cluster.start()
        books = SQLite(folder) if size.sqlite else await asyncio.to_thread(open_books, folder)
        stack.callback(books.stop)
        api = BotApi(journal, random.Random(seed + 3), 0.05 if size.failing else 0.0)
        stack.push_async_callback(api.stop)
        await api.start()
        outside, *ports = free(size.processes + 1)
        stack.callback(_end, _outside(folder, outside, ports, size.failing, seed))
        assert await opens(outside, 60.0), "registry and gateway do not start"
        keys = Keyring.generate()

        def settings(process: Process) -> dict[str, str]:
            return _settings(cluster.url(chance), books.url, keys, api.base(process.life), outside)

        fleet = Fleet(journal, settings)
        stack.callback(fleet.stop)
        for number, port in enumerate(ports):
            home = folder / f"p{number}"
            home.mkdir()
            wrong = size.wrong if number and number == len(ports) - 1 else 0.0
            process = Process(f"p{number}", port, home, wrong)
            fleet.processes.append(process)
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
