"""Sessions: what is saved, what is refused, what is put aside."""

import asyncio
import base64
import secrets
from typing import Any

import msgspec
import pytest

from bot.crypto import Keyring
from bot.errors import Conflict, FromNewer
from bot.model import SESSION_SCHEMA, Chat, Frame, Session
from bot.store.keys import PARTITIONS, Keys
from bot.store.sessions import KEPT_LIFE, LIFE, LOST, QUARANTINE_LIFE, Sessions
from tests.store.servers import Deployment, put_session, sealed_session

CHAT = Chat("telegram", "96550001234")
FIRST = Session(rev=1_795_251_600, frames=(Frame("home", 1, "menu"),))


def ring(*keys: str, index: str = "") -> Keyring:
    return Keyring.parse(f"{index or _key()}:{','.join(keys or (_key(),))}")


def _key() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()


def after(session: Session, **fields: Any) -> Session:
    return msgspec.structs.replace(session, rev=session.rev + 1, **fields)


@pytest.fixture
def keyring() -> Keyring:
    return ring()


@pytest.fixture
def store(redis: Any, keyring: Keyring) -> Sessions:
    return Sessions(redis, keyring, "a")


async def test_a_chat_nobody_knows_is_fresh(store: Sessions) -> None:
    loaded = await store.load(CHAT)
    assert loaded.session == Session()
    assert loaded.waiting == ()
    assert not loaded.unreachable


async def test_a_session_comes_back_as_it_was_saved(store: Sessions) -> None:
    session = Session(
        rev=7,
        language="en",
        chosen=True,
        frames=(
            Frame("home", 1, "menu"),
            Frame("violations", 1, "owed", 7, {"number": "285011500029", "tries": 2}, ("scope",), 1),
        ),
        seen=(1, 2**55),
        pressed="home/menu/x/1",
        touched=5,
        due=9,
    )
    await store.commit(CHAT, 0, session, [])
    assert (await store.load(CHAT)).session == session
    assert (await store.load(Chat("web", CHAT.id))).session == Session()


async def test_of_two_turns_on_one_revision_one_is_saved(store: Sessions) -> None:
    await store.commit(CHAT, 0, FIRST, [])
    one, two = after(FIRST, language="en"), after(FIRST, touched=4)
    results = await asyncio.gather(
        *(store.commit(CHAT, FIRST.rev, turn, [b"said"]) for turn in (one, two)), return_exceptions=True
    )
    assert [type(result) for result in results].count(Conflict) == 1
    winner = one if isinstance(results[1], Conflict) else two
    loaded = await store.load(CHAT)
    assert loaded.session == winner
    assert len(loaded.waiting) == 1


async def test_the_first_turn_of_a_chat_is_guarded_too(store: Sessions) -> None:
    await store.commit(CHAT, 0, FIRST, [])
    with pytest.raises(Conflict):
        await store.commit(CHAT, 0, FIRST, [b"said"])
    with pytest.raises(Conflict):
        await store.commit(CHAT, FIRST.rev + 9, after(FIRST), [b"said"])
    assert (await store.load(CHAT)).waiting == ()


async def test_the_language_outlives_the_session(store: Sessions, servers: Deployment, redis: Any) -> None:
    frames = (Frame("violations", 1, "owed", answers={"number": "285011500029"}),)
    await store.commit(CHAT, 0, after(FIRST, language="en", chosen=True, frames=frames), [])
    (key,) = await servers.find("s:")
    await redis.delete(key)
    loaded = await store.load(CHAT)
    assert loaded.session == Session(language="en", chosen=True)


async def test_a_resident_who_blocked_us_is_remembered(store: Sessions) -> None:
    await store.commit(CHAT, 0, FIRST, [])
    await store.mark(CHAT, unreachable=True)
    assert (await store.load(CHAT)).unreachable
    await store.commit(CHAT, FIRST.rev, after(FIRST), [])
    assert (await store.load(CHAT)).unreachable
    await store.mark(CHAT, unreachable=False)
    assert not (await store.load(CHAT)).unreachable


