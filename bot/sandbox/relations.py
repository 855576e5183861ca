"""Who stands for whom in the synthetic population: families, and companies with their workers.

Computed like everything else about people: the same today and tomorrow, and nothing is stored.
"""

from datetime import date, timedelta
from typing import Final

import msgspec

from bot.sandbox.people import Person, by_index, draw

ADULT: Final = timedelta(days=21 * 366)
"""Age under which nobody sponsors or signs for a company here."""

_MOST_DEPENDANTS: Final = 5
_MOST_WORKERS: Final = 40
_SERIALS: Final = 10_000
_GENERATION: Final = 25 * 365


class Employer(msgspec.Struct, frozen=True):
    """A company or a government body somebody may sign for.

    Attributes:
        number: the unified number (الرقم الموحد), 9 digits.
        government: whether it is a government body.
    """

    number: str
    government: bool


def dependants(person: Person, today: date) -> tuple[Person, ...]:
    """Those on the file of ``person`` as a family sponsor; children and others cannot sponsor."""
    if person.born + ADULT > today:
        return ()
    count = draw(person.index, "dependants", _MOST_DEPENDANTS)
    found = (_near(person, f"dependant {number}", today) for number in range(count))
    return tuple(each for each in found if each is not None)


def employer(person: Person, today: date) -> Employer | None:
    """The body ``person`` is an authorised user of; one adult in four is."""
    if person.born + ADULT > today or draw(person.index, "signs", 4):
        return None
    number = 100_000_000 + draw(person.index, "unified number", 900_000_000)
    return Employer(str(number), government=draw(person.index, "government", 5) == 0)


def workers(person: Person, today: date) -> tuple[Person, ...]:
    """The workers of the body ``person`` is an authorised user of."""
    if employer(person, today) is None:
        return ()
    count = 1 + draw(person.index, "workers", _MOST_WORKERS)
    found = (_near(person, f"worker {number}", today) for number in range(count))
    return tuple(each for each in found if each is not None)


def _near(person: Person, what: str, today: date) -> Person | None:
    """Somebody born within a generation of ``person``; about one serial in eleven is not issued."""
    days = person.index // _SERIALS + draw(person.index, f"{what} day", 2 * _GENERATION) - _GENERATION
    for step in range(4):
        serial = (draw(person.index, f"{what} serial", _SERIALS) + step) % _SERIALS
        found = by_index(days * _SERIALS + serial)
        if found is not None and found.born <= today and found.index != person.index:
            return found
    return None
