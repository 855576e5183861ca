"""Reminders: whose and of what, by consent; taken back one by one or all at once; told when due."""

from datetime import date
from typing import Any

import msgspec
import pytest

from bot.dialogs.identify import BeginSignIn, SignInLink
from bot.dialogs.reminders import (
    Dropped,
    DropReminders,
    Known,
    ListReminders,
    Remind,
    RemindRefused,
    Wanted,
)
from bot.dialogs.reminders.consent import CURRENT
from bot.i18n.render import bare
from bot.i18n.text import Code, Day
from bot.model import Woken
from bot.residency.facts import Kin
from bot.residency.reminding import Kind
from bot.spec import Fault
from tests.dialogs.data import HOST, PAGE
from tests.dialogs.dates import SON_ID, known, me, son
from tests.dialogs.family import signed
from tests.dialogs.harness import BOOK, CIVIL_ID, NOON, RENDERER, Chat, word

RESIDENCY, PASSPORT, INSURANCE = Kind.RESIDENCY, Kind.PASSPORT, Kind.INSURANCE


def looks(chat: Chat, there: Any) -> Chat:
    """Somebody signed in looks at their reminders."""
    return signed(chat).answers(ListReminders, there).says("/reminders")


def terms(chat: Chat) -> str:
    return bare(RENDERER.plain(CURRENT.text, chat.language))


def picks_kind(chat: Chat, kind: str) -> Chat:
    return chat.picks(word(kind, chat.language))


# --- opting in -----------------------------------------------------------------------------------


def test_several_persons_and_dates_after_consent_only(chat: Chat) -> None:
    after = known(me(RESIDENCY, PASSPORT), son(RESIDENCY, PASSPORT))
    looks(chat, known(me(), son())).did(ListReminders()).stands("reminders.shown")
    chat.hears("You are reminded of nothing yet.").offers("Add", "Menu")
    chat.presses("Add").hears("Whose dates?").picks("Ahmad" if chat.language == "en" else "أحمد")
    chat.picks("Abdulrahm" if chat.language == "en" else "عبدالرحمن")
    chat.presses("Go on: {n} person", n=2).hears("Which dates?")
    picks_kind(picks_kind(chat, "Residency"), "Passport").presses("Go on: {n} date", n=2)
    chat.hears_text(terms(chat)).stands("reminders.consent").did()
    chat.answers(Remind, after).presses("I agree")
    both = (RESIDENCY, PASSPORT)
    chat.did(Remind((Wanted(CIVIL_ID, both), Wanted(SON_ID, both)), CURRENT.version))
    chat.stands("reminders.saved").hears("Done. I write to this chat before these end:")
    chat.hears("{whose}: {kind}, ends {day}", day=Day(date(2027, 1, 20)))
    chat.offers("Reminders", "Menu")


def test_the_only_person_needs_no_picking(chat: Chat) -> None:
    looks(chat, known(me())).presses("Add").stands("reminders.kinds")
    picks_kind(chat, "Health insurance").presses("Go on: {n} date", n=1)
    chat.answers(Remind, known(me(INSURANCE))).effects.clear()
    chat.presses("I agree").did(Remind((Wanted(CIVIL_ID, (INSURANCE,)),), CURRENT.version))


def test_each_is_asked_only_for_what_they_have(chat: Chat) -> None:
    """The son has no insurance of his own to end."""
    looks(chat, known(me(RESIDENCY), son())).presses("Add")
    chat.says("1 2").presses("Go on: {n} person", n=2)
    chat.says("1 2 3").presses("Go on: {n} date", n=3)
    chat.answers(Remind, known(me())).effects.clear()
    wanted = Wanted(CIVIL_ID, (PASSPORT, INSURANCE)), Wanted(SON_ID, (RESIDENCY, PASSPORT))
    chat.presses("I agree").did(Remind(wanted, CURRENT.version))


