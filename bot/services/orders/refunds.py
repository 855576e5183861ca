"""Giving money back: asked of the gateway once, believed only on its word.

A refund is a row of its own with its own key, written before the gateway is asked; so a process that dies
in between leaves something the sweep takes up. Nothing is given back that the gateway does not report as
captured, and never more than that. Two operators at once: the order's row is locked, and a unique index
lets one refund of a payment move at a time.
"""

import re
from typing import Final

import msgspec
import structlog

from bot.errors import BotError, Declined, OutsideError, Unavailable
from bot.ports import Clock
from bot.services.ledger import (
    Attempt,
    AttemptStatus,
    Ledger,
    Order,
    Reads,
    RefundRow,
    RefundStatus,
    Taken,
)
from bot.services.orders.given_back import gave_back, holds_money
from bot.services.orders.parts import ASK_AFTER, LEASE, new_track
from bot.services.payments import Payments, Refund, Refunded, RefundResult, Result, amount_text
from bot.services.payments.gateways import Gateways

log = structlog.get_logger(__name__)

REPEAT_FOR: Final = 2 * 3600
"""Seconds a refund without an answer may be asked for again under its key.

MyFatoorah forgets a key after 250 minutes, Tap after a day (payments reference, 2.1); past that the same
key could give the money back twice."""

_CALL: Final = 2 * LEASE
"""Seconds after which a refund nobody heard of again is taken up: far more than one call may last."""

_LONG_NUMBER = re.compile(r"\d{5,}")
_WORDS: Final = {
    RefundResult.DONE: (RefundStatus.DONE, "gave it back"),
    RefundResult.PENDING: (RefundStatus.PENDING, "took it on"),
    RefundResult.REFUSED: (RefundStatus.REFUSED, "refused"),
    RefundResult.UNKNOWN: (RefundStatus.UNKNOWN, "cannot say"),
}


class NotPossible(BotError):
    """What an operator asked for cannot be done. The text is one line for them; nothing was changed."""


class Offer(msgspec.Struct, frozen=True):
    """What could be given back of a payment.

    Attributes:
        captured: fils the gateway says it took.
        left: fils of it that neither went back nor are on their way.
    """

    order: Order
    attempt: Attempt
    captured: int
    left: int


