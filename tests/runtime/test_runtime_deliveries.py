"""What was committed is delivered: in order per chat, once, by whoever is left."""

import asyncio
from typing import Any

import pytest
import structlog

from bot.errors import Rejected, RetryLater, StoreAway, Unavailable, Unreachable
from bot.model import Chat, Pressed, Say, Settle, Span, Woken
from bot.ports import Loaded
from bot.runtime import sweep
from bot.runtime.deliver import HOLD, IDLE, LONGEST_WAIT, LOOK_EVERY, TRIES, UNHEARD
from bot.runtime.entries import Entry
from bot.runtime.sweep import RECOVER_EVERY
from bot.runtime.wording import bundles
from tests.runtime.world import CHAT, CIVIL_ID, Process, World


async def crashed(world: World, *texts: str) -> list[str]:
    """A process commits the answers to ``texts`` and dies before they leave; their delivery keys."""
    process = await world.process()
    world.phone.open.clear()
    begun = world.phone.tries
    for text in texts:
        await process.handle(world.typed(text))
    await world.phone.tried(begun + 1)
    rev = (await process.store.load(CHAT)).session.rev
    await process.die()
    world.phone.open.set()
    return [f"{rev - len(texts) + 1 + n}:0" for n in range(len(texts))]


async def test_what_a_dead_process_left_is_delivered_in_order(world: World) -> None:
    keys = await crashed(world, "سلام", "المخالفات", "القائمة")
    other = await world.process()
    assert await other.recover() == 0  # it may still be alive
    assert world.phone.seen == []
    await world.servers.age()
    assert await other.recover() == 3
    assert world.phone.keys == keys
    await other.store.flush()
    assert await world.servers.outbox() == 0
    assert await other.recover() == 0


async def test_what_is_taken_over_meanwhile_goes_where_it_belongs(world: World) -> None:
    process = await world.process()
    world.phone.open.clear()

    def said(number: int) -> tuple[str, Entry]:
        return f"{number}-0", Entry(CHAT, (Say(str(number), "ar", (Span(str(number)),)),))

    process.runtime.deliveries.take(CHAT, (said(9), said(12)))
    await world.phone.tried(1)
    process.runtime.deliveries.take(CHAT, (said(10),))
    process.runtime.deliveries.take(CHAT, (said(13), said(11)))
    world.phone.open.set()
    await process.settled()
    assert world.phone.keys == ["9", "10", "11", "12", "13"]


async def test_what_is_taken_over_at_once_is_put_in_order(world: World) -> None:
    process = await world.process()
    found = [(f"{each}-0", Entry(CHAT, (Say(str(each), "ar", (Span("x"),)),))) for each in (11, 9, 10)]
    process.runtime.deliveries.take(CHAT, tuple(found))
    await process.settled()
    assert world.phone.keys == ["9", "10", "11"]


SAID, MORE = (Say(key, "ar", (Span(key),)) for key in ("7:1", "7:2"))
CHANGED = Settle("7:0", "ar", "41", (Span("7:0"),))


def test_a_message_takes_the_changes_before_it_along() -> None:
    assert bundles([CHANGED, SAID]) == [(CHANGED, SAID)]
    assert bundles([SAID, MORE]) == [(SAID,), (MORE,)]  # said again, each would be one too many
    assert bundles([SAID, CHANGED]) == [(SAID,), (CHANGED,)]
    assert bundles([]) == []


async def test_an_answered_question_and_the_next_one_are_one_entry(world: World) -> None:
    process = await world.greeted()
    await world.say(process, "القائمة")
    await process.store.flush()
    world.phone.open.clear()
    begun = world.phone.tries
    await process.handle(Pressed(id="p", chat=CHAT, token=world.phone.button("مخالفات"), source="41"))
    await world.phone.tried(begun + 1)
    assert await world.servers.outbox() == 1
    world.phone.open.set()
    await process.settled()
    assert [type(out) for _, out in world.phone.seen][1:] == [Settle, Say]


@pytest.mark.parametrize("fault", [Rejected("too old"), Unreachable("blocked"), RuntimeError("ours")])
async def test_a_change_that_fails_keeps_nothing_from_being_said(world: World, fault: Exception) -> None:
    process = await world.process()
    world.phone.faults.append(fault)
    process.runtime.deliveries.take(CHAT, (("7-0", Entry(CHAT, (CHANGED, SAID))),))
    await process.settled()
    assert world.phone.keys == ["7:1"]


