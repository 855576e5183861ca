"""Turns are atomic: redelivered, concurrent and interrupted events."""

import asyncio

import msgspec
import pytest

from bot.engine import words
from bot.errors import StoreAway
from bot.i18n.text import say
from bot.model import SESSION_SCHEMA, Chat, Say, Session
from tests.runtime.world import CHAT, CIVIL_ID, RENDERER, World
from tests.store.servers import put_session


def revisions(world: World, chat: Chat = CHAT) -> list[tuple[int, int]]:
    """(revision, number) of everything that arrived in ``chat``."""
    keys = [outgoing.key for where, outgoing in world.phone.seen if where == chat]
    return [(int(rev), int(n)) for rev, n in (key.split(":") for key in keys)]


async def test_an_update_that_comes_twenty_times_is_answered_once(world: World) -> None:
    one, two = await world.process(), await world.process()
    event = world.typed("السلام عليكم")
    await asyncio.gather(*((one, two)[n % 2].handle(event) for n in range(20)))
    await one.settled()
    await two.settled()
    assert len(world.phone.seen) == 1
    session = (await one.store.load(CHAT)).session
    assert session.rev == world.clock.now()  # one commit
    await one.handle(event)  # and once more, later
    await one.settled()
    assert len(world.phone.seen) == 1


async def test_an_update_that_starts_an_effect_starts_it_once(world: World) -> None:
    one, two = await world.process(), await world.process()
    event = world.typed(CIVIL_ID)
    await asyncio.gather(*((one, two)[n % 2].handle(event) for n in range(20)))
    await one.settled()
    await two.settled()
    assert len(world.desk.asked) == 1
    assert len(set(revisions(world))) == len(world.phone.seen)


async def test_two_messages_at_once_are_both_answered_in_order(world: World) -> None:
    one, two = await world.process(), await world.process()
    await world.say(one, "السلام عليكم")
    before = (await one.store.load(CHAT)).session.rev
    await asyncio.gather(
        *((one, two)[n % 2].handle(world.typed(f"كلام {n}")) for n in range(10)),
    )
    await world.together(one, two)
    session = (await one.store.load(CHAT)).session
    assert session.rev == before + 10  # none lost
    assert len(world.phone.seen) == 11
    assert revisions(world) == sorted(revisions(world))


async def test_chats_do_not_mix(world: World) -> None:
    one, two = await world.process(), await world.process()
    chats = [Chat("test", str(number)) for number in range(20)]
    for text in ("سلام", "المخالفات"):
        await asyncio.gather(*((one, two)[n % 2].handle(world.typed(text, c)) for n, c in enumerate(chats)))
        for chat in chats:
            await one.settled(chat)
            await two.settled(chat)
    for chat in chats:
        assert revisions(world, chat) == [(world.clock.now(), 0), (world.clock.now() + 1, 0)]


async def test_a_crash_before_the_commit_is_as_if_nothing_came(world: World) -> None:
    process = await world.process()
    await world.say(process, "السلام عليكم")
    await process.store.flush()
    before = await process.store.load(CHAT)
    event = world.typed("المخالفات")
    for node in world.servers.nodes:  # full: it reads and does not write
        await node.config_set("maxmemory", 1)
    try:
        with pytest.raises(StoreAway):
            await process.handle(event)
    finally:
        for node in world.servers.nodes:
            await node.config_set("maxmemory", 0)
    await process.settled()
    assert len(world.phone.seen) == 1
    assert (await process.store.load(CHAT)).session == before.session

    other = await world.process()
    await other.handle(event)  # redelivered
    await other.settled()
    assert len(world.phone.seen) == 2


async def test_a_newer_release_session_goes_back_to_the_channel(world: World) -> None:
    process = await world.process()
    await world.say(process, "السلام عليكم")
    (key,) = await world.servers.find("s:")
    newer = msgspec.msgpack.encode([SESSION_SCHEMA + 1, "whatever", 4])
    await put_session(process.redis, key, world.keyring.seal(newer, key))
    was = await process.redis.get(key)
    for _ in range(2):
        with pytest.raises(StoreAway):
            await process.handle(world.typed("المخالفات"))
    assert await process.redis.get(key) == was
    assert len(world.phone.seen) == 1


async def test_a_newer_dialog_in_the_session_goes_back_to_the_channel(world: World) -> None:
    process = await world.process()
    await world.say(process, "المخالفات")
    loaded = (await process.store.load(CHAT)).session
    frames = (loaded.frames[0], msgspec.structs.replace(loaded.frames[1], version=99))
    newer: Session = msgspec.structs.replace(loaded, rev=loaded.rev + 1, frames=frames)
    await process.store.commit(CHAT, loaded.rev, newer, [])
    with pytest.raises(StoreAway):
        await process.handle(world.typed(CIVIL_ID))
    assert (await process.store.load(CHAT)).session == newer
    assert len(world.phone.seen) == 1


async def test_an_unreadable_session_is_told_and_begun_anew(world: World) -> None:
    process = await world.process()
    await world.say(process, "المخالفات")
    (key,) = await world.servers.find("s:")
    await put_session(process.redis, key, b"nonsense")
    await world.say(process, "1")
    changed, _, _ = world.phone.texts[-1].partition("\n")
    assert changed == RENDERER.plain(say(words.CHANGED), "ar")
    assert len(await world.servers.find("q:")) == 2
    session = (await process.store.load(CHAT)).session
    assert [frame.dialog for frame in session.frames] == ["home"]


async def test_replies_are_in_the_language_of_their_turn(world: World) -> None:
    process = await world.process()
    await world.say(process, "hello", "/language ar")
    languages = [out.language for _, out in world.phone.seen if isinstance(out, Say)]
    assert languages == ["en", "ar"]
