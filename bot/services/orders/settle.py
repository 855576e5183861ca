"""Settling: enquire → believe or not → record at the registry → tell the chat.

Everything that may learn of a payment (a notification, the page a browser returns to, "I have paid", the
sweep) ends in `Settling.ask`. What must follow a commit (recording, telling) is written down in that very
transaction with a lease, so that another process does it when this one dies in between.
"""

import asyncio

import msgspec
import structlog

from bot.crypto import Keyring
from bot.dialogs.checkout import RefusalReason
from bot.errors import BotError, Declined, OutsideError, Unavailable
from bot.model import Chat, Woken
from bot.ports import Clock, Wake
from bot.services.ledger import Attempt, AttemptStatus, Ledger, Notice, Order, OrderStatus, Work
from bot.services.orders.parts import (
    FINAL_REFUSALS,
    GIVE_UP,
    LEASE,
    POST_AGAIN,
    POST_AT_ONCE,
    Registry,
    ask_again,
)
from bot.services.orders.verdict import SILENT, Deed, Verdict, judge
from bot.services.payments import Enquiry, Payments, Result

log = structlog.get_logger(__name__)

_UNANSWERED = Enquiry(status=Result.UNKNOWN)


class Settling:
    """Brings attempts, and with them orders, to their end.

    Args:
        ledger: migrated.
        payments: the gateway.
        registry: told of what was paid.
        clock: the time.
        keyring: opens the chat an order belongs to.
        wake: brings the news into that chat.
    """

    def __init__(
        self,
        *,
        ledger: Ledger,
        payments: Payments,
        registry: Registry,
        clock: Clock,
        keyring: Keyring,
        wake: Wake,
    ) -> None:
        self._ledger = ledger
        self._payments = payments
        self._registry = registry
        self._clock = clock
        self._keyring = keyring
        self._wake = wake

    # --- believing -------------------------------------------------------------------------------

    async def ask(self, attempt: Attempt, who: str, *, quiet: bool = False) -> Result:
        """Enquire about the attempt and act on the answer.

        Args:
            attempt: which.
            who: on whose occasion, for the history: ``resident``, ``gateway``, ``sweep``.
            quiet: do not tell the chat of a refusal, because whoever asks answers it now.

        Raises:
            Unavailable: the gateway does not say; the attempt is `AttemptStatus.UNKNOWN` meanwhile.
        """
        try:
            enquiry = await self._payments.enquire(attempt.track, attempt.provider_ref, attempt.fils)
        except OutsideError as error:
            log.warning("enquiry failed", provider=attempt.provider, reason=error.reason)
            await self._fulfil(attempt, _UNANSWERED, who, quiet=quiet)
            raise Unavailable("payments", "no answer to an enquiry") from error
        await self._fulfil(attempt, enquiry, who, quiet=quiet)
        return enquiry.status

    async def _fulfil(self, attempt: Attempt, enquiry: Enquiry, who: str, *, quiet: bool) -> None:
        now = self._clock.now()
        async with self._ledger.write() as work:
            order = await work.lock(attempt.order_id)
            fresh = await work.attempt(attempt.id)
            verdict = judge(order, fresh, enquiry, old=now - fresh.created >= GIVE_UP)
            act = _Acts(work, order, fresh, who, now)
            owed = await act.do(verdict, enquiry, quiet=quiet)
        if act.captured:
            await self.post(order.id, at_once=True)
        for name in owed:
            await self.tell(name)

    # --- recording -------------------------------------------------------------------------------

    async def post(self, order_id: int, *, at_once: bool = False) -> None:
        """Record a paid order at the registry; on failure it stays due. ``at_once``: money just came."""
        async with self._ledger.read() as read:
            order, items = await read.order_by_id(order_id), await read.items(order_id)
        if order is None or order.status is not OrderStatus.PAID:
            return
        try:
            async with asyncio.timeout(POST_AT_ONCE if at_once else None):
                await self._registry.record_payment(order.ref, order.paid_at, order.bank, items)
        except (OutsideError, TimeoutError) as error:
            reason = error.reason if isinstance(error, OutsideError) else "timeout"
            log.error("payment not recorded", order=order.ref, reason=reason)  # noqa: TRY400 - no trace: it may quote
            if isinstance(error, Declined) and reason in FINAL_REFUSALS:
                await self._posted(order, OrderStatus.REVIEW, reason, "review")
            else:
                await self._post_later(order)
        else:
            await self._posted(order, OrderStatus.POSTED, "", "" if at_once else "posted")

    async def _posted(self, order: Order, status: OrderStatus, reason: str, kind: str) -> None:
        now = self._clock.now()
        name = f"order:{order.ref}:{kind}"
        async with self._ledger.write() as work:
            order = await work.lock(order.id)
            if order.status is not OrderStatus.PAID:
                return
            changes = {"status": status, "reason": reason[:40], "post_due": None}
            await work.set_order(order, now, "registry", f"answered: {reason or 'recorded'}"[:60], **changes)
            if kind:
                await work.add_notice(name, order.id, kind, reason[:40], now + LEASE)
        if kind:
            await self.tell(f"order:{order.ref}:paid")  # never after what follows from it
            await self.tell(name)

    async def _post_later(self, order: Order) -> None:
        now = self._clock.now()
        async with self._ledger.write() as work:
            order = await work.lock(order.id)
            if order.status is OrderStatus.PAID:
                wait = POST_AGAIN[min(order.post_tries, len(POST_AGAIN) - 1)]
                changes = {"post_due": now + wait, "post_tries": order.post_tries + 1}
                await work.set_order(order, now, "registry", "did not answer", **changes)

    # --- telling ---------------------------------------------------------------------------------

    async def tell(self, name: str) -> None:
        """Tell the chat, at least once; a failure leaves the notice to the sweep."""
        async with self._ledger.read() as read:
            notice = await read.notice(name)
            order = None if notice is None else await read.order_by_id(notice.order_id)
        if notice is None or order is None or notice.told_at:
            return
        try:
            await self._wake(self._woken(order, notice))
        except BotError as error:
            log.warning("chat not told yet", order=order.ref, kind=notice.kind, error=type(error).__name__)
            return
        async with self._ledger.write() as work:
            await work.told(notice, self._clock.now())

    def chat(self, order: Order) -> Chat:
        """The chat the order belongs to."""
        return msgspec.json.decode(self._keyring.open(order.chat, _place(order.ref)), type=Chat)

    def seal(self, ref: str, chat: Chat) -> bytes:
        """``chat`` sealed for the order ``ref``."""
        return self._keyring.seal(msgspec.json.encode(chat), _place(ref))

    def _woken(self, order: Order, notice: Notice) -> Woken:
        data = {
            "receipt": order.ref,
            "bank": order.bank,
            "fils": order.total_fils,
            "at": order.paid_at,
            "reason": notice.reason,
            "posted": order.status is OrderStatus.POSTED,
        }
        return Woken(
            id=notice.name,
            chat=self.chat(order),
            dialog="checkout",
            kind=notice.kind,
            ref=order.ref,
            data=data,
        )