async def test_a_change_is_not_made_again_while_its_message_is_tried(world: World) -> None:
    process = await world.process()
    world.phone.faults += (None, RetryLater(7.0))
    process.runtime.deliveries.take(CHAT, (("7-0", Entry(CHAT, (CHANGED, SAID))),))
    await world.clock.asked(7.0)
    await world.clock.advance(7.0)
    await process.settled()
    assert world.phone.keys == ["7:0", "7:1"]


async def test_only_what_is_missing_is_delivered_again(world: World) -> None:
    process = await world.process()
    await world.say(process, "سلام", "المخالفات")
    await process.store.flush()
    delivered = list(world.phone.keys)
    await process.die()
    missing = await crashed(world, "القائمة", "المخالفات")
    other = await world.process()
    await world.servers.age()
    await other.recover()
    assert world.phone.keys == delivered + missing


@pytest.mark.interpreted
async def test_nobody_is_called_silent_who_could_not_speak(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A delivery is noted late because Redis was away: nobody, not even who made it, makes it again."""
    process, other = await world.process(), await world.process()
    await world.say(process, "سلام")
    delivered = list(world.phone.keys)
    await world.servers.age()
    for each in (process, other):
        monkeypatch.setattr(each.store._pipes, "poorly", lambda *_: True)
        assert await each.recover() == 0
    await other.handle(world.typed("المخالفات"))
    # Its reply waits for the one that is delivered and not noted.
    await world.clock.asked(LOOK_EVERY)
    assert world.phone.keys == delivered
    await process.store.flush()
    await world.clock.advance(LOOK_EVERY)
    await other.settled()
    assert len(world.phone.keys) == len(delivered) + 1


@pytest.mark.parametrize(("silent", "at_once"), [(UNHEARD - 1, False), (UNHEARD, True)])
async def test_a_process_that_has_just_begun_does_not_know_why_others_are_silent(
    world: World, *, silent: float, at_once: bool
) -> None:
    """Redis may have failed over until now: only who is silent for longer than that takes is taken for dead."""
    keys = await crashed(world, "سلام")
    other = await world.process()
    await world.servers.age(silent)
    other.sweeper.start()
    await world.clock.asked(RECOVER_EVERY)
    await other.settled()
    assert world.phone.keys == (keys if at_once else [])
    await world.clock.advance(RECOVER_EVERY)  # time for two signs of life
    await world.phone.tried(2)
    await other.settled()
    assert world.phone.keys == keys


@pytest.mark.interpreted
async def test_a_sign_of_life_waits_for_none_that_takes_long(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else others call this process's entries abandoned, and say them again."""
    process = await world.process()
    signs: list[int] = []

    async def stuck() -> None:
        signs.append(len(signs))
        await asyncio.Event().wait()

    monkeypatch.setattr(sweep, "IN_TIME", 0.01)
    monkeypatch.setattr(process.runtime.deliveries, "hold", stuck)
    process.sweeper.attend()
    await world.clock.asked(HOLD)
    await world.clock.advance(HOLD)
    async with asyncio.timeout(5):
        while len(signs) < 2:  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0)


async def test_what_is_taken_over_waits_for_what_died_later(world: World) -> None:
    """The earlier reply's process gave its last sign of life after the later one's: order holds all the same."""
    first, later, other = [await world.process() for _ in range(3)]
    world.phone.open.clear()
    await first.handle(world.typed("سلام"))
    await world.phone.tried(1)
    await later.handle(world.typed("المخالفات"))
    rev = (await first.store.load(CHAT)).session.rev
    await later.die()
    await world.servers.age()
    await first.runtime.deliveries.hold()
    await first.die()
    world.phone.open.set()
    assert await other.runtime.deliveries.recover() == 1
    await world.clock.asked(LOOK_EVERY)
    assert world.phone.seen == []
    await world.servers.age()
    await world.clock.advance(LOOK_EVERY)
    await other.settled()
    assert world.phone.keys == [f"{rev - 1}:0", f"{rev}:0"]


