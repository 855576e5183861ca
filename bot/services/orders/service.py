"""The order service: what the checkout dialog and the payment pages ask for.

Two rules run through it. Before anything about an order changes, the gateway is asked about every attempt
that may still be paid, because a link we call dead may have been used a second ago. And the database
decides races: a line in two orders, two attempts of one order, cancelled against paid.
"""

from collections.abc import Mapping
from functools import cached_property

import structlog

from bot.dialogs.checkout import (
    CancelOrder,
    CheckoutRefused,
    CheckPayment,
    OpenOrder,
    PayLink,
    RenewLink,
    Standing,
)
from bot.dialogs.receipts import ReadReceipt
from bot.domain import Basket, Item
from bot.errors import Declined, Forbidden, Unavailable
from bot.model import Chat
from bot.ports import Asked, Failed
from bot.services.ledger import NewOrder, Order, OrderStatus, Taken
from bot.services.orders.notified import Notified
from bot.services.orders.parts import (
    Heard,
    chat_blind,
    hidden,
    new_reference,
    new_token,
    renews,
    token_hash,
)
from bot.services.orders.paying import Paying
from bot.services.orders.refunds import Refunds
from bot.services.orders.stand import stand
from bot.services.orders.sweep import Sweep

log = structlog.get_logger(__name__)

_TRIES = 6
"""Rounds of look, then insert; each lost one means that another order was made or closed meanwhile."""


