"""Deploying while someone is in the middle: newer and older dialogs, states and dialogs that are gone."""

from dataclasses import replace
from enum import StrEnum
from typing import Any

import msgspec
import pytest

from bot.dialogs import checkout, violations
from bot.dialogs.checkout import OpenOrder
from bot.dialogs.find_reference import DIALOG
from bot.dialogs.violations import FindFines
from bot.engine import Book
from bot.engine.step import step
from bot.errors import BotError, FromNewer
from bot.model import Chat as Address
from bot.model import Session, Typed
from bot.spec import Decide, Dialog, Opening
from tests.dialogs.data import LOOK_UP, ORDER, OWED, PAID, paying
from tests.dialogs.harness import BOOK, CIVIL_ID, HOLD, NOON, Chat

FIND_REFERENCE = replace(DIALOG, version=1, migrations={})
"""As if it had never changed, so that these tests count from 1."""


def deploy(chat: Chat, *changed: Dialog[Any], gone: str = "") -> Chat:
    """The next release: these dialogs are other ones, ``gone`` is no more."""
    table = {**chat.book.dialogs, **{dialog.id: dialog for dialog in changed}}
    dialogs = tuple(dialog for dialog in table.values() if dialog.id != gone)
    book, retired = chat.book, frozenset({gone})
    chat.book = Book(dialogs, "home", type(book.home.start)("menu"), book.speech, book.intro, retired=retired)
    return chat


def in_the_middle(chat: Chat) -> Chat:
    deploy(chat, FIND_REFERENCE).answers(FindFines, OWED)
    return chat.says("/menu").presses("My MOI reference").says(CIVIL_ID).stands("find_reference.passport")


def test_a_raised_version_with_a_migration_goes_on(chat: Chat) -> None:
    class Holder2(msgspec.Struct, frozen=True):
        civil_id: str = ""
        passport: str = ""
        expiry: str = ""
        number: str = ""
        country: str = "?"

    def to_2(old: dict[str, Any]) -> dict[str, Any]:
        return {**old, "country": "KW"}

    in_the_middle(chat)
    deploy(chat, replace(FIND_REFERENCE, version=2, answers=Holder2, migrations={1: to_2}))  # type: ignore[arg-type]
    chat.says("A1234567").hears_not("This service changed").stands("find_reference.expiry")
    assert chat.top.version == 2
    assert chat.top.answers["country"] == "KW"
    assert chat.top.answers["civil_id"] == CIVIL_ID


def test_steps_run_one_after_the_other(chat: Chat) -> None:
    seen: list[int] = []

    def at(version: int) -> Any:
        def migrate(old: dict[str, Any]) -> dict[str, Any]:
            seen.append(version)
            return old

        return migrate

    in_the_middle(chat)
    deploy(chat, replace(FIND_REFERENCE, version=4, migrations={1: at(1), 2: at(2), 3: at(3)}))
    chat.says("A1234567").stands("find_reference.expiry")
    assert seen == [1, 2, 3]


def test_answers_that_do_not_fit_begin_anew(chat: Chat) -> None:
    def broken(_old: dict[str, Any]) -> dict[str, Any]:
        return {"civil_id": 7}

    in_the_middle(chat)
    deploy(chat, replace(FIND_REFERENCE, version=2, migrations={1: broken}))
    chat.says("A1234567").hears("This service changed").hears("To find the reference number")
    chat.stands("find_reference.civil_id").says(CIVIL_ID).stands("find_reference.passport")
    chat.hears_not("This service changed")


def test_a_state_that_is_gone_begins_anew(chat: Chat) -> None:
    in_the_middle(chat)
    states = {name: state for name, state in FIND_REFERENCE.states.items() if name != "passport"}
    deploy(chat, replace(FIND_REFERENCE, version=2, states=states, migrations={1: dict}))
    asked = chat.last
    chat.presses("Back").hears("This service changed").stands("find_reference.civil_id")
    assert not asked.buttons
    assert chat.top.answers["civil_id"] == CIVIL_ID, "what was entered is kept"


