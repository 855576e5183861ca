"""Checkout: summary and terms → payment link → waiting → receipt. Called by others; returns what happened.

The link leads to our own page ``/p/<token>``, which shows what will be paid and changes nothing until its
button is pressed: link previewers fetch every address they see.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

import msgspec

from bot.domain import Item
from bot.i18n.text import EMPTY, N_, NP_, Arg, Code, Hour, Lines, Ltr, Money, Msg, say
from bot.ports import Effect
from bot.spec import After, Choose, Decide, Dialog, Do, End, Go, Link, WakesTo


class OpenOrder(Effect, frozen=True, tag="open_order"):
    """Open an order for ``items`` and make its payment link. Result: `PayLink`.

    The same chat asking for the same items gets its live order back; a live, unpaid order of the same
    chat over some of the same items is cancelled first (after asking the gateway).

    Attributes:
        subject: the masked number the items belong to (``2850****0029``), for the page and the receipt.
        items: at least one.
    """

    subject: str
    items: tuple[Item, ...]


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


class Standing(msgspec.Struct, frozen=True):
    """How an order stands.

    Attributes:
        status: see `Status`.
        receipt: receipt number once paid (the order reference), else empty.
        bank: the gateway's reference once paid, else empty.
        fils: amount paid, or due.
        at: when it was paid (epoch seconds), else 0.
        reason: for ``refused``, the gateway's reason: a value of `RefusalReason`.
    """

    status: Status
    receipt: str = ""
    bank: str = ""
    fils: int = 0
    at: int = 0
    reason: str = ""


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

    ELSEWHERE = "elsewhere"  # one of the fines is in another chat's live order
    ALREADY_PAID = "already_paid"  # one of the fines was paid; records are being updated
    GATEWAY_DOWN = "gateway_down"  # the gateway does not answer; nothing was opened or cancelled


class S(StrEnum):
    """States."""

    OPENING = "opening"
    PAYING = "paying"
    CHECKING = "checking"
    STANDING = "standing"
    NOT_YET = "not_yet"
    PENDING = "pending"
    SILENT = "silent"
    EXPIRING = "expiring"
    AFTER_LIFE = "after_life"
    EXPIRED = "expired"
    RENEWING = "renewing"
    REFUSED = "refused"
    OTHER_WAYS = "other_ways"
    GATEWAY_DOWN = "gateway_down"
    AGAIN = "again"
    LEAVING = "leaving"
    CANCELLING = "cancelling"
    TOO_LATE = "too_late"
    LEFT = "left"
    PAID = "paid"
    DONE = "done"
    ELSEWHERE = "elsewhere"
    ALREADY = "already"
    REVIEW = "review"


class Payment(msgspec.Struct, frozen=True):
    """What is paid, and how it stands. The first two are the caller's `bot.domain.Bill`."""

    subject: str = ""
    items: tuple[Item, ...] = ()
    order: str = ""
    url: str = ""
    host: str = ""
    until: int = 0
    status: Status = Status.NONE
    bank: str = ""
    reason: str = ""


# --- what changes the answers --------------------------------------------------------------------


def take_link(payment: Payment, link: PayLink) -> Payment:
    return msgspec.structs.replace(
        payment, order=link.order, url=link.url, host=link.host, until=link.until, status=Status.NONE
    )


def take_standing(payment: Payment, standing: Standing) -> Payment:
    return msgspec.structs.replace(
        payment, status=standing.status, bank=standing.bank, reason=standing.reason
    )


def take_news(payment: Payment, data: Mapping[str, Any]) -> Payment:
    return msgspec.structs.replace(payment, bank=data.get("bank", ""), reason=data.get("reason", ""))


def total(payment: Payment) -> int:
    return sum(item.fils for item in payment.items)


def is_paid(payment: Payment) -> bool:
    return payment.status in (Status.PAID, Status.POSTED)


def is_refused(payment: Payment) -> bool:
    return payment.status is Status.REFUSED


def is_in_review(payment: Payment) -> bool:
    return payment.status is Status.REVIEW


