"""Companies and government bodies, computed both ways: from a body its workers, from a worker their body.

Everybody of working age whose serial number does not belong to a family has a rank; an affine permutation
of the ranks puts them into blocks of 64 places, and a block is a body. What a body does not fill is left to
people who work for nobody here. The first blocks together are one large company.
"""

from datetime import date
from functools import lru_cache
from typing import Final

import msgspec

from bot.i18n.text import Local
from bot.sandbox.people import EPOCH, SERIALS, Person, by_index, draw

LARGE: Final = 0
"""Index of the large company: several thousand workers."""

_FIRST: Final = (date(1964, 1, 1) - EPOCH).days
_DAYS: Final = (date(2005, 12, 31) - EPOCH).days - _FIRST + 1
_LAST_DIGITS: Final = (0, 7, 8, 9)
"""Last digits of the serials of people who may have an employer; the others are dependants."""

_A_DAY: Final = SERIALS // 10 * len(_LAST_DIGITS)
_RANKS: Final = _DAYS * _A_DAY
_FACTOR: Final = 38_196_601  # prime, does not divide _RANKS
_SHIFT: Final = 24_157_817
_INVERSE: Final = pow(_FACTOR, -1, _RANKS)
_PLACES: Final = 64
_LARGE_BLOCKS: Final = 128
_LEAST, _SPREAD = 8, 48

COUNT: Final = _RANKS // _PLACES - _LARGE_BLOCKS + 1
"""How many bodies there are."""

_NUMBERS: Final = 900_000_000
_FIRST_NUMBER: Final = 100_000_000
_NUMBER_FACTOR: Final = 618_033_989  # odd, no factor 3, does not end in 5
_NUMBER_SHIFT: Final = 271_828_183
_NUMBER_INVERSE: Final = pow(_NUMBER_FACTOR, -1, _NUMBERS)

_TRADES: Final = (
    ("للتجارة العامة", "General Trading"),
    ("للمقاولات", "Contracting"),
    ("للنقل", "Transport"),
    ("للأغذية", "Foods"),
    ("للصيانة", "Maintenance"),
    ("للتنظيف", "Cleaning"),
)
_TITLES: Final = (
    ("الواحة", "Al Waha"),
    ("الساحل", "Al Sahel"),
    ("النخيل", "Al Nakheel"),
    ("الميناء", "Al Minaa"),
    ("البرج", "Al Burj"),
    ("الديرة", "Al Deera"),
    ("الشراع", "Al Shiraa"),
    ("اللؤلؤة", "Al Lulua"),
)
_OFFICES: Final = (
    ("إدارة الخدمات العامة", "Department of General Services"),
    ("إدارة الحدائق", "Department of Gardens"),
    ("إدارة المختبرات", "Department of Laboratories"),
    ("إدارة الصيانة", "Department of Maintenance"),
)


class Employer(msgspec.Struct, frozen=True):
    """A company or a government body.

    Attributes:
        number: the unified number (الرقم الموحد), 9 digits.
        name: in both languages.
        government: whether it is a government body.
    """

    number: str
    name: Local
    government: bool = False


def number(index: int) -> str:
    """The unified number of the body at ``index``."""
    return str(_FIRST_NUMBER + (index * _NUMBER_FACTOR + _NUMBER_SHIFT) % _NUMBERS)


def by_number(unified: str) -> int | None:
    """The body with the unified number, None when there is none."""
    if not unified.isascii() or not unified.isdigit() or len(unified) != len(str(_FIRST_NUMBER)):
        return None
    place = int(unified) - _FIRST_NUMBER
    index = (place - _NUMBER_SHIFT) * _NUMBER_INVERSE % _NUMBERS
    return index if place >= 0 and index < COUNT else None


def employer(index: int) -> Employer:
    """The body at ``index``."""
    government = index != LARGE and draw(index, "government body", 5) == 0
    if government:
        office = _OFFICES[draw(index, "office", len(_OFFICES))]
        return Employer(number(index), Local(*office), government=True)
    title = _TITLES[draw(index, "title", len(_TITLES))]
    trade = _TRADES[draw(index, "trade", len(_TRADES))]
    return Employer(number(index), Local(f"شركة {title[0]} {trade[0]}", f"{title[1]} {trade[1]} Co."))


def body_of(person: Person) -> int | None:
    """The body ``person`` works for, None for none."""
    day, serial = divmod(person.index, SERIALS)
    tens, last = divmod(serial, 10)
    if last not in _LAST_DIGITS or not 0 <= day - _FIRST < _DAYS:
        return None
    rank = (day - _FIRST) * _A_DAY + tens * len(_LAST_DIGITS) + _LAST_DIGITS.index(last)
    block, place = divmod((rank * _FACTOR + _SHIFT) % _RANKS, _PLACES)
    if block < _LARGE_BLOCKS:
        return LARGE
    index = block - _LARGE_BLOCKS + 1
    return index if index < COUNT and place < _size(index) else None


@lru_cache(maxsize=64)
def workers(index: int) -> tuple[Person, ...]:
    """The workers of the body at ``index``."""
    if index == LARGE:
        places = range(_LARGE_BLOCKS * _PLACES)
    else:
        first = (index + _LARGE_BLOCKS - 1) * _PLACES
        places = range(first, first + _size(index))
    return tuple(person for place in places if (person := _at(place)) is not None)


def _at(place: int) -> Person | None:
    rank = (place - _SHIFT) * _INVERSE % _RANKS
    day, rest = divmod(rank, _A_DAY)
    tens, last = divmod(rest, len(_LAST_DIGITS))
    return by_index((day + _FIRST) * SERIALS + tens * 10 + _LAST_DIGITS[last])


def _size(index: int) -> int:
    """Places that ``index`` fills; about one in six of them leads to no civil ID."""
    return _LEAST + draw(index, "size", _SPREAD)
