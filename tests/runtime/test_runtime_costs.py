"""What a turn costs (round trips, bytes), and that nothing readable is kept."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Coroutine
from pathlib import Path
from typing import Any

import msgspec
import pytest

from bot.store.parcel import parted
from bot.tasks import Tasks
from tests.runtime.world import CHAT, CIVIL_ID, World, opened
from tests.store.servers import one, put_session

PASSPORT = "K08273645"
SECRET_TEXT = "كلام لا يخص أحداً"


class Turnpike:
    """Stands before a server and counts round trips: bursts of requests that wait for their answers.

    The trip numbered ``barrier`` waits until ``opened``.
    """

    def __init__(self, server: Path, here: Path) -> None:
        self._server = server
        self._here = here
        self._tasks = Tasks()
        self.trips = 0
        self.barrier = 0
        self.stopped = asyncio.Event()
        self.opened = asyncio.Event()

    @property
    def url(self) -> str:
        return f"unix://{self._here}"

    @contextlib.asynccontextmanager
    async def standing(self) -> AsyncGenerator["Turnpike", None]:
        listener = await asyncio.start_unix_server(self._pass, self._here)
        try:
            yield self
        finally:
            listener.close()
            await self._tasks.close()
            await listener.wait_closed()

    async def _pass(self, inner: asyncio.StreamReader, inner_out: asyncio.StreamWriter) -> None:
        outer, outer_out = await asyncio.open_unix_connection(self._server)
        answered = True

        async def requests() -> None:
            nonlocal answered
            while data := await inner.read(65_536):
                self.trips += answered
                answered = False
                if self.trips == self.barrier:
                    self.stopped.set()
                    await self.opened.wait()
                outer_out.write(data)

        async def answers() -> None:
            nonlocal answered
            while data := await outer.read(65_536):
                answered = True
                inner_out.write(data)

        halves = {self._tasks.spawn(requests(), "requests"), self._tasks.spawn(answers(), "answers")}
        try:
            await asyncio.wait(halves, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for half in halves:
                half.cancel()
            for writer in (inner_out, outer_out):
                writer.close()
                with contextlib.suppress(OSError):
                    await writer.wait_closed()

    def since(self) -> int:
        """Round trips since the last call."""
        trips, self.trips = self.trips, 0
        return trips


@pytest.fixture
async def counted(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[tuple[World, Turnpike], None]:
    folder = tmp_path_factory.mktemp("t")
    async with (
        one(folder) as servers,
        Turnpike(folder / "v.sock", folder / "t.sock").standing() as turnpike,
        opened(servers) as world,
    ):
        yield world, turnpike


async def test_a_turn_is_two_round_trips(counted: tuple[World, Turnpike]) -> None:
    """One load, one commit. Deliveries are noted with the next commit, or all of them in one batch."""
    world, turnpike = counted
    process = await world.process(url=turnpike.url)
    await world.say(process, "السلام عليكم")
    await process.store.flush()
    turnpike.since()

    await world.press(process, "المخالفات")
    assert turnpike.since() == 2
    assert len(world.phone.seen) == 2

    for text in ("1", "رجوع", "2", "/language", "/help", "القائمة"):
        await world.say(process, text)
        assert turnpike.since() == 2, text
    await process.store.flush()
    assert turnpike.since() == 1
    await process.store.flush()
    assert turnpike.since() == 0
    assert await world.servers.outbox() == 0


async def test_a_repeated_update_is_one_round_trip(counted: tuple[World, Turnpike]) -> None:
    world, turnpike = counted
    process = await world.process(url=turnpike.url)
    event = world.typed("السلام عليكم")
    await process.handle(event)
    await process.settled()
    turnpike.since()
    await process.handle(event)
    assert turnpike.since() == 1


async def test_an_effect_adds_the_turn_of_its_outcome(counted: tuple[World, Turnpike]) -> None:
    world, turnpike = counted
    process = await world.process(url=turnpike.url)
    await world.say(process, "السلام عليكم")
    await process.store.flush()
    turnpike.since()
    await world.say(process, CIVIL_ID)
    assert turnpike.since() == 4


@pytest.mark.interpreted
async def test_tasks_of_a_turn_and_of_an_effect(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A task costs as much as a message's text: what delivers a turn, and an effect, is done by one that did so before."""
    process = await world.process()
    await world.say(process, "السلام عليكم")
    spawned: list[str] = []
    spawn = Tasks.spawn

    def counting(tasks: Tasks, work: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any]:
        spawned.append(name)
        return spawn(tasks, work, name)

    monkeypatch.setattr(Tasks, "spawn", counting)
    await world.say(process, "المخالفات")
    assert spawned == []
    await world.say(process, CIVIL_ID)
    assert spawned.count("hand") <= 1  # beside what the effect's outcome says; the first one has rested
    assert [name for name in spawned if name != "hand"] == ["company"]


