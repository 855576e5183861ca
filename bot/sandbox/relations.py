"""Who stands for whom: families, and companies with their workers; the cast first, the population otherwise.

Computed like everything else about people: the same today and tomorrow, and nothing is stored.
"""

from datetime import date
from typing import Final

from bot.sandbox import bodies, cast_bodies, cast_families, households
from bot.sandbox.bodies import Employer
from bot.sandbox.households import ADULT, Place
from bot.sandbox.people import Person, age, draw
from bot.sandbox.scripts import Role

ROLES: Final[dict[int, Role]] = {
    role.person.index: role for role in (*cast_families.ROLES, *cast_bodies.ROLES)
}
"""People of the cast whose residencies are made up, by index."""

_FILES: Final[dict[int, tuple[Person, ...]]] = {
    head: tuple(
        role.person
        for role in cast_families.ROLES
        if role.place.head is not None and role.place.head.index == head
    )
    for head in ROLES
}


def place(person: Person, today: date) -> Place:
    """Where ``person`` stands by ``today``."""
    role = ROLES.get(person.index)
    if role is not None:
        return role.place
    found = households.place(person, today)
    if found.head is not None and found.head.index in ROLES:
        return households.alone(person, today)
    return found


def dependants(person: Person, today: date) -> tuple[Person, ...]:
    """Those on the file of ``person`` as a family sponsor."""
    if person.index in ROLES:
        return _FILES[person.index]
    return tuple(each for each in households.dependants(person, today) if each.index not in ROLES)


def users_bodies(person: Person, today: date) -> tuple[Employer, ...]:
    """The bodies ``person`` is an authorised user of; one adult in four is of one, or two."""
    if person.index in ROLES:
        return cast_bodies.GRANTS.get(person.index, ())
    if age(person, today) < ADULT or draw(person.index, "signs", 4):
        return ()
    count = 2 if draw(person.index, "signs for two", 5) == 0 else 1
    # The first body is the cast's.
    indices = {1 + draw(person.index, f"signs for {each}", bodies.COUNT - 1) for each in range(count)}
    return tuple(bodies.employer(index) for index in sorted(indices))


def employer(person: Person, today: date) -> str | None:
    """The unified number of the body ``person`` works for, None for none that is known."""
    if person.index in ROLES:
        return cast_bodies.EMPLOYER_OF.get(person.index)
    body = place(person, today).body
    return None if body is None else bodies.number(body)


def workers(number: str, today: date) -> tuple[Person, ...]:
    """The workers of the body with the unified number."""
    staff = cast_bodies.STAFF.get(number)
    if staff is not None:
        return tuple(role.person for role in staff)
    index = bodies.by_number(number)
    if index is None:
        return ()
    return tuple(
        each
        for each in bodies.workers(index)
        if each.index not in ROLES and age(each, today) >= households.WORKING
    )
