"""What is paid and how it stands: the answers, what holds of them, what changes them."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from bot.dialogs.checkout.effects import (
    CancelOrder,
    CheckPayment,
    OpenOrder,
    PayLink,
    RenewLink,
    Shares,
    Standing,
    Status,
)
from bot.dialogs.checkout.lines import counts
from bot.domain import Basket, Item


class Payment(msgspec.Struct, frozen=True):
    """What is paid, and how it stands. The first five are the caller's `bot.domain.Bill`."""

    subject: str = ""
    items: tuple[Item, ...] = ()
    owners: tuple[str, ...] = ()
    body: str = ""
    basket: Basket | None = None
    order: str = ""
    url: str = ""
    host: str = ""
    until: int = 0
    status: Status = Status.NONE
    bank: str = ""
    reason: str = ""
    at: int = 0
    payment: str = ""
    track: str = ""
    paper: str = ""
    shares: Shares = Shares()


def as_before(answers: dict[str, Any]) -> dict[str, Any]:
    """Versions 2 and 3 only add answers that have defaults."""
    return answers


def take_link(payment: Payment, link: PayLink) -> Payment:
    return msgspec.structs.replace(
        payment, order=link.order, url=link.url, host=link.host, until=link.until, status=Status.NONE
    )


def take_standing(payment: Payment, standing: Standing) -> Payment:
    return msgspec.structs.replace(
        payment,
        status=standing.status,
        bank=standing.bank,
        reason=standing.reason,
        at=standing.at,
        payment=standing.payment,
        track=standing.track,
        paper=standing.paper,
        shares=standing.shares,
    )


def take_news(payment: Payment, data: Mapping[str, Any]) -> Payment:
    return take_standing(payment, news(data))


def news(data: Mapping[str, Any]) -> Standing:
    """A happening's data: how the order stands, as plain values."""
    return msgspec.convert(data, Standing)


def standing_of(payment: Payment) -> Standing:
    return Standing(
        status=payment.status,
        receipt=payment.order,
        bank=payment.bank,
        fils=total(payment),
        at=payment.at,
        reason=payment.reason,
        payment=payment.payment,
        track=payment.track,
        paper=payment.paper,
        shares=payment.shares,
    )


def has_paper(payment: Payment) -> bool:
    return bool(payment.paper)


def total(payment: Payment) -> int:
    return payment.basket.fils if payment.basket else sum(item.fils for item in payment.items)


def numbers(payment: Payment) -> tuple[int, int]:
    """How many fines and how many residencies are paid for."""
    return (0, payment.basket.count) if payment.basket else counts(payment.items)


def renews(payment: Payment) -> bool:
    return numbers(payment)[1] > 0


def is_family(payment: Payment) -> bool:
    return renews(payment) and not payment.body


def is_staff(payment: Payment) -> bool:
    return renews(payment) and bool(payment.body)


def is_fines(payment: Payment) -> bool:
    return not renews(payment)


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


def opening(payment: Payment) -> OpenOrder:
    return OpenOrder(payment.subject, payment.items, payment.owners, payment.body, payment.basket)


def renewing(payment: Payment) -> RenewLink:
    return RenewLink(payment.order)


def checking(payment: Payment) -> CheckPayment:
    return CheckPayment(payment.order)


def cancelling(payment: Payment) -> CancelOrder:
    return CancelOrder(payment.order)


def paper(payment: Payment) -> str:
    return payment.paper


def page(payment: Payment) -> str:
    return payment.url


def official_page(payment: Payment) -> str:
    if is_fines(payment):
        return OFFICIAL_PAGE
    return f"https://{RENEWAL_SITE}/{'companies' if payment.body else 'individual'}"


RENEWAL_SITE: Final = "eres.moi.gov.kw"
"""Where the ministry renews residencies (its page of e-services, read 2026-11)."""

OFFICIAL_PAGE: Final = "https://www.moi.gov.kw/main/eservices/gdt/violation-enquiry"
"""The ministry's own page for enquiring and paying (www.moi.gov.kw, read 2026-11)."""


def order_of(payment: Payment) -> str:
    return payment.order


def expiry(payment: Payment, _now: int) -> int:
    return payment.until
