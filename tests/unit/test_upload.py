"""A question that waits for a file: what counts, what is said to the rest, and how the graph sees it."""

from dataclasses import replace
from enum import StrEnum
from typing import Any

import msgspec
import pytest

from bot.engine import Book, awaited
from bot.engine.step import FORGET_AFTER
from bot.graph import edges, faults, mermaid
from bot.i18n.text import N_, Arg, say
from bot.model import Session
from bot.spec import Call, Choose, Dialog, End, Go, Upload
from tests.dialogs.harness import NOON, SPEECH, Chat, word


class S(StrEnum):
    LIST = "list"
    KEPT = "kept"
    HOW = "how"
    LEFT = "left"


class H(StrEnum):
    START = "start"
    MENU = "menu"
    WORK = "work"


class Sent(msgspec.Struct, frozen=True):
    file: str = ""
    count: int = 0


def kept_text(sent: Sent) -> Arg:
    return say(N_("✓ {choice}"), choice=sent.file)


LIST = Upload[Sent](
    N_("File"), into="file", then=S.KEPT, choices=(Go(N_("Help"), S.HOW), Go(N_("Start over"), S.LEFT))
)
FILES = Dialog[Sent](
    id="files",
    version=1,
    title=N_("File"),
    answers=Sent,
    start=S.LIST,
    cancel=S.LEFT,
    states={
        S.LIST: LIST,
        S.KEPT: Choose(kept_text, (Go(N_("Start over"), S.LEFT),)),
        S.HOW: Choose(N_("Help"), (Go(N_("Carry on"), S.LIST),)),
        S.LEFT: End(N_("Menu")),
    },
)


class Nothing(msgspec.Struct, frozen=True):
    pass


HOME = Dialog[Nothing](
    id="home",
    version=1,
    title=N_("Menu"),
    answers=Nothing,
    start=H.START,
    cancel=H.MENU,
    states={
        H.START: Choose(N_("Menu"), (Go(N_("Carry on"), H.WORK),), listens=True, rest=True),
        H.MENU: Choose(N_("Menu"), (Go(N_("Carry on"), H.WORK),), rest=True),
        H.WORK: Call("files", then=H.MENU, left=H.MENU),
    },
)


@pytest.fixture(params=["ar", "en"])
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def chat_at(state: Upload[Sent] = LIST, language: str = "ar") -> Chat:
    """A chat whose question waits for a file."""
    chat = Chat(language)
    dialog = replace(FILES, states={**FILES.states, S.LIST: state})
    chat.book = Book((HOME, dialog), "home", H.MENU, SPEECH, say(N_("Menu")), megabytes=7)
    chat.says("/menu").presses("Carry on")
    assert at(chat) == ("files", "list")
    return chat


def at(chat: Chat) -> tuple[str, str]:
    return chat.top.dialog, chat.top.state


# --- what is sent --------------------------------------------------------------------------------


def test_a_file_is_the_answer(language: str) -> None:
    chat = chat_at(language=language).sends(file="a1b2", name="workers.xlsx")
    assert at(chat) == ("files", "kept")
    assert chat.top.answers == {"file": "a1b2", "count": 0}
    chat.hears_text("a1b2").says("/back")
    assert at(chat) == ("files", "list")


@pytest.mark.parametrize(
    ("missing", "told"),
    [
        ("", "The file did not reach me whole."),
        ("lost", "The file did not reach me whole."),
        ("large", "That file is larger than {size} MB."),
        ("kind", "I can read tables here"),
    ],
)
def test_a_file_that_was_not_kept_is_asked_for_again(language: str, missing: str, told: str) -> None:
    chat = chat_at(language=language).sends(missing=missing)
    assert at(chat) == ("files", "list")
    chat.hears(told).hears("File").offers("Help", "Start over", "Menu")
    assert chat.top.answers["file"] == ""
    if missing == "large":
        chat.hears(told, size=7)


@pytest.mark.parametrize("kind", ["photo", "video", "sticker", "animation"])
def test_a_picture_is_told_that_the_file_is_wanted(language: str, kind: str) -> None:
    chat = chat_at(language=language).sends(kind, file="a1b2")
    assert at(chat) == ("files", "list")
    chat.hears("I cannot read a picture of it.").hears("File")
    assert chat.top.answers["file"] == ""


def test_a_photo_counts_where_photos_do() -> None:
    chat = chat_at(replace(LIST, kinds=("photo", "document"))).sends("photo", file="a1b2")
    assert at(chat) == ("files", "kept")


def test_a_voice_message_is_told_what_is_awaited(language: str) -> None:
    chat_at(language=language).sends("voice").hears("Here I wait for a file.").hears("File")


def test_a_file_that_nobody_asked_for(language: str) -> None:
    chat = chat_at(language=language).sends(file="a1b2").sends(file="c3d4")
    chat.hears("I can read text and button presses here").hears_not("Here I wait for a file.")
    assert at(chat) == ("files", "kept")
    assert chat.top.answers["file"] == "a1b2"