def test_who_is_reminded_of_everything_is_offered_nothing_more(chat: Chat) -> None:
    looks(chat, known(son(RESIDENCY, PASSPORT))).offers("Take one back", "Take all back", "Menu")
    chat.hears("I write to this chat before these end:")


def test_no_is_no(chat: Chat) -> None:
    looks(chat, known(me())).presses("Add").says("1").presses("Go on: {n} date", n=1)
    chat.effects.clear()
    chat.presses("No, thank you").did().stands("reminders.shown")


def test_back_keeps_the_list(chat: Chat) -> None:
    looks(chat, known(me(), son())).presses("Add").says("/back").stands("reminders.shown")
    chat.presses("Add").says("1").presses("Go on: {n} person", n=1).says("/back").stands("reminders.shown")


def test_who_has_no_residency_is_told_so(chat: Chat) -> None:
    looks(chat, Known()).hears("The records show no residency").offers("Menu")


def test_the_file_changed_meanwhile(chat: Chat) -> None:
    looks(chat, known(me(), son())).presses("Add").says("2").presses("Go on: {n} person", n=1)
    chat.says("1").presses("Go on: {n} date", n=1)
    chat.answers(ListReminders, known(me())).answers(Remind, RemindRefused.GONE).presses("I agree")
    chat.stands("reminders.shown").hears("You are reminded of nothing yet.")


# --- the text agreed to --------------------------------------------------------------------------


def test_new_terms_ask_again(chat: Chat) -> None:
    looks(chat, known(me(RESIDENCY), renew=True)).hears(
        "The terms of reminding have changed. Nobody is reminded"
    )
    chat.presses("Agree again").hears_text(terms(chat)).answers(Remind, known(me(RESIDENCY)))
    chat.effects.clear()
    chat.presses("I agree").did(Remind((), CURRENT.version)).stands("reminders.saved")


def test_new_terms_are_not_mixed_with_what_was_picked_before(chat: Chat) -> None:
    looks(chat, known(me(RESIDENCY), renew=True)).presses("Add").says("1").presses("Go on: {n} date", n=1)
    chat.presses("No, thank you").presses("Agree again").answers(Remind, known(me(RESIDENCY)))
    chat.effects.clear()
    chat.presses("I agree").did(Remind((), CURRENT.version))


def test_terms_that_changed_while_they_were_read_are_shown(chat: Chat) -> None:
    looks(chat, known(me())).presses("Add").says("1").presses("Go on: {n} date", n=1)
    chat.answers(Remind, RemindRefused.OUTDATED).presses("I agree")
    chat.stands("reminders.consent").hears_text(terms(chat))


# --- taking back ---------------------------------------------------------------------------------


def test_one_is_taken_back(chat: Chat) -> None:
    looks(chat, known(me(RESIDENCY), son(RESIDENCY, PASSPORT))).presses("Take one back").hears("Which one?")
    chat.effects.clear()
    chat.answers(DropReminders, Dropped(2)).says("3").did(DropReminders("R-8042", PASSPORT))
    chat.hears("Taken back. {n} reminder is left", n=2).offers("Reminders", "Menu")
    chat.presses("Reminders").stands("reminders.shown")


def test_all_are_taken_back(chat: Chat) -> None:
    looks(chat, known(me(RESIDENCY))).effects.clear()
    chat.answers(DropReminders, Dropped()).presses("Take all back").did(DropReminders())
    chat.hears("Deleted, and your consent is withdrawn.")


def test_somebody_elses_are_counted_and_can_be_ended(chat: Chat) -> None:
    looks(chat, known(me(), others=2)).hears("Somebody else who signed in here has {n} reminder", n=2)
    chat.offers("Add", "Take all back", "Menu")


