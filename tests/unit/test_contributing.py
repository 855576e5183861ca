"""The example service in CONTRIBUTING.md is sound and runs as the page says."""

import re
import sys
from collections.abc import Iterator
from datetime import date
from enum import StrEnum
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
import pytest

from bot.engine import Book, Said, Turn, step
from bot.graph import faults
from bot.i18n.catalog import Catalog
from bot.i18n.render import Renderer, bare
from bot.i18n.speech import Keywords
from bot.i18n.text import N_, Arg, say
from bot.model import Chat, Event, Outcome, Session, Typed
from bot.spec import Call, Choose, Dialog, Go

PAGE = Path(__file__).parents[2] / "CONTRIBUTING.md"
CHAT = Chat("terminal", "reader")
NOON = 1_795_251_600  # 21 November 2026, 12:00 in Kuwait
RENDERER = Renderer(Catalog())


class S(StrEnum):
    MENU = "menu"
    VISIT = "visit"


class Nothing(msgspec.Struct, frozen=True):
    pass


@pytest.fixture(scope="module")
def example() -> Iterator[ModuleType]:
    (source,) = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    module = ModuleType("visit_of_the_page")
    sys.modules[module.__name__] = module  # msgspec looks the annotations up there
    exec(compile(source, str(PAGE), "exec"), module.__dict__)  # noqa: S102 - the page's own code is what is tested
    yield module
    del sys.modules[module.__name__]


def home() -> Dialog[Nothing]:
    return Dialog[Nothing](
        id="home",
        version=1,
        title=N_("Menu"),
        answers=Nothing,
        start=S.MENU,
        cancel=S.MENU,
        states={
            S.MENU: Choose(N_("Which?"), (Go(N_("Visit"), S.VISIT),), rest=True),
            S.VISIT: Call("visit", then=S.MENU, left=S.MENU),
        },
    )


class Reader:
    """Someone who follows the page."""

    def __init__(self, dialog: Dialog[Any]) -> None:
        intro: Arg = say(N_("Hello"))
        self.book = Book((home(), dialog), "home", S.MENU, Keywords(RENDERER), intro)
        self.session = Session(language="en", chosen=True)
        self.events = 0

    def does(self, event: Event) -> Turn:
        turn = step(self.book, self.session, event, NOON + self.events)
        self.session = msgspec.msgpack.decode(msgspec.msgpack.encode(turn.session), type=Session)
        return turn

    def types(self, text: str) -> Turn:
        self.events += 1
        return self.does(Typed(id=f"t{self.events}", chat=CHAT, text=text))

    def hears(self, turn: Turn) -> str:
        said = [reply.text for reply in turn.replies if isinstance(reply, Said)]
        return "\n".join(bare(RENDERER.plain(text, "en")) for text in said)

    def comes_back(self, turn: Turn, value: object = None, failure: str = "") -> Turn:
        (work,) = turn.works
        self.events += 1
        return self.does(Outcome(id=f"o{self.events}", chat=CHAT, key=work.key, value=value, failure=failure))


def test_it_is_sound(example: ModuleType) -> None:
    assert faults([home(), example.DIALOG]) == []


def test_it_books_a_day(example: ModuleType) -> None:
    reader = Reader(example.DIALOG)
    reader.types("/menu")
    assert "Which day?" in reader.hears(reader.types("Visit"))
    assert "Book a visit on 12 March 2027?" in reader.hears(reader.types("12/03/2027"))
    asked = reader.types("Book it")
    assert asked.works[0].effect == example.BookDay(date(2027, 3, 12))
    done = reader.comes_back(asked, example.Booked("V-17"))
    assert reader.hears(done).startswith("Booked: V-17")
    assert [frame.dialog for frame in reader.session.frames] == ["home"]


@pytest.mark.parametrize(
    ("failure", "told"), [("full", "That day is full."), ("unavailable", "The centre does not answer now.")]
)
def test_it_answers_every_refusal(example: ModuleType, failure: str, told: str) -> None:
    reader = Reader(example.DIALOG)
    for text in ("/menu", "Visit", "12/03/2027"):
        reader.types(text)
    assert told in reader.hears(reader.comes_back(reader.types("Book it"), failure=failure))


def test_its_way_out(example: ModuleType) -> None:
    reader = Reader(example.DIALOG)
    for text in ("/menu", "Visit"):
        reader.types(text)
    assert reader.hears(reader.types("/cancel")).startswith("Stopped. Nothing was booked.")
