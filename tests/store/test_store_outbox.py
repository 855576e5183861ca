"""Outbox and timers: what waits, who has it in hand, what is due."""

from typing import Any

import msgspec
import pytest

from bot.crypto import Keyring
from bot.errors import Conflict
from bot.model import Chat, Session
from bot.store.sessions import Sessions
from tests.store.servers import Deployment

CHAT = Chat("telegram", "96550001234")
START = 1_795_251_600
NEVER = 86_400.0
"""Longer than any entry of these tests was left alone, in seconds."""


@pytest.fixture
def keyring() -> Keyring:
    return Keyring.parse(Keyring.generate())


@pytest.fixture
def here(redis: Any, keyring: Keyring) -> Sessions:
    return Sessions(redis, keyring, "here")


@pytest.fixture
def there(redis: Any, keyring: Keyring) -> Sessions:
    """Another process."""
    return Sessions(redis, keyring, "there")


async def say(store: Sessions, rev: int, *entries: bytes, chat: Chat = CHAT, due: int = 0) -> tuple[str, ...]:
    """Save the turn that leads to revision ``rev``; the first one is 1."""
    return await store.commit(chat, rev - 1, Session(rev=rev, due=due), entries)


async def test_entries_keep_their_order_and_wait_until_they_are_delivered(here: Sessions) -> None:
    ids = await say(here, 1, b"one", b"two")
    ids += await say(here, 2, b"three")
    assert (await here.load(CHAT)).waiting == ids
    assert len(set(ids)) == 3
    taken = await here.abandoned(0)
    assert [(entry_id, entry) for _, entry_id, entry in taken] == list(
        zip(ids, (b"one", b"two", b"three"), strict=True)
    )


async def test_a_turn_that_says_nothing_leaves_nothing(here: Sessions, servers: Deployment) -> None:
    assert await say(here, 1) == ()
    assert await servers.outbox() == 0
    assert (await here.load(CHAT)).waiting == ()


async def test_a_delivery_is_noted_with_the_next_commit(
    here: Sessions, there: Sessions, servers: Deployment
) -> None:
    first, second = await say(here, 1, b"one", b"two")
    here.delivered(here.place(CHAT).tag, first)
    assert (await here.load(CHAT)).waiting == (second,)
    assert (await there.load(CHAT)).waiting == (first, second)  # the note has not left yet
    (third,) = await say(here, 2, b"three")
    assert (await here.load(CHAT)).waiting == (second, third)
    assert await servers.outbox() == 2
    assert await servers.pending() == 2


