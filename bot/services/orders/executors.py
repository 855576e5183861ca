"""Who executes which effect of the checkout and receipts dialogs."""

from collections.abc import Sequence
from typing import Protocol

from bot.dialogs.checkout import CancelOrder, CheckPayment, OpenOrder, RenewLink
from bot.dialogs.receipts import Listed, ListReceipts, ReadReceipt, Receipts
from bot.model import Chat
from bot.ports import Asked, Effect, Executor
from bot.services.orders.service import Orders


class Paid(Protocol):
    """One of them."""

    @property
    def order(self) -> str: ...
    @property
    def total(self) -> int: ...
    @property
    def paid_at(self) -> int: ...


class Listing(Protocol):
    """A chat's paid orders; `bot.services.receipts.Receipts`."""

    async def of_chat(self, chat: Chat, before: str = "", limit: int = 6) -> Sequence[Paid]:
        """Newest first, after the order ``before``."""
        ...


def executors(orders: Orders, listing: Listing) -> dict[type[Effect], Executor]:
    """Who executes which effect of the checkout and receipts dialogs."""

    async def listed(effect: ListReceipts, asked: Asked) -> Receipts:
        found = await listing.of_chat(asked.chat, effect.before, effect.limit + 1)
        shown = tuple(Listed(each.order, each.total, each.paid_at) for each in found[: effect.limit])
        return Receipts(shown, len(found) > effect.limit)

    return {
        ListReceipts: listed,
        ReadReceipt: orders.read,
        OpenOrder: orders.open,
        RenewLink: orders.renew_link,
        CheckPayment: orders.check,
        CancelOrder: orders.cancel,
    }
