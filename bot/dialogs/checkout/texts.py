"""What checkout says, in the chat and on the payment pages."""

from collections.abc import Mapping
from typing import Any, Final

from bot.dialogs.checkout.effects import (
    RefusalReason,
)
from bot.dialogs.checkout.payment import (
    Payment,
    is_closed,
    total,
)
from bot.i18n.text import EMPTY, N_, NP_, Arg, Code, Hour, Lines, Ltr, Money, Msg, say

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
        N_("No payment of *{total}* has reached the gateway yet, and nothing was taken."),
        total=Money(total(payment)),
    )
