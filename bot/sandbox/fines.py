"""Synthetic fines: plausible violations at the amounts of the law, computed from a person's index.

Amounts are settlement amounts (``مبلغ الصلح``): residency since 5 January 2025 (2 KWD a day in the first 30
days, 4 after, capped at 1200; domestic workers 2 up to 600; visits 10 up to 2000), traffic since 22 April
2025 (Decree-Law 5/2025), as the press printed both. Whether a fine is payable online is drawn apart from
the offence, as the ministry's own flag comes with the ticket.
"""

from datetime import date, timedelta
from typing import Final

import msgspec

from bot.sandbox.people import Person, draw

RESIDENCY: Final = "residency"
TRAFFIC: Final = "traffic"

_FIRST = date(2025, 4, 22)  # the traffic amounts below hold from here on
_LAST = date(2026, 11, 20)
_ADULT_DAYS = 18 * 365 + 5
_NEWBORN_DAYS = 122  # four months to register a newborn
_INFANT_DAYS = 3 * 365

# A fine's number is an affine permutation of (person, place in the list): it leads back, and shows neither.
_PER_PERSON = 64
_NUMBERS = 100_000_000_000
_FACTOR = 61_803_398_877  # coprime with 10**11: odd, does not end in 5
_SHIFT = 14_142_135_623
_INVERSE = pow(_FACTOR, -1, _NUMBERS)


class Words(msgspec.Struct, frozen=True):
    """A text in both languages, as the contract shows it."""

    ar: str
    en: str


