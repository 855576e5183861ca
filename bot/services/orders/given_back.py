"""What follows from money that went back: for the attempt, the order, its lines, and a word to the resident."""

from bot.services.ledger import Attempt, AttemptStatus, Order, OrderStatus, RefundRow, Work
from bot.services.orders.parts import PARTLY


async def gave_back(work: Work, order: Order, refund: RefundRow, now: int) -> None:
    """Write down, in ``work``, what ``refund`` changes now that it is done."""
    await work.add_notice(f"order:{order.ref}:refunded:{refund.key}", order.id, "refunded", refund.key, now)
    attempt = await work.attempt(refund.attempt_id)
    paid = attempt.status is AttemptStatus.PAID
    back = await work.given_back(attempt.id)
    whole = back >= (attempt.captured or attempt.fils)
    if not whole and order.reason == PARTLY and back >= await work.refused_fils(order.id):
        await _rest_is_recorded(work, order, now)
    if not whole or not (paid or attempt.status is AttemptStatus.REVIEW):
        return
    await work.set_attempt(attempt, now, "operator", "all went back", status=AttemptStatus.REFUNDED, due=None)
    held = [each for each in await work.attempts(order.id) if holds_money(each)]
    if not paid and (held or order.status is not OrderStatus.REVIEW):
        return  # a second capture went back; the order stays what the other payment made it
    recorded = await work.was_posted(order.id)
    if held:  # the order's payment went back, but a second capture of it did not
        changes = {"status": OrderStatus.REVIEW, "reason": "second", "post_due": None}
        await work.set_order(order, now, "operator", "refunded; another capture is left", **changes)
        return
    what = "refunded; the registry keeps its record" if recorded else "refunded"
    changes = {"status": OrderStatus.REFUNDED, "reason": "", "post_due": None}
    await work.release(order.id)
    await work.set_order(order, now, "operator", what, **changes)


async def _rest_is_recorded(work: Work, order: Order, now: int) -> None:
    """What the registry refused was given back and the rest is recorded: nothing waits for a person."""
    if order.status is OrderStatus.REVIEW:
        await work.release_refused(order.id)
        changes = {"status": OrderStatus.POSTED, "reason": PARTLY}
        await work.set_order(order, now, "operator", "refunded what was refused", **changes)


def holds_money(attempt: Attempt) -> bool:
    """Whether the attempt's money was taken and has not gone back as a whole."""
    return attempt.status is AttemptStatus.PAID or (
        attempt.status is AttemptStatus.REVIEW and attempt.captured > 0
    )
