"""Made-up lists of workers."""

import io
from collections.abc import Sequence
from typing import Any, Final

import openpyxl

from bot.parse import check_digit


def civil_ids(count: int) -> tuple[str, ...]:
    """``count`` valid numbers, all different."""
    found: list[str] = []
    stem = 285_0115_0000
    while len(found) < count:
        last = check_digit(str(stem))
        if last is not None:
            found.append(f"{stem}{last}")
        stem += 1
    return tuple(found)


CIVIL_IDS: Final = civil_ids(40)


def excel(rows: Sequence[Sequence[Any]]) -> bytes:
    """A workbook of one sheet."""
    book = openpyxl.Workbook()
    assert book.active is not None
    for row in rows:
        book.active.append(list(row))
    kept = io.BytesIO()
    book.save(kept)
    return kept.getvalue()
