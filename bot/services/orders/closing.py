"""What else an operator decides about an order that waits for a person: close it, or record it again."""

from typing import Final

from bot.errors import OutsideError, Unavailable
from bot.ports import Clock
from bot.services.ledger import Attempt, AttemptStatus, Ledger, Order, OrderStatus
from bot.services.orders.given_back import holds_money
from bot.services.orders.parts import FINAL_REFUSALS, GIVE_UP, PARTLY, ask_again
from bot.services.orders.refunds import NotPossible
from bot.services.payments import Result
from bot.services.payments.gateways import Gateways

_UNDECIDED: Final = (Result.PENDING, Result.UNKNOWN, Result.SUSPECT)


class Closing:
    """Ends the review of an order.

    Args:
        ledger: migrated.
        gateways: asked before anything is called unpaid.
        clock: the time.
    """

    def __init__(self, ledger: Ledger, gateways: Gateways, clock: Clock) -> None:
        self._ledger = ledger
        self._gateways = gateways
        self._clock = clock

    async def close(self, order_ref: str, *, why: str, who: str, despite_suspect: bool = False) -> Order:
        """Close what needs nothing more: nothing was taken, or all went back.

        An order in review is cancelled and its lines are free again; of a paid one, only the payments that
        wait for a person are closed. The gateway is asked about each of those first, and about those whose
        page is still open until the page's life is over.

        Args:
            order_ref: which.
            why: the operator's reason.
            who: the operator.
            despite_suspect: the operator knows from elsewhere that nothing was taken by a payment about which the
                gateway contradicts itself.

        Raises:
            NotPossible: nothing waits for a person, or money was taken and must be given back first.
            Unavailable: the gateway or the ledger does not answer; nothing was closed.
        """
        async with self._ledger.read() as read:
            order = await read.order(order_ref)
            attempts = [] if order is None else await read.attempts(order.id)
        if order is None:
            raise NotPossible(f"there is no order {order_ref}")
        waiting = [each for each in attempts if each.status is AttemptStatus.REVIEW or each.status.is_open]
        if order.status is not OrderStatus.REVIEW and not any(
            each.status is AttemptStatus.REVIEW for each in waiting
        ):
            raise NotPossible(f"order {order.ref} is {order.status} and waits for nobody")
        said = {each.id: await self._ask(each) for each in waiting}
        trusted = frozenset({Result.SUSPECT}) if despite_suspect else frozenset[Result]()
        _refuse_if_paid(order, attempts, said, trusted)
        return await self._close(order, said, why, who, trusted)

    async def retry_posting(self, order_ref: str, *, who: str) -> Order:
        """Have the running service record again what the registry had refused of a paid order for good.

        Raises:
            NotPossible: that is not what the order waits for.
        """
        async with self._ledger.write() as work:
            found = await work.order(order_ref)
            if found is None:
                raise NotPossible(f"there is no order {order_ref}")
            order = await work.lock(found.id)
            now = self._clock.now()
            paid = any(each.status is AttemptStatus.PAID for each in await work.attempts(order.id))
            refused = order.reason in FINAL_REFUSALS or order.reason == PARTLY
            if order.status is not OrderStatus.REVIEW or not refused or not paid:
                raise NotPossible(f"order {order.ref} does not wait for the registry ({order.status})")
            changes = {"status": OrderStatus.PAID, "reason": "", "post_due": now, "post_tries": 0}
            await work.audit(who, "posting retried", order.ref, now)
            await work.post_again(order.id, now)
            return await work.set_order(order, now, "operator", "to be recorded again", **changes)

    # --- inside ----------------------------------------------------------------------------------

    async def _ask(self, attempt: Attempt) -> Result:
        gateway = self._gateways.of(attempt.provider)
        try:
            return (await gateway.enquire(attempt.track, attempt.provider_ref, attempt.fils)).status
        except OutsideError as error:
            raise Unavailable("payments", f"no word on {attempt.track}: {error.reason}") from error

    async def _close(
        self, order: Order, said: dict[int, Result], why: str, who: str, trusted: frozenset[Result]
    ) -> Order:
        async with self._ledger.write() as work:
            before, order = order, await work.lock(order.id)
            now = self._clock.now()
            attempts = await work.attempts(order.id)
            if order.status is not before.status or any(
                each.status.is_open and each.id not in said for each in attempts
            ):
                raise NotPossible(f"order {order.ref} has just changed: look again")
            _refuse_if_paid(order, attempts, said, trusted)
            for each in attempts:
                if each.id in said and (each.status.is_open or each.status is AttemptStatus.REVIEW):
                    status, what = _ends(said[each.id])
                    due = _due(each, said[each.id], now)
                    await work.set_attempt(each, now, "operator", what, status=status, due=due)
            doubt = Result.SUSPECT in said.values()
            what = "review closed despite suspect" if doubt else "review closed"
            await work.audit(who, what, f"{order.ref} {' '.join(why.split())}", now)
            if order.status is not OrderStatus.REVIEW:
                return order
            await work.release(order.id)
            changes = {"status": OrderStatus.CANCELLED, "reason": "", "post_due": None}
            return await work.set_order(order, now, "operator", "closed", **changes)


def _ends(said: Result) -> tuple[AttemptStatus, str]:
    """What a payment ends as, and what its history says."""
    match said:
        case Result.REFUNDED:
            return AttemptStatus.REFUNDED, "closed: went back"
        case Result.SUSPECT:
            return AttemptStatus.EXPIRED, "closed by an operator's word: suspect"
        case _:
            return AttemptStatus.EXPIRED, "closed: nothing taken"


def _due(attempt: Attempt, said: Result, now: int) -> int | None:
    """When to ask about a closed payment again: somebody may still have its page before them."""
    untouched = said is Result.OPEN or (said is Result.MISSING and attempt.url)
    return ask_again(attempt, now) if untouched and now - attempt.created < GIVE_UP else None


def _refuse_if_paid(
    order: Order, attempts: list[Attempt], said: dict[int, Result], trusted: frozenset[Result]
) -> None:
    """Money that was taken, or may have been, must not be forgotten by closing."""
    for each in attempts:
        answer = said.get(each.id)
        settled = each.status is AttemptStatus.PAID and order.status is not OrderStatus.REVIEW
        if settled or answer is Result.REFUNDED:
            continue
        if answer in _UNDECIDED and answer not in trusted:
            hint = "; --despite-suspect closes it on your word" if answer is Result.SUSPECT else ""
            raise NotPossible(f"payment {each.track} is {answer} at the gateway: it may still be paid{hint}")
        if answer is Result.PAID or holds_money(each):
            hint = f"iqamati refund {order.ref} --track {each.track}"
            raise NotPossible(f"money was taken by payment {each.track}: give it back first ({hint})")