async def test_two_recoverers_deliver_once(world: World) -> None:
    keys = await crashed(world, "سلام", "المخالفات")
    others = [await world.process() for _ in range(3)]
    await world.servers.age()
    assert sum(await asyncio.gather(*(other.recover() for other in others))) == 2
    assert world.phone.keys == keys


async def test_what_is_in_hand_is_not_recovered(world: World) -> None:
    process, other = await world.process(), await world.process()
    process.sweeper.attend()
    world.phone.open.clear()
    await process.handle(world.typed("سلام"))
    await world.phone.tried(1)
    await world.servers.age()
    await world.clock.asked(HOLD)  # it gave its first sign of life before it had anything in hand
    await world.clock.advance(HOLD)
    await world.clock.asked(HOLD)  # and now its second
    assert await other.recover() == 0
    world.phone.open.set()
    await process.settled()
    assert len(world.phone.seen) == 1


@pytest.mark.interpreted
async def test_what_is_being_taken_over_is_not_taken_over_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To see what the chat's earlier replies are may take longer than anybody is silent."""
    keys = await crashed(world, "سلام")
    slow, other = await world.process(), await world.process()
    asked, answered, load = asyncio.Event(), asyncio.Event(), slow.store.load

    async def slowly(chat: Chat) -> Loaded:
        asked.set()
        await answered.wait()
        return await load(chat)

    monkeypatch.setattr(slow.store, "load", slowly)
    await world.servers.age()
    taking = asyncio.get_running_loop().create_task(slow.recover())
    await asked.wait()
    await world.servers.age()
    await slow.runtime.deliveries.hold()
    assert await other.recover() == 0
    answered.set()
    assert await taking == 1
    assert world.phone.keys == keys


async def test_a_note_of_which_half_was_lost_holds_up_nobody(world: World) -> None:
    """Acknowledged and not deleted: nobody has it in hand, and nobody finds it abandoned."""
    keys = await crashed(world, "سلام")
    (found,) = [(node, key) for node, key in await world.servers.keys() if key.startswith(b"o:")]
    node, key = found
    ((entry_id, _),) = await node.xrange(key)
    await node.xack(key, "out", entry_id)
    other = await world.process()
    await world.say(other, "المخالفات")
    assert len(world.phone.seen) == 1
    assert keys[0] not in world.phone.keys  # it was delivered, as far as anybody knows
    await other.store.flush()
    assert await world.servers.outbox() == 0


