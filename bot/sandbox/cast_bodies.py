"""Companies and government bodies of the named cast, with those who may act for them."""

from datetime import date, timedelta
from typing import Final

import msgspec

from bot.i18n.text import Local
from bot.residency.calendar import add_years
from bot.residency.facts import Creditor, Debt, Kin, Permit
from bot.sandbox import bodies
from bot.sandbox import fines as law
from bot.sandbox.bodies import Employer
from bot.sandbox.households import Place, standing
from bot.sandbox.names import misprinted
from bot.sandbox.residencies import stop
from bot.sandbox.scripts import Change, Role, Script, as_it_is, born, insured, records, somebody

WAHA: Final = Employer("310000012", Local("شركة الواحة للتجارة العامة", "Al Waha General Trading Co."))
SIDRA: Final = Employer("310000046", Local("شركة السدرة للصيانة", "Al Sidra Maintenance Co."))
LARGE: Final = msgspec.structs.replace(
    bodies.employer(bodies.LARGE), name=Local("شركة الخليج للمقاولات الكبرى", "Gulf Grand Contracting Co.")
)
GARDENS: Final = Employer(
    "310000079", Local("إدارة الحدائق العامة", "Department of Public Gardens"), government=True
)
_BY_NUMBER: Final = {each.number: each for each in (WAHA, SIDRA, LARGE, GARDENS)}

_ONE = somebody("274090908407")
_SEVERAL = somebody("281072203302")
GRANTS: Final[dict[int, tuple[Employer, ...]]] = {
    _ONE.index: (WAHA,),
    _SEVERAL.index: (SIDRA, LARGE, GARDENS),
}
"""The bodies that people of the cast are authorised users of; all the others are users of none."""


def _unpaid(permit: Permit, _today: date) -> Permit:
    return msgspec.structs.replace(permit, insured_until=permit.expires)


def _passport(permit: Permit, today: date) -> Permit:
    return msgspec.structs.replace(permit, passport_expires=today + timedelta(days=60), passport_moved=False)


def _misprint(permit: Permit, _today: date) -> Permit:
    debts = (Debt(Creditor.JUSTICE, 250_000),)
    return msgspec.structs.replace(permit, passport_latin=misprinted(permit.latin), debts=debts)


def _without_work_permit(permit: Permit, today: date) -> Permit:
    return msgspec.structs.replace(
        permit, work_permit_until=today - timedelta(days=9), stops=(stop("sponsor_file"),)
    )


def _absent(permit: Permit, today: date) -> Permit:
    return msgspec.structs.replace(
        permit, stops=(stop("absence_report"),), abroad_since=today - timedelta(days=200), biometric=False
    )


def _stops(permit: Permit, _today: date) -> Permit:
    codes = ("medical", "photo", "address", "file_review")
    return msgspec.structs.replace(permit, stops=tuple(stop(code) for code in codes))


def _a_year(permit: Permit, _today: date) -> Permit:
    return msgspec.structs.replace(permit, insured_until=add_years(permit.expires, 3), most_years=1)


_PARKING = Script(law.PARKING, "2026-08-30", 15_000)
_COURT = Script(law.RED_LIGHT, "2026-06-14", 150_000, "court")
_Row = tuple[int, Change, tuple[Script, ...]]
# Days left, what is out of order, fines. First those of the one company: twelve are due, each another verdict.
_OF_WAHA: Final[tuple[_Row, ...]] = (
    (5, insured(1), ()),
    (11, insured(2), ()),
    (17, insured(3), ()),
    (23, insured(2), (_PARKING,)),
    (29, _a_year, ()),
    (-6, insured(2), ()),
    (33, _unpaid, ()),
    (38, _passport, ()),
    (44, _misprint, ()),
    (49, _without_work_permit, ()),
    (53, _absent, (_COURT,)),
    (58, _stops, ()),
    (90, as_it_is, ()),
    (130, as_it_is, ()),
    (170, as_it_is, ()),
    (210, as_it_is, ()),
    (290, as_it_is, ()),
    (340, as_it_is, ()),
)
_OF_SIDRA: Final[tuple[_Row, ...]] = (
    (14, insured(2), ()),
    (21, _unpaid, ()),
    (55, insured(1), ()),
    (120, as_it_is, ()),
)
_OF_GARDENS: Final[tuple[_Row, ...]] = (
    (9, insured(2), ()),
    (26, insured(1), ()),
    (40, _unpaid, ()),
    (47, _misprint, ()),
    (200, as_it_is, ()),
)


def _staff(body: Employer, serial: int, rows: tuple[_Row, ...]) -> tuple[Role, ...]:
    """Workers of ``body``, one a row, born a season apart."""
    place = Place(Kin.WORKER, 17 if body.government else 18)
    people = [born(date(1975 + row, 1 + 5 * row % 12, 1 + 7 * row % 28), serial) for row in range(len(rows))]
    return tuple(
        Role(person, place, due, change, records(person, *fines))
        for person, (due, change, fines) in zip(people, rows, strict=True)
    )


STAFF: Final[dict[str, tuple[Role, ...]]] = {
    WAHA.number: _staff(WAHA, 4100, _OF_WAHA),
    SIDRA.number: _staff(SIDRA, 4200, _OF_SIDRA),
    GARDENS.number: _staff(GARDENS, 4300, _OF_GARDENS),
}
"""Workers of the bodies that are made up person by person; those of the large company are computed."""

USERS: Final = (
    Role(_ONE, standing(18), 240, as_it_is),
    Role(_SEVERAL, standing(18), 260, as_it_is),
)
ROLES: Final = (*USERS, *(role for staff in STAFF.values() for role in staff))
EMPLOYER_OF: Final[dict[int, str]] = {
    role.person.index: number for number, staff in STAFF.items() for role in staff
}
"""Unified number of the body by a worker's index."""


def known(number: str) -> Employer | None:
    """The body of the cast with the unified number."""
    return _BY_NUMBER.get(number)
