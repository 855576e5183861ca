"""The one function through which every outgoing text goes.

Left-to-right runs inside Arabic are isolated with U+2066…U+2069 (UAX #9); isolates stand outside copyable
spans, so that what is copied is the bare identifier. Digits are Latin in both languages, as on the
ministry's pages; Babel formats dates.
"""

from datetime import date
from functools import lru_cache
from typing import Final

from babel.dates import format_date

from bot.clock import local
from bot.i18n.catalog import RTL, Catalog, joined
from bot.i18n.text import Arg, Code, Day, Hour, Lines, Local, Ltr, Money, Text
from bot.model import Span

LRI: Final = "\u2066"
RLI: Final = "\u2067"
FSI: Final = "\u2068"
PDI: Final = "\u2069"
ISOLATES: Final = frozenset((LRI, RLI, FSI, PDI))
_NO_ISOLATES: Final = dict.fromkeys(map(ord, ISOLATES))
_CURRENCY: Final = {"ar": "د.ك.", "en": "KWD"}


def bare(text: str) -> str:
    """``text`` without isolates: for measuring, comparing and copying."""
    return text.translate(_NO_ISOLATES)


def amount(fils: int) -> str:
    """``45.000``: three decimals, from integers only; thousands are grouped."""
    sign = "-" if fils < 0 else ""
    dinars, rest = divmod(abs(fils), 1000)
    return f"{sign}{dinars:,}.{rest:03d}"


@lru_cache(maxsize=2048)
def day(on: date, language: str) -> str:
    """``21 نوفمبر 2026`` or ``21 November 2026``."""
    return format_date(on, "d MMMM y", locale=language)


_Run = tuple[str, str]
"""A text and its style."""


class Renderer:
    """Turns texts into final spans in one language."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def render(self, arg: Arg, language: str) -> tuple[Span, ...]:
        """The spans of ``arg``, neighbours of one style joined."""
        if isinstance(arg, Text) and not arg.args:  # nothing to fill in
            return self._catalog.fixed(arg.msg, language, arg.n)
        out: list[_Run] = []
        self._put(arg, language, "", out)
        return joined(out)

    def plain(self, arg: Arg, language: str) -> str:
        """The text of ``arg`` without styles, for button labels."""
        spans = self.render(arg, language)
        return spans[0].text if len(spans) == 1 else "".join([span.text for span in spans])

    def _put(self, arg: Arg, language: str, style: str, out: list[_Run]) -> None:
        match arg:
            case str() | int():
                out.append((_inline(arg, language), style))
            case Text():
                self._template(arg, language, style, out)
            case Lines(parts):
                for number, part in enumerate(parts):
                    if number:
                        out.append(("\n", style))
                    self._put(part, language, style, out)
            case Code(text):
                out += ((LRI, ""), (text, "code"), (PDI, ""))
            case _:
                out.append((_inline(arg, language), style))

    def _template(self, text: Text, language: str, style: str, out: list[_Run]) -> None:
        for piece in self._catalog.template(text.msg, language, text.n):
            inner = piece.style or style
            if piece.name:
                self._put(text.args[piece.name], language, inner, out)
            else:
                out.append((piece.text, inner))


def _inline(arg: str | int | Money | Day | Hour | Ltr | Local, language: str) -> str:
    """One argument as isolated text."""
    own = RLI if language in RTL else LRI
    match arg:
        case int():
            return str(arg)
        case str():
            mark, text = FSI, arg
        case Money(fils):
            # A sign before a number is of no direction by itself: in Arabic it would stand behind the number.
            number = f"{LRI}{amount(fils)}{PDI}" if fils < 0 else amount(fils)
            mark, text = own, f"{number}\u00a0{_CURRENCY[language]}"
        case Day(on):
            mark, text = own, day(on, language)
        case Hour(at):
            mark, text = LRI, f"{local(at):%H:%M}"
        case Ltr(text):
            mark = LRI
        case Local(ar, en):
            mark, text = FSI, (ar or en) if language == "ar" else (en or ar)
    return f"{mark}{text}{PDI}" if text else ""
