"""Effects: run once for each key, by whoever is left, and every end of them is answered."""

import asyncio
from typing import Any

import pytest
import structlog

from bot.dialogs.find_reference import FindReference
from bot.dialogs.violations import FindFines, FindFinesRefused
from bot.domain import Subject
from bot.errors import BotError, Declined, Malformed, Unavailable
from bot.model import Outcome
from bot.ports import Asked, Effect, Failed
from bot.runtime.company import SLOW_AFTER, TYPING_AFTER, TYPING_EVERY
from bot.runtime.deliver import Deliveries
from bot.tasks import Tasks
from tests.runtime.world import CHAT, CIVIL_ID, OWED, SAFETY, World

TIMEOUT = 30.0
"""Seconds a look-up has (`bot.spec.Do`)."""


class Door:
    """An outside system that answers when it is let."""

    def __init__(self) -> None:
        self.open = asyncio.Event()

    async def __call__(self, effect: Effect, asked: Asked) -> Any:
        del effect, asked
        await self.open.wait()
        return OWED


async def state(world: World) -> str:
    return (await world.processes[-1].store.load(CHAT)).session.frames[-1].state


async def test_an_effect_is_run_and_its_outcome_said(world: World) -> None:
    process = await world.process()
    await world.say(process, CIVIL_ID)
    ((effect, asked),) = world.desk.asked
    assert effect == FindFines(Subject.CIVIL_ID, CIVIL_ID)
    assert asked.chat == CHAT
    assert asked.language == "ar"
    assert asked.key.startswith(process.store.place(CHAT)[1])  # blind: no chat id
    assert await state(world) == "owed"
    await process.store.flush()
    assert await world.servers.outbox() == 0


async def test_an_effect_of_a_dead_process_is_run_again_under_its_key(world: World) -> None:
    process, other = await world.greeted(), await world.process()
    door = Door()
    world.desk.answers[FindFines] = door
    await process.handle(world.typed(CIVIL_ID))
    await world.desk.was_asked(1)
    await process.die()
    assert await state(world) == "lookup"

    door.open.set()
    assert await other.recover() == 0
    await world.servers.age()
    assert await other.recover() == 1
    assert len(world.desk.asked) == 2
    assert len(set(world.desk.keys)) == 1
    assert world.desk.asked[0] == world.desk.asked[1]
    assert await state(world) == "owed"


async def test_an_effect_that_happened_but_was_not_noted_changes_nothing_again(world: World) -> None:
    process, other = await world.greeted(), await world.process()
    await world.say(process, CIVIL_ID)
    said = list(world.phone.seen)
    await process.die()  # the outcome is saved, the note of the effect's end never left
    await world.servers.age()
    assert await other.recover() == 2  # the effect and the delivered answer
    assert len(set(world.desk.keys)) == 1
    assert world.phone.keys[: len(said)] == [out.key for _, out in said]
    assert len(set(world.phone.keys)) == len(said)  # a repeat carries the key it had: channels drop it
    assert await state(world) == "owed"


async def test_an_outcome_that_nobody_waits_for_is_ignored(world: World) -> None:
    process = await world.greeted()
    door = Door()
    world.desk.answers[FindFines] = door
    await process.handle(world.typed(CIVIL_ID))
    await process.handle(world.typed("القائمة"))
    await world.phone.shows(1)
    door.open.set()
    await process.settled()
    assert len(world.phone.seen) == 1
    assert await state(world) == "menu"
    await process.store.flush()
    assert await world.servers.outbox() == 0


async def test_who_waits_long_sees_typing_and_is_told_once(world: World) -> None:
    process = await world.greeted()
    door = Door()
    world.desk.answers[FindFines] = door
    await process.handle(world.typed(CIVIL_ID))
    await world.clock.asked(TYPING_AFTER)
    assert world.phone.typed == 0
    await world.clock.advance(TYPING_AFTER)
    await world.clock.asked(TYPING_EVERY)
    await world.phone.shows_typing(1)
    assert world.phone.typed == 1
    assert world.phone.seen == []
    await world.clock.advance(TYPING_EVERY)
    await world.phone.shows(1)
    for shown in range(2, 5):
        await world.clock.asked(TYPING_EVERY)
        await world.phone.shows_typing(shown)
        assert world.phone.typed == shown
        await world.clock.advance(TYPING_EVERY)
    await world.clock.asked(TYPING_EVERY)
    assert len(world.phone.seen) == 1
    door.open.set()
    await process.settled()
    assert len(world.phone.seen) == 2
    assert await state(world) == "owed"


async def test_who_is_answered_quickly_sees_no_typing(world: World) -> None:
    process = await world.greeted()
    await world.say(process, CIVIL_ID)
    await world.clock.advance(SLOW_AFTER)
    assert world.phone.typed == 0
    assert len(world.phone.seen) == 1


