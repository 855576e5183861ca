"""What the dialog ``company`` asks for: bodies, their workers, what renewals of those cost."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Protocol

from bot.clock import local
from bot.dialogs.company.effects import (
    Bodies,
    Due,
    FindWorker,
    FindWorkerRefused,
    Found,
    ListBodies,
    ListWorkers,
    QuoteWorkers,
    Workers,
)
from bot.dialogs.renewal import Quoted, QuoteRefused, Wish
from bot.domain import Bill
from bot.errors import Malformed
from bot.i18n.text import Local, masked
from bot.ports import Asked, Clock, Effect, Executor, Failed
from bot.residency import RULES, assess
from bot.residency.facts import Body, Permit
from bot.rules import now as holding
from bot.services.renewals import QuoteLimits, priced


class Staff(Protocol):
    """What is asked of the registry; `bot.services.registry.Registry`.

    Each raises `OutsideError` when it does not answer.
    """

    async def bodies(self, actor: str) -> tuple[Body, ...]:
        """The companies and government bodies ``actor`` is an authorised user of."""
        ...

    async def workers_due(self, body: str, by: date, limit: int) -> tuple[Permit, ...]:
        """Workers of ``body`` whose residency ends no later than ``by``, the soonest first."""
        ...

    async def workers(self, body: str, civil_ids: Sequence[str]) -> tuple[Permit, ...]:
        """Those of ``civil_ids`` who work for ``body``."""
        ...


class Companies:
    """Looks workers up and prices their renewals. Who may ask is the gate's business (`bot.services.authority`).

    Args:
        staff: whose workers they are.
        clock: the time.
        limits: of prices.

    Every method raises `OutsideError` when the registry does not answer.
    """

    def __init__(self, staff: Staff, clock: Clock, limits: QuoteLimits) -> None:
        self._staff = staff
        self._clock = clock
        self._limits = limits

    async def bodies(self, _effect: ListBodies, asked: Asked) -> Bodies:
        """Execute `ListBodies`."""
        return Bodies(await self._staff.bodies(asked.actor))

    async def due(self, effect: ListWorkers, asked: Asked) -> Workers:
        """Execute `ListWorkers`: those whose renewal is open by its date."""
        today = self._today()
        by = today + timedelta(days=holding(RULES.renewal.window, today).days - 1)
        found = await self._staff.workers_due(effect.body, by, effect.limit + 1)
        listed = tuple(
            Due(permit.civil_id, _name(permit.name, asked.language), permit.expires.isoformat())
            for permit in found[: effect.limit]
        )
        return Workers(listed, more=len(found) > effect.limit)

    async def find(self, effect: FindWorker, _asked: Asked) -> Found:
        """Execute `FindWorker`.

        Raises:
            Failed: ``unknown``.
        """
        found = await self._known(effect.body, (effect.civil_id,))
        permit = found.get(effect.civil_id)
        if permit is None:
            raise Failed(FindWorkerRefused.UNKNOWN)
        return Found(
            assess(permit, self._today()),
            passport=permit.passport_expires.isoformat(),
            work_permit=permit.work_permit_until.isoformat() if permit.work_permit_until else "",
        )

    async def quote(self, effect: QuoteWorkers, _asked: Asked) -> Quoted:
        """Execute `QuoteWorkers`.

        Raises:
            Failed: a value of `QuoteRefused`.
        """
        found = await self._known(effect.body, tuple(wish.civil_id for wish in effect.wishes))
        if found.keys() != {wish.civil_id for wish in effect.wishes}:
            raise Failed(QuoteRefused.BLOCKED)  # somebody works for another body by now
        return priced(
            found,
            effect.wishes,
            Bill(_subject(effect.body, effect.wishes), body=effect.body),
            today=self._today(),
            now=self._clock.now(),
            limits=self._limits,
        )

    async def _known(self, body: str, civil_ids: tuple[str, ...]) -> dict[str, Permit]:
        found = {permit.civil_id: permit for permit in await self._staff.workers(body, civil_ids)}
        if not found.keys() <= set(civil_ids):
            raise Malformed("registry", "a worker nobody asked for")
        return found

    def _today(self) -> date:
        return local(self._clock.now()).date()


def executors(companies: Companies) -> dict[type[Effect], Executor]:
    """Who executes which effect of the dialog ``company``."""
    return {
        ListBodies: companies.bodies,
        ListWorkers: companies.due,
        FindWorker: companies.find,
        QuoteWorkers: companies.quote,
    }


def _name(name: Local, language: str) -> str:
    return (name.en or name.ar) if language == "en" else (name.ar or name.en)


def _subject(body: str, wishes: tuple[Wish, ...]) -> str:
    """Whose order it is: the one worker's number, else the body's; masked."""
    return masked(wishes[0].civil_id if len(wishes) == 1 else body).text
