"""How an order stands, in the words of the checkout dialog."""

from collections.abc import Callable, Sequence
from typing import Final

from bot.dialogs.checkout import PEOPLE, Recording, RefusalReason, Share, Shares, Standing, Status
from bot.domain import ItemKind
from bot.services.ledger import (
    Attempt,
    AttemptStatus,
    Notice,
    Order,
    OrderStatus,
    PostingStatus,
    RefundRow,
    RefundStatus,
)
from bot.services.ledger.queries import Reads

NOTHING: Final = Shares()


async def stand(read: Reads, order: Order, receipt: Callable[[str], str]) -> Standing:
    """How ``order`` stands; ``receipt``: address of a paid order's PDF."""
    shares = await _shares(read, order)
    return standing(order, await read.attempts(order.id), await read.order_refunds(order.id), receipt, shares)


async def still_holds(read: Reads, order: Order, notice: Notice) -> bool:
    """Whether what ``notice`` says is so by now, however late it is told.

    A refusal is overtaken by a new try and by any payment: it says that nothing was taken. A review is
    overtaken when nothing waits for a person any more.
    """
    if notice.kind not in {"refused", "review"}:
        return True
    attempts = await read.attempts(order.id)
    if notice.kind == "refused":
        ended = attempts[-1].status in {AttemptStatus.FAILED, AttemptStatus.EXPIRED}
        return order.status is OrderStatus.CANCELLED or (order.status is OrderStatus.OPEN and ended)
    return order.status is OrderStatus.REVIEW or any(each.status is AttemptStatus.REVIEW for each in attempts)


async def _shares(read: Reads, order: Order) -> Shares:
    tally = await read.tally(order.id)
    found = await read.shares(order.id, PEOPLE) if tally.renewals else []
    people = tuple(
        Share(
            who=each.lead.title,
            years=each.lead.years,
            until=each.lead.until,
            state=Recording(each.status or PostingStatus.PENDING),
            fines=each.others + (each.lead.kind is not ItemKind.RENEWAL),
        )
        for each in found
    )
    return Shares(tally.fines, tally.renewals, tally.recorded, tally.refused, people)


def standing(
    order: Order,
    attempts: Sequence[Attempt],
    refunds: Sequence[RefundRow],
    receipt: Callable[[str], str],
    shares: Shares = NOTHING,
) -> Standing:
    """How the order stands, from its attempts (oldest first), what went back and what is recorded."""
    paid = order.paid_at > 0
    status, reason = _status(order, attempts)
    told = _told_of(order, attempts)
    when = told.updated if told is not None and status is Status.REFUSED else 0
    return Standing(
        status=status,
        receipt=order.ref if paid else "",
        bank=order.bank,
        fils=order.total_fils,
        at=order.paid_at or when,
        reason=reason,
        payment=told.payment if told else "",
        track=told.track if told else "",
        paper=receipt(order.ref) if paid else "",
        refunded=sum(_given_back(told, refunds)),
        shares=shares,
    )


def _told_of(order: Order, attempts: Sequence[Attempt]) -> Attempt | None:
    """The attempt whose numbers a resident is told: the one the order was settled by, else the newest."""
    paid = (each for each in attempts if each.status in _PAID and each.bank == order.bank)
    return next(paid, attempts[-1] if attempts else None)


def _given_back(told: Attempt | None, refunds: Sequence[RefundRow]) -> list[int]:
    """What went back of that payment; what went back of a second one is not the order's."""
    return [
        each.fils
        for each in refunds
        if told is not None and each.attempt_id == told.id and each.status is RefundStatus.DONE
    ]


def _status(order: Order, attempts: Sequence[Attempt]) -> tuple[Status, str]:
    if order.status is not OrderStatus.OPEN:
        return _CLOSED[order.status], order.reason
    if not attempts:
        return Status.NONE, ""
    last = attempts[-1]
    match last.status:
        case AttemptStatus.CREATED | AttemptStatus.LINKED:
            return Status.NONE, ""
        case AttemptStatus.PENDING:
            return Status.PENDING, ""
        case AttemptStatus.UNKNOWN:
            return Status.UNKNOWN, ""
        case AttemptStatus.FAILED:
            return Status.REFUSED, last.reason
        case AttemptStatus.EXPIRED:
            return Status.REFUSED, RefusalReason.TIMEOUT
        case _:
            return Status.REVIEW, last.reason


_PAID: Final = (AttemptStatus.PAID, AttemptStatus.REFUNDED)
_CLOSED: Final = {
    OrderStatus.PAID: Status.PAID,
    OrderStatus.POSTED: Status.POSTED,
    OrderStatus.CANCELLED: Status.CANCELLED,
    OrderStatus.REVIEW: Status.REVIEW,
    # The money went back, so nothing was taken in the end.
    OrderStatus.REFUNDED: Status.CANCELLED,
}
