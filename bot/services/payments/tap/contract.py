"""Tap's contract: the shape of its answers, its words and codes, its amounts, its signature.

Read from Tap's public pages (developers.tap.company, 2025): reference/charges, docs/knet, docs/webhook,
reference/refunds, docs/idempotency, reference/charge-response-codes. Nothing was tried against Tap itself.
"""

import hashlib
import hmac
from collections.abc import Mapping
from decimal import Decimal
from typing import Final

import msgspec

from bot.dialogs.checkout import RefusalReason
from bot.services.payments import REASONS, RefundResult, Result, amount_text

KWD: Final = "KWD"

CAPTURED: Final = "CAPTURED"

_DUPLICATE: Final = "403"  # "Failed, Duplicate": a response code, not the HTTP status
CHARGE_NOT_FOUND: Final = "1144"
"""The error code of an enquiry about a charge Tap does not have; it is answered 400 or 404."""

_CAPTURED_CODE: Final = "000"
_EXPIRED_CODE: Final = "304"

_THREE_DECIMALS: Final = ("BHD", "KWD", "OMR")
"""Every other currency has two (reference/create-a-refund, ``amount``)."""

_PLACES: Final = 3  # decimals of the dinar

_LARGEST: Final = 999_999_999
"""Fils; KNET's field of ten characters ends there."""

_RESULTS: Final[Mapping[str, Result]] = {
    "INITIATED": Result.OPEN,
    "IN_PROGRESS": Result.PENDING,
    "CAPTURED": Result.PAID,
    "ABANDONED": Result.EXPIRED,
    "CANCELLED": Result.FAILED,
    "FAILED": Result.FAILED,
    "DECLINED": Result.FAILED,
    "RESTRICTED": Result.FAILED,
    "VOID": Result.FAILED,
    "TIMEDOUT": Result.FAILED,
    "UNKNOWN": Result.UNKNOWN,
}

_CODES: Final[Mapping[str, RefusalReason]] = {
    "405": RefusalReason.CARD,
    "406": RefusalReason.CARD,
    "407": RefusalReason.CARD,
    "504": RefusalReason.CARD,
    "505": RefusalReason.FUNDS,
    "508": RefusalReason.TIMEOUT,
}
"""Tap's own response codes that tell a resident more than "declined"."""

_REFUNDS: Final[Mapping[str, RefundResult]] = {
    "REFUNDED": RefundResult.DONE,
    "PENDING": RefundResult.PENDING,
    "ACCEPTED": RefundResult.PENDING,
    "IN_PROGRESS": RefundResult.PENDING,
    "CANCELLED": RefundResult.REFUSED,
    "DECLINED": RefundResult.REFUSED,
    "FAILED": RefundResult.REFUSED,
    "RESTRICTED": RefundResult.REFUSED,
    "TIMEDOUT": RefundResult.UNKNOWN,
    "TIMED_OUT": RefundResult.UNKNOWN,
    "UNKNOWN": RefundResult.UNKNOWN,
}


class Said(msgspec.Struct, frozen=True):
    """A code of Tap, of the gateway or of the acquirer."""

    code: str | None = None


class Behind(msgspec.Struct, frozen=True):
    """What a party behind Tap answered."""

    response: Said | None = None


class References(msgspec.Struct, frozen=True):
    """Numbers of one charge: ``transaction`` is ours, ``acquirer`` the twelve digits KNET prints."""

    transaction: str | None = None
    payment: str | None = None
    gateway: str | None = None
    acquirer: str | None = None


class Transaction(msgspec.Struct, frozen=True):
    """When a charge was made (epoch milliseconds), where its page is, the bank's authorisation."""

    created: str | int | None = None
    url: str | None = None
    authorization_id: str | None = None


class Merchant(msgspec.Struct, frozen=True):
    """Whose charge it is."""

    id: str | None = None


class ChargeShape(msgspec.Struct, frozen=True):
    """A charge, as answered and as notified; fields we have no use for, the customer above all, are not read."""

    id: str
    object: str
    status: str
    amount: Decimal
    currency: str
    reference: References = References()
    transaction: Transaction = Transaction()
    response: Said | None = None
    gateway: Behind | None = None
    acquirer: Behind | None = None
    merchant: Merchant | None = None
    auto_reversed: bool = False

    @property
    def code(self) -> str:
        """Tap's response code; empty when it gave none."""
        return said(self.response)