# --- keys ------------------------------------------------------------------------------------------


async def test_a_rotated_key_still_opens_and_the_new_one_seals(redis: Any, servers: Deployment) -> None:
    index, old, new = _key(), _key(), _key()
    await Sessions(redis, ring(old, index=index), "a").commit(CHAT, 0, FIRST, [b"said"])
    both = Sessions(redis, ring(new, old, index=index), "b")
    assert (await both.load(CHAT)).session == FIRST
    assert [entry for _, _, entry in await both.abandoned(0)] == [b"said"]
    await both.commit(CHAT, FIRST.rev, after(FIRST), [])
    only_new = Sessions(redis, ring(new, index=index), "c")
    assert (await only_new.load(CHAT)).session == after(FIRST)
    assert not await servers.find("q:")


async def test_an_unreadable_session_is_put_aside_as_it_was(redis: Any, servers: Deployment) -> None:
    index, kept_frames = _key(), (Frame("violations", 1, "owed"),)
    before = after(FIRST, language="en", frames=kept_frames)
    await Sessions(redis, ring(index=index), "a").commit(CHAT, 0, before, [])
    (key,) = await servers.find("s:")
    was = await redis.get(key)

    other = Sessions(redis, ring(index=index), "b")
    assert (await other.load(CHAT)).session == Session(language="en", frames=(LOST,), touched=before.rev)

    assert not await servers.find("s:")
    listed, aside = await servers.find("q:{p")
    assert await redis.get(aside) == was
    assert [listed + b":" + part for part in await redis.zrange(listed, 0, -1)] == [aside]
    assert 0 < await redis.ttl(aside) <= await redis.ttl(listed) <= QUARANTINE_LIFE


async def test_what_was_put_aside_is_never_overwritten(redis: Any, servers: Deployment) -> None:
    index = _key()
    saved: list[bytes] = []
    for number in range(3):
        # The same revision each time: a chat that begins anew within the second has it again.
        await Sessions(redis, ring(index=index), "a").commit(CHAT, 0, FIRST, [])
        (key,) = await servers.find("s:")
        saved.append(await redis.get(key))
        assert (await Sessions(redis, ring(index=index), "b").load(CHAT)).session.frames == (LOST,)
        listed = (await servers.find("q:"))[0]
        await redis.zadd(listed, {f"{number}:of a time whose sessions are gone": 1})
    listed, *aside = await servers.find("q:")
    assert sorted([await redis.get(key) for key in aside]) == sorted(saved)
    assert await redis.zcard(listed) == len(saved) + 1, "the last of those times is still to be taken out"
    assert all([await redis.ttl(key) > 0 for key in await servers.find("q:")])


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param(lambda _sealed: b"", id="empty"),
        pytest.param(lambda sealed: sealed[:3], id="cut in its header"),
        pytest.param(lambda sealed: sealed[:9], id="cut in its nonce"),
        pytest.param(lambda sealed: sealed[:-1], id="cut at its end"),
        pytest.param(lambda sealed: sealed[:-1] + bytes([sealed[-1] ^ 1]), id="altered"),
        pytest.param(lambda sealed: b"\x02" + sealed[1:], id="of another version"),
        pytest.param(lambda _sealed: b"not ours at all, but as long as ours", id="foreign"),
    ],
)
async def test_every_kind_of_broken_session_is_put_aside(
    store: Sessions, servers: Deployment, redis: Any, broken: Any
) -> None:
    await store.commit(CHAT, 0, FIRST, [])
    (key,) = await servers.find("s:")
    sealed = broken(await sealed_session(redis, key))
    await put_session(redis, key, sealed)
    assert (await store.load(CHAT)).session.frames == (LOST,)
    _, aside = await servers.find("q:")
    assert await sealed_session(redis, aside) == sealed


