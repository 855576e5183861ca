"""Commands of many turns on one connection: shared, and none the worse when it breaks."""

import asyncio
from collections.abc import Awaitable
from typing import Any

import hiredis
import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.exceptions import RedisError

from bot.errors import StoreAway
from bot.model import Chat, Session
from bot.store import pipe
from bot.store.connect import connect
from bot.store.pipe import Arg, Broken, packed
from bot.store.pipes import Command, Names, Pipes, Script
from bot.store.sessions import Sessions
from bot.tasks import Tasks
from tests.store.servers import Deployment, one
from tests.store.test_store_sessions import ring

ECHO = "return {KEYS[1], ARGV[1]}"
CHATS = [Chat("test", str(number)) for number in range(200)]


def command(redis: Any, text: str = ECHO) -> Script:
    return Script(Pipes(redis), text)


async def cut(servers: Deployment) -> None:
    """End every connection but the test's own."""
    for node in servers.nodes:
        await node.execute_command("CLIENT KILL TYPE normal SKIPME yes")


async def in_time(work: Awaitable[Any]) -> Any:
    async with asyncio.timeout(30):
        return await work


async def test_what_is_asked_at_once_goes_out_at_once(redis: Any, servers: Deployment) -> None:
    store = Sessions(redis, ring(), "a")
    await asyncio.gather(*(store.load(chat) for chat in CHATS))  # scripts known, connections open
    before = await servers.reads()
    await asyncio.gather(*(store.load(chat) for chat in CHATS))
    assert await servers.reads() - before < len(CHATS) / 4


@given(st.lists(st.text() | st.binary() | st.integers() | st.just(b"x" * 5_000), min_size=1, max_size=200))
def test_a_command_is_packed_as_hiredis_packs_it(args: list[Arg]) -> None:
    assert packed(args) == hiredis.pack_command(tuple(args))  # type: ignore[arg-type]  # says a tuple of one


async def test_what_is_always_given_comes_first_whichever_way_is_gone(redis: Any) -> None:
    run = Script(Pipes(redis), "return {KEYS[2], ARGV[1], ARGV[2], ARGV[3]}", (86_400, "me"))
    names = Names(("{a}1", "{a}2"))
    expected = [b"{a}2", b"86400", b"me", b"it"]
    assert await run(names, ("it",)) == expected  # not seen by the server yet: by redis-py
    assert await run(names, ("it",)) == expected


async def test_each_gets_its_own_answer(redis: Any) -> None:
    run = command(redis)
    answers = await asyncio.gather(*(run(Names((f"k{{{n}}}",)), [n]) for n in range(300)))
    assert answers == [[b"k{%d}" % n, b"%d" % n] for n in range(300)]


async def test_many_at_once_are_one_round_trip_a_server(redis: Any, servers: Deployment) -> None:
    pipes = Pipes(redis)
    keys = [f"k{{{number}}}" for number in range(300)]
    await pipes.all([("SET", key, ("x",)) for key in keys])
    before = await servers.reads()
    assert await pipes.all([("APPEND", key, (number,)) for number, key in enumerate(keys)]) == [
        1 + len(str(number)) for number in range(300)
    ]
    assert await servers.reads() - before <= 6 * len(servers.nodes)  # ours, and the questions for the count
    answers = await pipes.all([("GET", "k{1}", ()), ("INCR", "k{1}", ()), ("GET", "k{2}", ())])
    assert [answers[0], answers[2]] == [b"x1", b"x2"]
    assert isinstance(answers[1], RedisError)