@pytest.mark.interpreted
async def test_what_came_in_time_is_taken_however_long_that_takes(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing more is shown then, and no time runs out."""
    process = await world.process()
    taking, taken = asyncio.Event(), asyncio.Event()
    hand_in = Deliveries._hand_in

    async def slowly(deliveries: Deliveries, outcome: Outcome) -> None:
        taking.set()
        await taken.wait()
        await hand_in(deliveries, outcome)

    monkeypatch.setattr(Deliveries, "_hand_in", slowly)
    await process.handle(world.typed(CIVIL_ID))
    async with asyncio.timeout(SAFETY):
        await taking.wait()
    for _ in range(10):
        await world.clock.advance(TIMEOUT / 5)
        await asyncio.sleep(0)
    assert world.phone.typed == 0
    taken.set()
    await process.settled()
    assert await state(world) == "owed"


async def test_a_process_that_ends_as_an_effects_time_is_up_hands_nothing_in(world: World) -> None:
    process = await world.process()
    world.desk.answers[FindFines] = Door()
    await process.handle(world.typed(CIVIL_ID))
    await world.desk.was_asked(1)
    (effect,) = [task for task, hand in process.tasks._hands.items() if hand.name == "effect"]
    passed, nap = 0.0, TYPING_AFTER
    while passed < TIMEOUT - nap:
        await world.clock.asked(nap)
        await world.clock.advance(nap)
        passed, nap = passed + nap, TYPING_EVERY
    await world.clock.asked(TIMEOUT - passed)
    cancel = effect.cancel
    await world.clock.advance(TIMEOUT - passed)
    while not effect.cancelling():  # noqa: ASYNC110 - it tells nobody
        await asyncio.sleep(0)
    cancel()
    await asyncio.wait({effect})
    assert effect.cancelled()
    assert await state(world) == "lookup"


async def test_an_effect_has_its_time_and_no_more(world: World) -> None:
    process = await world.process()
    world.desk.answers[FindFines] = Door()
    await process.handle(world.typed(CIVIL_ID))
    passed, nap = 0.0, TYPING_AFTER
    while passed < TIMEOUT:
        nap = min(nap, TIMEOUT - passed)
        await world.clock.asked(nap)
        assert await state(world) != "down"
        await world.clock.advance(nap)
        passed, nap = passed + nap, TYPING_EVERY
    await process.settled()
    assert await state(world) == "down"


async def test_a_channel_that_is_slow_to_show_typing_takes_none_of_the_time(world: World) -> None:
    process = await world.process()
    world.desk.answers[FindFines] = Door()
    world.phone.mute = asyncio.Event()  # and it stays so
    await process.handle(world.typed(CIVIL_ID))
    passed, nap = 0.0, TYPING_AFTER
    while passed < TIMEOUT:
        nap = min(nap, TIMEOUT - passed)
        await world.clock.asked(nap)
        await world.clock.advance(nap)
        passed, nap = passed + nap, TYPING_EVERY
    await process.settled()
    assert await state(world) == "down"


@pytest.mark.parametrize(
    ("answer", "where"),
    [
        (Failed(FindFinesRefused.BUSY), "busy"),
        (Failed("a word the dialog does not know"), "down"),
        (Unavailable("registry", "503"), "down"),
        (Declined("registry", "no"), "down"),
        (Malformed("registry", "not json"), "down"),
        (BotError("ours"), "down"),
        (RuntimeError("a fault of ours about 285011500029"), "down"),
        (KeyError("285011500029"), "down"),
        (TimeoutError(), "down"),
    ],
)
async def test_every_failure_is_answered_and_none_is_quoted(
    world: World, answer: Exception, where: str
) -> None:
    process = await world.greeted()
    world.desk.answers[FindFines] = answer
    with structlog.testing.capture_logs() as lines:
        await world.say(process, CIVIL_ID)
    assert await state(world) == where
    assert len(world.phone.seen) == 1
    assert CIVIL_ID not in repr(lines)
    assert CHAT.id not in repr(lines)
    await process.store.flush()
    assert await world.servers.outbox() == 0


async def test_an_effect_nobody_here_knows_is_left_to_another_release(world: World) -> None:
    newer = await world.greeted()
    known = world.desk.executors()
    older = await world.process(executors={FindReference: known[FindReference]})
    world.desk.answers[FindFines] = Door()
    await newer.handle(world.typed(CIVIL_ID))
    await world.desk.was_asked(1)
    await newer.die()
    with structlog.testing.capture_logs() as lines:
        await world.servers.age()
        assert await older.recover() == 0
        await world.say(older, "القائمة")  # and its chat can be talked in meanwhile
    assert len(world.phone.seen) == 1
    assert {line["log_level"] for line in lines} == {"warning"}
    assert await world.servers.outbox() == 2
    assert len(world.desk.asked) == 1
    await older.store.flush()

    world.desk.answers[FindFines] = OWED
    newest = await world.process()
    await world.servers.age()
    assert await newest.recover() == 1
    assert len(world.desk.asked) == 2
    assert len(set(world.desk.keys)) == 1


async def test_what_is_said_does_not_wait_for_another_process_effect(world: World) -> None:
    one, other = await world.greeted(), await world.process()
    door = Door()
    world.desk.answers[FindFines] = door
    await one.handle(world.typed(CIVIL_ID))
    await world.desk.was_asked(1)
    await world.say(other, "القائمة")  # nothing advances the clock: it is said at once
    assert len(world.phone.seen) == 1
    door.open.set()
    await one.settled()
    assert len(world.phone.seen) == 1  # the resident has left: the outcome is not told


async def test_an_outcome_the_dialog_breaks_on_is_a_failure_it_answers(world: World) -> None:
    process = await world.greeted()
    world.desk.answers[FindFines] = "not what was agreed"
    with structlog.testing.capture_logs() as lines:
        await world.say(process, CIVIL_ID)
    assert await state(world) == "down"
    assert len(world.phone.seen) == 1
    await process.store.flush()
    assert await world.servers.outbox() == 0
    assert [line["event"] for line in lines] == ["outcome broke"]
    assert CIVIL_ID not in repr(lines)


async def test_a_stop_lets_deliveries_end(world: World) -> None:
    process = await world.process()
    world.phone.open.clear()
    await process.handle(world.typed("السلام عليكم"))
    await world.phone.tried(1)
    tasks = Tasks()
    finishing = tasks.spawn(process.runtime.deliveries.finish(30.0), "finish")
    world.phone.open.set()
    await finishing
    assert len(world.phone.seen) == 1
    await process.runtime.deliveries.finish(0.0)  # nothing under way: at once
