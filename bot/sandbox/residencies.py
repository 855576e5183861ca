"""Synthetic residencies: facts of a person's permit, computed from their index and the day.

A permit ends on the same day of every year; a few people renew late. What can block a renewal is drawn at
rates at which most of those who are due can renew. A permit's number leads back to its person, like a fine's.
"""

import re
from datetime import date, timedelta
from typing import Final

import msgspec

from bot.domain import RESIDENCY_PHONE
from bot.i18n.text import Local
from bot.residency.calendar import add_years
from bot.residency.facts import Creditor, Debt, Kin, Permit, Stop
from bot.sandbox import names
from bot.sandbox.households import Place, woman
from bot.sandbox.people import Person, draw, passport_until

_NUMBER: Final = re.compile("P-[0-9]{11}")
_NUMBERS: Final = 100_000_000_000
_FACTOR: Final = 57_721_566_491  # coprime with 10**11: odd, does not end in 5
_SHIFT: Final = 69_314_718_055
_INVERSE: Final = pow(_FACTOR, -1, _NUMBERS)

_PRIVATE: Final = 18  # the article of work in the private sector
_LATE: Final = 60  # days the latest renew late
_HALF_A_YEAR: Final = 183
_COVER: Final = (None,) * 2 + (0,) * 5 + (1,) * 43 + (2,) * 35 + (3,) * 15
"""Of a hundred: years for which health insurance is paid beyond the last day, None for none at all."""

_KNOWN_STOPS: Final = ("medical", "photo", "address", "sponsor_file", "absence_report")
_OWED: Final = (
    (Creditor.ELECTRICITY, 41_350),
    (Creditor.TELECOM, 18_900),
    (Creditor.TRAFFIC, 0),
    (Creditor.JUSTICE, 250_000),
    (Creditor.HEALTH, 20_000),
)
RESIDENCY_AFFAIRS: Final = Local("الإدارة العامة لشؤون الإقامة", "General Department of Residency Affairs")
MANPOWER: Final = Local("الهيئة العامة للقوى العاملة", "Public Authority of Manpower")
HEALTH: Final = Local("وزارة الصحة", "Ministry of Health")
CIVIL_INFORMATION: Final = Local("الهيئة العامة للمعلومات المدنية", "Public Authority for Civil Information")
DEPARTMENTS: Final = {
    "medical": HEALTH,
    "photo": CIVIL_INFORMATION,
    "address": CIVIL_INFORMATION,
    "sponsor_file": MANPOWER,
    "absence_report": MANPOWER,
}


def number(index: int) -> str:
    """The number of the permit of the person at ``index``."""
    return f"P-{(index * _FACTOR + _SHIFT) % _NUMBERS:011d}"


def holder(permit: str) -> int | None:
    """The index of whoever may have the permit, None when it is no permit's number."""
    if _NUMBER.fullmatch(permit) is None:
        return None
    return (int(permit[2:]) - _SHIFT) * _INVERSE % _NUMBERS


def last_day(index: int, today: date) -> date:
    """The last day of the permit that the person at ``index`` has by ``today``; a few days ago for some."""
    day = date(2001, 1, 1) + timedelta(days=draw(index, "last day", 365))
    late = 1 + draw(index, "days late", _LATE) if draw(index, "renews late", 12) == 0 else 0
    since = today - timedelta(days=late)
    last = day.replace(year=since.year)
    return last if last >= since else day.replace(year=since.year + 1)


def sound(person: Person, place: Place, expires: date, today: date, *, woman: bool) -> Permit:
    """The permit of ``person`` that nothing blocks but perhaps its dates."""
    related = place.head is not None and place.kin is not Kin.DOMESTIC
    house = place.head if place.head is not None and related else person
    who = names.named(person.index, house.index, woman=woman)
    return Permit(
        number=number(person.index),
        civil_id=person.civil_id,
        kin=place.kin,
        name=who.name,
        latin=who.latin,
        passport_latin=who.latin,
        article=place.article,
        born=person.born,
        expires=expires,
        insured_until=add_years(expires, 2),
        passport_expires=max(passport_until(person, today), expires + timedelta(days=400)),
        work_permit_until=add_years(expires, 2) if place.article == _PRIVATE else None,
    )


