"""What is known of people: the cast where it has something to say, the synthetic population otherwise."""

import re
from datetime import date, timedelta

import msgspec

from bot.residency.facts import Permit
from bot.sandbox import residencies
from bot.sandbox.cast import DEMO, Temper
from bot.sandbox.fines import DOMESTIC, EXPIRED, RESIDENCY, FineRecord, fine_id, overstay, owner, synthetic
from bot.sandbox.people import Person, by_civil_id, by_index, by_reference
from bot.sandbox.relations import ROLES, place

__all__ = [
    "Look",
    "by_civil_id",
    "by_permit",
    "by_reference",
    "last_day",
    "look",
    "overdue",
    "permit",
    "whose",
]

_NUMBER = re.compile("[RT]-[0-9]{11}")
_CAST = {known.person.index: known for known in DEMO}
_OVERDUE = 40
"""Place of a fine for a residency that is over now: one for each of twenty years, behind all other fines."""

_DOMESTIC_ARTICLE = 20


class Look(msgspec.Struct, frozen=True):
    """What looking somebody up finds: fines, oldest first, and how the registry behaves."""

    fines: tuple[FineRecord, ...] = ()
    temper: Temper = Temper.CALM


def look(person: Person | None, today: date) -> Look:
    """The fines ``person`` has by ``today``, that of a residency which is over now apart; nobody has none."""
    if person is None:
        return Look()
    known = _CAST.get(person.index)
    role = ROLES.get(person.index)
    fines = known.fines if known else role.fines if role else synthetic(person)
    due = sorted((fine for fine in fines if fine.on <= today), key=lambda fine: (fine.on, fine.id))
    return Look(tuple(due), known.temper if known else Temper.CALM)


def whose(fine: str, today: date) -> Person | None:
    """Who may have the fine with that number, None when it leads to nobody."""
    return None if _NUMBER.fullmatch(fine) is None else _living(owner(fine), today)


def by_permit(number: str, today: date) -> Person | None:
    """Who may have the permit with that number, None when it leads to nobody."""
    index = residencies.holder(number)
    return None if index is None else _living(index, today)


def last_day(person: Person, today: date) -> date:
    """The last day of the residency of ``person``, were it never renewed here."""
    role = ROLES.get(person.index)
    return role.last_day(today) if role else residencies.last_day(person.index, today)


def permit(person: Person, today: date, expires: date) -> Permit | None:
    """The residency of ``person`` that ends on ``expires``, fines apart; None for a Kuwaiti."""
    standing = place(person, today)
    if not standing.article:
        return None
    sponsor = None if standing.head is None else place(standing.head, today)
    role = ROLES.get(person.index)
    if role:
        return role.permit(expires, today, sponsor)
    article = None if sponsor is None else sponsor.article
    return residencies.synthetic(person, standing, article, expires, today)


def overdue(person: Person, article: int, expires: date, today: date) -> FineRecord | None:
    """The fine for a residency that ended on ``expires`` and is not renewed; it grows by the day."""
    days = (today - expires).days
    if days <= 0:
        return None
    offence = DOMESTIC if article == _DOMESTIC_ARTICLE else EXPIRED
    return FineRecord(
        id=fine_id(person.index, _OVERDUE + expires.year % 20, RESIDENCY),
        kind=RESIDENCY,
        title=offence.title,
        on=expires + timedelta(days=1),
        fils=overstay(offence, days),
        barrier=None,
    )


def _living(index: int, today: date) -> Person | None:
    person = by_index(index)
    return None if person is None or person.born > today else person