def test_a_state_that_is_gone_is_not_gone_back_to(chat: Chat) -> None:
    in_the_middle(chat).says("A1234567").stands("find_reference.expiry")
    states = {name: state for name, state in FIND_REFERENCE.states.items() if name != "passport"}
    deploy(chat, replace(FIND_REFERENCE, version=2, states=states, migrations={1: dict}))
    chat.says("/back").stands("find_reference.civil_id")


def test_a_start_that_asks_outside_is_begun_again(chat: Chat) -> None:
    chat.answers(FindFines, HOLD).says(CIVIL_ID).stands("violations.lookup")
    lookup = violations.S.LOOKUP
    changed = replace(
        violations.DIALOG,
        version=violations.DIALOG.version + 1,
        start=lookup,
        states={name: s for name, s in violations.DIALOG.states.items() if name != "scope"},
        migrations={**violations.DIALOG.migrations, violations.DIALOG.version: dict},
    )
    renamed = msgspec.structs.replace(chat.top, state="seeking")
    chat.session = msgspec.structs.replace(chat.session, frames=(*chat.session.frames[:-1], renamed))
    chat.effects.clear()
    deploy(chat, changed)
    chat.held.clear()
    chat.says("🙂").hears("This service changed").did(LOOK_UP).lets_go(OWED).stands("violations.owed")


def test_a_dialog_that_is_gone(chat: Chat) -> None:
    in_the_middle(chat)
    deploy(chat, gone="find_reference")
    chat.says("A1234567").hears("This service changed").hears("Which service?").stands()
    chat.says("1").stands("violations.scope")


def test_a_called_dialog_that_is_gone(chat: Chat) -> None:
    paying(chat)
    deploy(chat, gone="checkout")
    chat.says("🙂").hears("This service changed").hears("It has {n} violation that").stands("violations.owed")


def test_a_happening_for_a_dialog_that_is_gone(chat: Chat) -> None:
    paying(chat)
    deploy(chat, gone="checkout").wakes("paid", ORDER, **PAID)
    chat.hears("This service changed").hears_not("✓ Paid: *{amount}*").stands("violations.owed")


@pytest.mark.parametrize("command", ["/menu", "/help", "/language", "/back", "/cancel"])
def test_commands_after_a_change(chat: Chat, command: str) -> None:
    in_the_middle(chat)
    deploy(chat, gone="find_reference").says(command).hears("This service changed").stands()


def test_an_outcome_after_a_change(chat: Chat) -> None:
    chat.says("/menu").presses("My MOI reference").says(CIVIL_ID).says("A1234567").says("12/03/2027")
    chat.stands("find_reference.lookup")
    deploy(chat, gone="find_reference")
    chat.lets_go(OWED).hears("This service changed").hears("Which service?").stands()


def test_a_session_of_a_newer_release_is_left_alone(chat: Chat) -> None:
    in_the_middle(chat)
    newer = msgspec.structs.replace(chat.top, version=2)
    session = msgspec.structs.replace(chat.session, frames=(*chat.session.frames[:-1], newer))
    chat.session = session
    with pytest.raises(FromNewer, match="find_reference version 2"):
        chat.says("A1234567")
    assert chat.session == session


def test_a_session_in_a_dialog_that_only_a_newer_release_has_is_left_alone(chat: Chat) -> None:
    in_the_middle(chat)
    added = msgspec.structs.replace(chat.top, dialog="added_later")
    session = msgspec.structs.replace(chat.session, frames=(*chat.session.frames, added))
    chat.session = session
    with pytest.raises(FromNewer, match="dialog added_later"):
        chat.says("A1234567")
    assert chat.session == session


class Later(StrEnum):
    OFFER = "offer"
    ASKING_ANEW = "asking_anew"


