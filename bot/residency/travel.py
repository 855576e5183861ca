"""What stands between somebody and leaving Kuwait, as the registry has it. Pure.

Courts can keep people from leaving without the registry's knowledge: nothing found is no promise.
"""

from collections.abc import Iterator
from datetime import date
from enum import StrEnum

import msgspec

from bot.domain import FineKind, Unpayable
from bot.residency.durations import back_by
from bot.residency.facts import Creditor, Permit
from bot.rules import Rules, now
from bot.rules.travel import TravelRules


class Hurdle(StrEnum):
    """Something to clear before leaving."""

    BAN = "ban"  # منع سفر
    RESIDENCY = "residency"  # over
    PASSPORT = "passport"  # over
    FINES = "fines"  # of one kind, payable online
    BARRED = "barred"  # of one kind, not payable online
    DEBT = "debt"  # to another state body
    EXIT_PERMIT = "exit_permit"  # إذن مغادرة: none, or a past one
    BIOMETRIC = "biometric"
    ABROAD = "abroad"  # away for longer than the law allows


class Found(msgspec.Struct, frozen=True, array_like=True):
    """One hurdle; only the fields that it needs are filled.

    Attributes:
        hurdle: which.
        day: the last day of what is over; of `ABROAD` the first day abroad. ISO 8601.
        kind: of fines: a value of `bot.domain.FineKind`.
        fils: how much; 0 where the registry does not say.
        creditor: of a debt.
        must: of a debt: a rule says that it keeps people from leaving.
    """

    hurdle: Hurdle
    day: str = ""
    kind: str = ""
    fils: int = 0
    creditor: Creditor = Creditor.OTHER
    must: bool = False


def hurdles(permit: Permit, today: date, rules: Rules, travel: TravelRules) -> tuple[Found, ...]:
    """Everything at once, the gravest first."""
    return (
        *_papers(permit, today, rules),
        *_dues(permit, today, travel),
        *_leave(permit, today, rules, travel),
    )


def return_by(permit: Permit, today: date, rules: Rules) -> date | None:
    """The last day to be back without losing the residency: of the stay abroad that lasts, else of one from today on.

    None where the law sets no limit.
    """
    away = permit.abroad_since or today
    return back_by(msgspec.structs.replace(permit, abroad_since=away), today, rules)


def _papers(permit: Permit, today: date, rules: Rules) -> Iterator[Found]:
    """What courts, residency and passport say."""
    if permit.travel_ban:
        yield Found(Hurdle.BAN)
    if permit.expires < today:
        yield Found(Hurdle.RESIDENCY, permit.expires.isoformat())
    if permit.passport_expires < today:
        yield Found(Hurdle.PASSPORT, permit.passport_expires.isoformat())
    back = return_by(permit, today, rules)
    if permit.abroad_since and back is not None and back < today:
        yield Found(Hurdle.ABROAD, permit.abroad_since.isoformat())


def _dues(permit: Permit, today: date, travel: TravelRules) -> Iterator[Found]:
    """Fines by kind, debts by creditor; an unknown amount makes a creditor's sum unknown."""
    for kind in FineKind:
        held = [fine for fine in permit.fines if fine.kind is kind and fine.barrier != Unpayable.SETTLING]
        for hurdle, payable in ((Hurdle.FINES, True), (Hurdle.BARRED, False)):
            fils = sum(fine.fils for fine in held if fine.payable is payable)
            if fils:
                yield Found(hurdle, kind=kind.value, fils=fils)
    must = now(travel.dues, today).creditors
    for creditor in Creditor:
        owed = [debt.fils for debt in permit.debts if debt.creditor is creditor]
        if owed:
            total = sum(owed) if all(owed) else 0
            yield Found(Hurdle.DEBT, fils=total, creditor=creditor, must=creditor.value in must)


def _leave(permit: Permit, today: date, rules: Rules, travel: TravelRules) -> Iterator[Found]:
    """Exit permit and fingerprint."""
    until = permit.exit_permit_until
    if permit.article in now(travel.exit_permit, today).articles and (until is None or until < today):
        yield Found(Hurdle.EXIT_PERMIT, until.isoformat() if until else "")
    if not permit.biometric and now(rules.renewal.biometric, today).blocks:
        yield Found(Hurdle.BIOMETRIC)
