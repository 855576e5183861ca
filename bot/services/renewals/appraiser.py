"""Whether the lines of an order still cost what they say: asked before each link to a payment page."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Protocol

from bot.clock import local
from bot.domain import Item, ItemKind
from bot.ports import Clock
from bot.residency import lines
from bot.residency.facts import Permit

Line = tuple[str, ItemKind, int, int, str]


class Permits(Protocol):
    """Residencies by number, and who works where; `bot.services.registry.Registry`."""

    async def permits(self, numbers: Sequence[str]) -> tuple[Permit, ...]:
        """The residencies with these numbers; those nobody knows are left out.

        Raises:
            OutsideError: the registry does not answer.
        """
        ...

    async def workers(self, body: str, civil_ids: Sequence[str]) -> tuple[Permit, ...]:
        """The residencies of these workers of the body; who is no worker of it is left out.

        Raises:
            OutsideError: the registry does not answer.
        """
        ...


class Appraiser:
    """Implements `bot.services.orders.Appraiser` on the registry and the rules of the day.

    Args:
        permits: the registry.
        clock: the time; what the day is, is decided in Kuwait.
    """

    def __init__(self, permits: Permits, clock: Clock) -> None:
        self._permits = permits
        self._clock = clock

    async def holds(self, items: tuple[Item, ...], owners: tuple[str, ...], body: str) -> bool:
        """Whether each renewal, and each fine paid with it, can be had now for what its line says.

        Args:
            items: all lines of an order; parts without a renewal are the registry's business when recorded.
            owners: civil IDs of those whose residencies they renew; none: do not check whose they are.
            body: unified number of the company or government body they work for, empty for a family.

        Raises:
            OutsideError: the registry does not say.
        """
        parts: defaultdict[int, list[Item]] = defaultdict(list)
        for item in items:
            parts[item.part].append(item)
        renewals = {
            part: [item for item in of_part if item.kind is ItemKind.RENEWAL]
            for part, of_part in parts.items()
        }
        numbers = [item.number for of_part in renewals.values() for item in of_part]
        if len(set(numbers)) != len(numbers):
            return False
        permits = {permit.number: permit for permit in await self._permits.permits(numbers)}
        if permits.keys() != set(numbers) or not await self._theirs(permits.values(), owners, body):
            return False
        today = local(self._clock.now()).date()
        for part, of_part in renewals.items():
            for item in of_part:
                wanted = lines(permits[item.number], item.years, today, part)
                if _compared(wanted) != _compared(parts[part]):
                    return False
        return True

    async def _theirs(self, permits: Iterable[Permit], owners: tuple[str, ...], body: str) -> bool:
        """Whether these are the residencies of ``owners``, and those work for ``body``."""
        people = {permit.civil_id for permit in permits}
        if owners and not people <= set(owners):
            return False
        if not body:
            return True
        working = {permit.civil_id for permit in await self._permits.workers(body, sorted(people))}
        return people <= working


def _compared(items: Iterable[Item]) -> list[Line]:
    """What a price is: every line but for its words."""
    return sorted((item.number, item.kind, item.fils, item.years, item.until) for item in items)