def renamed(old: str, new: Later) -> Dialog[Any]:
    """`violations` as a later release has it: another state in the place of ``old``."""
    now = violations.DIALOG
    states = {new if name == old else name: state for name, state in now.states.items()}
    migrations = {**now.migrations, now.version: dict}
    return replace(now, version=now.version + 1, states=states, migrations=migrations, retired={old: new})


def test_who_stands_in_a_retired_state_is_asked_in_the_one_that_took_its_place(chat: Chat) -> None:
    chat.answers(FindFines, OWED).says(CIVIL_ID).stands("violations.owed")
    asked = chat.last
    deploy(chat, renamed("owed", Later.OFFER)).presses("Pay all")
    chat.hears_not("This service changed").hears("It has {n} violation that").stands("violations.offer")
    assert not asked.buttons
    assert chat.top.answers["number"] == CIVIL_ID


def test_a_retired_state_that_waits_for_another_dialog_goes_on_waiting(chat: Chat) -> None:
    paying(chat)
    deploy(chat, renamed("paying", Later.OFFER)).wakes("paid", ORDER, **PAID)
    chat.hears_not("This service changed").hears("✓ Paid: *{amount}*")
    assert [frame.state for frame in chat.session.frames][-2:] == ["offer", "paid"]


def test_an_effect_under_way_in_a_retired_state_is_waited_for(chat: Chat) -> None:
    chat.answers(FindFines, HOLD).says(CIVIL_ID).stands("violations.lookup")
    chat.effects.clear()
    deploy(chat, renamed("lookup", Later.ASKING_ANEW)).lets_go(OWED)
    chat.hears_not("This service changed").stands("violations.owed")
    assert not chat.effects


def test_a_dialog_that_was_just_called_has_all_answers_a_migration_may_ask_for(chat: Chat) -> None:
    def renamed_answer(old: dict[str, Any]) -> dict[str, Any]:
        return {**old, "order": old["order"], "url": old["url"]}

    now = checkout.DIALOG
    later = replace(now, version=now.version + 1, migrations={**now.migrations, now.version: renamed_answer})
    chat.answers(FindFines, OWED).answers(OpenOrder, HOLD).says(CIVIL_ID).presses("Pay all")
    chat.stands("violations.paying", "checkout.opening")
    deploy(chat, later).says("?").hears_not("This service changed").stands(
        "violations.paying", "checkout.opening"
    )
    assert chat.top.version == later.version


def test_the_way_back_leads_to_the_state_that_took_the_place(chat: Chat) -> None:
    chat.says("/menu").presses("Violations").presses("Residency").stands("violations.method")
    deploy(chat, renamed("scope", Later.OFFER)).says("/back").stands("violations.offer")


def test_a_strict_decoder_refuses_what_it_does_not_know(chat: Chat) -> None:
    in_the_middle(chat)
    fields = list(msgspec.msgpack.decode(msgspec.msgpack.encode(chat.session)))
    fields[1] = "many"
    with pytest.raises(msgspec.ValidationError):
        msgspec.msgpack.decode(msgspec.msgpack.encode(fields), type=Session, strict=True)


def test_hops_without_end_are_an_error() -> None:
    """`bot.graph` finds such dialogs first; the engine does not spin."""

    class S(StrEnum):
        A = "a"
        B = "b"

    class Nothing(msgspec.Struct, frozen=True):
        pass

    def always(_text: str, _today: object) -> Nothing | None:
        return Nothing()

    spinning = Dialog[Nothing](
        id="spinning",
        version=1,
        title=violations.DIALOG.title,
        answers=Nothing,
        start=S.A,
        cancel=S.A,
        openings=(Opening(always, S.A),),
        states={S.A: Decide((), S.B), S.B: Decide((), S.A)},
    )
    book = Book((BOOK.home, spinning), "home", type(BOOK.home.start)("menu"), BOOK.speech, BOOK.intro)
    with pytest.raises(BotError, match="does not come to rest"):
        step(book, Session(), Typed(id="1", chat=Address("test", "1"), text="go"), NOON)