@pytest.mark.interpreted
async def test_a_note_is_taken_in_one_piece(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever of a note gets through: the entry is gone, or somebody finds it."""
    process, other = await world.process(), await world.process()
    ask = process.store._some

    async def half(commands: Any) -> Any:
        await ask(commands[:1])
        raise StoreAway("ConnectionError")

    await process.handle(world.typed("سلام"))
    await process.settled()
    monkeypatch.setattr(process.store, "_some", half)
    with pytest.raises(StoreAway):
        await process.store.flush()
    await process.die()
    await world.servers.age()
    await other.recover()
    assert await world.servers.outbox() == 0
    await world.say(other, "المخالفات")
    assert len(world.phone.seen) == 2


async def test_entries_of_one_moment_in_two_partitions_are_told_apart(world: World) -> None:
    process, other = await world.process(), await world.process()
    chats = [Chat("test", str(number)) for number in range(60)]
    world.phone.open.clear()  # all in hand at once: ids are milliseconds, and some are alike
    await asyncio.gather(*(process.handle(world.typed("سلام", chat)) for chat in chats))
    await world.phone.tried(60)
    ids: list[bytes] = []
    for node, key in await world.servers.keys():
        if key.startswith(b"o:"):
            ids += [entry_id for entry_id, _ in await node.xrange(key)]
    assert len(ids) == 60
    assert len(set(ids)) < 60
    await world.servers.age()
    await process.runtime.deliveries.hold()
    assert await other.runtime.deliveries.recover() == 0
    world.phone.open.set()
    for chat in chats:
        await process.settled(chat)
    assert len(world.phone.seen) == 60


async def test_a_later_turn_elsewhere_waits_for_the_earlier_reply(world: World) -> None:
    slow, quick = await world.process(), await world.process()
    world.phone.open.clear()
    await slow.handle(world.typed("سلام"))
    await world.phone.tried(1)
    await quick.handle(world.typed("المخالفات"))
    await world.clock.asked(LOOK_EVERY)  # it looks, and finds the earlier one in hand
    assert world.phone.tries == 1
    world.phone.open.set()
    await world.together(slow, quick)
    assert world.phone.keys == sorted(world.phone.keys)
    assert len(world.phone.seen) == 2


async def test_replies_of_alternating_processes_keep_their_order(world: World) -> None:
    one, two = await world.process(), await world.process()
    world.phone.open.clear()
    for number, process in enumerate((one, two, one, two, two, one)):
        await process.handle(world.typed(f"كلام {number}"))
    await world.phone.tried(1)
    world.phone.open.set()
    await world.together(one, two)
    revs = [int(key.partition(":")[0]) for key in world.phone.keys]
    assert revs == [revs[0] + n for n in range(6)]


async def test_a_later_turn_sends_first_what_a_dead_process_left(world: World) -> None:
    keys = await crashed(world, "سلام")
    await world.servers.age()
    other = await world.process()
    await world.say(other, "المخالفات")
    assert world.phone.keys[:1] == keys
    assert len(world.phone.seen) == 2
    await other.store.flush()
    assert await world.servers.outbox() == 0


async def test_recovery_while_a_later_turn_waits_for_the_same_reply(world: World) -> None:
    keys = await crashed(world, "سلام", "المخالفات")
    other = await world.process()
    await other.handle(world.typed("القائمة"))
    await world.clock.asked(LOOK_EVERY)  # it waits: the others may be in hand
    await world.servers.age()
    await other.runtime.deliveries.recover()
    await other.runtime.deliveries.hold()
    await world.clock.advance(LOOK_EVERY)
    await other.settled()
    assert world.phone.keys[:2] == keys
    assert len(world.phone.seen) == 3


# --- what channels say -------------------------------------------------------------------------------


def paid(number: int) -> Woken:
    data = {"status": "paid", "fils": 5000, "receipt": "IQ-TEST-0002", "bank": "1"}
    return Woken(
        id=f"paid:{number}", chat=CHAT, dialog="checkout", kind="paid", ref="IQ-TEST-0002", data=data
    )


async def test_a_resident_who_blocked_us_is_left_in_peace(world: World) -> None:
    process, other = await world.process(), await world.process()
    await world.say(process, "سلام")
    world.phone.down = Unreachable()
    await process.handle(world.typed("المخالفات"))
    await process.settled()
    tries = world.phone.tries
    assert tries == 2
    await process.store.flush()
    assert await world.servers.outbox() == 0  # nothing is tried again
    assert (await other.store.load(CHAT)).unreachable

    before = (await other.store.load(CHAT)).session
    await other.handle(paid(1))
    await other.settled()
    after = (await other.store.load(CHAT)).session
    assert after.rev == before.rev + 1
    assert world.phone.tries == tries
    assert await world.servers.outbox() == 0

    world.phone.down = None
    await world.say(other, "سلام")  # wrote again
    assert len(world.phone.seen) == 2
    assert not (await process.store.load(CHAT)).unreachable
    await other.handle(paid(2))
    await other.settled()
    assert len(world.phone.seen) == 3


async def test_a_state_moves_though_nobody_can_be_told(world: World) -> None:
    process = await world.process()
    await world.say(process, CIVIL_ID)
    await world.press(process, "دفع الكل")
    assert (await process.store.load(CHAT)).session.frames[-1].state == "paying"
    await process.store.mark(CHAT, unreachable=True)
    await process.handle(
        Woken(
            id="paid",
            chat=CHAT,
            dialog="checkout",
            kind="paid",
            ref="IQ-TEST-0001",
            data={"status": "paid", "fils": 35_000, "receipt": "IQ-TEST-0001", "bank": "77"},
        )
    )
    await process.settled()
    said = len(world.phone.seen)
    assert (await process.store.load(CHAT)).session.frames[-1].state != "paying"
    assert len(world.phone.seen) == said


async def test_a_channel_that_asks_to_wait_is_obeyed(world: World) -> None:
    process = await world.process()
    world.phone.faults.append(RetryLater(7.0))
    await process.handle(world.typed("سلام"))
    await world.clock.asked(7.0)
    await process.handle(world.typed("المخالفات"))
    await world.clock.advance(6.9)
    assert world.phone.tries == 1
    await world.clock.advance(0.1)
    await process.settled()
    assert world.phone.keys == sorted(world.phone.keys)
    assert len(world.phone.seen) == 2


async def test_a_wait_that_is_too_long_is_left_in_the_outbox(world: World) -> None:
    process = await world.process()
    world.phone.faults.append(RetryLater(LONGEST_WAIT + 1))
    await process.handle(world.typed("سلام"))
    await process.settled()
    assert world.phone.tries == 1
    assert await world.servers.outbox() == 1


async def test_a_message_that_can_never_be_sent_is_dropped(world: World) -> None:
    process = await world.process()
    world.phone.faults.append(Rejected("too long"))
    await world.say(process, "سلام", "المخالفات")
    assert world.phone.tries == 2
    assert len(world.phone.seen) == 1
    await process.store.flush()
    assert await world.servers.outbox() == 0


async def test_a_message_the_channel_breaks_on_holds_up_nobody(world: World) -> None:
    process = await world.process()
    world.phone.faults.append(RuntimeError("a slip of ours"))
    await world.say(process, "سلام", "المخالفات")
    assert world.phone.tries == 2
    assert len(world.phone.seen) == 1
    await process.store.flush()
    assert await world.servers.outbox() == 0


async def down(world: World, process: Process, *texts: str) -> None:
    """Write ``texts`` while the channel does not answer, until the process gives the first one up."""
    world.phone.down = Unavailable("test", "503")
    world.clock.forget()
    for text in texts:
        await process.handle(world.typed(text))
    for attempt in range(TRIES - 1):
        await world.clock.asked(2.0**attempt)
        await world.clock.advance(2.0**attempt)
    await process.settled()
    world.phone.down = None


async def test_while_a_channel_is_down_replies_wait_in_order(world: World) -> None:
    process, other = await world.process(), await world.process()
    await down(world, process, "سلام", "المخالفات", "القائمة")
    assert world.phone.tries == TRIES
    assert world.phone.seen == []
    assert await world.servers.outbox() == 3
    await world.servers.age()
    assert await other.recover() == 3
    revs = [int(key.partition(":")[0]) for key in world.phone.keys]
    assert revs == [revs[0], revs[0] + 1, revs[0] + 2]
    await other.store.flush()
    assert await world.servers.outbox() == 0


async def test_a_later_reply_does_not_overtake_one_that_could_not_be_sent(world: World) -> None:
    process, other = await world.process(), await world.process()
    await down(world, process, "سلام")
    await world.servers.age()
    world.phone.faults.append(RetryLater(LONGEST_WAIT + 1))
    await world.say(other, "المخالفات")  # takes the earlier one over, and has to give it up again
    assert world.phone.seen == []
    assert await world.servers.outbox() == 2
    await world.servers.age()
    await process.recover()
    assert world.phone.keys == sorted(world.phone.keys)
    assert len(world.phone.seen) == 2


async def test_a_chat_of_another_processs_channel_is_left_to_it(world: World) -> None:
    process = await world.process()
    elsewhere = Chat("telegram", "1")
    await process.handle(world.typed("سلام", elsewhere))
    await process.settled(elsewhere)
    await world.servers.age()
    assert await process.recover() == 0
    assert world.phone.tries == 0
    assert await world.servers.outbox() == 1


async def test_logs_name_no_resident(world: World) -> None:
    process = await world.process()
    with structlog.testing.capture_logs() as lines:
        world.phone.faults.extend([Rejected("no"), Unreachable()])
        await world.say(process, CIVIL_ID)
        await down(world, process, "المخالفات")
    assert lines
    written = repr(lines)
    assert CHAT.id not in written
    assert CIVIL_ID not in written


def test_an_entry_is_idle_only_after_several_signs_of_life() -> None:
    assert IDLE >= 3 * HOLD


@pytest.mark.parametrize("count", [1, 30])
async def test_notes_of_deliveries_ride_along_or_leave_in_one_batch(world: World, count: int) -> None:
    process = await world.process()
    for number in range(count):
        chat = Chat("test", str(number))
        await process.handle(world.typed("سلام", chat))
        await process.settled(chat)
    await process.store.flush()
    assert await world.servers.outbox() == 0
