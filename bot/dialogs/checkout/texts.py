"""What checkout says, in the chat and on the payment pages."""

from collections.abc import Mapping
from typing import Any, Final

from bot.clock import local
from bot.dialogs.checkout.effects import RefusalReason, Standing, Status
from bot.dialogs.checkout.payment import Payment, is_closed, news, standing_of, total
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
        ("already_paid", "amount_differs", "unknown_fine", "not_payable", "order_differs", "key_reused"),
        _NOT_RECORDED,
    ),
}
"""By the reason of the review; the last six are the registry's refusals."""


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
            say(N_("In doubt about a link? Paste it here first.")),
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
    if how.refunded:
        parts.append(say(N_("Given back: *{amount}*"), amount=Money(how.refunded)))
    elif how.status is Status.POSTED:
        parts.append(say(N_("It is recorded at the ministry; its pages show it within 15 minutes.")))
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
    return say(N_("✓ Order {order} is now recorded at the ministry."), order=Code(str(data["receipt"])))


def refused_notice(data: Mapping[str, Any]) -> Arg:
    return refused(news(data))


def review_notice(data: Mapping[str, Any]) -> Arg:
    return review(str(data["receipt"]), str(data.get("reason", "")))


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


def review(order: str, reason: str) -> Arg:
    """What a person looks at now, and what that means for the resident's money."""
    return say(_REVIEWS.get(reason, _CONTRADICTION), order=Code(order))


def refused_text(payment: Payment) -> Arg:
    return refused(standing_of(payment))


def review_text(payment: Payment) -> Arg:
    return review(payment.order, payment.reason)


def expired_text(payment: Payment) -> Arg:
    if is_closed(payment):
        return say(N_("This order was closed and nothing was taken."))
    return say(N_("The link expired at {until} and nothing was taken."), until=Hour(payment.until))


def not_yet_text(payment: Payment) -> Arg:
    return say(
        N_(
            "The gateway has seen no payment of *{total}* yet. If you have just paid, wait a minute and ask again; if not, the page is still open for you."
        ),
        total=Money(total(payment)),
    )
