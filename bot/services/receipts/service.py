"""Receipts of paid orders: their addresses, the files behind them, and what proves a paper.

Nothing is stored for either address. A token is ``reference_mac`` or ``reference_expiry_mac``; the MAC, 96
bits of HMAC-SHA256 under the ring's index key, cannot be made by guessing, and the reference names nobody.
"""

import hmac
import re
from typing import Final

import msgspec

from bot.crypto import Keyring
from bot.dialogs.checkout import counts
from bot.dialogs.home import Operator
from bot.model import Chat
from bot.ports import Clock
from bot.services.ledger import Ledger, Order, OrderStatus
from bot.services.ledger.papers import Papers
from bot.services.orders.parts import chat_blind
from bot.services.receipts.paper import GivenBack, Printer, Receipt, Standing, is_trial

LINK_DAYS: Final = 7
"""Life of a receipt's address. It stands in chats, and may be passed on; the chat makes a new one at once."""

_DAY: Final = 24 * 3600
_LINK = re.compile(r"([0-9A-Z-]{1,16})_([0-9a-f]{8})_([0-9a-f]{24})", re.ASCII)
_PROOF = re.compile(r"([0-9A-Z-]{1,16})_([0-9a-f]{24})", re.ASCII)

_STANDINGS: Final = {
    OrderStatus.PAID: Standing.RECORDING,
    OrderStatus.POSTED: Standing.RECORDED,
    OrderStatus.REFUNDED: Standing.REFUNDED,
}
"""Any other status of an order that was paid is a person's business."""


class Proof(msgspec.Struct, frozen=True):
    """What makes a paper trustworthy, and nothing about whose it is.

    Attributes:
        total: fils.
        paid_at: epoch seconds.
        bank: the reference a resident quotes to the bank.
        refunded: fils that were given back.
        trial: no money moved.
        fines: how many were paid.
        renewals: how many residencies were renewed.
        refused: how many lines of it the registry did not take.
    """

    order: str
    total: int
    paid_at: int
    bank: str
    standing: Standing
    refunded: int
    trial: bool
    fines: int = 0
    renewals: int = 0
    refused: int = 0


class Listed(msgspec.Struct, frozen=True):
    """A paid order in a chat's list: reference, fils, epoch seconds, fils given back."""

    order: str
    total: int
    paid_at: int
    refunded: int