class Orders(Paying):
    """Orders from the link to the registry's record; arguments as for `Paying`."""

    # --- effects of the checkout dialog ----------------------------------------------------------

    async def open(self, effect: OpenOrder, asked: Asked) -> PayLink:
        """Execute `OpenOrder`.

        Raises:
            Failed: a value of `CheckoutRefused`.
            Forbidden: a residency would be renewed, and nobody named for whom the resident stands.
            Unavailable: the ledger is too busy with these very lines, or the price cannot be checked.
        """
        items = await self._items(effect, asked)
        for _ in range(_TRIES):
            order = await self._known(effect, items, asked)
            if order is None:
                try:
                    order = await self._add(effect, items, asked)
                except Taken:
                    continue
            return await self._pay_link(order)
        raise Unavailable("orders", "too many orders for the same lines at once")

    async def renew_link(self, effect: RenewLink, asked: Asked) -> PayLink:
        """Execute `RenewLink`; an order that was closed is opened again when its lines are free.

        Raises:
            Failed: a value of `CheckoutRefused`. For ``changed`` the order is closed.
            Unavailable: the price cannot be checked.
        """
        order = await self._own(effect.order, asked)
        await self._ask_all(order)
        await self._must_hold(order)
        async with self._ledger.write() as work:
            order = await work.lock(order.id)
            if order.status is OrderStatus.CANCELLED:
                if not await work.hold(order.id):
                    raise Failed(CheckoutRefused.ELSEWHERE)
                changes = {"status": OrderStatus.OPEN}
                order = await work.set_order(order, self._clock.now(), "chat", "reopened", **changes)
        if order.status is not OrderStatus.OPEN:
            raise Failed(CheckoutRefused.ALREADY_PAID)
        return await self._pay_link(order)

    async def check(self, effect: CheckPayment, asked: Asked) -> Standing:
        """Execute `CheckPayment`. A gateway that does not answer leaves the standing ``unknown``."""
        order = await self._own(effect.order, asked)
        try:
            await self._ask_all(order)
        except Failed:
            log.warning("payment check without an answer", order=order.ref)
        return await self._standing(order)

    async def cancel(self, effect: CancelOrder, asked: Asked) -> Standing:
        """Execute `CancelOrder`.

        Raises:
            Failed: ``gateway_down``; nothing was cancelled.
        """
        order = await self._own(effect.order, asked)
        await self._close(order)
        return await self._standing(order)

    async def notified(self, provider: str, body: bytes, headers: Mapping[str, str]) -> Heard | None:
        """Take a notification in; None for one that is not about an attempt of ours, never why.

        Raises:
            Unavailable: the ledger does not answer; the gateway should try again.
        """
        attempt = await self._notices.take(provider, body, headers)
        if attempt is None:
            return None
        back = self._return_url(attempt.track)
        return Heard(self._gateways.of(attempt.provider).acknowledge(back), back)

    async def read(self, effect: ReadReceipt, asked: Asked) -> Standing:
        """Execute `ReadReceipt`.

        Raises:
            Declined: no paid order of this chat.
        """
        order = await self._own(effect.order, asked)
        if not order.paid_at:
            raise Declined("orders", "not_paid")
        return await self._standing(order)

    async def post(self, ref: str) -> None:
        """Record the paid order ``ref`` at the registry now; does nothing when that is done already."""
        async with self._ledger.read() as read:
            order = await read.order(ref)
        if order is not None:
            await self._settling.post(order.id)

    async def sweep(self) -> int:
        """One pass over everything that is due; returns how much was taken up. Safe in any number at once."""
        refunds = Refunds(self._ledger, self._gateways, self._clock)
        return await Sweep(self._ledger, self._settling, refunds, self._clock, self._terms.side_by_side).run()

    @cached_property
    def _notices(self) -> Notified:
        return Notified(
            ledger=self._ledger,
            gateways=self._gateways,
            clock=self._clock,
            keyring=self._keyring,
            settling=self._settling,
        )

    # --- opening ---------------------------------------------------------------------------------

    async def _items(self, effect: OpenOrder, asked: Asked) -> tuple[Item, ...]:
        """What is to be paid; from the basket where there is one.

        Raises:
            Forbidden: a residency would be renewed without saying for whom the resident must stand.
        """
        if effect.basket is None:
            items = effect.items
        else:
            items = await self._basket(effect.basket, asked)
        if renews(items) and not (effect.owners or effect.body):
            raise Forbidden(type(effect).__name__)
        return items

    async def _basket(self, basket: Basket, asked: Asked) -> tuple[Item, ...]:
        items = await self._baskets.lines(basket.ref, asked)
        if not items or sum(item.fils for item in items) != basket.fils:
            raise Failed(CheckoutRefused.CHANGED)
        return items

    async def _known(self, effect: OpenOrder, items: tuple[Item, ...], asked: Asked) -> Order | None:
        """An order that answers the effect already; closes what stands in its way, or refuses."""
        async with self._ledger.read() as read:
            mine = await read.order_by_key(self._keyring.blind(asked.key))
            held = await read.holders([item.number for item in items])
            same = [order for order in held if set(await read.items(order.id)) == set(items)]
        if mine is not None:
            return mine
        for order in held:
            if order.status is not OrderStatus.OPEN:
                raise Failed(CheckoutRefused.ALREADY_PAID)
            if order.chat_blind != self._blind(asked.chat):
                raise Failed(CheckoutRefused.ELSEWHERE)
        if not await self._still(items, effect.owners, effect.body):
            raise Failed(CheckoutRefused.CHANGED)
        if same:
            return same[0]
        for order in held:
            await self._make_room(order)
        return None

    async def _make_room(self, order: Order) -> None:
        """Close the order for a newer one.

        Raises:
            Failed: it is paid, or the bank has not said.
        """
        closed = await self._close(order)
        if closed.status is OrderStatus.OPEN:  # the bank has not said how the last try ended
            raise Failed(CheckoutRefused.GATEWAY_DOWN)
        if closed.status is not OrderStatus.CANCELLED:
            raise Failed(CheckoutRefused.ALREADY_PAID)

    async def _must_hold(self, order: Order) -> None:
        """No new link for an old price.

        Raises:
            Failed: ``changed``, and the order is closed; or why it cannot be.
            Unavailable: the price cannot be checked.
        """
        async with self._ledger.read() as read:
            fresh = await read.order_by_id(order.id) or order
        if fresh.status in {OrderStatus.OPEN, OrderStatus.CANCELLED} and not await self._holds(order):
            await self._make_room(order)
            raise Failed(CheckoutRefused.CHANGED)

    async def _add(self, effect: OpenOrder, items: tuple[Item, ...], asked: Asked) -> Order:
        ref = new_reference()
        new = NewOrder(
            ref=ref,
            key=self._keyring.blind(asked.key),
            chat=self._settling.seal(ref, asked.chat),
            chat_blind=self._blind(asked.chat),
            language=asked.language,
            subject=hidden(effect.subject),
            items=items,
        )
        async with self._ledger.write() as work:
            return await work.add_order(new, self._clock.now())

    async def _pay_link(self, order: Order) -> PayLink:
        now, token = self._clock.now(), new_token()
        until = now + self._terms.link_minutes * 60
        async with self._ledger.write() as work:
            await work.add_link(order.id, token_hash(token), now, until)
        url = f"{self._terms.base_url}/p/{token}"
        return PayLink(order.ref, url, self._gateways.current.hosts[0], until, order.total_fils)

    # --- finding ---------------------------------------------------------------------------------

    async def _own(self, ref: str, asked: Asked) -> Order:
        async with self._ledger.read() as read:
            order = await read.order(ref)
        if order is None or order.chat_blind != self._blind(asked.chat):
            raise Declined("orders", "unknown_order")
        return order

    async def _standing(self, order: Order) -> Standing:
        async with self._ledger.read() as read:
            fresh = await read.order_by_id(order.id) or order
            return await stand(read, fresh, self._terms.receipt)

    def _blind(self, chat: Chat) -> str:
        return chat_blind(self._keyring, chat)
