"""Whom a file names: its column of civil IDs, row by row. Pure."""

import re
from collections import Counter
from collections.abc import Iterator
from datetime import date
from typing import Final

import msgspec

from bot.dialogs.company.effects import StartBatchRefused
from bot.parse import CIVIL_ID_DIGITS, civil_id
from bot.ports import Failed
from bot.services.batches.limits import LIMITS, Limits
from bot.services.batches.sheets import Sheet, sheets
from bot.spec import Invalid
from bot.spelling import clean, fold

_WRITTEN: Final = 40
_ABOUT: Final = range(CIVIL_ID_DIGITS - 2, CIVIL_ID_DIGITS + 3)
"""Digits of what was meant as a civil ID."""
_SHORTENED: Final = re.compile(r"\d[.,٫]?\d*e\+?\d+", re.IGNORECASE)
"""What a spreadsheet makes of a long number: ``2.85012E+11``."""
_ROUNDED: Final = re.compile(r"\d{7,9}0{3,5}")
"""The same once it was saved: a civil ID never ends in zero, let alone in three."""
_EXAMPLE_OF_SHORTENED: Final = "2.85012E+11"
_TEXT_MARK: Final = re.compile(r"""^\s*(?:'|=\s*")?(.*?)"?\s*$""", re.DOTALL)
"""What keeps a number a text in a spreadsheet: ``'2850…``, ``="2850…"``."""
_DECIMAL: Final = re.compile(r"(\d+)[.٫]0+")
"""What other programs make of a whole number: ``285011500029.0``."""


class Row(msgspec.Struct, frozen=True, array_like=True):
    """A row that names somebody.

    Attributes:
        line: its number in the file, from 1.
        written: the cell as it was written, at most 40 characters.
        civil_id: 12 digits; empty where it is none.
        repeats: line of the earlier row with the same number, 0 for none.
    """

    line: int
    written: str
    civil_id: str = ""
    repeats: int = 0

    @property
    def asked(self) -> bool:
        """Whether the registry is asked about it."""
        return bool(self.civil_id) and not self.repeats


def read(content: bytes, today: date, limits: Limits = LIMITS) -> tuple[Row, ...]:
    """The rows of a file that name somebody, of the sheet and the column with most civil IDs.

    Raises:
        Failed: a value of `StartBatchRefused`.
    """
    best: Sheet = ()
    column, score = 0, (0, 0)
    for sheet in sheets(content, limits):
        for index, found in _columns(sheet, today).items():
            if found > score:
                best, column, score = sheet, index, found
    if not best:
        raise Failed(StartBatchRefused.EMPTY)
    rows = tuple(_rows(best, column, today))
    if len(rows) > limits.rows:
        raise Failed(StartBatchRefused.TOO_LONG)
    return rows


def number(written: str, today: date) -> str | Invalid:
    """The civil ID in a cell, or what is wrong with it."""
    text = _bare(written)
    if _ROUNDED.fullmatch(text) or _SHORTENED.fullmatch(text):
        text = _EXAMPLE_OF_SHORTENED  # the same words whichever way the digits were lost
    return civil_id(text, today)


def _bare(written: str) -> str:
    text = clean(_TEXT_MARK.sub(r"\1", written)).replace(" ", "")
    whole = _DECIMAL.fullmatch(text)
    return whole[1] if whole else text


def _columns(sheet: Sheet, today: date) -> dict[int, tuple[int, int]]:
    """For each column how many civil IDs it holds, and how many cells that were meant as one."""
    valid, meant = Counter[int](), Counter[int]()
    for line in sheet:
        for index, cell in enumerate(line.cells):
            if _meant(cell):
                meant[index] += 1
                valid[index] += isinstance(number(cell, today), str)
    # The leftmost of equals: `max` and `>` keep the first.
    return {index: (valid[index], meant[index]) for index in sorted(meant)}


def _meant(cell: str) -> bool:
    """Whether a cell was meant as a civil ID, rightly written or not."""
    digits = sum(map(str.isdigit, cell))
    return digits > 0 and (digits in _ABOUT or bool(_SHORTENED.fullmatch(_bare(cell))))


def _rows(sheet: Sheet, column: int, today: date) -> Iterator[Row]:
    """The rows from the first that was meant as a civil ID; what stands above it is a heading, and so is its like."""
    headings: set[str] = set()
    seen: dict[str, int] = {}
    begun = False
    for line in sheet:
        cell = line.cells[column] if column < len(line.cells) else ""
        begun = begun or _meant(cell)
        if not begun:
            headings.add(fold(cell))
            continue
        if fold(cell) in headings and not any(map(str.isdigit, cell)) and cell:
            continue  # a heading again, as printed lists have it on every page
        found = number(cell, today)
        if isinstance(found, Invalid):
            yield Row(line.number, cell[:_WRITTEN])
        else:
            yield Row(line.number, cell[:_WRITTEN], found, seen.get(found, 0))
            seen.setdefault(found, line.number)