class Receipts:
    """Finds, prints and proves receipts.

    Args:
        ledger: where orders are.
        keyring: makes the tokens and the chats' blind names.
        clock: for the addresses' lives.
        printer: makes the PDF.
        base_url: where browsers find us, without a slash at the end.
        operator_name: who runs this service, may be empty.
        operator_authority: the body that stands behind it, may be empty.

    Every method that reads raises `Unavailable` while the ledger does not answer.
    """

    def __init__(
        self,
        ledger: Ledger,
        keyring: Keyring,
        clock: Clock,
        printer: Printer,
        base_url: str,
        operator_name: str = "",
        operator_authority: str = "",
    ) -> None:
        self._ledger = ledger
        self._keyring = keyring
        self._clock = clock
        self._printer = printer
        self._base_url = base_url
        self._operator = Operator(operator_name, operator_authority)

    # --- addresses -------------------------------------------------------------------------------

    def link(self, ref: str) -> str:
        """Address of the order's PDF; works for `LINK_DAYS` from now."""
        until = f"{self._clock.now() + LINK_DAYS * _DAY:08x}"
        return f"{self._base_url}/receipts/{ref}_{until}_{self._link_mac(ref, until)}.pdf"

    def proof(self, ref: str) -> str:
        """Address of the page that proves the order's receipt; always the same, for ever."""
        return f"{self._base_url}/r/{ref}_{self._proof_mac(ref)}"

    # --- behind them -----------------------------------------------------------------------------

    async def name(self, token: str) -> str | None:
        """File name of the PDF behind ``token``, without printing it; None as for `open`."""
        ref = self._linked(token)
        return None if ref is None or await self._order(ref) is None else file_name(ref)

    async def open(self, token: str) -> tuple[str, bytes] | None:
        """File name and PDF; None for a token that is not ours or expired, or an order never paid."""
        ref = self._linked(token)
        receipt = None if ref is None else await self._receipt(ref)
        if receipt is None:
            return None
        return file_name(receipt.order), await self._printer.print(receipt)

    async def verify(self, token: str) -> Proof | None:
        """What the paper with this token must say; None for a token that is not ours."""
        ref = self._proven(token)
        receipt = None if ref is None else await self._receipt(ref)
        if receipt is None:
            return None
        fines, renewals = counts(receipt.items)
        return Proof(
            order=receipt.order,
            total=receipt.total,
            paid_at=receipt.paid_at,
            bank=receipt.bank,
            standing=receipt.standing,
            refunded=_refunded(receipt),
            trial=is_trial(receipt.provider),
            fines=fines,
            renewals=renewals,
            refused=sum(item.part in receipt.refused for item in receipt.items),
        )

    async def of_chat(self, chat: Chat, before: str = "", limit: int = 6) -> tuple[Listed, ...]:
        """The chat's paid orders, newest first.

        Args:
            chat: whose.
            before: reference of the last one already shown, empty at first.
            limit: how many at most.
        """
        async with self._ledger.read() as read:
            found = await Papers.of(read).paid_orders(chat_blind(self._keyring, chat), before, limit)
        return tuple(
            Listed(
                each.order.ref,
                each.order.total_fils,
                each.order.paid_at,
                each.order.total_fils if each.order.status is OrderStatus.REFUNDED else each.refunded,
            )
            for each in found
        )

    # --- inside ----------------------------------------------------------------------------------

    async def _order(self, ref: str) -> Order | None:
        async with self._ledger.read() as read:
            order = await read.order(ref)
        return order if order is not None and order.paid_at else None

    async def _receipt(self, ref: str) -> Receipt | None:
        async with self._ledger.read() as read:
            order = await read.order(ref)
            if order is None or not order.paid_at:
                return None
            papers = Papers.of(read)
            items, refused = await read.items(order.id), await read.refused_parts(order.id)
            attempt = await papers.paying_attempt(order)
            refunds = [] if attempt is None else await papers.done_refunds(attempt.id)
        receipt = Receipt(
            order=order.ref,
            subject=order.subject,
            items=items,
            total=order.total_fils,
            paid_at=order.paid_at,
            provider=attempt.provider if attempt else "",
            bank=order.bank,
            payment=attempt.payment if attempt else "",
            track=attempt.track if attempt else "",
            transaction=attempt.bank_transaction if attempt else "",
            auth=attempt.auth if attempt else "",
            refunds=tuple(GivenBack(each.fils, each.updated) for each in refunds),
            refused=refused,
            standing=_STANDINGS.get(order.status, Standing.REVIEW),
            proof=self.proof(order.ref),
            operator=self._operator,
        )
        if receipt.refunds and _refunded(receipt) >= receipt.total:
            return msgspec.structs.replace(receipt, standing=Standing.REFUNDED)
        return receipt

    def _linked(self, token: str) -> str | None:
        """The order a PDF's token names, while it lives."""
        parts = _LINK.fullmatch(token)
        if parts is None:
            return None
        ref, until, mac = parts.groups()
        ours = hmac.compare_digest(mac, self._link_mac(ref, until))
        return ref if ours and int(until, 16) > self._clock.now() else None

    def _proven(self, token: str) -> str | None:
        parts = _PROOF.fullmatch(token)
        if parts is None:
            return None
        ref, mac = parts.groups()
        return ref if hmac.compare_digest(mac, self._proof_mac(ref)) else None

    def _link_mac(self, ref: str, until: str) -> str:
        return self._keyring.blind(f"receipt link:{ref}:{until}")

    def _proof_mac(self, ref: str) -> str:
        return self._keyring.blind(f"receipt proof:{ref}")


def file_name(ref: str) -> str:
    """``iqamati-IQ-7F3C-9A1D.pdf``."""
    return f"iqamati-{ref}.pdf"


def _refunded(receipt: Receipt) -> int:
    if receipt.standing is Standing.REFUNDED:
        return receipt.total
    return sum(back.fils for back in receipt.refunds)