class FineRecord(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A fine as the contract shows it.

    Attributes:
        id: ``R-`` or ``T-`` and 11 digits.
        kind: ``residency`` or ``traffic``.
        title: what for.
        on: day of the violation.
        fils: amount due.
        barrier: None when payable online, else why not.
        place: where, for traffic.
    """

    id: str
    kind: str
    title: Words
    on: date
    fils: int
    barrier: str | None
    place: Words | None = None


class Offence(msgspec.Struct, frozen=True):
    """What a fine is for; ``first`` and ``after`` are KWD a day, ``cap`` in KWD (residency only)."""

    title: Words
    amounts: tuple[int, ...] = ()  # KWD; several where the amount grows with the excess
    first: int = 2
    after: int = 4
    cap: int = 1200


NEWBORN = Offence(
    Words("عدم تسجيل إقامة مولود جديد خلال 4 أشهر", "Newborn not registered within 4 months"), cap=2000
)
EXPIRED = Offence(Words("انتهاء الإقامة دون تجديدها", "Residency expired and not renewed"))
TEMPORARY = Offence(Words("تجاوز مدة الإقامة المؤقتة", "Temporary residence overrun"))
CANCELLED = Offence(Words("عدم المغادرة بعد إلغاء الإقامة", "Not departed after the residency was cancelled"))
DOMESTIC = Offence(
    Words("انتهاء إقامة عمالة منزلية دون تجديدها", "Domestic worker's residency not renewed"),
    after=2,
    cap=600,
)
VISIT = Offence(Words("تجاوز مدة سمة الزيارة", "Visit visa overstayed"), first=10, after=10, cap=2000)

PARKING = Offence(Words("وقوف ممنوع", "Prohibited parking"), (15,))
BELT = Offence(Words("عدم ربط حزام الأمان", "No seat belt"), (30,))
PHONE = Offence(Words("استخدام الهاتف أثناء القيادة", "Phone in hand while driving"), (75,))
SPEED = Offence(Words("تجاوز السرعة المقررة", "Speeding"), (70, 100, 130, 150))
RED_LIGHT = Offence(Words("تجاوز الإشارة الحمراء", "Red light"), (150,))
RECKLESS = Offence(Words("رعونة في القيادة", "Reckless driving"), (150,))
DISABLED = Offence(Words("الوقوف في مواقف ذوي الإعاقة", "Parking in a place for the disabled"), (150,))
CHILD = Offence(Words("طفل دون العاشرة في المقعد الأمامي", "Child under ten in the front seat"), (50,))
PAPERS = Offence(
    Words("انتهاء التأمين أو رخصة تسيير المركبة", "Vehicle insurance or registration expired"), (50,)
)
NOISE = Offence(Words("أصوات مزعجة أو دخان من المركبة", "Noise or smoke from the vehicle"), (75,))
LICENCE = Offence(Words("القيادة برخصة سوق غير صالحة", "Driving without a valid licence"), (75,))

_OVERSTAYS = (EXPIRED, EXPIRED, EXPIRED, EXPIRED, TEMPORARY, CANCELLED, DOMESTIC, VISIT)
_OFFENCES = (
    *(PARKING,) * 5,
    *(SPEED,) * 5,
    *(PHONE,) * 3,
    *(BELT,) * 3,
    *(RED_LIGHT, PAPERS, NOISE, LICENCE, CHILD, DISABLED, RECKLESS),
)
# Out of 100 people: how many have no fine, one, two, … eight. Invented; a good share owes nothing.
_SHARES = (42, 20, 13, 9, 6, 4, 3, 2, 1)
# Out of 20 fines: 16 payable. ``audit`` is a word the contract does not name: clients must cope with it.
_BARRIERS = (*(None,) * 16, "court", "impound", "office", "audit")
_PLACES = (
    Words("شارع الخليج العربي", "Arabian Gulf Street"),
    Words("الدائري الرابع", "Fourth Ring Road"),
    Words("طريق الفحيحيل", "Fahaheel Road"),
    Words("شارع سالم المبارك، السالمية", "Salem Al-Mubarak Street, Salmiya"),
    Words("شارع تونس، حولي", "Tunis Street, Hawally"),
    Words("طريق المطار، الفروانية", "Airport Road, Farwaniya"),
)


def overstay(offence: Offence, days: int) -> int:
    """Fils due for ``days`` late; the first month is counted as 30 days."""
    first = min(days, 30)
    return 1000 * min(offence.cap, first * offence.first + (days - first) * offence.after)


def fine_id(index: int, place: int, kind: str) -> str:
    """The number of the fine at ``place`` in the list of the person at ``index``."""
    number = ((index * _PER_PERSON + place) * _FACTOR + _SHIFT) % _NUMBERS
    return f"{'R' if kind == RESIDENCY else 'T'}-{number:011d}"


def owner(number: str) -> int:
    """The index of whoever may have the fine ``number`` (the person's list decides)."""
    return (int(number[2:]) - _SHIFT) * _INVERSE % _NUMBERS // _PER_PERSON


def synthetic(person: Person) -> tuple[FineRecord, ...]:
    """The fines of ``person``, future ones included, in no order."""
    share = draw(person.index, "count", sum(_SHARES))
    count = 0
    while share >= _SHARES[count]:
        share -= _SHARES[count]
        count += 1
    age = (_FIRST - person.born).days
    if age < _ADULT_DAYS:  # children do not drive; their residency can expire
        return _residency(person, 0) if count else ()
    late = draw(person.index, "late", 3) == 0
    return tuple(
        fine
        for place in range(count)
        for fine in (_residency(person, place) if late and place == 0 else (_traffic(person, place),))
    )


def _residency(person: Person, place: int) -> tuple[FineRecord, ...]:
    index = person.index
    infant = (_FIRST - person.born).days < _INFANT_DAYS
    first = max(_FIRST, person.born + timedelta(days=_NEWBORN_DAYS + 1)) if infant else _FIRST
    if first > _LAST:
        return ()
    on = first + timedelta(days=draw(index, "late since", (_LAST - first).days + 1))
    offence = NEWBORN if infant else _OVERSTAYS[draw(index, "overstay", len(_OVERSTAYS))]
    # Most are noticed within weeks; one in eight after up to a year.
    days = 1 + draw(index, "days late", 365 if draw(index, "long", 8) == 0 else 45)
    return (
        FineRecord(
            id=fine_id(index, place, RESIDENCY),
            kind=RESIDENCY,
            title=offence.title,
            on=on,
            fils=overstay(offence, days),
            barrier=_BARRIERS[draw(index, f"barrier {place}", len(_BARRIERS))],
        ),
    )


def _traffic(person: Person, place: int) -> FineRecord:
    index = person.index
    offence = _OFFENCES[draw(index, f"offence {place}", len(_OFFENCES))]
    return FineRecord(
        id=fine_id(index, place, TRAFFIC),
        kind=TRAFFIC,
        title=offence.title,
        on=_FIRST + timedelta(days=draw(index, f"day {place}", (_LAST - _FIRST).days + 1)),
        fils=1000 * offence.amounts[draw(index, f"amount {place}", len(offence.amounts))],
        barrier=_BARRIERS[draw(index, f"barrier {place}", len(_BARRIERS))],
        place=_PLACES[draw(index, f"place {place}", len(_PLACES))],
    )