class _Acts:
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
                return await self._review(verdict.reason)
            case Deed.REFUSE:
                return await self._refuse(verdict.reason, quiet=quiet)
            case Deed.EXPIRE:
                return await self._expire(quiet=quiet)
            case Deed.WAIT:
                await self._wait(verdict.status)
            case Deed.NOTE:
                await self._work.note_attempt(self._attempt, self._now, self._who, verdict.reason[:60])
            case Deed.KEEP:
                await self._work.defer(self._attempt, None)
        return []

    async def _capture(self, enquiry: Enquiry) -> list[str]:
        order, bank = self._order, enquiry.bank_reference[:64]
        if order.status is OrderStatus.CANCELLED and not await self._work.hold(order.id):
            # Paid after it was cancelled, and meanwhile another order holds one of the fines.
            return await self._review("second")
        await self._set(AttemptStatus.PAID, "enquiry agrees: paid", due=None, bank=bank, reason="")
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
        self.captured = True
        return [await self._owe("paid", "")]

    async def _review(self, reason: str) -> list[str]:
        await self._set(AttemptStatus.REVIEW, f"to be reviewed: {reason}", due=None, reason=reason[:40])
        log.error("payment needs review", order=self._order.ref, reason=reason)
        unpaid = self._order.status in {OrderStatus.OPEN, OrderStatus.CANCELLED}
        if unpaid or (self._order.status is OrderStatus.REVIEW and self._order.reason == SILENT):
            changes = {"status": OrderStatus.REVIEW, "reason": reason[:40]}
            await self._work.hold(self._order.id)
            await self._work.set_order(
                self._order, self._now, self._who, f"to be reviewed: {reason}"[:60], **changes
            )
        return [await self._owe("review", reason, each=reason != SILENT)]

    async def _refuse(self, reason: str, *, quiet: bool) -> list[str]:
        news = self._is_news and not quiet
        await self._set(AttemptStatus.FAILED, f"refused: {reason}", due=None, reason=reason[:40])
        return [await self._owe("refused", reason, each=True)] if news else []

    async def _expire(self, *, quiet: bool) -> list[str]:
        # Whoever saw the gateway's page may have been promised an answer; without an address nobody saw it.
        news = self._is_news and bool(self._attempt.url) and not quiet
        await self._set(AttemptStatus.EXPIRED, "expired", due=None)
        return [await self._owe("refused", RefusalReason.TIMEOUT, each=True)] if news else []

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

    async def _owe(self, kind: str, reason: str, *, each: bool = False) -> str:
        """A notice; ``each``: one for every attempt and not one for the order."""
        name = f"order:{self._order.ref}:{kind}" + (f":{self._attempt.id}" if each else "")
        await self._work.add_notice(name, self._order.id, kind, reason[:40], self._now + LEASE)
        return name


def _place(ref: str) -> bytes:
    return f"order:{ref}".encode()
