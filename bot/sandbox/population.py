"""Who owes what: the cast where it has something to say, the synthetic population otherwise."""

import re
from datetime import date

import msgspec

from bot.sandbox.cast import DEMO, Temper
from bot.sandbox.fines import FineRecord, owner, synthetic
from bot.sandbox.people import Person, by_civil_id, by_index, by_reference

__all__ = ["Look", "by_civil_id", "by_reference", "fine", "look"]

_NUMBER = re.compile("[RT]-[0-9]{11}")
_CAST = {known.person.index: known for known in DEMO}


class Look(msgspec.Struct, frozen=True):
    """What looking somebody up finds: fines, oldest first, and how the registry behaves."""

    fines: tuple[FineRecord, ...] = ()
    temper: Temper = Temper.CALM


def look(person: Person | None, today: date) -> Look:
    """The fines ``person`` has by ``today``; nobody has none."""
    if person is None:
        return Look()
    known = _CAST.get(person.index)
    fines = known.fines if known else synthetic(person)
    due = sorted((fine for fine in fines if fine.on <= today), key=lambda fine: (fine.on, fine.id))
    return Look(tuple(due), known.temper if known else Temper.CALM)


def fine(number: str, today: date) -> FineRecord | None:
    """The fine ``number``, None when there is none by ``today``."""
    if _NUMBER.fullmatch(number) is None:
        return None
    person = by_index(owner(number))
    if person is None or person.born > today:
        return None
    return next((fine for fine in look(person, today).fines if fine.id == number), None)
