"""What commands print: aligned tables for people, JSON for programs. Amounts are fils, times Kuwait's."""

import sys
import unicodedata
from collections.abc import Container, Iterable, Sequence
from typing import Any, Final

import msgspec

from bot.clock import local
from bot.services.payments import amount_text

_GAP: Final = "  "
_WIDE: Final = frozenset("WF")
_MARKS: Final = frozenset(("Mn", "Me", "Cf"))
"""Combining marks and invisible format characters take no column."""


def say(*lines: str) -> None:
    """Print lines; what a terminal's encoding lacks is replaced and never fails."""
    encoding = sys.stdout.encoding or "utf-8"
    for line in lines:
        sys.stdout.write(f"{line}\n".encode(encoding, "replace").decode(encoding))
    sys.stdout.flush()


def show_json(value: Any) -> None:
    """Print ``value`` as indented JSON."""
    say(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def width(text: str) -> int:
    """Columns ``text`` takes on a terminal."""
    return sum(
        0 if unicodedata.category(each) in _MARKS else 1 + (unicodedata.east_asian_width(each) in _WIDE)
        for each in text
    )


def table(headers: Sequence[str], rows: Iterable[Sequence[str]], right: Container[str] = ()) -> list[str]:
    """Lines of a table.

    Args:
        headers: names of the columns.
        rows: one text for each column; control characters are shown as spaces.
        right: headers whose columns are aligned to the right, such as an amount's.
    """
    grid = [list(headers), *([_plain(cell) for cell in row] for row in rows)]
    widths = [max(width(row[column]) for row in grid) for column in range(len(headers))]
    to_right = [header in right for header in headers]
    return [_line(row, widths, to_right) for row in grid]


def _line(row: Sequence[str], widths: Sequence[int], to_right: Sequence[bool]) -> str:
    cells: list[str] = []
    for cell, wide, flush in zip(row, widths, to_right, strict=True):
        padding = " " * (wide - width(cell))
        cells.append(padding + cell if flush else cell + padding)
    return _GAP.join(cells).rstrip()


def _plain(text: str) -> str:
    """No escape sequence of a file or a gateway reaches the terminal."""
    return "".join(" " if unicodedata.category(each) == "Cc" else each for each in text)


def kwd(fils: int) -> str:
    """``45.000 KWD``."""
    return f"{signed(fils)} KWD"


def signed(fils: int) -> str:
    """``45.000``, ``-5.250``."""
    return f"{'-' if fils < 0 else ''}{amount_text(abs(fils))}"


def amount(fils: int) -> dict[str, Any]:
    """An amount in JSON: exact, and as text."""
    return {"fils": fils, "text": signed(fils)}


def when(at: int) -> str:
    """``2026-11-21 12:00``, empty for never."""
    return local(at).strftime("%Y-%m-%d %H:%M") if at else ""


def to_the_second(at: int) -> str:
    """``2026-11-21 12:00:00``."""
    return local(at).strftime("%Y-%m-%d %H:%M:%S")


def iso(at: int) -> str | None:
    """``2026-11-21T12:00:00+03:00``, None for never."""
    return local(at).isoformat() if at else None
