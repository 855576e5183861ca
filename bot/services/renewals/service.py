"""A sponsor's file and its prices: the executors of the dialog ``renewal``."""

from datetime import date
from typing import Protocol

from bot.clock import local
from bot.dialogs.renewal import File, ListFile, Quoted, QuoteRenewals, Wish
from bot.domain import Bill
from bot.errors import Forbidden, Malformed, Unsigned
from bot.i18n.text import masked
from bot.ports import Asked, Clock, Effect, Executor
from bot.residency import assess
from bot.residency.facts import Kin, Permit
from bot.services.renewals.pricing import QuoteLimits, priced


class Files(Protocol):
    """Who is on whose file; `bot.services.registry.Registry`."""

    async def family(self, sponsor: str) -> tuple[Permit, ...]:
        """Residencies on the file of ``sponsor``, their own first.

        Raises:
            OutsideError: the registry does not answer.
        """
        ...


class Renewals:
    """Files of sponsors, and quotes for those on them.

    Args:
        files: the registry.
        clock: the time; what the day is, is decided in Kuwait.
        limits: of quotes.
    """

    def __init__(self, files: Files, clock: Clock, limits: QuoteLimits) -> None:
        self._files = files
        self._clock = clock
        self._limits = limits

    @property
    def today(self) -> date:
        """Today in Kuwait."""
        return local(self._clock.now()).date()

    async def file(self, actor: str) -> File:
        """Everyone on the file of ``actor`` as they stand today: themselves first, then by the day it ends.

        Raises:
            OutsideError: the registry does not answer, or says something else than its contract allows.
        """
        people = [assess(permit, self.today) for permit in await self._on_file(actor)]
        return File(tuple(sorted(people, key=lambda one: (one.kin is not Kin.SELF, one.expires, one.permit))))

    async def quote(self, actor: str, wishes: tuple[Wish, ...]) -> Quoted:
        """What ``wishes`` cost now, asked anew.

        Raises:
            Failed: a word of `bot.dialogs.renewal.QuoteRefused`.
            Forbidden: somebody wished for is not on the file of ``actor``.
            OutsideError: the registry does not answer, or nobody is wished for, or somebody twice.
        """
        wanted = {wish.civil_id for wish in wishes}
        if not wanted or len(wanted) != len(wishes):
            raise Malformed("renewals", "wishes for nobody, or twice for one person")
        permits = {permit.civil_id: permit for permit in await self._on_file(actor)}
        if not wanted <= permits.keys():
            raise Forbidden(QuoteRenewals.__name__)
        return priced(
            permits,
            wishes,
            Bill(masked(actor).text),
            today=self.today,
            now=self._clock.now(),
            limits=self._limits,
        )

    async def _on_file(self, actor: str) -> tuple[Permit, ...]:
        if not actor:
            raise Unsigned(ListFile.__name__)
        permits = await self._files.family(actor)
        if len({permit.civil_id for permit in permits}) != len(permits):
            raise Malformed("registry", "the same person twice")
        return permits


def executors(renewals: Renewals) -> dict[type[Effect], Executor]:
    """The effects that ``renewals`` executes. They change nothing, so the key is not needed."""

    async def list_file(effect: ListFile, asked: Asked) -> File:
        del effect
        return await renewals.file(asked.actor)

    async def quote_renewals(effect: QuoteRenewals, asked: Asked) -> Quoted:
        return await renewals.quote(asked.actor, effect.wishes)

    return {ListFile: list_file, QuoteRenewals: quote_renewals}
