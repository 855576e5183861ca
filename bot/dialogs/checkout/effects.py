"""What checkout asks of the order service, and what comes back."""

from enum import StrEnum

import msgspec

from bot.domain import Basket, Item
from bot.i18n.text import Local
from bot.ports import Effect


class OpenOrder(Effect, frozen=True, tag="open_order"):
    """Open an order for ``items`` and make its payment link. Result: `PayLink`.

    The same chat asking for the same items gets its live order back; a live, unpaid order of the same
    chat over some of the same items is cancelled first (after asking the gateway).

    Attributes:
        subject: the masked number the items belong to (``2850****0029``), for the page and the receipt.
        items: at least one, or none where there is a basket.
        owners: civil IDs of those whose residencies are renewed.
        body: unified number of the company or government body whose workers they are, empty for a family.
        basket: the lines, where the service keeps them.
    """

    subject: str
    items: tuple[Item, ...] = ()
    owners: tuple[str, ...] = ()
    body: str = ""
    basket: Basket | None = None


class RenewLink(Effect, frozen=True, tag="renew_link"):
    """Make a fresh link for an order whose link expired or failed. Result: `PayLink`."""

    order: str


class CheckPayment(Effect, frozen=True, tag="check_payment"):
    """Ask the gateway now, whatever notification did or did not arrive. Result: `Standing`."""

    order: str


class CancelOrder(Effect, frozen=True, tag="cancel_order"):
    """Cancel an unpaid order, after asking the gateway. Result: `Standing` (``paid`` if it was too late)."""

    order: str


class PayLink(msgspec.Struct, frozen=True):
    """A live payment link.

    Attributes:
        order: public order reference, ``IQ-7F3C-9A1D``.
        url: our page, ``https://…/p/<token>``.
        host: the host the page's button leads to, from the allow-list.
        until: when the link stops working (epoch seconds).
        fils: total.
    """

    order: str
    url: str
    host: str
    until: int
    fils: int


class Status(StrEnum):
    """Where the money is."""

    NONE = "none"  # nobody has tried to pay yet
    PENDING = "pending"  # a payment page is open
    UNKNOWN = "unknown"  # the bank or the gateway has not said
    REFUSED = "refused"  # the last try was refused or given up; nothing was taken
    PAID = "paid"  # captured, verified by our own enquiry; being recorded at the registry
    POSTED = "posted"  # paid, and the registry has recorded it
    CANCELLED = "cancelled"  # the order is closed; nothing was taken
    REVIEW = "review"  # a person must look at it


class Recording(StrEnum):
    """Whether the ministry's records have a part of what was paid."""

    PENDING = "pending"
    POSTED = "posted"
    REFUSED = "refused"  # a person looks at it


class Share(msgspec.Struct, frozen=True, array_like=True):
    """One person of a paid order.

    Attributes:
        who: the relation or the masked number, no name.
        years: whole years of the renewal; 0 where only fines were paid.
        until: the new last day of the residency, ISO 8601.
        state: whether it is recorded.
        fines: how many of their fines were paid with it.
    """

    who: Local
    years: int
    until: str
    state: Recording
    fines: int = 0


class Shares(msgspec.Struct, frozen=True):
    """What an order pays for and what became of it, person by person.

    Attributes:
        fines: how many fines.
        renewals: how many residencies.
        recorded: how many of those the ministry's records have.
        refused: how many of those a person looks at.
        people: those refused first, then those that wait; no more than a message can hold, and none of an
            order that pays only fines.
    """

    fines: int = 0
    renewals: int = 0
    recorded: int = 0
    refused: int = 0
    people: tuple[Share, ...] = ()


class Standing(msgspec.Struct, frozen=True):
    """How an order stands.

    Attributes:
        status: see `Status`.
        receipt: receipt number once paid (the order reference), else empty.
        bank: the gateway's reference once paid, else empty.
        fils: amount paid, or due.
        at: when it was paid or refused (epoch seconds), else 0.
        reason: for ``refused``, the gateway's reason: a value of `RefusalReason`.
        payment: the gateway's payment id of the last try, empty when it gave none.
        track: our number of the last try at the gateway.
        paper: address of the PDF receipt once paid, else empty; it works for some days.
        refunded: fils that went back.
        shares: what it pays for.
    """

    status: Status
    receipt: str = ""
    bank: str = ""
    fils: int = 0
    at: int = 0
    reason: str = ""
    payment: str = ""
    track: str = ""
    paper: str = ""
    refunded: int = 0
    shares: Shares = Shares()


class RefusalReason(StrEnum):
    """Why a payment was refused, in words a resident understands. Unmapped reasons read as `DECLINED`."""

    FUNDS = "funds"
    LIMIT = "limit"
    CARD = "card"
    PIN = "pin"
    CANCELLED = "cancelled"
    TIMEOUT = "timeout"
    DECLINED = "declined"


class CheckoutRefused(StrEnum):
    """Refusals that have an answer of their own."""

    ELSEWHERE = "elsewhere"  # one of the lines is in another chat's live order
    ALREADY_PAID = "already_paid"  # one of the lines was paid; records are being updated
    CHANGED = "changed"  # a residency cannot be renewed for this price now; nothing was opened
    GATEWAY_DOWN = "gateway_down"  # the gateway does not answer; nothing was opened or cancelled
