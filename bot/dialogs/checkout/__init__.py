"""Checkout: summary and terms → payment link → waiting → receipt. Called by others; returns what happened.

The link leads to our own page ``/p/<token>``, which shows what will be paid and changes nothing until its
button is pressed: link previewers fetch every address they see.
"""

from enum import StrEnum

from bot.dialogs.checkout.effects import (
    CancelOrder,
    CheckoutRefused,
    CheckPayment,
    OpenOrder,
    PayLink,
    Recording,
    RefusalReason,
    RenewLink,
    Share,
    Shares,
    Standing,
    Status,
)
from bot.dialogs.checkout.lines import PEOPLE, counted, counts, describe, listed
from bot.dialogs.checkout.payment import (
    Payment,
    as_before,
    cancelling,
    checking,
    expiry,
    has_no_order,
    has_order,
    has_paper,
    is_closed,
    is_family,
    is_fines,
    is_in_review,
    is_paid,
    is_refused,
    is_staff,
    is_unsettled,
    official_page,
    opening,
    order_of,
    page,
    paper,
    renewing,
    take_link,
    take_news,
    take_standing,
)
from bot.dialogs.checkout.texts import (
    already_text,
    down_text,
    elsewhere_text,
    expired_text,
    left_open,
    left_unpaid,
    not_yet_text,
    other_ways_text,
    paid_notice,
    paper_of,
    posted_notice,
    receipt,
    receipt_text,
    refunded_notice,
    refused,
    refused_notice,
    refused_text,
    review,
    review_notice,
    review_text,
    summary_text,
    terms,
)
from bot.i18n.text import N_
from bot.spec import After, Choose, Decide, Dialog, Do, End, Fault, Go, Identify, Link, Notice, WakesTo

__all__ = [
    "DIALOG",
    "PEOPLE",
    "CancelOrder",
    "CheckPayment",
    "CheckoutRefused",
    "OpenOrder",
    "PayLink",
    "Payment",
    "Recording",
    "RefusalReason",
    "RenewLink",
    "S",
    "Share",
    "Shares",
    "Standing",
    "Status",
    "counted",
    "counts",
    "describe",
    "listed",
    "receipt",
    "refused",
    "review",
    "terms",
]


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
    UNSIGNED = "unsigned"
    SIGNING = "signing"
    FORBIDDEN = "forbidden"
    CHANGED = "changed"


_MANY = 60.0
"""Seconds to check the prices of thousands and to make a link."""

_PAID = WakesTo(order_of, S.PAID, take_news)
_REVIEW = WakesTo(order_of, S.REVIEW, take_news)
_REFUSED = WakesTo(order_of, S.REFUSED, take_news)
_NEWS = {"paid": _PAID, "refused": _REFUSED, "review": _REVIEW}
_OLD_NEWS = WakesTo(order_of, None)
_PDF = N_("🔗 Receipt (PDF)")
_OPEN_PAGE = Link(N_("🔗 Open payment page"), page)
_I_PAID = Go[Payment](N_("I have paid"), S.CHECKING)
_NEW_LINK = Go[Payment](N_("New link"), S.RENEWING)
_CANCEL = Go[Payment](N_("Cancel"), S.CANCELLING)

