"""Synthetic people: any valid civil ID is somebody, the same today and tomorrow, and nothing is stored.

A person is an index, ``days since 1800 * 10000 + serial``; civil ID, MOI reference number and passport are
computed from it. The reference is an affine permutation of the index, so it leads back to the person.
The check-digit rule is written here a second time on purpose: the bot's own parser is checked against it.
"""

import hashlib
from datetime import date, timedelta

import msgspec

_KEY = b"iqamati sandbox 1"  # changing it makes another population
EPOCH = date(1800, 1, 1)
_CENTURY = {"1": 1800, "2": 1900, "3": 2000}
_WEIGHTS = (2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
SERIALS = 10_000
_DIGITS = 12

# References are 10 digits (the ministry's field takes up to 12; guides say 6 to 12), never beginning with 0.
_FIRST_REFERENCE = 1_000_000_000
_REFERENCES = 9_000_000_000
_FACTOR = 7_317_046_901  # coprime with 9 * 10**9: odd, no factor 3, does not end in 5
_SHIFT = 2_718_281_828
_INVERSE = pow(_FACTOR, -1, _REFERENCES)

_PASSPORT_LETTERS = "ABCEFGHJKLMNPRSTVWXYZ"  # without I, O, Q, D, U: easily misread
_FIRST_EXPIRY = date(2027, 1, 1)
_EXPIRY_DAYS = 5 * 365
_OVERDUE = timedelta(days=60)  # how late people get a new passport, at the latest


class Person(msgspec.Struct, frozen=True):
    """One synthetic resident.

    Attributes:
        index: what everything else is computed from.
        born: birth date.
        civil_id: 12 digits.
        reference: MOI reference number, 10 digits.
        passport: a letter and seven digits.
        expiry: last day of the passport.
    """

    index: int
    born: date
    civil_id: str
    reference: str
    passport: str
    expiry: date


def draw(index: int, what: str, sides: int) -> int:
    """A number from 0 to ``sides - 1`` that depends on ``index`` and ``what`` only."""
    digest = hashlib.blake2b(f"{index} {what}".encode(), key=_KEY, digest_size=8).digest()
    return int.from_bytes(digest) % sides


def passport_until(person: Person, today: date) -> date:
    """Last day of the passport ``person`` has by ``today``; each is followed by one for five years more."""
    expiry = person.expiry
    while expiry + _OVERDUE < today:
        expiry += timedelta(days=_EXPIRY_DAYS)
    return expiry


def age(person: Person, today: date) -> int:
    """Whole years of age; below 0 before birth."""
    return today.year - person.born.year - ((today.month, today.day) < (person.born.month, person.born.day))


def by_civil_id(civil_id: str, today: date) -> Person | None:
    """The person with ``civil_id``, None when it is not valid or its birth date is after ``today``.

    Rule: ``C YYMMDD SSSS K`` with ``K = 11 - (weighted sum mod 11)``, where sums giving 10 or 11 are not
    issued (published descriptions of the civil ID checksum agree).
    """
    if len(civil_id) != _DIGITS or not civil_id.isascii() or not civil_id.isdigit():
        return None
    century = _CENTURY.get(civil_id[0])
    if century is None:
        return None
    try:
        born = date(century + int(civil_id[1:3]), int(civil_id[3:5]), int(civil_id[5:7]))
    except ValueError:
        return None
    found = _person((born - EPOCH).days * SERIALS + int(civil_id[7:11]))
    return found if found and found.civil_id == civil_id and found.born <= today else None


def by_reference(reference: str, today: date) -> Person | None:
    """The person with the MOI reference number ``reference``, None when nobody has it."""
    if not reference.isascii() or not reference.isdigit() or len(reference) != len(str(_FIRST_REFERENCE)):
        return None
    place = int(reference) - _FIRST_REFERENCE
    if place < 0:
        return None
    found = _person((place - _SHIFT) * _INVERSE % _REFERENCES)
    return found if found and found.born <= today else None


def by_index(index: int) -> Person | None:
    """The person at ``index``, None when no civil ID leads there."""
    return _person(index)


def _person(index: int) -> Person | None:
    days, serial = divmod(index, SERIALS)
    if days > (date(2099, 12, 31) - EPOCH).days:
        return None
    born = EPOCH + timedelta(days=days)
    stem = f"{born.year // 100 - 17}{born:%y%m%d}{serial:04d}"
    check = 11 - sum(int(digit) * weight for digit, weight in zip(stem, _WEIGHTS, strict=True)) % 11
    if check > 9:  # noqa: PLR2004 - a digit
        return None
    letter = _PASSPORT_LETTERS[draw(index, "passport letter", len(_PASSPORT_LETTERS))]
    return Person(
        index=index,
        born=born,
        civil_id=f"{stem}{check}",
        reference=str(_FIRST_REFERENCE + (index * _FACTOR + _SHIFT) % _REFERENCES),
        passport=f"{letter}{1_000_000 + draw(index, 'passport', 9_000_000)}",
        expiry=_FIRST_EXPIRY + timedelta(days=draw(index, "expiry", _EXPIRY_DAYS)),
    )
