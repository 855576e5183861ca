"""What MyFatoorah's answers look like, and what an invoice's state means for us.

An invoice collects any number of transactions. The one that succeeded decides, in whatever order they came:
success is final (update-payment-status-guidelines, "Success Status").
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Final

import msgspec

from bot.clock import KUWAIT
from bot.dialogs.checkout import RefusalReason
from bot.errors import Malformed
from bot.services.payments import Enquiry, Result

SERVICE: Final = "payments"

GRACE: Final = 30 * 60
"""Seconds after an invoice expired during which a try under way is still waited for. MyFatoorah's library calls
it expired at once; somebody may be on KNET's page at that moment. The figure is ours."""

_GOOD: Final = frozenset(("succss", "success"))  # v2 writes "Succss"; v3 and the webhooks "SUCCESS"
_FAILED: Final = frozenset(("failed", "canceled"))  # canceled: an authorised amount was released
_UNDER_WAY: Final = "inprogress"
_HELD: Final = "authorize"
_STATES: Final = _GOOD | _FAILED | {_UNDER_WAY, _HELD}
_INVOICE_STATES: Final = frozenset(("pending", "paid", "canceled", "expired"))

_REASONS: Final[Mapping[str, RefusalReason]] = {
    "MF004": RefusalReason.FUNDS,
    "MF005": RefusalReason.TIMEOUT,  # session timeout
    "MF006": RefusalReason.CANCELLED,
    "MF007": RefusalReason.CARD,  # expired card
    "MF008": RefusalReason.TIMEOUT,  # the issuer does not answer
    "MF010": RefusalReason.PIN,  # wrong security code
}
"""Documentation, get-payment-status, "Error Codes". Those left out name several causes at once."""

_KWD: Final = "KWD"
_CURRENCIES: Final = {"KD": _KWD, "KWD": _KWD}
"""v2 answers with a name of its own, ``KD`` in every sample, where requests take ISO 4217."""

_AMOUNT = re.compile(r"([0-9]{1,3}(,[0-9]{3})*|[0-9]+)\.[0-9]{1,3}", re.ASCII)
_TOO_MUCH: Final = 1_000_000  # dinars; KNET's largest amount is 999999.999 (integration manual, 3.5.4)
_DECIMALS: Final = 3

_DAY = re.compile(r"([A-Z][a-z]+) ([0-9]{1,2}), ([0-9]{4})", re.ASCII)
_TIME = re.compile(r"([0-9]{2}):([0-9]{2}):([0-9]{2})(\.[0-9]+)?", re.ASCII)
_MONTHS: Final = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)

_Word = Annotated[str, msgspec.Meta(max_length=64)]


class Head(msgspec.Struct, rename="pascal"):
    """What every answer has; ``data`` has a shape of its own, and any shape when ``is_success`` is false."""

    is_success: bool
    message: str | None = None
    data: msgspec.Raw = msgspec.Raw(b"null")


class Method(msgspec.Struct, rename="pascal"):
    """A way to pay that the account has: KNET's code is ``kn``."""

    payment_method_id: int
    payment_method_code: str
    payment_currency_iso: str | None = None


class Methods(msgspec.Struct, rename="pascal"):
    """Answer to InitiatePayment."""

    payment_methods: list[Method]


class Executed(msgspec.Struct, rename="pascal"):
    """Answer to ExecutePayment."""

    invoice_id: int | str
    url: str = msgspec.field(name="PaymentURL")
    customer_reference: str | None = None
    is_direct_payment: bool = False


class Transaction(msgspec.Struct, rename="pascal"):
    """One try to pay an invoice. Amounts are text with groups: ``12,345.000``."""

    transaction_status: str
    transaction_date: str | None = None
    payment_id: _Word | None = None
    transaction_id: _Word | None = None
    authorization_id: _Word | None = None
    reference_id: _Word | None = None
    transation_value: str | None = None  # sic
    currency: _Word | None = None
    paid_currency: _Word | None = None
    paid_currency_value: str | None = None
    error_code: str | None = None

    @property
    def state(self) -> str:
        """`transaction_status` in lower case."""
        return self.transaction_status.casefold()


_NO_TRY: Final = Transaction("")


class Invoice(msgspec.Struct, rename="pascal"):
    """Answer to GetPaymentStatus. ``invoice_value`` is in the account's own currency."""

    invoice_id: int | str
    invoice_status: str
    invoice_value: Decimal
    customer_reference: _Word | None = None
    invoice_display_value: _Word | None = None
    expiry_date: str | None = None
    expiry_time: str | None = None
    invoice_transactions: list[Transaction] | None = None


class RefundMade(msgspec.Struct, rename="pascal"):
    """Answer to MakeRefund."""

    refund_reference: _Word
    amount: Decimal


class RefundRow(msgspec.Struct, rename="pascal"):
    """One refund of an invoice. ``refund_amount`` is what reaches the customer."""

    refund_status: str
    refund_reference: _Word
    amount: Decimal
    refund_amount: Decimal | None = None
    external_identifier: str | None = None
    base_currency: str | None = None


