"""Timers, and sessions that outlive a release."""

import asyncio
import dataclasses
from typing import Any

import msgspec

from bot.dialogs import violations
from bot.dialogs.find_reference import DIALOG as REFERENCE
from bot.dialogs.home import Operator, home, intro
from bot.dialogs.home import S as HOME
from bot.dialogs.violations import FindFines, Owed, S
from bot.engine import Book, words
from bot.errors import Unavailable
from bot.i18n.speech import Keywords
from bot.i18n.text import say
from bot.model import SESSION_SCHEMA, Chat
from bot.runtime.deliver import IDLE
from bot.spec import Dialog
from tests.runtime.world import BOOK, CHAT, CIVIL_ID, OWED, RENDERER, World
from tests.store.servers import put_session

NEXT = violations.DIALOG.version + 1

MINUTE = 60
"""Seconds between tries while the registry is down (journeys)."""


async def state(world: World, chat: Chat = CHAT) -> str:
    return (await world.processes[-1].store.load(chat)).session.frames[-1].state


# --- timers ------------------------------------------------------------------------------------------


async def test_a_timer_fires_once_though_several_processes_look(world: World) -> None:
    one, two = await world.greeted(), await world.process()
    world.desk.answers[FindFines] = Unavailable("registry", "503")
    await world.say(one, CIVIL_ID)
    assert await state(world) == "down"
    assert await one.sweeper.timers() == 0
    await world.clock.advance(MINUTE)
    world.desk.answers[FindFines] = OWED
    looks = [process.sweeper.timers() for process in (one, two, one, two)]
    assert sum(await asyncio.gather(*looks)) >= 1
    await world.together(one, two)
    assert len(world.desk.asked) == 2
    assert await state(world) == "owed"
    assert len(world.phone.seen) == 2
    assert await one.sweeper.timers() + await two.sweeper.timers() == 0


async def test_a_timer_is_forgotten_when_the_resident_goes_on(world: World) -> None:
    process = await world.greeted()
    world.desk.answers[FindFines] = Unavailable("registry", "503")
    await world.say(process, CIVIL_ID, "القائمة")
    await world.clock.advance(MINUTE)
    assert await process.sweeper.timers() == 0
    assert len(world.desk.asked) == 1


async def test_retries_go_on_until_the_registry_answers(world: World) -> None:
    process = await world.greeted()
    world.desk.answers[FindFines] = Unavailable("registry", "503")
    await world.say(process, CIVIL_ID)
    for _ in range(3):
        await world.clock.advance(MINUTE)
        assert await process.sweeper.timers() == 1
        await process.settled()
    assert len(world.phone.seen) == 1  # said once, then silent
    world.desk.answers[FindFines] = OWED
    await world.clock.advance(MINUTE)
    await process.sweeper.timers()
    await process.settled()
    assert await state(world) == "owed"
    assert len(world.phone.seen) == 2


async def test_one_chat_of_a_newer_release_does_not_stop_the_others(world: World) -> None:
    process = await world.process()
    world.desk.answers[FindFines] = Unavailable("registry", "503")
    chats = [Chat("test", str(number)) for number in range(8)]
    for chat in chats:
        await process.handle(world.typed(CIVIL_ID, chat))
        await process.settled(chat)
    for chat in chats[::2]:
        key = "s:{}:{}".format(*process.store.place(chat))
        newer = msgspec.msgpack.encode([SESSION_SCHEMA + 1])
        await put_session(process.redis, key, world.keyring.seal(newer, key.encode()))
    world.desk.answers[FindFines] = OWED
    await world.clock.advance(MINUTE)
    assert await process.sweeper.timers() == len(chats)
    for chat in chats[1::2]:
        await process.settled(chat)
        assert await state(world, chat) == "owed"
    assert await process.sweeper.timers() == len(chats[::2])  # theirs are left due


async def test_the_rounds_outlive_a_store_that_is_away(world: World) -> None:
    process = await world.greeted()
    world.desk.answers[FindFines] = Unavailable("registry", "503")
    await world.say(process, CIVIL_ID)
    for node in world.servers.nodes:
        await node.config_set("maxmemory", 1)  # full: the timer's turn cannot be saved
    world.clock.at += MINUTE
    process.sweeper.start()
    await world.clock.asked(1.0)
    for node in world.servers.nodes:
        await node.config_set("maxmemory", 0)
    world.desk.answers[FindFines] = OWED
    await world.clock.advance(1.0)
    await world.phone.shows(2)
    assert await state(world) == "owed"


