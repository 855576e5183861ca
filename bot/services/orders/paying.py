"""The payment pages' half of the order service: a link's page, its button, the way back."""

import structlog

from bot.crypto import Keyring
from bot.dialogs.checkout import CheckoutRefused
from bot.domain import Item
from bot.errors import Declined, Malformed, OutsideError, Unavailable
from bot.ports import Clock, Failed, Wake
from bot.services.ledger import Attempt, AttemptStatus, Ledger, Link, Order, OrderStatus
from bot.services.orders.parts import (
    ASK_AFTER,
    Appraiser,
    Baskets,
    Bill,
    Registry,
    Terms,
    new_track,
    renews,
    return_token,
    token_hash,
)
from bot.services.orders.settle import Settling
from bot.services.orders.stand import stand
from bot.services.payments import Charge, Payments, Result
from bot.services.payments.gateways import Gateways

log = structlog.get_logger(__name__)

_LONGEST_TOKEN = 64
_BUSY = (AttemptStatus.UNKNOWN, AttemptStatus.PENDING)
"""Somebody pays right now, or nobody knows: no other page is opened."""


class Paying:
    """What a link's pages come to.

    Args:
        ledger: migrated.
        gateways: the current one takes new payments.
        registry: told of what was paid.
        clock: the time.
        keyring: seals chats, blinds keys.
        wake: brings news into a chat.
        terms: addresses and the life of a link.
        appraiser: asked whether the price of a renewal still holds.
        baskets: where lines are kept that are too many for a chat.
    """

    def __init__(  # noqa: PLR0913 - one keyword for each thing outside
        self,
        *,
        ledger: Ledger,
        gateways: Gateways,
        registry: Registry,
        appraiser: Appraiser,
        baskets: Baskets,
        clock: Clock,
        keyring: Keyring,
        wake: Wake,
        terms: Terms,
    ) -> None:
        self._ledger = ledger
        self._gateways = gateways
        self._appraiser = appraiser
        self._baskets = baskets
        self._clock = clock
        self._keyring = keyring
        self._terms = terms
        self._settling = Settling(
            ledger=ledger,
            gateways=gateways,
            registry=registry,
            clock=clock,
            keyring=keyring,
            wake=wake,
            terms=terms,
        )

    async def page(self, token: str) -> Bill | None:
        """What the link shows; changes nothing. None for a token that is not ours."""
        found = await self._find(token)
        return None if found is None else await self._bill(*found)

    async def pay(self, token: str) -> str:
        """The gateway's page for the link's order; where the gateway allows it, pressed twice, the same one.

        Returns:
            The address, or empty when there is nothing to pay now: paid, cancelled, expired, or the bank
            has not said how the last try ended.

        Raises:
            Unavailable: the gateway, or for a renewal the registry, does not answer; nothing was begun.
            Failed: ``changed``: the order is closed, nothing was taken.
        """
        found = await self._find(token)
        if found is None or found[0].expires_at <= self._clock.now():
            return ""
        order = found[1]
        lost = False
        for attempt in await self._unsettled(order.id):
            lost |= await self._settling.ask(attempt, "resident", quiet=True) is Result.MISSING
        if await self._may_pay(order.id) and not await self._holds(order):
            closed = await self._close(order)
            if closed.status is not OrderStatus.CANCELLED:
                return ""
            raise Failed(CheckoutRefused.CHANGED)
        current = await self._begin(order)
        if current is None or current.status in _BUSY:
            return ""
        return current.url if current.url and not lost else await self._link_up(order, current)

    async def returned(self, token: str) -> Bill | None:
        """The browser is back from the gateway: ask it, and show how the order stands."""
        found = await self._find(token)
        if found is None:
            return None
        link, order = found
        try:
            await self._ask_all(order, quiet=False)
        except Failed:
            log.warning("return without an answer", order=order.ref)
        async with self._ledger.read() as read:
            fresh = await read.order_by_id(order.id)
        return await self._bill(link, fresh or order)

    # --- inside ----------------------------------------------------------------------------------

    async def _may_pay(self, order_id: int) -> bool:
        """Whether the button may lead to a gateway's page now, as far as the ledger knows."""
        async with self._ledger.read() as read:
            order = await read.order_by_id(order_id)
            attempts = await read.attempts(order_id)
        open_ = order is not None and order.status is OrderStatus.OPEN
        return open_ and not any(each.status in _BUSY for each in attempts)

    async def _holds(self, order: Order) -> bool:
        """Whether the order's prices still hold; those of fines are the registry's business when recorded.

        Raises:
            Unavailable: the registry does not say.
        """
        async with self._ledger.read() as read:
            items = await read.items(order.id)
        return await self._still(items, (), "")

    async def _still(self, items: tuple[Item, ...], owners: tuple[str, ...], body: str) -> bool:
        if not renews(items):
            return True
        try:
            return await self._appraiser.holds(items, owners, body)
        except OutsideError as error:
            log.warning("price not checked", reason=error.reason)
            raise Unavailable("orders", "the price cannot be checked") from error

    async def _close(self, order: Order) -> Order:
        """Cancel the order unless it turns out to be paid, or the bank has not said."""
        await self._ask_all(order)
        async with self._ledger.write() as work:
            order = await work.lock(order.id)
            now = self._clock.now()
            attempts = [each for each in await work.attempts(order.id) if each.status.is_open]
            unsaid = any(each.status is AttemptStatus.UNKNOWN for each in attempts)
            if order.status is not OrderStatus.OPEN or unsaid:
                return order
            for attempt in attempts:
                # Its page may still be open: it stays due, and a payment on it would be accepted.
                change = {"status": AttemptStatus.EXPIRED}
                await work.set_attempt(attempt, now, "chat", "order cancelled", **change)
            await work.release(order.id)
            return await work.set_order(order, now, "chat", "cancelled", status=OrderStatus.CANCELLED)

    async def _begin(self, order: Order) -> Attempt | None:
        """The order's open attempt, made now if there is none; None when there is nothing to pay.

        Where a gateway's page opens only once, an attempt whose page was given out makes room for a new
        one. It is still asked about: should it be paid after all, that is accepted.
        """
        async with self._ledger.write() as work:
            order = await work.lock(order.id)
            now = self._clock.now()
            if order.status is not OrderStatus.OPEN:
                return None
            for attempt in await work.attempts(order.id):
                if not attempt.status.is_open:
                    continue
                once = not self._gateways.of(attempt.provider).reopens
                if attempt.status is not AttemptStatus.LINKED or not once:
                    return attempt
                change = {"status": AttemptStatus.EXPIRED}
                await work.set_attempt(attempt, now, "resident", "page opened anew", **change)
            current = self._gateways.current.name
            return await work.add_attempt(order, current, new_track(), now, due=now + ASK_AFTER[0])

    async def _link_up(self, order: Order, attempt: Attempt) -> str:
        """Have the gateway make the attempt's page (again: it knows the track id) and keep its address."""
        gateway = self._gateways.of(attempt.provider)
        token = return_token(self._keyring, attempt.track)
        charge = Charge(
            track_id=attempt.track,
            fils=attempt.fils,
            order=order.ref,
            language=order.language,
            return_url=self._return_url(attempt.track),
            notify_url=f"{self._terms.base_url}/payments/{gateway.name}/notify",
            minutes=self._terms.link_minutes,
        )
        try:
            made = await gateway.create(charge)
        except (Declined, Malformed) as error:
            log.error("gateway made no page", order=order.ref, reason=error.reason)  # noqa: TRY400 - no trace: it may quote
            raise Unavailable("payments", "made no page") from error
        async with self._ledger.write() as work:
            await work.lock(order.id)
            now = self._clock.now()
            if await work.link(token_hash(token)) is None:
                # A token of its own, expired from the start: the gateway gets an address that shows how
                # the order stands, and never one that pays.
                await work.add_link(order.id, token_hash(token), now, now)
            fresh = await work.attempt(attempt.id)
            if not fresh.status.is_open:
                raise Unavailable("payments", "the attempt was closed meanwhile")
            if fresh.url != (url := _kept(made.url, gateway)):
                changes = {"url": url, "provider_ref": made.provider_ref}
                await work.set_attempt(
                    fresh, now, "gateway", "page made", status=AttemptStatus.LINKED, **changes
                )
        return made.url

    def _return_url(self, track: str) -> str:
        return f"{self._terms.base_url}/p/{return_token(self._keyring, track)}/return"

    async def _ask_all(self, order: Order, *, quiet: bool = True) -> None:
        """Ask the gateway about everything that may still be paid.

        Raises:
            Failed: ``gateway_down``.
        """
        try:
            for attempt in await self._unsettled(order.id):
                await self._settling.ask(attempt, "resident", quiet=quiet)
        except Unavailable:
            raise Failed(CheckoutRefused.GATEWAY_DOWN) from None

    async def _unsettled(self, order_id: int) -> list[Attempt]:
        async with self._ledger.read() as read:
            attempts = await read.attempts(order_id)
        return [each for each in attempts if each.due is not None and each.url]

    async def _find(self, token: str) -> tuple[Link, Order] | None:
        if len(token) > _LONGEST_TOKEN:
            return None
        async with self._ledger.read() as read:
            link = await read.link(token_hash(token))
            order = None if link is None else await read.order_by_id(link.order_id)
        return None if link is None or order is None else (link, order)

    async def _bill(self, link: Link, order: Order) -> Bill:
        async with self._ledger.read() as read:
            items, how = await read.items(order.id), await stand(read, order, self._terms.receipt)
        return Bill(
            order=order.ref,
            chat=self._settling.chat(order),
            language=order.language,
            subject=order.subject,
            items=items,
            fils=order.total_fils,
            until=link.expires_at,
            live=self._clock.now() < link.expires_at,
            standing=how,
        )


def _kept(url: str, gateway: Payments) -> str:
    """What is kept of a page's address: of one that opens only once, not what it carries.

    KNET's request holds, encrypted, the terminal's password.
    """
    return url if gateway.reopens else url.partition("?")[0]
