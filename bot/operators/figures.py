"""Amounts and days as spreadsheets write them, read exactly or refused: nothing is guessed about money."""

import re
import unicodedata
from datetime import date, timedelta
from typing import Final

_FILS: Final = 1000
_LARGEST: Final = 10**12
"""Fils; a thousand million dinars in one row is not an amount."""

_NOISE: Final = re.compile(r"k\.?w\.?d\.?|k\.?d\.?|د\.?\s?ك\.?", re.IGNORECASE)
_ARABIC_MARKS: Final = str.maketrans({"٫": ".", "٬": ",", "،": ",", "−": "-", "–": "-"})
_POINT: Final = re.compile(r"(?:\d+|\d{1,3}(?:,\d{3})+)(?:\.(\d*))?", re.ASCII)
_COMMA: Final = re.compile(r"(?:\d{1,3}(?:\.\d{3})+),(\d+)|\d+,(\d{1,2})", re.ASCII)
_GROUPED: Final = re.compile(r"\d{1,3},\d{3}", re.ASCII)
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_ISO: Final = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})", re.ASCII)
_DAY_FIRST: Final = re.compile(r"(\d{1,2})[-/. ](\d{1,2}|[a-z]{3,9})[-/. ](\d{4})", re.ASCII | re.IGNORECASE)
_POSTED: Final = re.compile(r"(\d{2})(\d{2})", re.ASCII)
_COMPACT: Final = re.compile(r"(\d{4})(\d{2})(\d{2})", re.ASCII)


class Unclear(ValueError):
    """A cell that cannot be read without guessing. The text says why and quotes nothing."""


def latin(text: str) -> str:
    """``text`` with digits of any script as ASCII, without invisible marks and outer spaces."""
    kept = (
        str(unicodedata.decimal(each)) if each.isdecimal() else each
        for each in text
        if unicodedata.category(each) != "Cf"
    )
    return "".join(kept).replace("\u00a0", " ").replace("\u202f", " ").strip()


def fils(text: str) -> int:
    """Fils of an amount in dinars: ``5.25`` and ``5.250`` are 5250, ``(1,234.500)`` is -1234500.

    Raises:
        Unclear: more than three decimals, a comma that could be either mark, or no amount at all.
    """
    plain = _NOISE.sub("", latin(text).translate(_ARABIC_MARKS)).replace(" ", "")
    negative = plain.startswith(("-", "(")) or plain.endswith("-")
    plain = plain.strip("-+()")
    if _GROUPED.fullmatch(plain):
        raise Unclear("a comma before three digits may mean thousands or fils: write 1234.000 or 1.234")
    if match := _POINT.fullmatch(plain):
        whole, decimals = plain.partition(".")[0].replace(",", ""), match[1] or ""
    elif match := _COMMA.fullmatch(plain):
        whole, decimals = plain.partition(",")[0].replace(".", ""), match[1] or match[2]
    else:
        raise Unclear("not an amount")
    if len(decimals) > len("000"):
        raise Unclear("more than three decimals")
    value = int(whole) * _FILS + int(decimals.ljust(3, "0") or "0")
    if value > _LARGEST:
        raise Unclear("larger than any amount")
    return -value if negative else value


def day(text: str, today: date) -> date | None:
    """The day a cell names, None for an empty one; day before month, as Kuwait writes it.

    KNET's posting date is ``MMDD`` without a year: the latest such day that is not after tomorrow.

    Raises:
        Unclear: not a day.
    """
    plain = latin(text)
    first = plain.replace("T", " ").split(" ")[0] if plain else ""
    if not first:
        return None
    try:
        if match := _ISO.match(plain) or _COMPACT.fullmatch(first):
            return date(int(match[1]), int(match[2]), int(match[3]))
        if match := _DAY_FIRST.match(plain):
            return date(int(match[3]), _month(match[2]), int(match[1]))
        if match := _POSTED.fullmatch(plain):
            return _posted(int(match[1]), int(match[2]), today)
    except ValueError:
        pass
    raise Unclear("not a day such as 2026-11-21 or 21/11/2026")


def _month(text: str) -> int:
    return int(text) if text.isdigit() else _MONTHS.index(text[:3].lower()) + 1


def _posted(month: int, of_month: int, today: date) -> date:
    latest = today + timedelta(days=1)
    for year in (latest.year, latest.year - 1):
        if (found := date(year, month, of_month)) <= latest:
            return found
    raise ValueError("no such day lately")