def test_a_file_after_a_day_does_not_answer_a_question_that_is_gone() -> None:
    chat = chat_at().wait(hours=25).sends(file="a1b2")
    assert [frame.dialog for frame in chat.session.frames] == ["home"]


def test_a_file_after_two_hours_still_answers() -> None:
    assert at(chat_at().wait(hours=2).sends(file="a1b2")) == ("files", "kept")


# --- in words ------------------------------------------------------------------------------------


def test_words_choose_and_other_words_hear_what_is_awaited(language: str) -> None:
    chat = chat_at(language=language).says("🙂").hears("Here I wait for a file.").hears("File")
    assert at(chat) == ("files", "list")
    assert chat.says("1").top.state == "how"
    assert chat.presses("Carry on").top.state == "list"
    assert chat.says(word("Help", chat.language)).top.state == "how" or chat.heard("Send a civil ID")
    chat = chat_at(language=language).says("🙂").says("🙂").says("🙂").hears("To start again at any time")


def test_buttons_and_old_ones(language: str) -> None:
    chat = chat_at(language=language)
    token, source = chat.last.buttons[0].token, chat.last.id
    assert chat.press_token(token, source).top.state == "how"
    chat.wait(seconds=30).press_token(token, source).hears("That button belongs to an earlier question.")


def test_menu_cancel_language_help_and_silence(language: str) -> None:
    assert at(chat_at(language=language).says("/cancel")) == ("home", "menu")
    assert at(chat_at(language=language).says("/menu")) == ("home", "menu")
    assert at(chat_at(language=language).says("/back")) == ("home", "menu")
    assert at(chat_at(language=language).says("/language").hears("File")) == ("files", "list")
    assert at(chat_at(language=language).says("/help").hears("File")) == ("files", "list")
    chat = chat_at(language=language).wait(hours=2).says("🙂").hears("You were in the middle of this")
    assert at(chat.presses("Carry on").hears("File")) == ("files", "list")


def test_a_silent_question_takes_a_file() -> None:
    chat = chat_at()
    chat.book = Book(
        (HOME, replace(FILES, states={**FILES.states, S.LIST: replace(LIST, silent=True)})),
        "home",
        H.MENU,
        SPEECH,
        say(N_("Menu")),
    )
    chat.says("/menu").presses("Carry on").hears_nothing()
    assert at(chat.sends(file="a1b2")) == ("files", "kept")


# --- what channels are told ----------------------------------------------------------------------


def awaits(chat: Chat) -> tuple[str, ...]:
    return awaited(chat.book, chat.session, chat.now)


def test_channels_know_what_is_awaited() -> None:
    chat = chat_at()
    assert (awaits(chat), chat.last.awaits) == (("document",), ("document",))
    chat.says("🙂")
    assert (awaits(chat), chat.last.awaits) == (("document",), ("document",))
    chat.sends(file="a1b2")
    assert (awaits(chat), chat.last.awaits) == ((), ())
    assert awaited(chat.book, Session(), NOON) == ()


def test_nothing_is_awaited_once_the_question_is_forgotten() -> None:
    chat = chat_at()
    assert awaited(chat.book, chat.session, chat.session.touched + FORGET_AFTER) == ("document",)
    assert awaited(chat.book, chat.session, chat.session.touched + FORGET_AFTER + 1) == ()


def test_a_dialog_that_is_gone_awaits_nothing() -> None:
    chat = chat_at()
    book = Book((HOME,), "home", H.MENU, SPEECH, say(N_("Menu")))
    assert awaited(book, chat.session, chat.now) == ()


# --- the graph -----------------------------------------------------------------------------------


def dialog_with(state: Upload[Sent]) -> Dialog[Any]:
    return replace(FILES, states={**FILES.states, S.LIST: state})


def test_the_graph_knows_the_file() -> None:
    assert faults([FILES]) == []
    assert ("list", "kept", "file") in set(edges(FILES))
    assert ("list", "how", "Help") in set(edges(FILES))
    assert "    list --> kept: file\n" in mermaid(FILES)


@pytest.mark.parametrize(
    ("state", "fault"),
    [
        (replace(LIST, into="nothing"), "files.list: 'nothing' cannot hold a file's reference"),
        (replace(LIST, into="count"), "files.list: 'count' cannot hold a file's reference"),
        (replace(LIST, kinds=()), "files.list: no kind of file counts"),
        (
            replace(LIST, choices=(*LIST.choices, Go(N_("Back"), S.HOW))),
            "files.list: two choices are called 'how'",
        ),
    ],
)
def test_the_graph_finds(state: Upload[Sent], fault: str) -> None:
    assert faults([dialog_with(state)]) == [fault]