class Refunds:
    """Refunds from the operator's wish to the gateway's word.

    Args:
        ledger: migrated.
        gateways: those the attempts were begun with.
        clock: the time.
    """

    def __init__(self, ledger: Ledger, gateways: Gateways, clock: Clock) -> None:
        self._ledger = ledger
        self._gateways = gateways
        self._clock = clock

    async def offer(self, order_ref: str, *, track: str = "", may_be_back: bool = False) -> Offer:
        """What could be given back now; arguments and errors as for `refund`. Changes nothing.

        With ``may_be_back`` what the gateway reports as refunded already counts too (`made_elsewhere`).
        """
        async with self._ledger.read() as read:
            order = await _order(read, order_ref)
            attempt = _pick(await read.attempts(order.id), track)
            spoken_for = await read.spoken_for(attempt.id)
        gateway = self._gateways.of(attempt.provider)
        captured = await self._captured(gateway, attempt, may_be_back=may_be_back)
        return Offer(order, attempt, captured, captured - spoken_for)

    async def refund(
        self, order_ref: str, *, track: str = "", fils: int | None = None, why: str, who: str
    ) -> RefundRow:
        """Give money of an order back.

        Args:
            order_ref: the order's public reference.
            track: which of its payments; the one that paid the order when empty. Any other captured one
                (a second capture) must be named.
            fils: how much; all that is left when None.
            why: the reason, for the record; long numbers in it are cut out.
            who: the operator.

        Returns:
            The refund as it stands now: done, refused, pending, or unknown.

        Raises:
            NotPossible: nothing was asked of the gateway.
            Unavailable: the gateway does not say what it captured, or the ledger does not answer.
        """
        async with self._ledger.read() as read:
            order = await _order(read, order_ref)
            attempt = _pick(await read.attempts(order.id), track)
        gateway = self._gateways.of(attempt.provider)
        captured = await self._captured(gateway, attempt)
        now = self._clock.now()
        refund = await self._ask_for(order, attempt, captured, fils, why, who, due=now + _CALL)
        return await self._send(gateway, attempt, refund)

    async def made_elsewhere(
        self, order_ref: str, *, track: str = "", fils: int | None = None, reference: str, why: str, who: str
    ) -> RefundRow:
        """Record a refund that was made in the gateway's portal; the gateway is asked for none.

        KNET calls refunds by its API not certified (payments reference, 1.9): many merchants may only use
        the portal. Arguments and errors as for `refund`; ``reference`` is the portal's number of it.
        """
        async with self._ledger.read() as read:
            order = await _order(read, order_ref)
            attempt = _pick(await read.attempts(order.id), track)
        captured = await self._captured(self._gateways.of(attempt.provider), attempt, may_be_back=True)
        # Never due: were this process to end here, nobody may ask the gateway for what has happened already.
        refund = await self._ask_for(order, attempt, captured, fils, why, who, due=None)
        return await self._record(refund, RefundStatus.DONE, who, "made in the gateway's portal", reference)

    async def take_up(self, refund: RefundRow) -> RefundRow:
        """Find out how an open refund stands, for the sweep; never gives back twice.

        A refund without an answer is asked for again only under its own key, at a gateway that keeps to
        keys, and only while the gateway remembers them. What stays unexplained for `REPEAT_FOR` is not
        due any more: a person must look (`resolve`).
        """
        async with self._ledger.read() as read:
            fresh = await read.refund(refund.key)
            attempt = await read.attempt(refund.attempt_id)
        if fresh is None or not fresh.status.is_open:
            return fresh or refund
        try:
            gateway = self._gateways.of(attempt.provider)
        except Unavailable:
            return await self._record(fresh, RefundStatus.UNKNOWN, "sweep", "gateway not configured")
        if self._repeats(gateway, fresh):
            return await self._send_again(gateway, attempt, fresh)
        try:
            said = await gateway.refund_status(_wanted(attempt, fresh), fresh.reference)
        except OutsideError as error:
            log.warning("refund not explained", provider=attempt.provider, reason=error.reason)
            async with self._ledger.write() as work:
                await work.defer_refund(fresh, self._ask_again(fresh))
            return fresh
        return await self._heard(fresh, said)

    async def resolve(self, order_ref: str, key: str, *, done: bool, reference: str, who: str) -> RefundRow:
        """Record what the gateway's portal says of a refund that the gateway itself cannot explain.

        The gateway is asked once more: where it has a word of its own, that one counts.

        Raises:
            NotPossible: it is no such refund, it will be asked for again, or the gateway says otherwise.
        """
        async with self._ledger.read() as read:
            order = await _order(read, order_ref)
            refund = next((each for each in await read.order_refunds(order.id) if each.key == key), None)
            if refund is None:
                raise NotPossible(f"order {order_ref} has no refund {key}")
            attempt = await read.attempt(refund.attempt_id)
        cut_short = refund.status is RefundStatus.ASKED and refund.due is None
        if refund.status is not RefundStatus.UNKNOWN and not cut_short:
            state = "the gateway is still asked about it" if refund.status.is_open else "that is final"
            raise NotPossible(f"refund {key} is {refund.status}: {state}")
        status = RefundStatus.DONE if done else RefundStatus.REFUSED
        said = await self._last_word(attempt, refund)
        if said.status is not RefundResult.UNKNOWN:
            refund = await self._heard(refund, said)
            if refund.status is not status:
                raise NotPossible(f"refund {key}: the gateway says {refund.status}")
            return refund
        return await self._record(refund, status, who, "read in the gateway's portal", reference)

    async def _last_word(self, attempt: Attempt, refund: RefundRow) -> Refunded:
        """What the gateway says before a person's word is taken for it; unknown when it says nothing."""
        try:
            gateway = self._gateways.of(attempt.provider)
            if refund.due is None or not self._repeats(gateway, refund):
                return await gateway.refund_status(_wanted(attempt, refund), refund.reference)
        except OutsideError:
            return Refunded(RefundResult.UNKNOWN)
        raise NotPossible(f"refund {refund.key} is still asked for under its key: the service finds out")

    def _repeats(self, gateway: Payments, refund: RefundRow) -> bool:
        """Whether the refund may be asked for again: only under its own key, while the gateway knows it."""
        unheard = refund.status is not RefundStatus.PENDING and not refund.reference
        return unheard and gateway.keyed_refunds and self._age(refund) < REPEAT_FOR

    def _age(self, refund: RefundRow) -> int:
        return self._clock.now() - refund.created

    # --- asking ----------------------------------------------------------------------------------

    async def _captured(self, gateway: Payments, attempt: Attempt, *, may_be_back: bool = False) -> int:
        """Fils the gateway says it took for the attempt; ``may_be_back``: and may have given back."""
        try:
            said = await gateway.enquire(attempt.track, attempt.provider_ref, attempt.fils)
        except OutsideError as error:
            raise Unavailable("payments", f"no word on what was captured: {error.reason}") from error
        if may_be_back and said.status is Result.REFUNDED:
            return attempt.captured or attempt.fils
        if said.status is not Result.PAID:
            raise NotPossible(f"the gateway does not report {attempt.track} as captured but as {said.status}")
        if said.track_id != attempt.track:
            raise NotPossible("the gateway answers about another payment: look in its portal")
        if said.currency != attempt.currency:
            raise NotPossible(f"captured in {said.currency}: give it back in the gateway's portal")
        return said.fils

    async def _ask_for(
        self,
        order: Order,
        attempt: Attempt,
        captured: int,
        fils: int | None,
        why: str,
        who: str,
        *,
        due: int | None,
    ) -> RefundRow:
        try:
            async with self._ledger.write() as work:
                await work.lock(order.id)
                now = self._clock.now()
                attempt = await work.attempt(attempt.id)
                if attempt.status not in {AttemptStatus.PAID, AttemptStatus.REVIEW}:
                    raise NotPossible(f"{attempt.track} is {attempt.status} by now")
                if any(each.status.is_open for each in await work.refunds(attempt.id)):
                    raise NotPossible(f"another refund of {attempt.track} is under way")
                left = captured - await work.spoken_for(attempt.id)
                wanted = left if fils is None else fils
                if not 0 < wanted <= left:
                    raise NotPossible(f"at most {amount_text(max(left, 0))} KWD can go back")
                if attempt.captured != captured:
                    what = f"captured, says the gateway: {amount_text(captured)}"
                    attempt = await work.set_attempt(attempt, now, "operator", what, captured=captured)
                await work.audit(who, "refund asked", f"{order.ref} {attempt.track} {wanted} fils", now)
                return await work.add_refund(
                    attempt, new_track(), wanted, why=_without_numbers(why), who=who, at=now, due=due
                )
        except Taken as error:
            raise NotPossible(str(error)) from error

    async def _send(self, gateway: Payments, attempt: Attempt, refund: RefundRow) -> RefundRow:
        """Ask the gateway to give back; what is not heard is unknown."""
        try:
            said = await gateway.refund(_wanted(attempt, refund))
        except Declined as error:
            log.warning("refund declined", provider=attempt.provider, reason=error.reason)
            said = Refunded(RefundResult.REFUSED)
        except OutsideError as error:  # no answer, or one that cannot be read: it may have been done
            log.error("refund without an answer", provider=attempt.provider, reason=error.reason)  # noqa: TRY400 - no trace: it may quote
            said = Refunded(RefundResult.UNKNOWN)
        return await self._heard(refund, said)

    async def _send_again(self, gateway: Payments, attempt: Attempt, refund: RefundRow) -> RefundRow:
        """Ask once more for a refund whose answer was lost.

        To be declined now says nothing of the first request, which may have been done: the key may be forgotten by now,
        our token out of date, or the money gone already. Only the gateway's word about this very refund counts.
        """
        wanted = _wanted(attempt, refund)
        try:
            try:
                said = await gateway.refund(wanted)
            except Declined as error:
                log.warning("refund declined once more", provider=attempt.provider, reason=error.reason)
                said = await gateway.refund_status(wanted, refund.reference)
        except OutsideError as error:
            log.error("refund without an answer", provider=attempt.provider, reason=error.reason)  # noqa: TRY400 - no trace: it may quote
            said = Refunded(RefundResult.UNKNOWN)
        return await self._heard(refund, said)

    async def _heard(self, refund: RefundRow, said: Refunded) -> RefundRow:
        """Act on what the gateway said; what it cannot say for long is left to a person."""
        status, what = _WORDS[said.status]
        asks = status is RefundStatus.PENDING or self._age(refund) < REPEAT_FOR
        due = self._ask_again(refund) if status.is_open and asks else None
        return await self._record(refund, status, "gateway", what, said.reference, due=due)

    def _ask_again(self, refund: RefundRow) -> int:
        age = self._age(refund)
        later = next((after for after in ASK_AFTER if age < after), (age // 3600 + 1) * 3600)
        return refund.created + later

    # --- believing -------------------------------------------------------------------------------

    async def _record(
        self,
        refund: RefundRow,
        status: RefundStatus,
        who: str,
        what: str,
        reference: str = "",
        *,
        due: int | None = None,
    ) -> RefundRow:
        """Write down how the refund stands; done, all that follows from it in the same transaction."""
        async with self._ledger.write() as work:
            order = await work.lock((await work.attempt(refund.attempt_id)).order_id)
            now = self._clock.now()
            fresh = await work.refund(refund.key) or refund
            if not fresh.status.is_open:  # final is final; another answer is for the record
                if fresh.status is not status:
                    log.error("refund contradicted", order=order.ref, stands=fresh.status, said=status)
                    await work.note_refund(fresh, now, who, f"late answer not applied: {status}")
                return fresh
            changes = {"status": status, "reference": reference[:64] or fresh.reference, "due": due}
            if (fresh.status, fresh.reference) == (status, changes["reference"]):
                await work.defer_refund(fresh, due)
                return msgspec.structs.replace(fresh, due=due)
            fresh = await work.set_refund(fresh, now, who, what, **changes)
            if not status.is_open:
                await work.audit(who, f"refund {status}", f"{order.ref} {fresh.key}", now)
            if status is RefundStatus.DONE:
                await gave_back(work, order, fresh, now)
        return fresh


async def _order(read: Reads, ref: str) -> Order:
    if (order := await read.order(ref)) is None:
        raise NotPossible(f"there is no order {ref}")
    return order


def _pick(attempts: list[Attempt], track: str) -> Attempt:
    if track:
        found = next((each for each in attempts if each.track == track), None)
        if found is None:
            raise NotPossible(f"the order has no payment {track}")
        if found.status not in {AttemptStatus.PAID, AttemptStatus.REVIEW}:
            raise NotPossible(f"{track} is {found.status}: nothing to give back")
        return found
    found = next((each for each in attempts if each.status is AttemptStatus.PAID), None)
    if found is None:
        others = [each.track for each in attempts if holds_money(each)]
        hint = f"; name the payment by its track id: {', '.join(others)}" if others else ""
        raise NotPossible(f"no payment of this order is believed{hint}")
    return found


def _wanted(attempt: Attempt, refund: RefundRow) -> Refund:
    return Refund(
        key=refund.key,
        track_id=attempt.track,
        provider_ref=attempt.provider_ref,
        payment_id=attempt.payment,
        fils=refund.fils,
        # The operator's own words stay here: they may be in Arabic, and may name somebody.
        why=f"Refund {refund.key}",
    )


def _without_numbers(why: str) -> str:
    """No civil ID or phone number in a record that others read."""
    return _LONG_NUMBER.sub("…", " ".join(why.split()))[:60]
