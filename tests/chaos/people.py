"""Whom the residents ask about: people of the sandbox's population, each for one walk only."""

import random
from collections.abc import Iterator
from datetime import date, timedelta

from bot.sandbox import population, relations
from bot.sandbox.cast import DEMO
from bot.sandbox.people import EPOCH as FIRST
from bot.sandbox.people import SERIALS, Person, by_index

_CAST = {known.person.index for known in DEMO} | set(relations.ROLES)


def _adults(chance: random.Random, *, tens: bool) -> Iterator[Person]:
    """Endless; ``tens``: only those whose place in the registers may head a family."""
    seen: set[int] = set(_CAST)
    while True:
        born = date(1960, 1, 1) + timedelta(days=chance.randrange(40 * 365))
        serial = chance.randrange(SERIALS)
        index = (born - FIRST).days * SERIALS + (serial // 10 * 10 if tens else serial)
        person = by_index(index)
        if person is not None and index not in seen:
            seen.add(index)
            yield person


def with_fines(chance: random.Random, today: date) -> Iterator[str]:
    """Civil IDs on which something payable stands."""
    for person in _adults(chance, tens=False):
        if any(fine.barrier is None for fine in population.look(person, today).fines):
            yield person.civil_id


def anybody(chance: random.Random) -> Iterator[str]:
    """Civil IDs, whatever stands on them."""
    for person in _adults(chance, tens=False):
        yield person.civil_id


def with_family(chance: random.Random, today: date) -> Iterator[str]:
    """Civil IDs with a family of two or more on the file, of whom one may be due."""
    for person in _adults(chance, tens=True):
        family = relations.dependants(person, today)
        due = [each for each in family if 0 <= (population.last_day(each, today) - today).days < 90]
        if len(family) > 1 and due:
            yield person.civil_id
