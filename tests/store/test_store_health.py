"""Who could not reach a server could not give a sign of life there: nobody is called silent for it."""

import asyncio
from typing import Any

import pytest
from redis.exceptions import ConnectionError as Away

from bot.errors import StoreAway
from bot.model import Chat, Session
from bot.store import pipes as module
from bot.store.health import Health
from bot.store.pipes import Command, Names, Pipes, Script
from bot.store.sessions import Sessions
from tests.store.servers import Deployment
from tests.store.test_store_pipe import cut, in_time
from tests.store.test_store_sessions import ring

CHATS = [Chat("test", str(number)) for number in range(60)]
KEYS = [f"k{{{number}}}" for number in range(256)]
SETS: list[Command] = [("SET", key, ("x",)) for key in KEYS]
LONG = 3600.0


def test_health_is_remembered_for_each_slot() -> None:
    health = Health()
    assert not health.poorly(1, 0.0)
    health.unwell([1, 2], 10.0)
    assert health.poorly(1, 9.0)
    assert not health.poorly(1, 10.0)
    assert not health.poorly(3, 9.0)


def test_a_server_is_poorly_until_all_that_was_lost_is_known() -> None:
    health = Health()
    health.ailing([1])
    health.ailing([1])
    health.recovered([1])
    assert health.poorly(1, 1e9)
    health.recovered([1])
    assert not health.poorly(1, 0.0)


async def left_behind(redis: Any, servers: Deployment) -> Sessions:
    """A store whose partitions have entries that another process left long ago."""
    other = Sessions(redis, ring(), "other")
    for chat in CHATS:
        await other.commit(chat, 0, Session(rev=1, language="ar"), [b"said"])
    await servers.age()
    return Sessions(redis, other._keyring, "here")


@pytest.mark.interpreted
async def test_where_answers_come_late_nothing_is_taken_over_for_a_while(
    redis: Any, servers: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = await left_behind(redis, servers)
    chat = CHATS[0]
    (waiting,) = (await store.load(chat)).waiting
    with monkeypatch.context() as late:
        late.setattr(module, "IN_TIME", -1.0)
        await store.due(0)
    assert await store.abandoned(LONG) == []
    assert await store.claim(store.place(chat).tag, [waiting], LONG) == (set(), [])
    assert len(await store.abandoned(0)) == len(CHATS)  # as if it were long past


async def test_a_connection_that_is_made_anew_at_once_is_no_absence(redis: Any, servers: Deployment) -> None:
    pipes = Pipes(redis)
    await pipes.all(SETS)
    await cut(servers)
    assert await pipes.all(SETS) == [b"OK"] * len(KEYS)
    assert not any(pipes.poorly(key, LONG) for key in KEYS)


async def test_a_server_that_is_given_a_script_is_well(redis: Any) -> None:
    pipes = Pipes(redis)
    commands: list[Command] = [(Script(pipes, "return KEYS[1]"), key, ()) for key in KEYS]
    asking = asyncio.get_running_loop().create_task(pipes.each(commands, again=False))
    poorly: set[str] = set()
    while not asking.done():
        await asyncio.sleep(0)
        poorly |= {key for key in KEYS if pipes.poorly(key, LONG)}
    assert await asking == [key.encode() for key in KEYS]
    assert not poorly


@pytest.mark.interpreted
async def test_while_it_is_looked_for_a_server_is_poorly(redis: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    pipes = Pipes(redis)
    await pipes.all(SETS)
    single, found, asked = pipes._single, asyncio.Event(), asyncio.Event()

    async def late(names: Names, args: list[Any]) -> Any:
        asked.set()
        await found.wait()
        return await single(names, args)

    monkeypatch.setattr(pipes, "_single", late)
    lost, pipe = next(iter(pipes._pipes.items()))

    async def refused(key: str) -> Any:
        if pipes._server(key) == lost:
            raise ConnectionRefusedError
        return pipes._pipes[pipes._server(key)]

    monkeypatch.setattr(pipes, "opened", refused)
    pipe.gone = True
    asking = asyncio.get_running_loop().create_task(pipes.all(SETS))
    await in_time(asked.wait())
    assert {key for key in KEYS if pipes.poorly(key, LONG)} == {
        key for key in KEYS if pipes._server(key) == lost
    }
    found.set()
    assert await in_time(asking) == [b"OK"] * len(KEYS)
    assert not any(pipes.poorly(key, LONG) for key in KEYS)


@pytest.mark.interpreted
async def test_whoever_is_told_to_end_while_a_server_keeps_quiet_knows_of_it(
    redis: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipes = Pipes(redis)
    await pipes.all(SETS)

    async def quiet(_commands: Any) -> Any:
        await asyncio.Event().wait()

    monkeypatch.setattr(pipes, "_batch", quiet)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await pipes.all(SETS)
    assert all(pipes.poorly(key, LONG) for key in KEYS)


async def test_what_rests_on_silence_is_not_asked_again(redis: Any, servers: Deployment) -> None:
    """Asked again it might be after a failover, when nobody has been able to speak."""
    pipes: Any = Pipes(redis)
    await pipes.all(SETS)
    asked = asyncio.get_running_loop().create_task(pipes.each(SETS, again=False))
    await asyncio.sleep(0)
    for each in pipes._pipes.values():
        each._transport.abort()
    answers = await in_time(asked)
    assert {type(answer) for answer in answers} == {Away}
    assert all(pipes.poorly(key, LONG) for key in KEYS)
    for node in servers.nodes:
        await node.script_flush()  # that a server does not know a script says nothing of its health
    store = await left_behind(redis, servers)
    for chat in CHATS:
        tag = store.place(chat).tag
        gone, taken = await store.claim(tag, (await store.load(chat)).waiting, LONG / 2)
        assert (gone, [entry for _, entry in taken]) == (set(), [b"said"])


@pytest.mark.interpreted
async def test_a_server_that_is_away_holds_up_no_round_on_the_others(
    redis: Any, servers: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = await left_behind(redis, servers)
    for chat in CHATS:
        loaded = await store.load(chat)
        session = Session(rev=2, language="ar", due=5)
        await store.commit(chat, loaded.session.rev, session, [])
        store.delivered(store.place(chat).tag, loaded.waiting[0])
    pipes = store._pipes
    batch = pipes._batch
    lost = pipes._server(f"o:{store.place(CHATS[0]).tag}")
    away = {chat for chat in CHATS if pipes._server(f"o:{store.place(chat).tag}") == lost}

    async def some(commands: Any) -> Any:
        if pipes._server(commands[0][1]) == lost:
            raise Away("gone")
        return await batch(commands)

    monkeypatch.setattr(pipes, "_batch", some)
    if away == set(CHATS):
        for work in (store.due(10), store.flush(), store.abandoned(LONG / 2)):
            with pytest.raises(StoreAway):
                await work
        return
    assert set(await store.due(10)) == set(CHATS) - away
    assert len(await store.abandoned(LONG / 2)) == 0  # delivered here, not yet noted
    await store.flush()
    assert set(store._delivered) == {store.place(chat).tag for chat in away}
    monkeypatch.undo()
    await store.flush()
    assert store._delivered == {}
    assert await servers.outbox() == 0