class RefundShape(msgspec.Struct, frozen=True):
    """A refund."""

    id: str
    status: str
    amount: Decimal
    currency: str
    charge_id: str
    response: Said | None = None


class Fault(msgspec.Struct, frozen=True):
    """One error."""

    code: str | int


class Faults(msgspec.Struct, frozen=True):
    """What a refused request is answered with."""

    errors: list[Fault]


def said(answer: Said | None) -> str:
    """The code in ``answer``; empty when there is none."""
    return "" if answer is None else answer.code or ""


def fils_of_number(amount: Decimal) -> int:
    """``5.25`` dinars, read from a JSON number, as ``5250``.

    Raises:
        ValueError: more than three decimals, zero, negative, too large, or no number at all.
    """
    _, digits, exponent = amount.as_tuple()
    longest = len(str(_LARGEST))
    # Looked at before any arithmetic: 1e999999999 is a short text and a long number.
    if not isinstance(exponent, int) or not -_PLACES <= exponent <= longest or len(digits) > longest:
        raise ValueError("not an amount in dinars")
    fils = int(amount.scaleb(_PLACES))
    if not 0 < fils <= _LARGEST:
        raise ValueError("not an amount we could have asked for")
    return fils


def number_of_fils(fils: int) -> Decimal:
    """``5250`` as the number ``5.250``, for an encoder that writes decimals as they are."""
    return Decimal(amount_text(fils))


def result_of(charge: ChargeShape, merchant: str) -> Result | None:
    """How ``charge`` stands for the merchant ``merchant``; None for a status outside the contract.

    `Result.SUSPECT` when Tap contradicts itself: another merchant's charge, a capture with a code that is
    not the capture's, one that names no merchant to compare, or one marked as reversed by Tap.
    """
    result = _RESULTS.get(_word(charge.status))
    owner = None if charge.merchant is None else charge.merchant.id
    if result is not None and owner and owner != merchant:
        return Result.SUSPECT
    if result is Result.PAID:
        sound = owner and charge.code in {_CAPTURED_CODE, ""} and not charge.auto_reversed
        return Result.PAID if sound else Result.SUSPECT
    if charge.code == _CAPTURED_CODE and result is not None:
        return Result.SUSPECT
    return Result.EXPIRED if result is Result.FAILED and charge.code == _EXPIRED_CODE else result


def reason_of(charge: ChargeShape) -> RefusalReason:
    """Why a refused charge was refused: the bank's ISO code where Tap passes it on, else Tap's own."""
    if _word(charge.status) == "CANCELLED":
        return RefusalReason.CANCELLED
    if _word(charge.status) == "TIMEDOUT":
        return RefusalReason.TIMEOUT
    for party in (charge.acquirer, charge.gateway):
        if party is not None and (reason := REASONS.get(said(party.response))):
            return reason
    return _CODES.get(charge.code, RefusalReason.DECLINED)


def refund_result(refund: RefundShape) -> RefundResult | None:
    """How ``refund`` stands; None for a status outside the contract.

    A refund that failed as a duplicate says that another one exists, not that nothing went back.
    """
    result = _REFUNDS.get(_word(refund.status))
    if result is RefundResult.REFUSED and said(refund.response) == _DUPLICATE:
        return RefundResult.UNKNOWN
    return result


def hashstring(secret: str, charge: ChargeShape) -> str:
    """Tap's signature of ``charge``: lower-case hex HMAC-SHA256 under the secret API key (docs/webhook).

    It covers the id, the amount with the decimals of its currency (the JSON number may have fewer), the
    references of gateway and payment, the status and the time; not our track id, nor the merchant.
    """
    places = _PLACES if charge.currency in _THREE_DECIMALS else 2
    reference, created = charge.reference, charge.transaction.created
    text = (
        f"x_id{charge.id}"
        f"x_amount{charge.amount:.{places}f}"
        f"x_currency{charge.currency}"
        f"x_gateway_reference{reference.gateway or ''}"
        f"x_payment_reference{reference.payment or ''}"
        f"x_status{charge.status}"
        f"x_created{'' if created is None else created}"
    )
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


def _word(status: str) -> str:
    # Tap's pages write both IN_PROGRESS and IN PROGRESS.
    return status.replace(" ", "_")