@pytest.mark.parametrize("data", [b"\xc0", b"\x90", b"\x91\xa1x", b"\xc1", b"\x92\x01\xa1x", b"\x81\x01\x02"])
async def test_what_opens_but_is_no_session_is_put_aside(
    store: Sessions, keyring: Keyring, servers: Deployment, redis: Any, data: bytes
) -> None:
    await store.commit(CHAT, 0, FIRST, [])
    (key,) = await servers.find("s:")
    await put_session(redis, key, keyring.seal(data, key))
    assert (await store.load(CHAT)).session.frames == (LOST,)
    assert len(await servers.find("q:")) == 2


async def test_a_session_moved_to_another_chat_does_not_open(
    store: Sessions, servers: Deployment, redis: Any
) -> None:
    await store.commit(CHAT, 0, FIRST, [])
    (mine,) = await servers.find("s:")
    other = Chat("telegram", "another")
    await store.commit(other, 0, after(FIRST), [])
    (theirs,) = set(await servers.find("s:")) - {mine}
    await put_session(redis, theirs, await sealed_session(redis, mine))
    assert (await store.load(other)).session.frames == (LOST,)


async def test_a_newer_release_session_is_left_byte_for_byte(
    store: Sessions, keyring: Keyring, servers: Deployment, redis: Any
) -> None:
    await store.commit(CHAT, 0, FIRST, [])
    (key,) = await servers.find("s:")
    newer = msgspec.msgpack.encode([SESSION_SCHEMA + 1, {"another": "layout"}, 3])
    await put_session(redis, key, keyring.seal(newer, key))
    was = await redis.get(key)
    for _ in range(2):
        with pytest.raises(FromNewer):
            await store.load(CHAT)
    assert await redis.get(key) == was
    assert not await servers.find("q:")


# --- where it is kept ---------------------------------------------------------------------------------


async def test_all_keys_of_a_chat_are_in_its_partition_and_none_lasts_for_ever(
    store: Sessions, servers: Deployment, keyring: Keyring
) -> None:
    chats = [Chat("telegram", str(number)) for number in range(40)]
    for chat in chats:
        await store.commit(chat, 0, after(FIRST, due=5), [b"said"])
        tag, name = Keys(keyring).place(chat)
        mine = [(node, key) for node, key in await servers.keys() if name.encode() in key]
        assert {key for _, key in mine} == {f"{kind}:{tag}:{name}".encode() for kind in "sk"}
        lives = {key[:1]: await node.ttl(key) for node, key in mine}
        assert LIFE - 60 < lives[b"s"] <= LIFE
        assert KEPT_LIFE - 60 < lives[b"k"] <= KEPT_LIFE
        assert {f"o:{tag}".encode(), f"t:{tag}".encode()} <= {key for _, key in await servers.keys()}
    used = [node for node in servers.nodes if await node.dbsize()]
    assert len(used) == len(servers.nodes)  # a cluster's every shard has its share


async def test_a_mark_alone_does_not_last_for_ever(store: Sessions, servers: Deployment, redis: Any) -> None:
    await store.mark(CHAT, unreachable=True)
    (key,) = await servers.find("k:")
    assert 0 < await redis.ttl(key) <= KEPT_LIFE


def test_a_place_is_the_same_in_every_process_and_reveals_nothing() -> None:
    text = Keyring.generate()
    places = [Keys(Keyring.parse(text)).place(Chat("telegram", str(n))) for n in range(5000)]
    assert places == [Keys(Keyring.parse(text)).place(Chat("telegram", str(n))) for n in range(5000)]
    assert len({place.name for place in places}) == len(places)
    assert {place.tag for place in places} == {f"{{p{n:03d}}}" for n in range(PARTITIONS)}
    assert places[0].name != Keys(ring()).place(Chat("telegram", "0")).name
    assert places[0].name != Keys(Keyring.parse(text)).place(Chat("web", "0")).name
