"""Carrying a verdict out: what changes in the ledger, and which notices are owed for it."""

import structlog

from bot.dialogs.checkout import RefusalReason
from bot.services.ledger import Attempt, AttemptStatus, Order, OrderStatus, Work
from bot.services.ledger.privacy import GONE
from bot.services.orders.parts import LEASE, ask_again
from bot.services.orders.verdict import SILENT, Deed, Verdict
from bot.services.payments import Enquiry, Result

FORGOTTEN = "forgotten"
"""Reason of a review: money for an order of which nothing is left but its number."""

log = structlog.get_logger(__name__)


class Acts:
    """Carries a verdict out inside one transaction, on the locked order."""

    def __init__(self, work: Work, order: Order, attempt: Attempt, who: str, now: int) -> None:
        self._work = work
        self._order = order
        self._attempt = attempt
        self._who = who
        self._now = now
        self.captured = False

    async def do(self, verdict: Verdict, enquiry: Enquiry, *, quiet: bool) -> list[str]:
        """Change attempt and order; returns the names of the notices owed."""
        match verdict.deed:
            case Deed.CAPTURE:
                return await self._capture(enquiry)
            case Deed.REVIEW:
                return await self._review(verdict.reason, enquiry)
            case Deed.REFUSE:
                return await self._refuse(verdict.reason, enquiry, quiet=quiet)
            case Deed.EXPIRE:
                return await self._expire(quiet=quiet, asks_on=verdict.asks_on)
            case Deed.WAIT:
                await self._wait(verdict.status)
            case Deed.NOTE:
                await self._work.note_attempt(self._attempt, self._now, self._who, verdict.reason[:60])
            case Deed.KEEP:
                await self._work.defer(self._attempt, None)
        return []

    async def _capture(self, enquiry: Enquiry) -> list[str]:
        order, bank = self._order, enquiry.bank_reference[:64]
        if await self._forgotten():
            return await self._review(FORGOTTEN, enquiry)
        if order.status is not OrderStatus.OPEN and not await self._work.hold(order.id):
            # Paid after it was cancelled, and meanwhile another order holds one of the lines. So it may be
            # for one that went on to a review, too.
            return await self._review("second", enquiry)
        await self._set(AttemptStatus.PAID, "enquiry agrees: paid", due=None, reason="", **_numbers(enquiry))
        for other in await self._work.attempts(order.id):
            if other.status.is_open and other.id != self._attempt.id:
                change = {"status": AttemptStatus.EXPIRED}
                await self._work.set_attempt(other, self._now, self._who, "another attempt paid", **change)
        await self._work.set_order(
            order,
            self._now,
            self._who,
            "paid",
            status=OrderStatus.PAID,
            reason="",
            paid_at=self._now,
            bank=bank,
            post_due=self._now + LEASE,
        )
        await self._work.add_postings(order.id, self._now)
        self.captured = True
        return [await self._owe("paid", "")]

    async def _review(self, reason: str, enquiry: Enquiry) -> list[str]:
        numbers = _numbers(enquiry)
        what = f"to be reviewed: {reason}"
        await self._set(AttemptStatus.REVIEW, what, due=None, reason=reason[:40], **numbers)
        log.error("payment needs review", order=self._order.ref, reason=reason)
        unpaid = self._order.status in {OrderStatus.OPEN, OrderStatus.CANCELLED}
        silent = self._order.status is OrderStatus.REVIEW and self._order.reason == SILENT
        if unpaid or silent:
            changes = {"status": OrderStatus.REVIEW, "reason": reason[:40]}
            if reason != FORGOTTEN:
                await self._work.hold(self._order.id)
            await self._work.set_order(self._order, self._now, self._who, what[:60], **changes)
        if silent and reason == SILENT:  # another try of it, and the same news
            return []
        # A review that was closed may begin again: then it is news again.
        return [await self._owe("review", reason, f"{self._attempt.id}:{reason}:{self._now}")]

    async def _forgotten(self) -> bool:
        """Whether nobody knows any more what the order was for: then there is nothing to record."""
        if self._order.chat_blind:
            return False
        return any(line.number == GONE for line in await self._work.items(self._order.id))

    async def _refuse(self, reason: str, enquiry: Enquiry, *, quiet: bool) -> list[str]:
        news = self._is_news and not quiet
        numbers = _numbers(enquiry)
        await self._set(AttemptStatus.FAILED, f"refused: {reason}", due=None, reason=reason[:40], **numbers)
        return [await self._owe("refused", reason, str(self._attempt.id))] if news else []

    async def _expire(self, *, quiet: bool, asks_on: bool) -> list[str]:
        # Whoever saw the gateway's page may have been promised an answer; without an address nobody saw it.
        news = self._is_news and bool(self._attempt.url) and not quiet
        due = ask_again(self._attempt, self._now) if asks_on else None
        await self._set(AttemptStatus.EXPIRED, "expired", due=due)
        return [await self._owe("refused", RefusalReason.TIMEOUT, str(self._attempt.id))] if news else []

    @property
    def _is_news(self) -> bool:
        """Whether the resident may still be waiting for this attempt."""
        return self._attempt.status.is_open and self._order.status is OrderStatus.OPEN

    async def _wait(self, status: AttemptStatus) -> None:
        due = ask_again(self._attempt, self._now)
        if status is self._attempt.status:
            await self._work.defer(self._attempt, due)
        else:
            await self._set(status, "no last word yet", due=due)

    async def _set(self, status: AttemptStatus, what: str, **changes: str | int | None) -> None:
        if status is self._attempt.status and changes.get("reason", "") in {"", self._attempt.reason}:
            await self._work.defer(self._attempt, None)
            return
        values: dict[str, object] = {"status": status, **changes}
        await self._work.set_attempt(self._attempt, self._now, self._who, what[:60], **values)

    async def _owe(self, kind: str, reason: str, which: str = "") -> str:
        """A notice; ``which`` of its kind, where an order can have several."""
        name = f"order:{self._order.ref}:{kind}" + (f":{which}" if which else "")
        await self._work.add_notice(name, self._order.id, kind, reason[:40], self._now + LEASE)
        return name


def _numbers(enquiry: Enquiry) -> dict[str, str | int | None]:
    """What the gateway calls the payment, and how much it says it took."""
    return {
        "bank": enquiry.bank_reference[:64],
        "payment": enquiry.payment_id[:64],
        "bank_transaction": enquiry.transaction[:64],
        "auth": enquiry.authorisation[:32],
        "captured": enquiry.fils if enquiry.status is Result.PAID and enquiry.currency == "KWD" else 0,
    }