def is_unsettled(payment: Payment) -> bool:
    return payment.status in (Status.PENDING, Status.UNKNOWN)


def is_closed(payment: Payment) -> bool:
    return payment.status is Status.CANCELLED


def has_order(payment: Payment) -> bool:
    return bool(payment.order)


def has_no_order(payment: Payment) -> bool:
    return not payment.order


# --- effects -------------------------------------------------------------------------------------


def opening(payment: Payment) -> OpenOrder:
    return OpenOrder(payment.subject, payment.items)


def renewing(payment: Payment) -> RenewLink:
    return RenewLink(payment.order)


def checking(payment: Payment) -> CheckPayment:
    return CheckPayment(payment.order)


def cancelling(payment: Payment) -> CancelOrder:
    return CancelOrder(payment.order)


# --- texts ---------------------------------------------------------------------------------------

_REASONS: Final[dict[str, Msg]] = {
    RefusalReason.FUNDS: N_("the account does not hold enough"),
    RefusalReason.LIMIT: N_("it is above the card's limit"),
    RefusalReason.CARD: N_("the bank does not accept this card now"),
    RefusalReason.PIN: N_("the PIN was wrong"),
    RefusalReason.CANCELLED: N_("it was cancelled on the payment page"),
    RefusalReason.TIMEOUT: N_("the time on the payment page ran out"),
    RefusalReason.DECLINED: N_("the bank declined it"),
}


def summary_text(payment: Payment) -> Arg:
    """Amount, what for, where the link leads, until when, the other way to pay, what is never asked."""
    return Lines(
        (
            say(
                NP_("*{total}* for {n} violation", "*{total}* for {n} violations"),
                n=len(payment.items),
                total=Money(total(payment)),
            ),
            say(N_("Number {subject}"), subject=Code(payment.subject)),
            say(N_("Order {order}"), order=Code(payment.order)),
            EMPTY,
            say(
                N_("The link opens the payment page on {host} and works until {until}."),
                host=Ltr(payment.host),
                until=Hour(payment.until),
            ),
            say(
                N_(
                    "By paying you agree that a fine paid is not returned here; objections go to the ministry."
                )
            ),
            say(
                N_(
                    "You can also pay in Sahel or on the ministry's site. We never ask here for a card number or PIN."
                )
            ),
        )
    )


def receipt_text(payment: Payment) -> Arg:
    """The receipt."""
    return receipt(total(payment), payment.order, payment.bank)


def receipt(fils: int, order: str, bank: str) -> Arg:
    """Money arrived: how much, under which references, what happens now."""
    parts: list[Arg] = [
        say(N_("✓ Paid: *{amount}*"), amount=Money(fils)),
        say(N_("Receipt {order}"), order=Code(order)),
    ]
    if bank:
        parts.append(say(N_("Bank reference {bank}"), bank=Code(bank)))
    parts.append(say(N_("The ministry's records are updated within 15 minutes, so do not pay again.")))
    return Lines(tuple(parts))


def paid_notice(data: Mapping[str, Any]) -> Arg:
    return receipt(int(data["fils"]), str(data["receipt"]), str(data.get("bank", "")))


def posted_notice(data: Mapping[str, Any]) -> Arg:
    return say(N_("✓ Order {order} is now recorded at the ministry."), order=Code(str(data["receipt"])))


def refused_notice(data: Mapping[str, Any]) -> Arg:
    return refused(str(data.get("reason", "")), int(data["fils"]))


def review_notice(data: Mapping[str, Any]) -> Arg:
    return review(str(data["receipt"]))


def refused(reason: str, fils: int) -> Arg:
    """A payment was refused, and why."""
    why = _REASONS.get(reason, _REASONS[RefusalReason.DECLINED])
    return say(
        N_("✕ The payment of *{amount}* did not go through: {reason}. Nothing was taken."),
        amount=Money(fils),
        reason=say(why),
    )


def review(order: str) -> Arg:
    """The gateway's word and ours differ."""
    return say(
        N_(
            "The gateway's answer about order {order} does not match ours, so a person looks at it now. "
            "Do not pay again; I will write to you here."
        ),
        order=Code(order),
    )