async def test_answers_are_read_once_a_step(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    process = await world.process()
    await world.say(process, "السلام عليكم", CIVIL_ID)
    read: list[Any] = []
    convert = msgspec.convert

    def counting(given: Any, kind: Any, **how: Any) -> Any:
        read.append(given)
        return convert(given, kind, **how)

    monkeypatch.setattr(msgspec, "convert", counting)
    await world.say(process, "القائمة")
    await world.press(process, "المخالفات")
    assert read
    assert len({id(given) for given in read}) == len(read)


async def test_a_delivery_that_ends_during_the_next_turn_costs_it_nothing(
    counted: tuple[World, Turnpike],
) -> None:
    world, turnpike = counted
    process = await world.process(url=turnpike.url)
    await world.say(process, "السلام عليكم")
    await process.store.flush()
    turnpike.since()
    world.phone.open.clear()
    await process.handle(world.typed("المخالفات"))
    await world.phone.tried(2)
    turnpike.barrier = turnpike.trips + 2
    next_turn = Tasks()
    next_turn.spawn(process.handle(world.typed("القائمة")), "next turn")
    await turnpike.stopped.wait()  # loaded, not yet saved
    world.phone.open.set()
    await process.settled()
    turnpike.opened.set()
    await next_turn.drain()
    await process.settled()
    assert len(world.phone.seen) == 3
    assert turnpike.since() == 4


async def test_rounds_of_a_process_are_one_batch_each(counted: tuple[World, Turnpike]) -> None:
    world, turnpike = counted
    process = await world.process(url=turnpike.url)
    await world.say(process, "السلام عليكم")
    turnpike.since()
    assert await process.sweeper.timers() == 0
    assert turnpike.since() == 1
    assert await process.runtime.deliveries.recover() == 0
    assert turnpike.since() == 1
    await process.runtime.deliveries.hold()
    assert turnpike.since() == 0  # nothing in hand


async def test_a_session_is_small(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    process = await world.process()
    await world.say(process, "السلام عليكم", "المخالفات", "1", "1", CIVIL_ID)
    session = (await process.store.load(CHAT)).session
    assert session.frames[-1].state == "owed"
    (key,) = await world.servers.find("s:")
    parcel = parted(await process.redis.get(key))
    total = await process.redis.memory_usage(key)
    with capsys.disabled():
        print(f"\na violations session: {len(parcel.session)} bytes sealed, {total} of Redis's memory")  # noqa: T201 - a number for the reader
    assert len(parcel.session) <= 500
    assert total <= 600
    assert parcel.chat == b"", "only a chat with a timer has its id there"


# --- privacy -----------------------------------------------------------------------------------------


async def everything(world: World) -> bytes:
    """All that the servers keep: names, values, and how they would write them to disk."""
    kept: list[bytes] = []
    for node, key in await world.servers.keys():
        kept += [key, await node.dump(key)]
        match await node.type(key):
            case b"hash":
                found: Any = await node.hgetall(key)
                kept += [part for pair in found.items() for part in pair]
            case b"stream":
                found = await node.xrange(key)
                kept += [part for entry_id, row in found for part in (entry_id, *row.keys(), *row.values())]
            case b"zset":
                kept += await node.zrange(key, 0, -1)
            case b"string":
                kept.append(await node.get(key) or b"")
            case kind:
                raise AssertionError(f"{key!r} is a {kind!r}: look into it, too")
    return b"\0".join(kept)


async def test_nothing_kept_can_be_read(world: World) -> None:
    process = await world.process()
    await world.say(
        process, "السلام عليكم", SECRET_TEXT, CIVIL_ID, "القائمة", "رقم المرجع", CIVIL_ID, PASSPORT
    )
    session = (await process.store.load(CHAT)).session
    assert session.frames[-1].dialog == "find_reference"
    assert PASSPORT in repr(session)
    kept = await everything(world)
    assert len(kept) > 1000
    for secret in (CIVIL_ID, CHAT.id, PASSPORT, SECRET_TEXT, CIVIL_ID[3:], CHAT.id[3:], "owed", "violations"):
        assert secret.encode() not in kept, secret
    # The unreadable one that is put aside, and what never left.
    (key,) = await world.servers.find("s:")
    await put_session(process.redis, key, b"nonsense")
    world.phone.open.clear()
    await process.handle(world.typed("السلام عليكم"))
    await process.handle(world.typed(CIVIL_ID))
    await world.desk.was_asked(2)
    kept = await everything(world)
    assert b"q:{" in kept
    for secret in (CIVIL_ID, CHAT.id, "find_fines"):
        assert secret.encode() not in kept, secret