@pytest.mark.interpreted
async def test_a_primary_dies_with_the_first_part_of_a_note(
    here: Sessions, there: Sessions, servers: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It had said yes, and its successor hears the rest: what is left there is found by somebody."""
    (said,) = await say(here, 1, b"said")
    here.delivered(here.place(CHAT).tag, said)
    ((node, key),) = [(node, key) for node, key in await servers.keys() if key.startswith(b"o:")]
    replica = await node.dump(key)
    run = here._pipes.each

    async def failing_over(commands: Any, *, again: bool) -> Any:
        answers = await run(commands[:1], again=again)
        await node.restore(key, 0, replica, replace=True)
        return answers + await run(commands[1:], again=again)

    monkeypatch.setattr(here._pipes, "each", failing_over)
    await here.flush()
    assert await servers.outbox() == 1
    assert [(entry_id, entry) for _, entry_id, entry in await there.abandoned(0)] == [(said, b"said")]


async def test_a_delivery_is_noted_by_flush_in_every_partition(here: Sessions, servers: Deployment) -> None:
    said = [
        (chat, await say(here, 1, b"said", chat=chat)) for chat in (Chat("web", str(n)) for n in range(30))
    ]
    assert await servers.outbox() == 30
    for chat, (entry_id,) in said:
        here.delivered(here.place(chat).tag, entry_id)
    await here.flush()
    assert await servers.outbox() == 0
    assert await servers.pending() == 0
    assert await here.abandoned(0) == []
    await here.flush()  # nothing to send is fine


async def test_a_note_survives_a_conflict(here: Sessions, servers: Deployment) -> None:
    (entry_id,) = await say(here, 1, b"one")
    here.delivered(here.place(CHAT).tag, entry_id)
    with pytest.raises(Conflict):
        await here.commit(CHAT, 5, Session(rev=6), [b"late"])
    assert await servers.outbox() == 1
    await here.flush()
    assert await servers.outbox() == 0


async def test_waiting_survives_many_turns_of_others_in_the_partition(
    redis: Any, keyring: Keyring, servers: Deployment
) -> None:
    store = Sessions(redis, keyring, "here", partitions=1)
    (mine,) = await say(store, 1, b"mine")
    for number in range(20):
        chat = Chat("web", str(number))
        (entry_id,) = await say(store, 1, b"said", chat=chat)
        store.delivered(store.place(chat).tag, entry_id)
    await store.flush()
    assert (await store.load(CHAT)).waiting == (mine,)
    assert await servers.outbox() == 1


# --- other processes -----------------------------------------------------------------------------------


async def test_what_is_in_hand_elsewhere_is_not_taken(here: Sessions, there: Sessions) -> None:
    ids = await say(here, 1, b"one")
    tag = here.place(CHAT).tag
    assert await there.claim(tag, ids, NEVER) == (set(), [])
    assert await there.abandoned(NEVER) == []


async def test_what_is_idle_is_taken_over_once(here: Sessions, there: Sessions, servers: Deployment) -> None:
    ids = await say(here, 1, b"one", b"two")
    tag = here.place(CHAT).tag
    await servers.age()
    assert await there.claim(tag, ids[:1], NEVER / 100) == (set(), [(ids[0], b"one")])
    assert await here.claim(tag, ids[:1], NEVER / 100) == (set(), [])  # in hand there now
    assert await here.abandoned(NEVER / 100) == [(tag, ids[1], b"two")]
    assert await there.abandoned(NEVER / 100) == []


async def test_a_sign_of_life_keeps_others_off(here: Sessions, there: Sessions, servers: Deployment) -> None:
    held, left = await say(here, 1, b"held", b"left")
    tag = here.place(CHAT).tag
    await servers.age()
    await here.hold([(tag, held)])
    assert await there.claim(tag, (held, left), NEVER / 100) == (set(), [(left, b"left")])
    await here.hold([])  # nothing in hand is fine


async def test_a_sign_of_life_does_not_bring_back_what_was_delivered(
    here: Sessions, there: Sessions, servers: Deployment
) -> None:
    (entry_id,) = await say(here, 1, b"one")
    tag = here.place(CHAT).tag
    there.delivered(tag, entry_id)
    await there.flush()
    await here.hold([(tag, entry_id)])
    assert await servers.outbox() == 0
    assert await here.abandoned(0) == []


async def test_what_was_delivered_elsewhere_is_gone(here: Sessions, there: Sessions) -> None:
    first, second = await say(here, 1, b"one", b"two")
    tag = here.place(CHAT).tag
    here.delivered(tag, first)
    await here.flush()
    assert await there.claim(tag, (first, second), NEVER) == ({first}, [])


async def test_what_was_delivered_here_is_not_taken_over_while_its_note_is_under_way(
    here: Sessions, servers: Deployment
) -> None:
    first, second = await say(here, 1, b"one", b"two")
    tag = here.place(CHAT).tag
    here.delivered(tag, first)
    await servers.age()
    assert await here.claim(tag, (first,), NEVER / 100) == ({first}, [])
    await servers.age()
    assert await here.abandoned(NEVER / 100) == [(tag, second, b"two")]
    await here.flush()
    assert await servers.outbox() == 1


async def test_an_entry_that_does_not_open_hinders_no_other(
    here: Sessions, redis: Any, servers: Deployment, keyring: Keyring
) -> None:
    (first,) = await say(here, 1, b"one")
    (stream,) = await servers.find("o:")
    sealed = keyring.seal(b"elsewhere", b"o:{p999}")
    for broken in (sealed, sealed[:9], b"", b"no"):
        await redis.xadd(stream, {"d": broken, "n": "x"})
    await redis.xreadgroup("out", "here", {stream: ">"})
    (last,) = await say(here, 2, b"two")
    assert [entry for _, _, entry in await here.abandoned(0)] == [b"one", b"two"]
    _, taken = await here.claim(here.place(CHAT).tag, (first, last), 0)
    assert [entry for _, entry in taken] == [b"one", b"two"]


# --- timers -----------------------------------------------------------------------------------------------


async def test_a_timer_is_due_at_its_moment_and_not_before(here: Sessions) -> None:
    await say(here, 1, due=START)
    assert await here.due(START - 1) == []
    assert await here.due(START) == [CHAT]
    assert await here.due(START + 10**6) == [CHAT]  # until a turn says otherwise


async def test_a_turn_moves_and_clears_the_timer(here: Sessions) -> None:
    await say(here, 1, due=START)
    await say(here, 2, due=START + 60)
    assert await here.due(START + 59) == []
    assert await here.due(START + 60) == [CHAT]
    await say(here, 3, due=0)
    assert await here.due(START + 10**6) == []


async def test_timers_of_all_partitions_are_found(here: Sessions) -> None:
    chats = [Chat("web", str(number)) for number in range(30)]
    for number, chat in enumerate(chats):
        await say(here, 1, chat=chat, due=START + number)
    assert set(await here.due(START + 29)) == set(chats)
    assert set(await here.due(START + 9)) == set(chats[:10])


async def test_the_timer_of_a_session_that_is_gone_is_forgotten(
    here: Sessions, redis: Any, servers: Deployment, keyring: Keyring
) -> None:
    gone, moved, odd = (Chat("web", name) for name in ("gone", "moved", "odd"))
    for chat in (gone, moved, odd):
        await say(here, 1, chat=chat, due=START)
    key = {chat: "s:{}:{}".format(*here.place(chat)) for chat in (gone, moved, odd)}
    await redis.delete(key[gone])
    for chat, sealed in (
        (moved, keyring.seal(b"x", b"elsewhere")),
        (odd, keyring.seal(msgspec.msgpack.encode(3), key[odd].encode())),
    ):
        await redis.set(key[chat], b"1  %d\n%b%b" % (len(sealed), sealed, b"session"))
    await say(here, 1, due=START)
    assert await here.due(START) == [CHAT]
    assert sum([await node.zcard(k) for node, k in await servers.keys() if k.startswith(b"t:")]) == 1


async def test_what_is_said_next_waits_for_replies_not_for_effects(here: Sessions) -> None:
    reply, job = await here.commit(CHAT, 0, Session(rev=1), [b"reply"], [b"job"])
    assert (await here.load(CHAT)).waiting == (reply,)
    assert [entry_id for _, entry_id, _ in await here.abandoned(0)] == [reply, job]


async def test_names_of_processes_are_forgotten_once_they_hold_nothing(
    here: Sessions, there: Sessions, redis: Any
) -> None:
    tag = here.place(CHAT).tag
    (first,) = await say(here, 1, b"one")
    await say(there, 2, b"two")
    here.delivered(tag, first)
    await here.flush()
    assert await here.tidy(NEVER) == 0
    assert await there.tidy(0) == 1
    assert [consumer["name"] for consumer in await redis.xinfo_consumers(f"o:{tag}", "out")] == [b"there"]
    await say(here, 3, b"three")  # whoever comes back is known again
    assert len(await redis.xinfo_consumers(f"o:{tag}", "out")) == 2


async def test_names_are_looked_through_in_one_round_trip_a_server(
    here: Sessions, servers: Deployment
) -> None:
    await say(here, 1, b"one")
    for known in (False, True):  # a server that does not know the script is given it and asked again
        before = await servers.reads()
        assert await here.tidy() == 0
        trips = (
            await servers.reads() - before
        )  # ours (which may be read in parts), and the questions for the count
        assert trips <= (6 if known else 12) * len(servers.nodes)