def refused_text(payment: Payment) -> Arg:
    return refused(payment.reason, total(payment))


def review_text(payment: Payment) -> Arg:
    return review(payment.order)


def expired_text(payment: Payment) -> Arg:
    if is_closed(payment):
        return say(N_("This order was closed and nothing was taken."))
    return say(N_("The link expired at {until} and nothing was taken."), until=Hour(payment.until))


def not_yet_text(payment: Payment) -> Arg:
    return say(
        N_("No payment of *{total}* has reached the gateway yet. The link works until {until}."),
        total=Money(total(payment)),
        until=Hour(payment.until),
    )


def page(payment: Payment) -> str:
    return payment.url


def official_page(_payment: Payment) -> str:
    return OFFICIAL_PAGE


OFFICIAL_PAGE: Final = "https://www.moi.gov.kw/main/eservices/gdt/violation-enquiry"
"""The ministry's own page for enquiring and paying (www.moi.gov.kw, read 2026-11)."""


def order_of(payment: Payment) -> str:
    return payment.order


def expiry(payment: Payment, _now: int) -> int:
    return payment.until


_PAID = WakesTo(order_of, S.PAID, take_news)
_REVIEW = WakesTo(order_of, S.REVIEW, take_news)
_REFUSED = WakesTo(order_of, S.REFUSED, take_news)
_NEWS = {"paid": _PAID, "refused": _REFUSED, "review": _REVIEW}
_OLD_NEWS = WakesTo(order_of, None)
_OPEN_PAGE = Link(N_("🔗 Open payment page"), page)
_I_PAID = Go[Payment](N_("I have paid"), S.CHECKING)
_NEW_LINK = Go[Payment](N_("New link"), S.RENEWING)
_CANCEL = Go[Payment](N_("Cancel"), S.CANCELLING)