def test_taking_back_needs_no_sign_in(chat: Chat) -> None:
    chat.answers(BeginSignIn, SignInLink("S1", PAGE, HOST, NOON + 300)).says("/reminders")
    chat.stands("reminders.who", "identify.link").says("/cancel").stands("reminders.unsigned")
    chat.hears("Reminders are set by whoever is signed in.").offers("Sign in", "Take all back", "Menu")
    chat.effects.clear()
    chat.answers(DropReminders, Dropped()).presses("Take all back").did(DropReminders())
    chat.stands("reminders.dropped")


def test_a_sign_in_that_ended_meanwhile_is_asked_for(chat: Chat) -> None:
    chat.answers(BeginSignIn, SignInLink("S1", PAGE, HOST, NOON + 300))
    looks(chat, known(me())).presses("Add").says("1").presses("Go on: {n} date", n=1)
    chat.wait(minutes=59).answers(Remind, Fault.UNSIGNED).presses("I agree")
    assert [frame.dialog for frame in chat.session.frames[1:]] == ["reminders", "identify"]


def test_what_is_away_changes_nothing(chat: Chat) -> None:
    looks(chat, Fault.UNAVAILABLE).stands("reminders.down").hears("Your reminders cannot be reached now.")
    chat.answers(ListReminders, known(me(RESIDENCY))).presses("Try again").stands("reminders.shown")
    chat.answers(DropReminders, Fault.TIMEOUT).presses("Take all back").stands("reminders.down")


def test_the_ways_in(chat: Chat) -> None:
    signed(chat).answers(ListReminders, known(me())).says("/menu").presses("More").presses("Reminders")
    chat.stands("reminders.shown").says("/menu")
    chat.says("ذكرني" if chat.language == "ar" else "remind me").stands("reminders.shown")


# --- when it is due ------------------------------------------------------------------------------


def due(chat: Chat, kind: Kind, days: int, kin: Kin = Kin.SON) -> Chat:
    data = {"kind": kind, "kin": kin, "subject": "3150****8042", "day": "2027-01-20", "days": days}
    woken = Woken(
        id=f"due{kind}{days}", chat=chat.address, dialog="reminders", kind="due", ref="R-8042", data=data
    )
    return chat.act(woken)


COMING = {
    RESIDENCY: "*{n} day* until the residency ends",
    PASSPORT: "*{n} day* until the passport ends",
    INSURANCE: "*{n} day* until the health insurance ends",
}


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("days", [1, 2, 7, 30, 60])
def test_a_reminder_says_whose_what_and_when(chat: Chat, kind: Kind, days: int) -> None:
    due(chat, kind, days).hears(COMING[kind], n=days, day=Day(date(2027, 1, 20)))
    chat.hears("{kin}: {number}", number=Code("3150****8042"))
    chat.offers("Renew residency")


def test_late_ones_do_not_count_days(chat: Chat) -> None:
    due(chat, RESIDENCY, 0).hears("*The residency ends today*")
    due(chat, PASSPORT, -3).hears("*The passport has ended*")
    due(chat, INSURANCE, 0).hears("*The health insurance ends today*")


@pytest.mark.parametrize("kin", Kin)
def test_every_relation_has_a_word(chat: Chat, kin: Kin) -> None:
    due(chat, RESIDENCY, 7, kin).hears("{kin}: {number}")


def test_its_door_leads_to_renewal_and_waits_for_nothing(chat: Chat) -> None:
    """Even in a chat that was silent for weeks, or is in the middle of something else."""
    due(chat, RESIDENCY, 30).stands()
    assert BOOK.door("renewal") is not None
    button = chat.last.buttons[0]
    assert (button.token, button.url) == ("/renewal", "")
    looks(chat, known(me())).presses("Add")
    before = chat.session.frames
    due(chat, RESIDENCY, 29)
    assert chat.session.frames == before, "the place is kept"
    chat.press_token(button.token)
    assert chat.session.frames[1].dialog == "renewal"


def test_a_reminder_names_nobody(chat: Chat) -> None:
    due(chat, RESIDENCY, 30)
    assert CIVIL_ID not in str(chat.session)
    assert msgspec.json.encode(chat.session).find(b"8042") == -1