# --- releases ----------------------------------------------------------------------------------------


def release(changed: Dialog[Any]) -> Book:
    """The service with another `violations`."""
    others = [dialog for dialog in BOOK.dialogs.values() if dialog.id not in ("home", "violations")]
    assert REFERENCE in others
    operator = Operator()
    return Book((home(operator), changed, *others), "home", HOME.MENU, Keywords(RENDERER), intro(operator))


def marked(answers: dict[str, Any]) -> dict[str, Any]:
    return answers | {"scope": "traffic"}


async def test_answers_of_an_older_release_are_migrated(world: World) -> None:
    older = await world.process()
    await world.say(older, CIVIL_ID)
    await older.store.flush()
    said = len(world.phone.seen)
    second = dataclasses.replace(violations.DIALOG, version=NEXT, migrations={NEXT - 1: marked})
    newer = await world.process(release(second))
    await world.say(newer, "مساعدة")
    frame = (await newer.store.load(CHAT)).session.frames[-1]
    assert (frame.version, frame.state) == (NEXT, "owed")
    assert frame.answers["scope"] == "traffic"
    assert frame.answers["number"] == CIVIL_ID
    assert len(world.phone.seen) == said + 1


async def test_a_state_that_is_gone_is_told_and_the_service_begun_again(world: World) -> None:
    older = await world.process()
    await world.say(older, "المخالفات", "1")
    assert await state(world) == "method"
    await older.store.flush()
    kept = {name: there for name, there in violations.DIALOG.states.items() if name is not S.METHOD}
    newer = await world.process(release(dataclasses.replace(violations.DIALOG, version=NEXT, states=kept)))
    await world.say(newer, "1")
    frame = (await newer.store.load(CHAT)).session.frames[-1]
    assert (frame.dialog, frame.version, frame.state) == ("violations", NEXT, "scope")
    changed, _, _ = world.phone.texts[-1].partition("\n")
    assert changed == RENDERER.plain(say(words.CHANGED), "ar")


async def test_an_effect_of_the_older_release_is_finished_by_the_newer(world: World) -> None:
    older = await world.greeted()
    never = asyncio.Event()

    async def hang(_effect: object, _asked: object) -> None:
        await never.wait()

    world.desk.answers[FindFines] = hang
    await older.handle(world.typed(CIVIL_ID))
    await world.desk.was_asked(1)
    await older.die()
    world.desk.answers[FindFines] = OWED
    second = dataclasses.replace(violations.DIALOG, version=NEXT, migrations={NEXT - 1: marked})
    newer = await world.process(release(second))
    await world.servers.age()
    assert await newer.recover() == 1
    frame = (await newer.store.load(CHAT)).session.frames[-1]
    assert (frame.version, frame.answers["scope"]) == (NEXT, "traffic")
    assert len(set(world.desk.keys)) == 1


async def test_an_outcome_that_is_for_a_newer_release_is_taken_over_by_it_at_once(world: World) -> None:
    older = await world.greeted()
    back = asyncio.Event()

    async def hang(_effect: object, _asked: object) -> Owed:
        await back.wait()
        return OWED

    world.desk.answers[FindFines] = hang
    await older.handle(world.typed(CIVIL_ID))
    await world.desk.was_asked(1)
    second = dataclasses.replace(violations.DIALOG, version=NEXT, migrations={NEXT - 1: marked})
    newer = await world.process(release(second))
    await newer.handle(world.typed("?"))  # the session is the newer release's from now on
    back.set()
    await older.runtime.deliveries.settled(CHAT)
    assert await newer.recover() == 1
    frame = (await newer.store.load(CHAT)).session.frames[-1]
    assert (frame.version, frame.state) == (NEXT, "owed")
    assert len(set(world.desk.keys)) == 1


async def test_an_entry_that_only_another_process_reads_does_not_wait_again(world: World) -> None:
    here, elsewhere = await world.greeted(), await world.process()
    session = (await here.store.load(CHAT)).session
    later = msgspec.structs.replace(session, rev=session.rev + 1)
    await here.store.commit(CHAT, session.rev, later, [b"of another release"])
    await world.servers.age()
    tag = here.store.place(CHAT).tag
    assert await elsewhere.recover() == 0
    assert [row[0] for row in await here.store.abandoned(IDLE)] == [tag]
