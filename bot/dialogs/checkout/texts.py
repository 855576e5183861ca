"""What checkout says, in the chat and on the payment pages."""

from collections.abc import Mapping
from typing import Any, Final

from bot.clock import local
from bot.dialogs.checkout.effects import RefusalReason, Shares, Standing, Status
from bot.dialogs.checkout.lines import PEOPLE, counted, listed, told
from bot.dialogs.checkout.payment import (
    RENEWAL_SITE,
    Payment,
    is_closed,
    is_fines,
    news,
    numbers,
    renews,
    standing_of,
    total,
)
from bot.domain import ItemKind
from bot.i18n.text import EMPTY, N_, NP_, Arg, Code, Day, Hour, Lines, Ltr, Money, Msg, say

_REASONS: Final[dict[str, Msg]] = {
    RefusalReason.FUNDS: N_("the account does not hold enough"),
    RefusalReason.LIMIT: N_("it is above the card's limit"),
    RefusalReason.CARD: N_("the bank does not accept this card now"),
    RefusalReason.PIN: N_("the PIN was wrong"),
    RefusalReason.CANCELLED: N_("it was cancelled on the payment page"),
    RefusalReason.TIMEOUT: N_("the time on the payment page ran out"),
    RefusalReason.DECLINED: N_("the bank declined it"),
}


_CONTRADICTION: Final = N_(
    "The gateway's answer about order {order} does not match ours, so a person looks at it now. "
    "Do not pay again; I will write to you here."
)
_NOT_RECORDED: Final = N_(
    "Your payment of order {order} arrived, but the ministry's records did not take it, so a person looks "
    "at it now. Do not pay again; I will write to you here."
)
_PARTLY: Final = "partly"
_SOME: Final = N_("Your payment of order {order} arrived, and the ministry's records took a part of it.")
_REST: Final = N_(
    "A person looks now at what is not recorded. Nobody is charged twice: do not pay again. "
    "I will write to you here."
)
_NOTHING: Final = Shares()
_REVIEWS: Final[dict[str, Msg]] = {
    "second": N_(
        "A second payment of order {order} arrived, and one is enough. A person looks at it now so that it "
        "is given back. Do not pay again; I will write to you here."
    ),
    "silent": N_(
        "For a day the bank has not said whether order {order} was paid, so a person asks it now. "
        "Do not pay again; I will write to you here."
    ),
    **dict.fromkeys(
        (
            *("already_paid", "amount_differs", "unknown_fine", "not_payable", "order_differs"),
            *("key_reused", "not_renewable", "unknown_permit", "years_not_offered"),
        ),
        _NOT_RECORDED,
    ),
}
"""By the reason of the review; the last nine are the registry's refusals."""

_FINES_TERMS: Final = N_(
    "By paying you agree that a fine paid is not returned here; objections go to the ministry."
)
_RENEWAL_TERMS: Final = N_(
    "By paying you agree that what is paid for a residency is not returned once it is recorded. "
    "Health insurance is not part of it: it is paid at the Ministry of Health."
)
_MIXED_TERMS: Final = N_("A fine paid is not returned here either; objections go to the ministry.")


def summary_text(payment: Payment) -> Arg:
    """Amount, what for, where the link leads, until when, the other way to pay, what is never asked."""
    return Lines(
        (
            _amount(payment),
            say(N_("Number {subject}"), subject=Code(payment.subject)),
            say(N_("Order {order}"), order=Code(payment.order)),
            *_renewed(payment),
            EMPTY,
            say(
                N_("The link opens the payment page on {host} and works until {until}."),
                host=Ltr(payment.host),
                until=Hour(payment.until),
            ),
            *terms(*numbers(payment)),
            _ways(payment),
            say(N_("In doubt about a link? Paste it here first.")),
        )
    )


def _amount(payment: Payment) -> Arg:
    if renews(payment):
        what = counted(*numbers(payment))
        return say(N_("*{total}* for {what}"), total=Money(total(payment)), what=what)
    return say(
        NP_("*{total}* for {n} violation", "*{total}* for {n} violations"),
        n=len(payment.items),
        total=Money(total(payment)),
    )


def _renewed(payment: Payment) -> tuple[Arg, ...]:
    """Whose residencies, and until when."""
    renewals = [item for item in payment.items if item.kind is ItemKind.RENEWAL]
    return (EMPTY, *listed(renewals, PEOPLE)) if renewals else ()


def terms(fines: int, renewals: int) -> tuple[Arg, ...]:
    """What whoever pays agrees to."""
    if not renewals:
        return (say(_FINES_TERMS),)
    return (say(_RENEWAL_TERMS), say(_MIXED_TERMS)) if fines else (say(_RENEWAL_TERMS),)


def _ways(payment: Payment) -> Arg:
    if is_fines(payment):
        return say(
            N_(
                "You can also pay in Sahel or on the ministry's site. We never ask here for a card number or PIN."
            )
        )
    return say(
        N_("You can also renew in Sahel or at {site}. We never ask here for a card number or PIN."),
        site=Ltr(RENEWAL_SITE),
    )


def other_ways_text(payment: Payment) -> Arg:
    """Where else the same can be paid."""
    if is_fines(payment):
        return say(
            N_(
                "The same violations can be paid in the Sahel app, in the MOI Kuwait app, or on the ministry's site."
            )
        )
    return say(
        N_("The same residencies can be renewed in the Sahel app or on the ministry's site, {site}."),
        site=Ltr(RENEWAL_SITE),
    )


def down_text(payment: Payment) -> Arg:
    """No payment was begun, and why."""
    if is_fines(payment):
        return say(
            N_(
                "The payment gateway does not answer now, so no payment was begun. If you have paid already, do not pay again."
            )
        )
    return say(
        N_(
            "The ministry's records or the payment gateway do not answer now, so no payment was begun. "
            "If you have paid already, do not pay again."
        )
    )


