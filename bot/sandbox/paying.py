"""What the sandbox registry checks before it records a payment: all of it, or it records nothing."""

from datetime import date, timedelta
from typing import Final

import msgspec
from msgspec import UNSET

from bot.clock import local
from bot.domain import Fine, FineKind
from bot.i18n.text import Local
from bot.residency import assess
from bot.residency.facts import Permit
from bot.residency.verdict import Block
from bot.sandbox.fines import FineRecord
from bot.sandbox.problems import Problem
from bot.sandbox.recorded import Recorded, Renewal
from bot.sandbox.records import Records
from bot.sandbox.wire import Paid, PaidItem

_LATEST: Final = timedelta(days=30)
"""How long after the money was taken a payment still counts by its own day."""


class Settled(msgspec.Struct, frozen=True):
    """What a payment settles: numbers of fines, and renewals."""

    fines: tuple[str, ...]
    renewals: tuple[Renewal, ...]


def settled(asked: Paid, records: Records, recorded: Recorded, now: int) -> Settled:
    """What ``asked`` settles, once every part of it is found payable at its amount.

    Fees and fines are those of the day the money was taken: recording may come after midnight.

    Raises:
        Problem: 409 with the word for what does not agree.
    """
    today, paid_on = local(now).date(), local(asked.paid_at).date()
    day = min(today, max(paid_on, today - _LATEST))
    fines: dict[str, int] = {}
    renewals: dict[str, PaidItem] = {}
    for item in asked.items:
        if item.fine is not UNSET:
            fines[item.fine] = fines.get(item.fine, 0) + item.fils
        elif item.permit is not UNSET:
            if item.permit in renewals:
                raise Problem(409, "not_renewable", "A residency is renewed twice")
            renewals[item.permit] = item
    for number, fils in fines.items():
        _check_fine(records.fine(number, day), number, fils, recorded)
    return Settled(
        tuple(fines), tuple(_renewal(item, set(fines), records, recorded, day) for item in renewals.values())
    )


def _check_fine(fine: FineRecord | None, number: str, fils: int, recorded: Recorded) -> None:
    if fine is None:
        raise Problem(409, "unknown_fine", "A fine does not exist")
    if recorded.paid_at(number) is not None:
        raise Problem(409, "already_paid", "A fine is recorded as paid under another order")
    if fine.barrier is not None:
        raise Problem(409, "not_payable", "A fine cannot be paid online")
    if fine.fils != fils:
        raise Problem(409, "amount_differs", "An amount is not the one due")


def _renewal(item: PaidItem, paid: set[str], records: Records, recorded: Recorded, day: date) -> Renewal:
    """The renewal that ``item`` pays, where nothing but the fines ``paid`` with it stands in the way."""
    number = str(item.permit)
    residency = records.by_permit(number, day)
    if residency is None:
        raise Problem(409, "unknown_permit", "A residency does not exist")
    due = [fine for fine in residency.fines if recorded.paid_at(fine.id) is None]
    permit: Permit = msgspec.structs.replace(
        residency.permit, fines=tuple(_fine(fine) for fine in due if fine.id not in paid)
    )
    candidate = assess(permit, day)
    blocks = {barrier.block for barrier in candidate.barriers}
    if Block.WINDOW in blocks and recorded.renewed_until(number) == permit.expires:
        raise Problem(409, "already_paid", "The renewal is recorded under another order")
    if blocks or candidate.fines:
        raise Problem(409, "not_renewable", "Something blocks the renewal")
    offer = candidate.offer(item.years) if isinstance(item.years, int) else None
    if offer is None:
        raise Problem(409, "years_not_offered", "The residency cannot be renewed for so long")
    if offer.fee != item.fils:
        raise Problem(409, "amount_differs", "An amount is not the one due")
    return Renewal(number, date.fromisoformat(offer.until))


def _fine(fine: FineRecord) -> Fine:
    title = Local(fine.title.ar, fine.title.en)
    return Fine(fine.id, FineKind(fine.kind), title, fine.on.isoformat(), fine.fils, fine.barrier or "")