DIALOG = Dialog[Payment](
    id="checkout",
    version=1,
    title=N_("Payment"),
    answers=Payment,
    start=S.OPENING,
    cancel=S.LEAVING,
    notices={
        "paid": paid_notice,
        "posted": posted_notice,
        "refused": refused_notice,
        "review": review_notice,
    },
    help=N_(
        "The payment page opens in your browser. After paying, come back here: the receipt arrives by itself."
    ),
    states={
        S.OPENING: Do(
            OpenOrder,
            opening,
            then=S.PAYING,
            otherwise=S.GATEWAY_DOWN,
            keep=take_link,
            refused=CheckoutRefused,
            failed={
                CheckoutRefused.ELSEWHERE: S.ELSEWHERE,
                CheckoutRefused.ALREADY_PAID: S.ALREADY,
                CheckoutRefused.GATEWAY_DOWN: S.GATEWAY_DOWN,
            },
            slow=N_("The payment gateway is slow; one moment."),
        ),
        S.PAYING: Choose(
            summary_text,
            (_OPEN_PAGE, _I_PAID, _NEW_LINK, _CANCEL),
            after=After(expiry, S.EXPIRING),
            wakes=_NEWS,
            entry=False,
        ),
        S.CHECKING: Do(
            CheckPayment,
            checking,
            then=S.STANDING,
            otherwise=S.SILENT,
            keep=take_standing,
            slow=N_("I am asking the gateway; one moment."),
            wakes=_NEWS,
        ),
        S.STANDING: Decide(
            (
                (is_paid, S.PAID),
                (is_refused, S.REFUSED),
                (is_in_review, S.REVIEW),
                (is_unsettled, S.PENDING),
                (is_closed, S.EXPIRED),
            ),
            otherwise=S.NOT_YET,
        ),
        S.NOT_YET: Choose(
            not_yet_text,
            (_OPEN_PAGE, _I_PAID, _NEW_LINK, _CANCEL),
            after=After(expiry, S.EXPIRING),
            wakes=_NEWS,
            entry=False,
        ),
        S.PENDING: Choose(
            N_(
                "The bank has not confirmed yet. Do not pay again: I ask every few minutes and will write to you."
            ),
            (Go(N_("Ask now"), S.CHECKING),),
            wakes=_NEWS,
            rest=True,
        ),
        S.SILENT: Choose(
            N_("The gateway does not answer me now. Do not pay again: I keep asking and will write to you."),
            (Go(N_("Ask now"), S.CHECKING),),
            wakes=_NEWS,
            rest=True,
        ),
        S.EXPIRING: Do(
            CheckPayment, checking, then=S.AFTER_LIFE, otherwise=S.SILENT, keep=take_standing, wakes=_NEWS
        ),
        S.AFTER_LIFE: Decide(
            (
                (is_paid, S.PAID),
                (is_in_review, S.REVIEW),
                (is_unsettled, S.PENDING),
            ),
            otherwise=S.EXPIRED,
        ),
        S.EXPIRED: Choose(expired_text, (Go(N_("New link"), S.AGAIN),), wakes=_NEWS, entry=False),
        S.RENEWING: Do(
            RenewLink,
            renewing,
            then=S.PAYING,
            otherwise=S.GATEWAY_DOWN,
            keep=take_link,
            refused=CheckoutRefused,
            failed={
                CheckoutRefused.ELSEWHERE: S.ELSEWHERE,
                CheckoutRefused.ALREADY_PAID: S.CHECKING,
                CheckoutRefused.GATEWAY_DOWN: S.GATEWAY_DOWN,
            },
            wakes=_NEWS,
        ),
        S.REFUSED: Choose(
            refused_text,
            (Go(N_("Try again"), S.RENEWING), Go(N_("Another way"), S.OTHER_WAYS), _CANCEL),
            wakes=_NEWS,
            entry=True,
        ),
        S.OTHER_WAYS: Choose(
            N_(
                "The same violations can be paid in the Sahel app, in the MOI Kuwait app, or on the ministry's site."
            ),
            (Link(N_("🔗 Ministry's page"), official_page),),
            wakes=_NEWS,
            back=S.REFUSED,
        ),
        S.GATEWAY_DOWN: Choose(
            N_("The payment gateway does not answer now. Nothing was taken."),
            (Go(N_("Try again"), S.AGAIN), _CANCEL),
            wakes=_NEWS,
            entry=False,
        ),
        S.AGAIN: Decide(((is_closed, S.OPENING), (has_order, S.RENEWING)), otherwise=S.OPENING),
        S.LEAVING: Decide(((has_no_order, S.LEFT), (is_paid, S.PAID)), otherwise=S.CANCELLING),
        S.CANCELLING: Do(
            CancelOrder,
            cancelling,
            then=S.TOO_LATE,
            otherwise=S.SILENT,
            keep=take_standing,
            refused=CheckoutRefused,
            failed={
                CheckoutRefused.ELSEWHERE: S.LEFT,
                CheckoutRefused.ALREADY_PAID: S.CHECKING,
                CheckoutRefused.GATEWAY_DOWN: S.SILENT,
            },
            wakes={"paid": _PAID, "review": _REVIEW},
        ),
        S.TOO_LATE: Decide(
            ((is_paid, S.PAID), (is_in_review, S.REVIEW), (is_unsettled, S.PENDING)), otherwise=S.LEFT
        ),
        S.LEFT: End(N_("Cancelled. Nothing was taken.")),
        S.PAID: Choose(
            receipt_text,
            (Go(N_("What else is owed?"), S.DONE),),
            wakes={"paid": _OLD_NEWS, "refused": _OLD_NEWS},
            back=S.DONE,
            rest=True,
        ),
        S.DONE: End(value=order_of),
        S.ELSEWHERE: Choose(
            N_(
                "One of these violations is being paid in another chat. Its link lives for half an hour at most."
            ),
            (Go(N_("Try again"), S.OPENING),),
            entry=False,
        ),
        S.ALREADY: Choose(
            N_(
                "One of these violations was paid already. Records are updated within 15 minutes; do not pay again."
            ),
            back=S.DONE,
            rest=True,
        ),
        S.REVIEW: Choose(review_text, wakes={"paid": _PAID, "review": _OLD_NEWS}, rest=True),
    },
)
