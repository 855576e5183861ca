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
    if today < opens(permit, today, rules):
        yield _filled(Block.WINDOW, permit, today, rules)
    if not span.possible:
        yield Barrier(Block.OTHER, department=RESIDENCY_AFFAIRS, phone=RESIDENCY_PHONE)
    if insured(permit) < first_end(permit, span.possible):
        yield _filled(Block.INSURANCE, permit, today, rules)
    if permit.passport_expires < _passport_until(permit, today, rules):
        yield _filled(Block.PASSPORT_EXPIRY, permit, today, rules)
    if permit.work_permit_until is not None and permit.work_permit_until < today:
        yield _filled(Block.WORK_PERMIT, permit, today, rules)
    back = back_by(permit, today, rules)
    if back is not None and back < today:
        yield _filled(Block.ABROAD, permit, today, rules)


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
        yield _filled(Block.LATIN_NAME, permit, today, rules)
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
    """What the registry adds. Where it says less than a block of ours needs, its department explains it."""
    missing = {
        Block.WINDOW: today >= opens(permit, today, rules),
        Block.WORK_PERMIT: permit.work_permit_until is None,
        Block.ABROAD: permit.abroad_since is None,
    }
    block = Block(stop.code) if stop.code in _BLOCKS else Block.OTHER
    if missing.get(block, block is Block.OTHER):
        if not stop.department.ar and not stop.department.en:
            return Barrier(Block.OTHER, department=RESIDENCY_AFFAIRS, phone=stop.phone or RESIDENCY_PHONE)
        return Barrier(Block.OTHER, department=stop.department, phone=stop.phone)
    filled = _filled(block, permit, today, rules)
    return Barrier(
        block,
        day=filled.day,
        until=filled.until,
        fils=filled.fils,
        department=stop.department,
        phone=stop.phone,
        written=filled.written,
        printed=filled.printed,
    )


def _filled(block: Block, permit: Permit, today: date, rules: Rules) -> Barrier:
    """The block with the fields that its kind needs, as far as the permit knows them."""
    match block:
        case Block.WINDOW:
            return Barrier(block, day=opens(permit, today, rules).isoformat())
        case Block.INSURANCE:
            span = durations(permit, today, rules)
            return Barrier(
                block,
                day=_iso(permit.insured_until),
                until=first_end(permit, span.possible).isoformat(),
                fils=insurance_year(permit, today, rules) or 0,
            )
        case Block.PASSPORT_EXPIRY:
            until = _passport_until(permit, today, rules).isoformat()
            return Barrier(block, day=permit.passport_expires.isoformat(), until=until)
        case Block.WORK_PERMIT:
            return Barrier(block, day=_iso(permit.work_permit_until))
        case Block.ABROAD:
            return Barrier(block, day=_iso(permit.abroad_since))
        case Block.LATIN_NAME:
            return Barrier(block, written=permit.latin, printed=permit.passport_latin)
        case _:
            return Barrier(block)


def _passport_until(permit: Permit, today: date, rules: Rules) -> date:
    """Until when the passport must be valid: some months, and the new residency where the rules tie it to it."""
    rule = now(rules.renewal.passport, today)
    until = add_months(today, rule.months)
    if not rule.caps:
        return until
    return max(until, first_end(permit, durations(permit, today, rules).possible))


def _iso(day: date | None) -> str:
    return "" if day is None else day.isoformat()


def _folded(name: str) -> str:
    """``name`` without what two offices spell differently: case, width, spaces and hyphens."""
    plain = unicodedata.normalize("NFKC", name).casefold()
    return "".join(sign for sign in plain if unicodedata.category(sign) not in {"Zs", "Pd"})
