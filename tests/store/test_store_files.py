"""Files: sealed, for an hour, a few of each chat, and its own only."""

import secrets
from typing import Any

import pytest

from bot.crypto import Keyring
from bot.errors import StoreAway, TooLarge
from bot.model import Chat
from bot.store.files import KEPT, LIFE, FileStore
from tests.store.servers import Deployment
from tests.store.test_store_sessions import ring

CHAT = Chat("web", "a1")
LIST = b"285011500029\r\n299031500041\r\n"


@pytest.fixture
def keyring() -> Keyring:
    return ring()


@pytest.fixture
def store(redis: Any, keyring: Keyring) -> FileStore:
    return FileStore(redis, keyring, limit=1000)


async def test_a_file_comes_back_as_it_was_sent(store: FileStore) -> None:
    content = secrets.token_bytes(1000)
    ref = await store.put(CHAT, content, "workers.xlsx")
    assert await store.get(CHAT, ref) == content
    assert await store.get(CHAT, ref) == content, "reading does not use it up"


async def test_an_empty_file_is_a_file(store: FileStore) -> None:
    assert await store.get(CHAT, await store.put(CHAT, b"", "")) == b""


async def test_another_chats_file_is_none(store: FileStore) -> None:
    ref = await store.put(CHAT, LIST, "a.csv")
    assert await store.get(Chat("web", "a2"), ref) is None
    assert await store.get(Chat("telegram", "a1"), ref) is None


@pytest.mark.parametrize("ref", ["", "x", "0" * 24, "a1b2\n", "0" * 23 + "*", "../" + "0" * 21, "0" * 25])
async def test_what_is_no_reference_is_none(store: FileStore, ref: str) -> None:
    await store.put(CHAT, LIST, "a.csv")
    assert await store.get(CHAT, ref) is None


async def test_too_large_is_not_kept(store: FileStore, servers: Deployment) -> None:
    with pytest.raises(TooLarge):
        await store.put(CHAT, bytes(1001), "a.csv")
    assert await servers.keys() == []


async def test_the_same_file_again_is_the_same(store: FileStore, servers: Deployment) -> None:
    first = await store.put(CHAT, LIST, "a.csv")
    assert await store.put(CHAT, LIST, "a.csv") == first
    assert len(await servers.find("d:")) == 2
    others = {
        await store.put(CHAT, LIST + b"1", "a.csv"),
        await store.put(CHAT, LIST, "b.csv"),
        await store.put(Chat("web", "a2"), LIST, "a.csv"),
    }
    assert len(others | {first}) == 4


async def test_the_oldest_makes_room(store: FileStore, servers: Deployment, redis: Any) -> None:
    refs = [await store.put(CHAT, b"%d" % number, "a.csv") for number in range(KEPT)]
    place = store._place(CHAT)
    # Within one millisecond the order is the references': here it is made certain.
    for second, ref in enumerate(refs):
        await redis.zadd(place, {ref: second})
    newest = await store.put(CHAT, b"newest", "a.csv")
    assert await store.get(CHAT, refs[0]) is None
    assert [await store.get(CHAT, ref) for ref in refs[1:]] == [b"%d" % n for n in range(1, KEPT)]
    assert await store.get(CHAT, newest) == b"newest"
    assert len(await servers.find("d:")) == KEPT + 1
    # One sent again is new again.
    await redis.zadd(place, {refs[1]: 0})
    await store.put(CHAT, b"1", "a.csv")
    await store.put(CHAT, b"another", "a.csv")
    assert await store.get(CHAT, refs[1]) == b"1"
    assert await store.get(CHAT, refs[2]) is None


async def test_other_chats_keep_theirs(store: FileStore) -> None:
    ref = await store.put(CHAT, LIST, "a.csv")
    for number in range(KEPT + 2):
        await store.put(Chat("web", "a2"), b"%d" % number, "a.csv")
    assert await store.get(CHAT, ref) == LIST


async def test_everything_goes_after_an_hour(store: FileStore, servers: Deployment) -> None:
    await store.put(CHAT, LIST, "a.csv")
    for node, key in await servers.keys():
        assert 0 < await node.ttl(key) <= LIFE


async def test_nothing_of_it_can_be_read_in_redis(store: FileStore, servers: Deployment) -> None:
    await store.put(CHAT, LIST, "fatima-285011500029.csv")
    for node, key in await servers.keys():
        assert b"285011500029" not in key
        if await node.type(key) == b"string":
            value = await node.get(key)
            assert b"285011500029" not in value
            assert b"fatima" not in value


async def test_a_file_moved_to_another_place_does_not_open(store: FileStore, redis: Any) -> None:
    """Whoever can write to Redis cannot make one chat's file another's."""
    ref = await store.put(CHAT, LIST, "a.csv")
    mine, theirs = (store._place(chat) for chat in (CHAT, Chat("web", "a2")))
    await redis.set(f"{theirs}:{ref}", await redis.get(f"{mine}:{ref}"))
    assert await store.get(Chat("web", "a2"), ref) is None


async def test_a_file_under_a_dropped_key_is_none(redis: Any) -> None:
    index = "A" * 43 + "="
    ref = await FileStore(redis, ring(index=index)).put(CHAT, LIST, "a.csv")
    assert await FileStore(redis, ring(index=index)).get(CHAT, ref) is None


async def test_redis_away(keyring: Keyring) -> None:
    gone: Any = _Gone()
    store = FileStore(gone, keyring)
    with pytest.raises(StoreAway):
        await store.get(CHAT, "0" * 24)
    with pytest.raises(StoreAway):
        await store.put(CHAT, LIST, "a.csv")


class _Gone:
    """A Redis that does not answer."""

    def register_script(self, _script: str) -> Any:
        async def run(**_: Any) -> None:
            raise ConnectionError

        return run

    async def get(self, _key: str) -> None:
        raise ConnectionError