def elsewhere_text(payment: Payment) -> Arg:
    """Somebody else is at it."""
    if is_fines(payment):
        return say(
            N_(
                "One of these violations is being paid in another chat. Try again when the link there has expired."
            )
        )
    return say(
        N_(
            "One of these residencies is being paid for in another chat. Try again when the link there has expired."
        )
    )


def already_text(payment: Payment) -> Arg:
    """It is done."""
    if is_fines(payment):
        return say(
            N_(
                "One of these violations was paid already. Records are updated within 15 minutes; do not pay again."
            )
        )
    return say(
        N_(
            "One of these residencies was paid for already. Records are updated within 15 minutes; do not pay again."
        )
    )


def receipt_text(payment: Payment) -> Arg:
    """The receipt."""
    return receipt(standing_of(payment))


def receipt(how: Standing) -> Arg:
    """Money arrived: how much, when, under which references, what happens now.

    KNET's certification asks for date, time, amount, payment id and track id in every message about a
    payment (integration manual, 12).
    """
    parts: list[Arg] = [
        say(N_("✓ Paid: *{amount}*"), amount=Money(how.fils)),
        *_when(how),
        say(N_("Receipt {order}"), order=Code(how.receipt)),
    ]
    if how.bank:
        parts.append(say(N_("Bank reference {bank}"), bank=Code(how.bank)))
    parts += _numbers(how)
    if how.shares.renewals:
        parts += [
            say(N_("For {what}:"), what=counted(how.shares.fines, how.shares.renewals)),
            *told(how.shares),
        ]
    if how.refunded:
        parts.append(say(N_("Given back: *{amount}*"), amount=Money(how.refunded)))
    elif how.status is Status.POSTED:
        parts.append(say(N_("It is recorded at the ministry; its pages show it within 15 minutes.")))
    elif how.shares.refused:
        parts.append(say(_REST))
    else:
        parts.append(
            say(N_("It is being recorded at the ministry, within 15 minutes as a rule. Do not pay again."))
        )
    return Lines(tuple(parts))


def _when(how: Standing) -> tuple[Arg, ...]:
    if not how.at:
        return ()
    return (say(N_("On {day} at {hour}"), day=Day(local(how.at).date()), hour=Hour(how.at)),)


def _numbers(how: Standing) -> list[Arg]:
    parts: list[Arg] = []
    if how.payment:
        parts.append(say(N_("Payment id {payment}"), payment=Code(how.payment)))
    if how.track:
        parts.append(say(N_("Track id {track}"), track=Code(how.track)))
    return parts


def paid_notice(data: Mapping[str, Any]) -> Arg:
    return receipt(news(data))


def paper_of(data: Mapping[str, Any]) -> str:
    return str(data.get("paper", ""))


def posted_notice(data: Mapping[str, Any]) -> Arg:
    """The ministry's records have it, of each person."""
    recorded = say(N_("✓ Order {order} is now recorded at the ministry."), order=Code(str(data["receipt"])))
    people = told(news(data).shares)
    return Lines((recorded, *people)) if people else recorded


def refused_notice(data: Mapping[str, Any]) -> Arg:
    return refused(news(data))


def review_notice(data: Mapping[str, Any]) -> Arg:
    return review(str(data["receipt"]), str(data.get("reason", "")), news(data).shares)


def refunded_notice(data: Mapping[str, Any]) -> Arg:
    """Money went back."""
    return Lines(
        (
            say(
                N_("✓ *{amount}* of order {order} was given back to the card it was paid with."),
                amount=Money(int(data.get("refunded", 0))),
                order=Code(str(data["receipt"])),
            ),
            say(N_("The bank may take some days to show it.")),
        )
    )


def refused(how: Standing) -> Arg:
    """A payment was refused, and why."""
    why = _REASONS.get(how.reason, _REASONS[RefusalReason.DECLINED])
    return Lines(
        (
            say(
                N_("✕ The payment of *{amount}* did not go through: {reason}. Nothing was taken."),
                amount=Money(how.fils),
                reason=say(why),
            ),
            *_when(how),
            *_numbers(how),
        )
    )


def review(order: str, reason: str, shares: Shares = _NOTHING) -> Arg:
    """What a person looks at now, and what that means for the resident's money."""
    if reason == _PARTLY:
        return Lines((say(_SOME, order=Code(order)), *told(shares), say(_REST)))
    return say(_REVIEWS.get(reason, _CONTRADICTION), order=Code(order))


def refused_text(payment: Payment) -> Arg:
    return refused(standing_of(payment))


def review_text(payment: Payment) -> Arg:
    return review(payment.order, payment.reason, payment.shares)


def expired_text(payment: Payment) -> Arg:
    if is_closed(payment):
        return say(N_("This order was closed and nothing was taken."))
    return say(N_("The link expired at {until} and nothing was taken."), until=Hour(payment.until))


def left_open(payment: Payment) -> Arg:
    """Another request was answered instead; the link stands."""
    return say(
        N_("The link above for *{total}* works until {until}. Once it is paid, the receipt comes here."),
        total=Money(total(payment)),
        until=Hour(payment.until),
    )


def left_unpaid(payment: Payment) -> Arg:
    """Another request was answered instead; no link is waited for."""
    return say(
        N_("We leave the payment of *{total}*. If it was paid after all, the receipt comes here."),
        total=Money(total(payment)),
    )


def not_yet_text(payment: Payment) -> Arg:
    return say(
        N_(
            "The gateway has seen no payment of *{total}* yet. If you have just paid, wait a minute and ask again; if not, the page is still open for you."
        ),
        total=Money(total(payment)),
    )
