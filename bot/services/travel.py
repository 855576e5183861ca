"""What a stay has cost so far and what stands before a journey: one's own residency, with the rules of the day."""

from collections.abc import Mapping
from datetime import date
from typing import Protocol

from bot.clock import local
from bot.dialogs.family_join import AskDay, Today
from bot.dialogs.overstay import (
    CheckOverstay,
    CheckTravel,
    Clearance,
    EstimateOverstay,
    NoPermit,
    Rates,
    Stay,
)
from bot.domain import Fine, FineKind, Unpayable
from bot.i18n.text import masked
from bot.ports import Asked, Clock, Effect, Executor, Failed
from bot.residency.facts import Kin, Permit
from bot.residency.overstay import Case, case_of, estimate, newborn_due
from bot.residency.travel import hurdles, return_by
from bot.rules import RULES, Rules, now
from bot.rules.travel import TRAVEL, TravelRules


class Files(Protocol):
    """Who is on whose file; `bot.services.registry.Registry`."""

    async def family(self, sponsor: str) -> tuple[Permit, ...]:
        """The residencies on the file of ``sponsor``, their own first where they have one.

        Raises:
            OutsideError: the registry does not answer.
        """
        ...


class Travel:
    """Executes the effects of the dialogs ``overstay`` and ``family_join``.

    Args:
        files: where one's own residency is found.
        clock: says which day it is in Kuwait.
        rules: amounts, limits and waivers.
        travel: what a journey needs.
    """

    def __init__(
        self, files: Files, clock: Clock, rules: Rules = RULES, travel: TravelRules = TRAVEL
    ) -> None:
        self._files = files
        self._clock = clock
        self._rules = rules
        self._travel = travel

    async def check_overstay(self, effect: CheckOverstay, asked: Asked) -> Stay:
        """How late whoever is signed in is, what is recorded for it, and an estimate.

        Raises:
            Failed: ``no_permit``.
            OutsideError: the registry does not answer.
        """
        del effect
        return own_stay(await self._own(asked.actor), self._today(), self._rules)

    async def estimate_overstay(self, effect: EstimateOverstay, asked: Asked) -> Stay:
        """What a stay would cost by the rules alone."""
        del asked
        today, last = self._today(), date.fromisoformat(effect.last)
        if effect.case is Case.NEWBORN:
            last = newborn_due(last, today, self._rules)
        return stay(effect.case, last, today, self._rules)

    async def check_travel(self, effect: CheckTravel, asked: Asked) -> Clearance:
        """What stands between whoever is signed in and leaving.

        Raises:
            Failed: ``no_permit``.
            OutsideError: the registry does not answer.
        """
        del effect
        return clearance(await self._own(asked.actor), self._today(), self._rules, self._travel)

    async def ask_day(self, effect: AskDay, asked: Asked) -> Today:
        """Which day it is in Kuwait: conditions and fees hold from a day on."""
        del effect, asked
        return Today(self._today().isoformat())

    def executors(self) -> Mapping[type[Effect], Executor]:
        """Who executes which effect."""
        return {
            CheckOverstay: self.check_overstay,
            EstimateOverstay: self.estimate_overstay,
            CheckTravel: self.check_travel,
            AskDay: self.ask_day,
        }

    async def _own(self, actor: str) -> Permit:
        for permit in await self._files.family(actor):
            if permit.kin is Kin.SELF and permit.civil_id == actor:
                return permit
        raise Failed(NoPermit.NO_PERMIT)

    def _today(self) -> date:
        return local(self._clock.now()).date()


def stay(
    case: Case, last: date, today: date, rules: Rules, *, subject: str = "", fines: tuple[Fine, ...] = ()
) -> Stay:
    """A stay as it stands on ``today``; ``last`` is the last allowed day."""
    late = last < today
    daily = now(rules.overstay.of(case).period, today)
    return Stay(
        case,
        last.isoformat(),
        today.isoformat(),
        subject,
        fines,
        estimate(case, last, today, rules) if late else None,
        Rates(daily.first.isoformat(), daily.first_month, daily.after),
        _waived(case, last, today, rules) if late else (),
    )


def own_stay(permit: Permit, today: date, rules: Rules) -> Stay:
    """How late the holder of ``permit`` is."""
    fines = (fine for fine in permit.fines if fine.kind is FineKind.RESIDENCY)
    return stay(
        case_of(permit.article, rules),
        permit.expires,
        today,
        rules,
        subject=masked(permit.civil_id).text,
        fines=tuple(sorted(fines, key=_when)),
    )


def clearance(permit: Permit, today: date, rules: Rules, travel: TravelRules) -> Clearance:
    """How the holder of ``permit`` stands before a journey."""
    back = return_by(permit, today, rules)
    return Clearance(
        subject=masked(permit.civil_id).text,
        on=today.isoformat(),
        expires=permit.expires.isoformat(),
        found=hurdles(permit, today, rules, travel),
        fines=tuple(sorted((fine for fine in permit.fines if fine.payable), key=_when)),
        settling=sum(fine.barrier == Unpayable.SETTLING for fine in permit.fines),
        abroad_since=permit.abroad_since.isoformat() if permit.abroad_since else "",
        back_by=back.isoformat() if back else "",
    )


def _waived(case: Case, last: date, today: date, rules: Rules) -> tuple[str, ...]:
    """The latest window that spares late days, or days from today on."""
    for waiver in sorted(rules.waivers.fines(case), key=lambda one: one.first, reverse=True):
        if waiver.last is not None and last < waiver.last and waiver.first <= today:
            return waiver.first.isoformat(), waiver.last.isoformat()
    return ()


def _when(fine: Fine) -> str:
    return fine.on
