"""Made-up persons on a file, with what ends."""

from typing import Final

from bot.dialogs.reminders import Ending, Known, Person
from bot.i18n.text import Local
from bot.residency.facts import Kin
from bot.residency.reminding import Kind
from tests.dialogs.harness import CIVIL_ID

SON_ID: Final = "315090908042"


def person(
    kin: Kin,
    civil_id: str,
    name: Local,
    *on: Kind,
    has: tuple[Kind, ...] = (Kind.RESIDENCY, Kind.PASSPORT, Kind.INSURANCE),
) -> Person:
    """Somebody reminded of ``on``."""
    days = {Kind.RESIDENCY: "2027-01-20", Kind.PASSPORT: "2029-02-28", Kind.INSURANCE: "2027-12-31"}
    endings = tuple(Ending(kind, days[kind], on=kind in on) for kind in has)
    return Person(f"R-{civil_id[-4:]}", civil_id, kin, name, endings)


def me(*on: Kind, has: tuple[Kind, ...] = (Kind.RESIDENCY, Kind.PASSPORT, Kind.INSURANCE)) -> Person:
    return person(Kin.SELF, CIVIL_ID, Local("أحمد سالم", "Ahmad Salem"), *on, has=has)


def son(*on: Kind) -> Person:
    return person(
        Kin.SON,
        SON_ID,
        Local("عبدالرحمن أحمد", "Abdulrahman Ahmad"),
        *on,
        has=(Kind.RESIDENCY, Kind.PASSPORT),
    )


def known(*people: Person, others: int = 0, renew: bool = False) -> Known:
    return Known(people, others, renew)