class RefundRows(msgspec.Struct, rename="pascal"):
    """Answer to GetRefundStatus."""

    refund_status_result: list[RefundRow]


def fils_in(value: Decimal) -> int:
    """``Decimal("15.75")`` as 15750.

    Raises:
        Malformed: more than three decimals, nothing, negative, or more than KNET takes.
    """
    exponent = value.as_tuple().exponent
    if not isinstance(exponent, int) or exponent < -_DECIMALS or not 0 < value < _TOO_MUCH:
        raise Malformed(SERVICE, "an amount outside the contract")
    return int(value * 1000)


def enquiry(invoice: Invoice, asked: str, now: int) -> Enquiry:
    """What the answer about invoice ``asked`` means at ``now``.

    Raises:
        Malformed: a status or an amount outside the contract.
    """
    tries = sorted(invoice.invoice_transactions or [], key=lambda one: one.transaction_date or "")
    good = [one for one in tries if one.state in _GOOD]
    status, reason = _paid(invoice, good) if good else _unpaid(invoice, tries, now)
    if str(invoice.invoice_id) != asked:
        status, reason = Result.SUSPECT, ""
    seen = good or tries
    last = seen[-1] if seen else _NO_TRY
    return Enquiry(
        status=status,
        track_id=invoice.customer_reference or "",
        fils=fils_in(invoice.invoice_value),
        currency=_currency(invoice, last),
        bank_reference=(last.reference_id or "") if status is Result.PAID else "",
        reason=reason,
        payment_id=last.payment_id or "",
        transaction=last.transaction_id or "",
        authorisation=last.authorization_id or "",
    )


def _paid(invoice: Invoice, good: Sequence[Transaction]) -> tuple[Result, str]:
    numbers = [one.payment_id or "" for one in good]
    if len(set(numbers)) > 1 or numbers.count("") > 1:
        return Result.SUSPECT, ""  # money came twice for one invoice
    for one in good:
        value, paid = _text_fils(one.transation_value), _text_fils(one.paid_currency_value)
        if value and value != fils_in(invoice.invoice_value):
            return Result.SUSPECT, ""
        # A service charge may be laid on the customer, so what was paid can be more, but never less.
        if paid and value and _iso(one.paid_currency) == _KWD and paid < value:
            return Result.SUSPECT, ""
    return Result.PAID, ""


def _unpaid(invoice: Invoice, tries: Sequence[Transaction], now: int) -> tuple[Result, str]:
    states = {one.state for one in tries}
    standing = invoice.invoice_status.casefold()
    if states - _STATES or standing not in _INVOICE_STATES:
        raise Malformed(SERVICE, "a status outside the contract")
    if standing == "paid" or (_HELD in states and "canceled" not in states):
        return Result.SUSPECT, ""  # paid without a payment; or money held that nobody here would ever capture
    until = _until(invoice)
    gone = standing == "expired" or (until is not None and now >= until)
    if _UNDER_WAY in states and not (until is not None and now >= until + GRACE):
        return Result.PENDING, ""
    if failed := [one for one in tries if one.state in _FAILED]:
        return Result.FAILED, _REASONS.get(failed[-1].error_code or "", RefusalReason.DECLINED)
    if standing == "canceled":  # by hand, in the portal
        return Result.FAILED, RefusalReason.CANCELLED
    return (Result.EXPIRED if gone else Result.OPEN), ""


def _until(invoice: Invoice) -> int | None:
    """When the invoice expires (epoch seconds); None if it does not say so in the known form.

    ``August 28, 2026`` and ``03:59:25.017`` are Kuwait's wall clock: so MyFatoorah's library reads them.
    """
    day = _DAY.fullmatch(invoice.expiry_date or "")
    clock = _TIME.fullmatch(invoice.expiry_time or "23:59:59")
    if day is None or clock is None or day[1] not in _MONTHS:
        return None
    date = (int(day[3]), _MONTHS.index(day[1]) + 1, int(day[2]))
    try:
        moment = datetime(*date, int(clock[1]), int(clock[2]), int(clock[3]), tzinfo=KUWAIT)
    except ValueError:
        return None
    return int(moment.timestamp())


def _currency(invoice: Invoice, last: Transaction) -> str:
    """ISO 4217 of the money; of the two names a transaction has, the one that is not ours.

    An invoice nobody tried to pay has no field for it but the text shown to the customer: ``5.000 KD``. That
    is enough to describe it, and never reaches a payment.
    """
    if last is _NO_TRY:
        return _iso((invoice.invoice_display_value or "").rpartition(" ")[2])
    names = [_iso(last.currency), _iso(last.paid_currency or last.currency)]
    return next((name for name in names if name != _KWD), _KWD)


def _iso(name: str | None) -> str:
    stripped = (name or "").strip()
    return _CURRENCIES.get(stripped.upper(), stripped)


def _text_fils(text: str | None) -> int:
    """``12,345.000`` as 12345000; 0 for nothing."""
    if not text:
        return 0
    if _AMOUNT.fullmatch(text) is None:
        raise Malformed(SERVICE, "an amount outside the contract")
    return fils_in(Decimal(text.replace(",", "")))
