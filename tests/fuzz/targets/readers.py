"""Readers of what people type, in chats and in links: pure functions of a text."""

from collections.abc import Callable
from datetime import date
from typing import Any, Final, NamedTuple

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from bot import parse
from bot.clock import local
from bot.dialogs.real_link import address
from bot.engine.step import LONGEST_MESSAGE
from bot.handlers.address import household
from bot.handlers.chat_log import ENTRY_ID
from bot.handlers.files import NAME_LENGTH, shown_name
from bot.handlers.pay import allowed
from bot.handlers.web.chat import TEXT_LIMIT
from bot.i18n.speech import guess_language
from bot.model import plain
from bot.spec import Ask, Invalid
from bot.spelling import clean, fold
from tests.fuzz.targets.base import NASTY, Target, hold, texts
from tests.fuzz.targets.residents import BOOK, NOON, RENDERER, SPEECH

TODAY: Final = local(NOON).date()
FORMS: Final[dict[str, Callable[[Any], bool]]] = {
    "civil_id": lambda number: len(number) == 12 and _decimal(number),
    "reference": lambda number: 6 <= len(number) <= 12 and _decimal(number),
    "passport": lambda number: 5 <= len(number) <= 15 and number.isascii() and number.isalnum(),
    "short_code": lambda number: len(number) == 6 and _decimal(number),
    "day": lambda day: isinstance(day, date) and abs(day - TODAY).days < 366 * 50,
    "salary": lambda fils: isinstance(fils, int) and 0 <= fils < 1_000_000_000,
}
"""What each reader may make of a text; anything else is said to be wrong in words."""
READERS: Final[dict[str, Any]] = {
    **{name: getattr(parse, name) for name in FORMS},
    **{
        f"{dialog.id}.{name.value}": state.parse
        for dialog in BOOK.dialogs.values()
        for name, state in dialog.states.items()
        if isinstance(state, Ask)
    },
}


def _decimal(number: str) -> bool:
    return number.isascii() and number.isdecimal()


class Text(NamedTuple):
    """A text, and which reader it is given to besides those that see every text."""

    text: str
    reader: int


class Readers(Target[Text]):
    """Every reader of every question, keywords, links, names of files."""

    name = "readers"
    about = (
        "texts: a value of the promised form or words for what is wrong, in both languages; nothing raised"
    )
    modules = (
        "bot.parse",
        "bot.spelling",
        "bot.i18n.speech",
        "bot.dialogs.real_link.address",
        "bot.handlers.address",
    )
    examples = 250

    def inputs(self) -> SearchStrategy[Text]:
        months = st.sampled_from(["مارس", "March", "آذار", "Dec", "x", "¼", "Ⅻ"])
        dates = st.builds(
            "{}{}{}{}{}".format,
            texts(4),
            st.sampled_from("/- .\n"),
            months,
            st.sampled_from("/- ."),
            texts(4),
        )
        money = st.builds(
            "{}{}{}{}".format,
            texts(6),
            st.sampled_from([".", ",", "٫", "٬", "'"]),
            texts(4),
            st.sampled_from([" فلس", " fils", ""]),
        )
        place = st.builds(
            "{}{}{}".format,
            st.sampled_from(["https://", "http:\\\\", "hxxp://a@", "www.", "//[", ""]),
            texts(20),
            texts(12),
        )
        long = st.builds(lambda text, times: text * times, texts(12), st.sampled_from([1, 50, 600]))
        text = st.one_of(texts(), texts(), dates, money, place, long, st.sampled_from(NASTY))
        return st.builds(Text, text, st.integers(0, len(READERS) - 1))

    def raw(self, data: bytes) -> Text:
        return Text(data[1:].decode("utf-8", "surrogateescape"), (data[:1] or b"\0")[0] % len(READERS))

    def feed(self, given: Text) -> None:
        text = given.text[:LONGEST_MESSAGE]
        for name, sound in FORMS.items():
            value = self._read(name, text)
            hold(isinstance(value, Invalid) or sound(value), f"{name} made {value!r}")
        self._read(list(READERS)[given.reader], text)
        hold(clean(clean(text)) == clean(text), "cleaned twice is another text")
        hold(fold(fold(text)) == fold(text), "folded twice is another text")
        SPEECH.command(given.text[:TEXT_LIMIT])
        SPEECH.dialog(text)
        SPEECH.choices(text)
        hold(guess_language(text) in {"", "ar", "en"}, "a third language")
        for deep, aside in ((False, False), (True, False), (False, True)):
            BOOK.open(text, TODAY, deep=deep, aside=aside)
        self._links(text)
        shown = shown_name(text)
        hold(len(shown) <= NAME_LENGTH and "/" not in shown and "\n" not in shown, f"a name {shown!r}")
        hold(ENTRY_ID.fullmatch(text) is None or text.isascii(), "an id of the log in other digits")
        household(text)
        allowed(text, ("pay.example",))

    def _read(self, name: str, text: str) -> Any:
        value = READERS[name](text, TODAY)
        if isinstance(value, Invalid):
            for language in ("ar", "en"):
                hold(plain(RENDERER.render(value.text, language)).strip(), "nothing is said")
        return value

    def _links(self, text: str) -> None:
        for asked in (False, True):
            for link in address.find(text, asked=asked):
                hold(len(link.path) <= address.LONGEST and link.host.isascii(), f"a link {link!r}")
                hold(0 <= link.port <= 65_535, f"a port {link.port}")
                address.letters(link.host)
