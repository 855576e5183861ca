"""What the named cast is written in: fines by offence and day, permits by days from today."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Final

import msgspec

from bot.residency.calendar import add_years
from bot.residency.facts import Permit
from bot.sandbox.fines import RESIDENCY, TRAFFIC, FineRecord, Offence, Words, fine_id, overstay
from bot.sandbox.households import Place, woman
from bot.sandbox.people import EPOCH, SERIALS, Person, by_civil_id, by_index
from bot.sandbox.residencies import sound

_ANY_DAY: Final = date(2026, 11, 21)
_STREET: Final = Words("شارع الخليج العربي", "Arabian Gulf Street")

Change = Callable[[Permit, date], Permit]
"""A sound permit and today to the permit of somebody in the cast."""


class Script(msgspec.Struct, frozen=True):
    """One fine of the cast: its day is ISO 8601."""

    offence: Offence
    on: str
    fils: int
    barrier: str | None = None


class Role(msgspec.Struct, frozen=True):
    """Somebody whose residency is always as the cast needs it.

    Attributes:
        person: who.
        place: where they stand.
        due: days from today to the last day of the residency; negative for one that is over.
        change: what is out of order.
        fines: what is owed.
        woman: for those on nobody's family file.
    """

    person: Person
    place: Place
    due: int
    change: Change
    fines: tuple[FineRecord, ...] = ()
    woman: bool = False

    def last_day(self, today: date) -> date:
        """Of the residency as it is without a renewal."""
        return today + timedelta(days=self.due)

    def permit(self, expires: date, today: date, sponsor: Place | None) -> Permit:
        """The residency that ends on ``expires``; ``sponsor``: where the head of the family stands."""
        female = (
            self.woman if self.place.head is None else woman(self.person, self.place.kin, self.place.head)
        )
        permit = sound(self.person, self.place, expires, today, woman=female)
        if sponsor is not None:
            permit = msgspec.structs.replace(
                permit, sponsor_article=sponsor.article, kuwaiti_sponsor=not sponsor.article
            )
        return self.change(permit, today)


def somebody(civil_id: str) -> Person:
    """The person with ``civil_id``.

    Raises:
        ValueError: a slip of ours in the cast.
    """
    person = by_civil_id(civil_id, _ANY_DAY)
    if person is None:
        raise ValueError("the cast needs valid civil IDs")
    return person


def born(on: date, serial: int) -> Person:
    """The first person born ``on`` with a serial of ``serial`` or above."""
    day = (on - EPOCH).days * SERIALS
    return next(found for each in range(serial, SERIALS) if (found := by_index(day + each)) is not None)


def late(offence: Offence, on: str, days: int, barrier: str | None = None) -> Script:
    """A residency fine for ``days``."""
    return Script(offence, on, overstay(offence, days), barrier)


def records(person: Person, *scripts: Script) -> tuple[FineRecord, ...]:
    """The fines of ``scripts``, of ``person``."""
    told: list[FineRecord] = []
    for place, script in enumerate(scripts):
        kind = TRAFFIC if script.offence.amounts else RESIDENCY
        told.append(
            FineRecord(
                id=fine_id(person.index, place, kind),
                kind=kind,
                title=script.offence.title,
                on=date.fromisoformat(script.on),
                fils=script.fils,
                barrier=script.barrier,
                place=_STREET if kind == TRAFFIC else None,
            )
        )
    return tuple(told)


def as_it_is(permit: Permit, _today: date) -> Permit:
    """Nothing is out of order."""
    return permit


def insured(years: int) -> Change:
    """Health insurance is paid for ``years`` more."""

    def change(permit: Permit, _today: date) -> Permit:
        return msgspec.structs.replace(permit, insured_until=add_years(permit.expires, years))

    return change