DIALOG = Dialog[Payment](
    id="checkout",
    version=3,
    title=N_("Payment"),
    answers=Payment,
    start=S.OPENING,
    cancel=S.LEAVING,
    notices={
        "paid": Notice(paid_notice, (_PDF, paper_of)),
        "posted": Notice(posted_notice, (_PDF, paper_of)),
        "refused": Notice(refused_notice),
        "review": Notice(review_notice, (_PDF, paper_of)),
        "refunded": Notice(refunded_notice, (_PDF, paper_of)),
    },
    migrations={1: as_before, 2: as_before},
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
                CheckoutRefused.CHANGED: S.CHANGED,
                Fault.UNSIGNED: S.UNSIGNED,
                Fault.FORBIDDEN: S.FORBIDDEN,
            },
            timeout=_MANY,
            slow=N_("The payment gateway is slow; one moment."),
        ),
        S.PAYING: Choose(
            summary_text,
            (_OPEN_PAGE, _I_PAID, _NEW_LINK, _CANCEL),
            after=After(expiry, S.EXPIRING),
            wakes=_NEWS,
            entry=False,
            leaves=left_open,
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
            leaves=left_open,
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
        S.EXPIRED: Choose(
            expired_text,
            (Go(N_("New link"), S.AGAIN),),
            wakes=_NEWS,
            entry=False,
            leaves=left_unpaid,
        ),
        S.RENEWING: Do(
            RenewLink,
            renewing,
            then=S.PAYING,
            otherwise=S.SILENT,
            keep=take_link,
            refused=CheckoutRefused,
            failed={
                CheckoutRefused.ELSEWHERE: S.ELSEWHERE,
                CheckoutRefused.ALREADY_PAID: S.CHECKING,
                CheckoutRefused.GATEWAY_DOWN: S.SILENT,
                CheckoutRefused.CHANGED: S.CHANGED,
            },
            timeout=_MANY,
            wakes=_NEWS,
        ),
        S.REFUSED: Choose(
            refused_text,
            (Go(N_("Try again"), S.RENEWING), Go(N_("Another way"), S.OTHER_WAYS), _CANCEL),
            wakes=_NEWS,
            leaves=left_unpaid,
        ),
        S.OTHER_WAYS: Choose(
            other_ways_text,
            (Link(N_("🔗 Ministry's page"), official_page),),
            wakes=_NEWS,
            back=S.REFUSED,
            leaves=left_unpaid,
        ),
        S.GATEWAY_DOWN: Choose(
            down_text,
            (Go(N_("Try again"), S.AGAIN), _CANCEL),
            wakes=_NEWS,
            entry=False,
            leaves=left_unpaid,
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
                CheckoutRefused.CHANGED: S.CHECKING,
            },
            wakes={"paid": _PAID, "review": _REVIEW},
        ),
        S.TOO_LATE: Decide(
            ((is_paid, S.PAID), (is_in_review, S.REVIEW), (is_unsettled, S.PENDING)), otherwise=S.LEFT
        ),
        S.LEFT: End(N_("Cancelled. Nothing was taken.")),
        S.PAID: Choose(
            receipt_text,
            (
                Link(_PDF, paper, when=has_paper),
                Go(N_("What else is owed?"), S.DONE, when=is_fines),
                Go(N_("Back to my file"), S.DONE, when=is_family, id="file"),
                Go(N_("Back to the workers"), S.DONE, when=is_staff, id="workers"),
            ),
            wakes={"paid": _OLD_NEWS, "refused": _OLD_NEWS},
            back=S.DONE,
            rest=True,
        ),
        S.DONE: End(value=order_of),
        S.ELSEWHERE: Choose(
            elsewhere_text,
            (Go(N_("Try again"), S.OPENING),),
            entry=False,
            listens=True,
        ),
        S.ALREADY: Choose(already_text, back=S.DONE, rest=True),
        S.REVIEW: Choose(
            review_text,
            (Link(_PDF, paper, when=has_paper),),
            wakes={"paid": _PAID, "review": _OLD_NEWS},
            rest=True,
        ),
        S.UNSIGNED: Choose(
            N_("You are not signed in any more, so no payment was begun."),
            (Go(N_("Sign in"), S.SIGNING), Go(N_("Cancel"), S.LEFT)),
            entry=False,
            listens=True,
        ),
        S.SIGNING: Identify(then=S.OPENING, left=S.LEFT),
        S.FORBIDDEN: End(
            N_("The ministry's records do not say that you act for all of these persons. Nothing was taken.")
        ),
        S.CHANGED: End(N_("The price or the conditions of a renewal changed meanwhile. Nothing was taken.")),
    },
)
