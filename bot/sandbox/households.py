"""Who is on whose file, computed both ways: from a sponsor their dependants, from a dependant their sponsor.

The serial number of a civil ID ends in a digit: 0 is the head of a household, 1 to 6 are its dependants, each
born so many days apart from the head as the rest of the serial says. The others live alone.
"""

from datetime import date
from typing import Final

import msgspec

from bot.residency.facts import Kin
from bot.sandbox import bodies
from bot.sandbox.people import SERIALS, Person, age, by_index, draw

WORKING: Final = 18
"""Age in years from which people work, and have a residency of their own."""

ADULT: Final = 21
"""Age in years under which nobody sponsors or signs for a company here."""

_SPOUSE, _OTHER, _DOMESTIC = 1, 5, 6
_CHILDREN: Final = (2, 3, 4)
_SHARES: Final = {1: 65, 2: 60, 3: 45, 4: 30, 5: 15, 6: 20}
"""Of 100 heads so many have the dependant."""

_AT_KUWAITI_MEN: Final = {1: 15, 6: 70}
_AT_KUWAITI_WOMEN: Final = {1: 15, 2: 15, 3: 10, 6: 70}
"""Likewise of 100 Kuwaiti heads; children of the men are Kuwaitis."""

_GROWN: Final = 26  # age at which children leave the file
_YEAR: Final = 365
_APART: Final = {1: (-8, 8), 2: (22, 36), 3: (22, 36), 4: (22, 36), 5: (-38, -20), 6: (-12, 16)}
"""Years a dependant is born after the head, from and to."""

_EMPLOYED: Final = (17, 18)
_OTHERS: Final = (Kin.MOTHER, Kin.MOTHER, Kin.FATHER, Kin.BROTHER, Kin.SISTER, Kin.OTHER)
_ARTICLES: Final = (
    (0,) * 34 + (24,) * 14 + (19,) * 8 + (21,) * 6 + (25,) * 6 + (31,) * 3 + (30,) * 2 + (23,) * 5
)
"""Article of a hundred people without an employer who is known here, 0 for Kuwaitis; the rest are on 18."""


class Place(msgspec.Struct, frozen=True):
    """Where somebody stands.

    Attributes:
        kin: to the head, or to the employer; `SELF` for those who have neither.
        article: of the residency, 0 for a Kuwaiti.
        head: whose file it is, None for no family's.
        body: index of the employer (`bot.sandbox.bodies`), None for none that is known.
    """

    kin: Kin
    article: int
    head: Person | None = None
    body: int | None = None


def place(person: Person, today: date) -> Place:
    """Where ``person`` stands by ``today``."""
    slot = person.index % 10
    if slot in _SHARES:
        head = _head(person)
        if head is not None and (kin := _kin(head, person, slot, today)) is not None:
            return Place(kin, 20 if kin is Kin.DOMESTIC else 22, head)
    return alone(person, today)


def dependants(head: Person, today: date) -> tuple[Person, ...]:
    """Those on the file of ``head``: spouse, children, others, domestic workers."""
    if head.index % 10:
        return ()
    found: list[Person] = []
    for slot in _SHARES:
        day = head.index // SERIALS + _apart(head.index // 10 % (SERIALS // 10), slot)
        person = by_index(day * SERIALS + head.index % SERIALS + slot)
        if person is not None and _kin(head, person, slot, today) is not None:
            found.append(person)
    return tuple(found)


def woman(person: Person, kin: Kin, head: Person | None) -> bool:
    """Whether ``person``, who is ``kin`` to ``head``, is a woman."""
    if kin in {Kin.WIFE, Kin.DAUGHTER, Kin.MOTHER, Kin.SISTER}:
        return True
    if kin in {Kin.HUSBAND, Kin.SON, Kin.FATHER, Kin.BROTHER}:
        return False
    return draw(person.index, "woman", 5 if head is None else 2) == 0


def _head(person: Person) -> Person | None:
    slot = person.index % 10
    day = person.index // SERIALS - _apart(person.index // 10 % (SERIALS // 10), slot)
    return by_index(day * SERIALS + person.index % SERIALS - slot) if day >= 0 else None


def _apart(tens: int, slot: int) -> int:
    """Days from the head's birth to the dependant's: of serials, not of people, so that it leads back."""
    first, last = _APART[slot]
    return first * _YEAR + draw(tens * 10 + slot, "apart", (last - first) * _YEAR)


def _kin(head: Person, person: Person, slot: int, today: date) -> Kin | None:
    """What ``person`` at ``slot`` is to ``head``; None when the place is not taken (any more, or yet)."""
    years, of_head = age(person, today), age(head, today)
    shares = _SHARES
    if not alone(head, today).article:
        shares = _AT_KUWAITI_WOMEN if woman(head, Kin.SELF, None) else _AT_KUWAITI_MEN
    if not of_head >= ADULT or draw(head.index, f"dependant {slot}", 100) >= shares.get(slot, 0):
        return None
    kin: Kin | None = None
    if slot == _SPOUSE and years >= WORKING:
        kin = Kin.HUSBAND if woman(head, Kin.SELF, None) else Kin.WIFE
    elif slot in _CHILDREN and 0 <= years < _GROWN:
        kin = Kin.DAUGHTER if draw(person.index, "girl", 2) else Kin.SON
    elif slot == _OTHER and years >= ADULT:
        kin = _OTHERS[draw(person.index, "other", len(_OTHERS))]
    elif slot == _DOMESTIC and years >= ADULT:
        kin = Kin.DOMESTIC
    return kin


def alone(person: Person, today: date) -> Place:
    """Where ``person`` stands who is on nobody's family file."""
    years = age(person, today)
    if years < WORKING:
        return Place(Kin.SELF, 0)  # a Kuwaiti child: nobody else's children are without a file
    body = bodies.body_of(person)
    if body is not None:
        return Place(Kin.WORKER, 17 if bodies.employer(body).government else 18, body=body)
    share = draw(person.index, "article", 100)
    article = _ARTICLES[share] if share < len(_ARTICLES) else 18
    return standing(article)


def standing(article: int) -> Place:
    """Where somebody with the article stands who is on nobody's family file, their employer not known here."""
    return Place(Kin.WORKER if article in _EMPLOYED else Kin.SELF, article)
