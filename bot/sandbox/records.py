"""The registry's records as they stand: what is known of people, and what was paid since."""

from bisect import bisect_right
from collections.abc import Iterable
from datetime import date
from functools import lru_cache
from typing import Final

import msgspec

from bot.residency.facts import Kin, Permit
from bot.sandbox import population, relations, residencies
from bot.sandbox.bodies import Employer
from bot.sandbox.fines import FineRecord
from bot.sandbox.people import Person
from bot.sandbox.recorded import Recorded

SETTLING: Final = 15 * 60
"""Seconds a paid fine stays visible: the ministry's page says data refresh within 15 minutes."""


class Residency(msgspec.Struct, frozen=True):
    """A permit with the fines of its holder, oldest first."""

    permit: Permit
    fines: tuple[FineRecord, ...]


class Records:
    """Reads what `bot.sandbox.population` computes and `Recorded` keeps as one."""

    def __init__(self, recorded: Recorded) -> None:
        self._recorded = recorded

    def fines(self, person: Person | None, today: date) -> tuple[FineRecord, ...]:
        """What ``person`` owes or has paid, oldest first."""
        found = population.look(person, today).fines
        if person is None or not (article := relations.place(person, today).article):
            return found
        late = population.overdue(person, article, self.last_day(person, today), today)
        return found if late is None else tuple(sorted((*found, late), key=lambda fine: (fine.on, fine.id)))

    def fine(self, number: str, today: date) -> FineRecord | None:
        """The fine with that number, None when there is none by ``today``."""
        person = population.whose(number, today)
        return next((fine for fine in self.fines(person, today) if fine.id == number), None)

    def shown(self, fines: Iterable[FineRecord], now: int) -> tuple[FineRecord, ...]:
        """``fines`` without those that were paid; those paid a moment ago are settling."""
        found: list[FineRecord] = []
        for fine in fines:
            paid_at = self._recorded.paid_at(fine.id)
            if paid_at is None:
                found.append(fine)
            elif now < paid_at + SETTLING:
                found.append(msgspec.structs.replace(fine, barrier="settling"))
        return tuple(found)

    def last_day(self, person: Person, today: date) -> date:
        """The last day of the residency, renewals counted."""
        natural = population.last_day(person, today)
        renewed = self._recorded.renewed_until(residencies.number(person.index))
        return natural if renewed is None else max(natural, renewed)

    def residency(self, person: Person, today: date, *, own: bool = False) -> Residency | None:
        """The residency of ``person``, None for none; ``own``: as seen by themselves."""
        permit = population.permit(person, today, self.last_day(person, today))
        if permit is None:
            return None
        if own:
            kin = permit.kin if relations.place(person, today).head is not None else None
            permit = msgspec.structs.replace(permit, kin=Kin.SELF, sponsor_kin=kin)
        return Residency(permit, self.fines(person, today))

    def family(self, sponsor: Person | None, today: date) -> tuple[Residency, ...]:
        """The sponsor's own residency, then those on their file."""
        if sponsor is None:
            return ()
        found = [self.residency(sponsor, today, own=True)]
        found += [self.residency(each, today) for each in relations.dependants(sponsor, today)]
        return tuple(each for each in found if each is not None)

    def by_permit(self, number: str, today: date) -> Residency | None:
        """The residency with that number."""
        person = population.by_permit(number, today)
        return None if person is None else self.residency(person, today)

    def bodies(self, actor: Person | None, by: date, today: date) -> tuple[tuple[Employer, int], ...]:
        """The bodies ``actor`` may act for, each with how many of its workers are due ``by`` a day."""
        if actor is None:
            return ()
        return tuple(
            (body, len(self._due(body.number, by, today))) for body in relations.users_bodies(actor, today)
        )

    def due(
        self, body: str, by: date, today: date, after: tuple[date, str] | None, limit: int
    ) -> tuple[tuple[Residency, ...], bool]:
        """Workers whose last day is not after ``by``, soonest first; whether there are more.

        Args:
            body: unified number.
            by: a day.
            today: the day it is.
            after: last day and permit number after which to go on.
            limit: at most so many.
        """
        rows = self._due(body, by, today)
        first = 0 if after is None else bisect_right([(day, number) for day, number, _ in rows], after)
        found = [self.residency(person, today) for _, _, person in rows[first : first + limit]]
        return tuple(each for each in found if each is not None), len(rows) > first + limit

    def worker(self, body: str, person: Person | None, today: date) -> Residency | None:
        """The residency of ``person``, None when they do not work for the body."""
        if person is None or relations.employer(person, today) != body:
            return None
        return self.residency(person, today)

    def _due(self, body: str, by: date, today: date) -> list[tuple[date, str, Person]]:
        rows: list[tuple[date, str, Person]] = []
        for natural, number, person in _last_days(body, today):
            if natural > by:
                break
            renewed = self._recorded.renewed_until(number)
            last = natural if renewed is None else max(natural, renewed)
            if last <= by:
                rows.append((last, number, person))
        return sorted(rows, key=lambda row: row[:2])


@lru_cache(maxsize=16)
def _last_days(body: str, today: date) -> tuple[tuple[date, str, Person], ...]:
    """Last days of a body's workers as they are without renewals, with permit numbers, soonest first."""
    rows = [
        (population.last_day(person, today), residencies.number(person.index), person)
        for person in relations.workers(body, today)
    ]
    return tuple(sorted(rows, key=lambda row: row[:2]))