async def test_many_at_once_survive_a_cut_and_fail_at_once_where_nobody_is(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    async with one(tmp_path_factory.mktemp("p")) as deployment:
        redis = await connect(deployment.url)
        pipes = Pipes(redis)
        commands: list[Command] = [("SET", f"k{number}", (number,)) for number in range(256)]
        assert await pipes.all(commands) == [b"OK"] * 256
        await cut(deployment)
        assert await pipes.all(commands) == [b"OK"] * 256
        [server] = deployment.servers
        server.stop()
        with pytest.raises((RedisError, OSError)):
            await in_time(pipes.all(commands))
        server.start()
        assert await in_time(pipes.all(commands)) == [b"OK"] * 256
        await redis.aclose()


async def test_a_server_that_does_not_know_the_script_is_given_it(redis: Any, servers: Deployment) -> None:
    run = command(redis)
    for node in servers.nodes:
        await node.script_flush()
    assert await run(Names(("a",)), [1]) == [b"a", b"1"]
    assert await run(Names(("a",)), [2]) == [b"a", b"2"]


async def test_a_connection_that_was_cut_is_made_anew(redis: Any, servers: Deployment) -> None:
    run = command(redis)
    for number in range(3):
        assert await run(Names(("a",)), [number]) == [b"a", b"%d" % number]
        await cut(servers)
    store = Sessions(redis, ring(), "a")
    session = Session(rev=7, language="en")
    await store.commit(CHATS[0], 0, session, [])
    await cut(servers)
    assert (await store.load(CHATS[0])).session == session


async def test_a_connection_lost_after_it_was_chosen_answers_nobody(redis: Any) -> None:
    """Several servers are asked one after the other: the next one's connection may go while the first is waited for."""
    pipes: Any = Pipes(redis)  # looked into: whose connection goes when is up to chance otherwise
    commands: list[Command] = [("SET", f"k{{{number}}}", (number,)) for number in range(256)]
    await pipes.all(commands)
    asked = asyncio.get_running_loop().create_task(pipes.all(commands))
    await asyncio.sleep(0)  # the first server is asked
    for each in pipes._pipes.values():
        each._transport.abort()
    assert await in_time(asked) == [b"OK"] * 256
    chosen = await pipes.opened("k")
    chosen._transport.abort()
    while not chosen.gone:  # noqa: ASYNC110 - it tells nobody
        await asyncio.sleep(0)
    with pytest.raises(Broken):
        await in_time(chosen.run(packed(("GET", "k"))))


@pytest.mark.interpreted
async def test_a_server_that_is_away_keeps_nothing_from_the_others(
    redis: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Entries in hand on the others need their signs of life while a primary fails over."""
    pipes = Pipes(redis)
    commands: list[Command] = [("SET", f"k{{{number}}}", (number,)) for number in range(256)]
    await pipes.all(commands)
    lost, connection = next(iter(pipes._pipes.items()))
    opened, single = pipes.opened, pipes._single
    alone: list[str] = []

    async def refused(key: str) -> Any:
        if pipes._server(key) == lost:
            raise ConnectionRefusedError
        return await opened(key)

    async def one_by_one(names: Names, args: list[Any]) -> Any:
        alone.append(names.keys[0])
        return await single(names, args)

    monkeypatch.setattr(pipes, "opened", refused)
    monkeypatch.setattr(pipes, "_single", one_by_one)
    connection._transport.abort()
    while not connection.gone:  # noqa: ASYNC110 - it tells nobody
        await asyncio.sleep(0)
    assert await in_time(pipes.all(commands)) == [b"OK"] * 256
    assert set(alone) == {key for _, key, _ in commands if pipes._server(key) == lost}


@pytest.mark.interpreted
async def test_a_server_that_is_looked_for_keeps_nobody_waiting(
    redis: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipes = Pipes(redis)
    keys = [f"k{{{number}}}" for number in range(256)]
    await pipes.all([("SET", key, ("before",)) for key in keys])
    if len(pipes._pipes) == 1:
        return  # there are no others
    lost = pipes._server(keys[0])
    opened, found = pipes.opened, asyncio.Event()

    async def late(key: str) -> Any:
        if pipes._server(key) == lost:
            await found.wait()
        return await opened(key)

    monkeypatch.setattr(pipes, "opened", late)
    pipes._pipes[lost].gone = True
    asking = Tasks().spawn(pipes.all([("SET", key, ("after",)) for key in keys]), "asking")
    other = next(key for key in keys if pipes._server(key) != lost)
    async with asyncio.timeout(5):
        while await redis.get(other) != b"after":  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0)
    assert await redis.get(keys[0]) == b"before"
    found.set()
    assert await in_time(asking) == [b"OK"] * 256


async def test_an_error_of_the_script_is_told_without_its_words(redis: Any) -> None:
    run = command(redis, 'return redis.error_reply("SECRET 285011500029")')
    with pytest.raises(RedisError) as raised:
        await run(Names(("a",)), [1])
    assert "285011500029" not in str(raised.value)


async def test_an_answer_given_up_is_not_the_next_ones(redis: Any, servers: Deployment) -> None:
    run = command(redis)
    await run(Names(("a",)), [0])
    for node in servers.nodes:
        await node.execute_command("CLIENT PAUSE 300 ALL")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await run(Names(("a",)), [1])
    assert await in_time(run(Names(("a",)), [2])) == [b"a", b"2"]


async def test_a_server_that_says_nothing_is_away(
    redis: Any, servers: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipe, "TIMEOUT", 0.1)
    store = Sessions(redis, ring(), "a")
    await store.load(CHATS[0])
    for node in servers.nodes:
        await node.execute_command("CLIENT PAUSE 1000 ALL")
    with pytest.raises(StoreAway):
        await in_time(store.load(CHATS[0]))
    monkeypatch.setattr(pipe, "TIMEOUT", 5.0)
    assert (await in_time(store.load(CHATS[0]))).session == Session()


async def test_a_server_that_is_gone_is_away_and_comes_back(tmp_path_factory: pytest.TempPathFactory) -> None:
    async with one(tmp_path_factory.mktemp("p")) as deployment:
        redis = await connect(deployment.url)
        store = Sessions(redis, ring(), "a")
        session = Session(rev=7, language="en")
        await store.commit(CHATS[0], 0, session, [])
        [server] = deployment.servers
        server.stop()
        for _ in range(3):
            with pytest.raises(StoreAway):
                await store.load(CHATS[0])
        server.start()
        await store.load(CHATS[0])
        await redis.aclose()
