"""Settling: enquire → believe or not → record at the registry → tell the chat.

Everything that may learn of a payment (a notification, the page a browser returns to, "I have paid", the
sweep) ends in `Settling.ask`. What must follow a commit (recording, telling) is written down in that very
transaction with a lease, so that another process does it when this one dies in between.
"""

from typing import Final

import msgspec
import structlog

from bot.crypto import Keyring
from bot.dialogs.checkout import Standing
from bot.errors import BotError, OutsideError, Unavailable
from bot.model import Chat, Woken
from bot.ports import Clock, Wake
from bot.services.ledger import Attempt, Ledger, Notice, Order, RefundRow
from bot.services.orders.acts import Acts
from bot.services.orders.parts import Registry, Terms
from bot.services.orders.posting import Posting
from bot.services.orders.stand import stand, still_holds
from bot.services.orders.verdict import judge
from bot.services.payments import Enquiry, Result
from bot.services.payments.gateways import Gateways

log = structlog.get_logger(__name__)

_TOLD_AGAIN: Final = 5
"""Seconds after which a chat that could not be told is told by whichever process looks next."""

_UNANSWERED = Enquiry(status=Result.UNKNOWN)


class Settling:
    """Brings attempts, and with them orders, to their end.

    Args:
        ledger: migrated.
        gateways: asked about the attempts that are theirs.
        registry: told of what was paid.
        clock: the time.
        keyring: opens the chat an order belongs to.
        wake: brings the news into that chat.
        terms: where a receipt is found.
    """

    def __init__(
        self,
        *,
        ledger: Ledger,
        gateways: Gateways,
        registry: Registry,
        clock: Clock,
        keyring: Keyring,
        wake: Wake,
        terms: Terms,
    ) -> None:
        self._ledger = ledger
        self._gateways = gateways
        self._terms = terms
        self._posting = Posting(ledger, registry, clock)
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
            gateway = self._gateways.of(attempt.provider)
            enquiry = await gateway.enquire(attempt.track, attempt.provider_ref, attempt.fils)
        except OutsideError as error:
            log.warning("enquiry failed", provider=attempt.provider, reason=error.reason)
            await self._fulfil(attempt, _UNANSWERED, who, quiet=quiet)
            raise Unavailable("payments", "no answer to an enquiry") from error
        await self._fulfil(attempt, enquiry, who, quiet=quiet)
        return enquiry.status

    async def _fulfil(self, attempt: Attempt, enquiry: Enquiry, who: str, *, quiet: bool) -> None:
        heard = self._clock.now()
        async with self._ledger.write() as work:
            order = await work.lock(attempt.order_id)
            fresh = await work.attempt(attempt.id)
            verdict = judge(order, fresh, enquiry, age=heard - fresh.created)
            act = Acts(work, order, fresh, who, self._clock.now())
            owed = await act.do(verdict, enquiry, quiet=quiet)
        if act.captured:
            await self.post(order.id, at_once=True)
        for name in owed:
            await self.tell(name)

    async def post(self, order_id: int, *, at_once: bool = False) -> None:
        """Record a paid order at the registry; on failure it stays due. ``at_once``: money just came."""
        for name in await self._posting.post(order_id, at_once=at_once):
            await self.tell(name)

    # --- telling ---------------------------------------------------------------------------------

    async def tell(self, name: str) -> None:
        """Tell the chat, at least once; a failure leaves the notice to the sweep.

        What is not so any more is not told: it would contradict what the chat has heard since.
        """
        async with self._ledger.read() as read:
            notice = await read.notice(name)
            order = None if notice is None else await read.order_by_id(notice.order_id)
            if notice is None or order is None or notice.told_at:
                return
            holds = await still_holds(read, order, notice)
            how = await stand(read, order, self._terms.receipt)
            refund = await read.refund(notice.reason) if notice.kind == "refunded" else None
        try:
            if holds:
                await self._wake(self._woken(order, notice, how, refund))
        except BotError as error:
            log.warning("chat not told yet", order=order.ref, kind=notice.kind, error=type(error).__name__)
            # The lease is for whoever dies with it. Another process may be able to: of a newer release, perhaps.
            async with self._ledger.write() as work:
                await work.put_back(notice, self._clock.now() + _TOLD_AGAIN)
            return
        async with self._ledger.write() as work:
            await work.told(notice, self._clock.now())

    def chat(self, order: Order) -> Chat:
        """The chat the order belongs to."""
        return msgspec.json.decode(self._keyring.open(order.chat, _place(order.ref)), type=Chat)

    def seal(self, ref: str, chat: Chat) -> bytes:
        """``chat`` sealed for the order ``ref``."""
        return self._keyring.seal(msgspec.json.encode(chat), _place(ref))

    def _woken(self, order: Order, notice: Notice, how: Standing, refund: RefundRow | None) -> Woken:
        data = msgspec.to_builtins(how) | {"receipt": order.ref, "reason": notice.reason}
        if refund is not None:
            data |= {"refunded": refund.fils, "reason": ""}
        return Woken(
            id=notice.name,
            chat=self.chat(order),
            dialog="checkout",
            kind=notice.kind,
            ref=order.ref,
            data=data,
        )


def _place(ref: str) -> bytes:
    return f"order:{ref}".encode()
