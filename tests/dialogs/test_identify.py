"""Signing in: the link, the code, and what the engine remembers of it."""

from enum import StrEnum

import msgspec
import pytest

from bot.dialogs.identify import (
    BeginSignIn,
    Confirmed,
    ConfirmSignIn,
    SignInLink,
    SignInPause,
    SignInRefused,
)
from bot.engine import Book, step
from bot.engine.machine import FRESH
from bot.engine.versions import migrated
from bot.i18n.text import N_, Arg, Code, Hour, Ltr, say
from bot.model import Chat as Address
from bot.model import Frame, Session, Signed, Typed
from bot.spec import Choose, Dialog, Fault, Go, Identify
from tests.dialogs.data import BANK
from tests.dialogs.harness import BOOK, CIVIL_ID, HOLD, NOON, SPEECH, Chat

LINK = SignInLink("S1", "https://iqamati.example/signin/t0ken", "id.example.kw", NOON + 300)
CODE = "402917"


def signing(chat: Chat) -> Chat:
    """The sign-in link is on the screen."""
    chat.answers(BeginSignIn, LINK).answers(ConfirmSignIn, Confirmed(CIVIL_ID))
    return chat.says("/menu").presses("More").presses("Sign in").stands("identify.link")


def signed(chat: Chat) -> Chat:
    return signing(chat).returned("S1").says(CODE).stands()


def test_the_link_says_where_it_leads_and_how_long(chat: Chat) -> None:
    signing(chat).did(BeginSignIn())
    known: dict[str, Arg] = {"host": Ltr("id.example.kw"), "until": Hour(NOON + 300), "ref": Code("S1")}
    chat.hears("For this I need to know who you are.", **known)
    chat.offers("🔗 Open sign-in page", "I have a code", "New link", "Menu")
    assert chat.last.buttons[0].url == LINK.url


def test_back_from_the_page_the_code_is_asked_for(chat: Chat) -> None:
    signing(chat).returned("S1").stands("identify.code").hears("Enter the six digits")
    assert not chat.session.signed
    chat.effects.clear()
    chat.says("٤٠٢ ٩١٧").did(ConfirmSignIn("S1", CODE)).stands()
    chat.hears("✓ You are signed in", command=Ltr("/signout"))
    assert chat.session.signed == Signed(CIVIL_ID, NOON, NOON + 1800)
    assert CODE not in [message.text for message in chat.screen if not message.erased]


def test_another_sign_ins_return_is_not_this_ones(chat: Chat) -> None:
    signing(chat).returned("S2").stands("identify.link").hears("Somebody came back")
    chat.says("/menu").returned("S1").hears("Somebody came back").stands()
    assert chat.session.signed is None


@pytest.mark.parametrize("said", ["12345", "1234567", "hello", ""])
def test_what_is_no_code_is_not_tried(chat: Chat, said: str) -> None:
    signing(chat).presses("I have a code").effects.clear()
    chat.says(said or "؟؟").stands("identify.code").did()


def test_a_wrong_code_and_then_the_right_one(chat: Chat) -> None:
    signing(chat).answers(ConfirmSignIn, SignInRefused.WRONG, Confirmed(CIVIL_ID)).returned("S1")
    chat.says("111111").stands("identify.wrong").hears("That is not the code on the page.")
    assert chat.session.signed is None
    chat.says(CODE).stands()
    assert chat.session.signed is not None


@pytest.mark.parametrize(
    ("outcome", "state"),
    [(SignInRefused.SPENT, "expired"), (SignInRefused.OFF, "off"), *((fault, "down") for fault in Fault)],
)
def test_nobody_is_signed_in_otherwise(chat: Chat, outcome: object, state: str) -> None:
    signing(chat).answers(ConfirmSignIn, outcome).returned("S1").says(CODE)
    chat.stands(f"identify.{state}")
    assert chat.session.signed is None


def test_the_link_runs_out(chat: Chat) -> None:
    signing(chat).wait(minutes=5).stands("identify.expired").hears("This sign-in is over")
    chat.answers(BeginSignIn, SignInRefused.OFF).presses("New link").stands("identify.off")
    chat.presses("Back").stands().hears("Nobody was signed in.")


