"""What blocks a renewal: every block at once, before any money."""

import unicodedata
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final

from bot.domain import RESIDENCY_PHONE, Unpayable
from bot.i18n.text import Local
from bot.residency.calendar import add_months
from bot.residency.durations import back_by, durations, first_end, insured
from bot.residency.facts import Creditor, Kin, Permit, Stop
from bot.residency.prices import fee_year, insurance_year
from bot.residency.verdict import Barrier, Block
from bot.rules import Rules, now

RESIDENCY_AFFAIRS: Final = Local("الإدارة العامة لشؤون الإقامة", "General Department of Residency Affairs")
_BLOCKS: Final = list(Block)
_CREDITORS: Final = list(Creditor)


def barriers(permit: Permit, today: date, rules: Rules) -> tuple[Barrier, ...]:
    """Every block on renewing ``permit`` on ``today``, in the order of `Block`; none where it can be renewed."""
    found = [*_dates(permit, today, rules), *_records(permit, today, rules)]
    blocks = {barrier.block for barrier in found}
    for stop in permit.stops:
        barrier = _stopped(stop, permit, today, rules)
        if barrier.block is Block.OTHER or barrier.block not in blocks:
            blocks.add(barrier.block)
            found.append(barrier)
    return tuple(sorted(dict.fromkeys(found), key=_place))


def _place(barrier: Barrier) -> tuple[int, int, str, str]:
    return (
        _BLOCKS.index(barrier.block),
        _CREDITORS.index(barrier.creditor),
        barrier.department.en,
        barrier.phone,
    )


def opens(permit: Permit, today: date, rules: Rules) -> date:
    """The first day on which the residency may be renewed: fewer days remain than the window has."""
    return permit.expires - timedelta(days=now(rules.renewal.window, today).days - 1)


def _dates(permit: Permit, today: date, rules: Rules) -> Iterator[Barrier]:
    """What has to do with days: window, durations, insurance, passport, work permit, absence."""
    span = durations(permit, today, rules)
    start = opens(permit, today, rules)
    if today < start:
        yield Barrier(Block.WINDOW, day=start.isoformat())
    if not span.possible:
        yield Barrier(Block.OTHER, department=RESIDENCY_AFFAIRS, phone=RESIDENCY_PHONE)
    end = first_end(permit, span.possible)
    if insured(permit) < end:
        year = insurance_year(permit, today, rules) or 0
        yield Barrier(Block.INSURANCE, day=_iso(permit.insured_until), until=end.isoformat(), fils=year)
    valid = _passport_until(end, today, rules)
    if permit.passport_expires < valid:
        day = permit.passport_expires.isoformat()
        yield Barrier(Block.PASSPORT_EXPIRY, day=day, until=valid.isoformat())
    if permit.work_permit_until is not None and permit.work_permit_until < today:
        yield Barrier(Block.WORK_PERMIT, day=_iso(permit.work_permit_until))
    back = back_by(permit, today, rules)
    if back is not None and back < today:
        yield Barrier(Block.ABROAD, day=_iso(permit.abroad_since))


def _records(permit: Permit, today: date, rules: Rules) -> Iterator[Barrier]:
    """What has to do with records: fines, debts, names, fingerprint, who may renew, and the fee."""
    held = [fine.fils for fine in permit.fines if fine.barrier not in {"", Unpayable.SETTLING}]
    if held:
        yield Barrier(Block.FINES, fils=sum(held))
    if now(rules.renewal.debts, today).blocks:
        yield from _debts(permit)
    if not permit.passport_moved:
        yield Barrier(Block.PASSPORT_DATA)
    if permit.passport_latin and _folded(permit.latin) != _folded(permit.passport_latin):
        yield Barrier(Block.LATIN_NAME, written=permit.latin, printed=permit.passport_latin)
    if not permit.biometric and now(rules.renewal.biometric, today).blocks:
        yield Barrier(Block.BIOMETRIC)
    if permit.kin is Kin.SELF and permit.article in now(rules.renewal.employer, today).articles:
        yield Barrier(Block.EMPLOYER)
    if fee_year(permit, today, rules) is None:
        yield Barrier(Block.FEE)


def _debts(permit: Permit) -> Iterator[Barrier]:
    """One block a creditor; an unknown amount makes the sum unknown."""
    for creditor in Creditor:
        owed = [debt.fils for debt in permit.debts if debt.creditor is creditor]
        if owed:
            yield Barrier(Block.DEBTS, fils=sum(owed) if all(owed) else 0, creditor=creditor)


def _stopped(stop: Stop, permit: Permit, today: date, rules: Rules) -> Barrier:
    """What the registry adds. Days are left out: those on record did not show the block."""
    block = Block(stop.code) if stop.code in _BLOCKS else Block.OTHER
    department, phone = stop.department, stop.phone
    match block:
        case Block.OTHER if not department.ar and not department.en:
            return Barrier(block, department=RESIDENCY_AFFAIRS, phone=phone or RESIDENCY_PHONE)
        case Block.INSURANCE:
            year = insurance_year(permit, today, rules) or 0
            return Barrier(
                block, day=_iso(permit.insured_until), fils=year, department=department, phone=phone
            )
        case Block.LATIN_NAME:
            return Barrier(
                block,
                department=department,
                phone=phone,
                written=permit.latin,
                printed=permit.passport_latin,
            )
        case _:
            return Barrier(block, department=department, phone=phone)


def _passport_until(end: date, today: date, rules: Rules) -> date:
    """Until when the passport must be valid: some months, and the new residency where the rules tie it to it."""
    rule = now(rules.renewal.passport, today)
    until = add_months(today, rule.months)
    return max(until, end) if rule.caps else until


def _iso(day: date | None) -> str:
    return "" if day is None else day.isoformat()


def _folded(name: str) -> str:
    """``name`` without what two offices spell differently: case, width, spaces and hyphens."""
    plain = unicodedata.normalize("NFKC", name).casefold()
    return "".join(sign for sign in plain if unicodedata.category(sign) not in {"Zs", "Pd"})