def synthetic(
    person: Person, place: Place, sponsor_article: int | None, expires: date, today: date
) -> Permit:
    """The permit of ``person`` as it happens to be.

    Args:
        person: whose.
        place: where they stand.
        sponsor_article: of the head of the family, 0 for a Kuwaiti one, None where there is no head.
        expires: its last day.
        today: the day it is looked at.
    """
    female = woman(person, place.kin, place.head)
    permit = sound(person, place, expires, today, woman=female)
    kuwaiti = sponsor_article == 0
    kin = kuwaiti and place.kin is not Kin.DOMESTIC
    widow = female and place.kin is Kin.SELF and _one_in(person.index, "widow", 20)
    index = person.index
    return msgspec.structs.replace(
        permit,
        sponsor_article=sponsor_article or 0,
        kuwaiti_sponsor=kuwaiti,
        kuwaiti_mother=kin and place.kin in {Kin.SON, Kin.DAUGHTER},
        kuwaiti_widow=widow,
        farm_work=place.kin is Kin.WORKER and place.article == _PRIVATE and _one_in(index, "farm", 30),
        insurance_exempt=kin or widow,
        insured_until=None if kin or widow else _insured(index, expires),
        passport_expires=passport_until(person, today),
        passport_moved=not _one_in(index, "passport moved", 40),
        passport_latin=names.misprinted(permit.latin) if _one_in(index, "misprinted", 40) else permit.latin,
        work_permit_until=None if permit.work_permit_until is None else _employed(index, expires),
        biometric=not _one_in(index, "no fingerprint", 90),
        travel_ban=_one_in(index, "travel ban", 100),
        exit_permit_until=expires if place.article == _PRIVATE and _one_in(index, "exit", 12) else None,
        debts=(_debt(index),) if _one_in(index, "debt", 30) else (),
        stops=_stops(index, place.kin),
        most_years=1 if _one_in(index, "one year", 40) else None,
        **_travels(index, expires, today),
    )


def _one_in(index: int, what: str, sides: int) -> bool:
    return draw(index, what, sides) == 0


def _insured(index: int, expires: date) -> date | None:
    years = _COVER[draw(index, "insured", len(_COVER))]
    return None if years is None else add_years(expires, years)


def _employed(index: int, expires: date) -> date:
    if _one_in(index, "work permit late", 30):
        return expires - timedelta(days=draw(index, "work permit", 90))
    return add_years(expires, 1 + draw(index, "work permit years", 3))


def _debt(index: int) -> Debt:
    return Debt(*_OWED[draw(index, "creditor", len(_OWED))])


def _stops(index: int, kin: Kin) -> tuple[Stop, ...]:
    if not _one_in(index, "stopped", 25):
        return ()
    codes = (*_KNOWN_STOPS[: 5 if kin is Kin.WORKER else 4], "file_review")  # the last one nobody knows
    code = codes[draw(index, "stop", len(codes))]
    return (stop(code),)


def stop(code: str) -> Stop:
    """The block ``code`` with the department that can clear it."""
    return Stop(
        code, DEPARTMENTS.get(code, RESIDENCY_AFFAIRS), "" if code in DEPARTMENTS else RESIDENCY_PHONE
    )


def _travels(index: int, expires: date, today: date) -> dict[str, date | None]:
    """One in thirty has left for good time; nearly half of those with an absence permit."""
    if not _one_in(index, "abroad", 30):
        return {}
    since = expires - timedelta(days=draw(index, "abroad since", 2 * _HALF_A_YEAR))
    if since > today:
        return {}
    leave = expires + timedelta(days=30) if draw(index, "absence permit", 5) in {0, 1} else None
    return {"abroad_since": since, "absence_permit_until": leave}
