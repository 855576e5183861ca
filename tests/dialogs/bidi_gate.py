"""The bidi gate: in a right-to-left line every identifier is still read from left to right, in one piece.

The order on the screen is computed with python-bidi, an implementation of UAX #9.
"""

import re
from typing import Final

from bidi import get_display

from bot.i18n.render import FSI, LRI, PDI, RLI, bare
from bot.model import Span, plain

_ISOLATED: Final = re.compile(f"[{LRI}{RLI}{FSI}]([^{LRI}{RLI}{FSI}{PDI}]*){PDI}")
_TOKEN: Final = re.compile(r"[+/@]?[A-Za-z0-9][A-Za-z0-9.,:/*+@_\-]*[A-Za-z0-9*]")
_ARABIC: Final = re.compile("[\u0600-\u06ff]")


def identifiers(spans: tuple[Span, ...]) -> list[str]:
    """What must be readable: code spans, isolated left-to-right runs, and every number, name or address."""
    text = plain(spans)
    runs = [run for run in _ISOLATED.findall(text) if run and not _ARABIC.search(run)]
    codes = [span.text for span in spans if span.style == "code"]
    return [*codes, *runs, *_TOKEN.findall(text)]


def shown_wrong(spans: tuple[Span, ...], language: str) -> list[str]:
    """The identifiers that a right-to-left line shows torn or turned round; none outside Arabic."""
    if language != "ar":
        return []
    text = plain(spans)
    lines = [bare(str(get_display(line, base_dir="R"))) for line in text.split("\n")]
    return [name for name in identifiers(spans) if not any(name in line for line in lines)]