def test_too_many_links_are_paused_and_the_last_one_stands(chat: Chat) -> None:
    signing(chat).answers(BeginSignIn, SignInPause(5, NOON + 540)).presses("New link")
    known: dict[str, Arg] = {"limit": 5, "until": Hour(NOON + 540)}
    chat.stands("identify.paused").hears("{limit} sign-in links were asked for", **known)
    chat.offers("New link", "I have a code", "Menu")
    chat.returned("S1").stands("identify.code").says(CODE).stands()
    assert chat.session.signed is not None


def test_after_the_pause_there_is_a_new_link(chat: Chat) -> None:
    chat.answers(BeginSignIn, SignInPause(5, NOON + 540), LINK).says("/menu").presses("More").presses(
        "Sign in"
    )
    chat.stands("identify.paused").offers("New link", "Menu")
    chat.wait(minutes=9).presses("New link").stands("identify.link").hears("For this I need to know")
    assert chat.top.answers["pause"] == 0


def test_a_sign_in_begun_before_pauses_carries_on() -> None:
    old = {"ref": "S1", "url": LINK.url, "host": LINK.host, "until": NOON + 300, "code": ""}
    dialog = BOOK.dialogs["identify"]
    moved = migrated(Frame("identify", 1, "link", 7, old), dialog)
    assert (moved.version, moved.state) == (2, "link")
    assert msgspec.convert(moved.answers, dialog.answers).ref == "S1"


def test_a_late_outcome_after_leaving_signs_nobody_in(chat: Chat) -> None:
    signing(chat).answers(ConfirmSignIn, HOLD).returned("S1").says(CODE).says("/menu")
    chat.lets_go(Confirmed(CIVIL_ID)).stands()
    assert chat.session.signed is None


def test_signed_in_as_long_as_somebody_writes(chat: Chat) -> None:
    signed(chat)
    for _ in range(4):
        chat.wait(minutes=29).says("/help")
        assert chat.session.signed is not None
    chat.wait(minutes=30).says("/help")
    assert chat.session.signed is None


def test_what_comes_from_outside_does_not_keep_one_signed_in(chat: Chat) -> None:
    signed(chat).wait(minutes=20)
    data = {"status": "paid", "receipt": "IQ-0000-0000", "fils": 5000, "bank": BANK}
    chat.wakes("paid", "IQ-0000-0000", **data).wait(minutes=11).says("/help")
    assert chat.session.signed is None


def test_sign_out(chat: Chat) -> None:
    signed(chat).says("/signout").hears("You are signed out.").stands()
    assert chat.session.signed is None
    chat.says("تسجيل الخروج" if chat.language == "ar" else "sign out").hears("Nobody is signed in here.")


def test_whoever_is_signed_in_is_not_asked_again(chat: Chat) -> None:
    signed(chat).effects.clear()
    chat.presses("More").presses("Sign in").did().stands()


class Need(StrEnum):
    START = "start"
    WHO = "who"
    IN = "in"
    OUT = "out"


class Nothing(msgspec.Struct, frozen=True):
    """No answers."""


def _goes(signed_at: int, *, again: bool) -> str:
    """Where a state that needs somebody signed in leads."""
    words = N_("Next")
    need = Dialog[Nothing](
        id="need",
        version=1,
        title=words,
        answers=Nothing,
        start=Need.START,
        cancel=Need.START,
        states={
            Need.START: Choose(words, (Go(words, Need.WHO),)),
            Need.WHO: Identify(Need.IN, Need.OUT, (lambda _nothing: True) if again else None),
            Need.IN: Choose(words),
            Need.OUT: Choose(words),
        },
    )
    book = Book((need, BOOK.dialogs["identify"]), "need", Need.START, SPEECH, say(words))
    who = Signed(CIVIL_ID, signed_at, NOON + 60) if signed_at else None
    session = Session(
        rev=NOON - 1, frames=(Frame("need", 1, "start", NOON - 1),), touched=NOON - 1, chosen=True, signed=who
    )
    found = step(book, session, Typed(id="e", chat=Address("test", "1"), text="1"), NOON).session.frames[-1]
    return f"{found.dialog}.{found.state}"


def test_a_large_sum_wants_a_fresh_sign_in() -> None:
    assert _goes(0, again=False) == "identify.begin"
    assert _goes(NOON - FRESH - 1, again=False) == "need.in"
    assert _goes(NOON - FRESH, again=True) == "need.in"
    assert _goes(NOON - FRESH - 1, again=True) == "identify.begin"
