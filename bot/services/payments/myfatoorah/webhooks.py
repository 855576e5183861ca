"""MyFatoorah's webhooks, both versions: how they are signed and what they claim.

Not the body is signed but a text ``name=value,name=value`` made of it: base64 of its HMAC-SHA256 under the
portal's secret (webhook-signature). Version 1 takes every field of ``Data``, sorted by name ignoring case.
Version 2 takes a short list per event, in the documented order, which leaves the amount out.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

import msgspec

from bot.errors import Malformed
from bot.services.payments import Callback
from bot.services.payments.myfatoorah.answers import SERVICE, fils_in

SIGNATURE: Final = "myfatoorah-signature"
VERSION: Final = "myfatoorah-webhook-version"
"""``v1`` or ``v2``. Not documented; MyFatoorah's library demands it. Where it is present it must agree with
the body; where it is absent the body decides: the two shapes exclude one another."""

_LONGEST: Final = 64 * 1024  # bytes; the documentation's largest sample is under 3 kB
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]*", re.ASCII)
_INVOICE = re.compile(r"[0-9]{1,19}", re.ASCII)
_TRACK = re.compile(r"[A-Za-z0-9]{1,19}", re.ASCII)
_AMOUNT = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?", re.ASCII)
_PAID: Final = frozenset(("SUCCESS", "Succss"))

_PAYMENT: Final = 1
_REFUND: Final = 2
_NAMES_V1: Final = {_PAYMENT: "TransactionsStatusChanged", _REFUND: "RefundStatusChanged"}
_NAMES_V2: Final = {_PAYMENT: "PAYMENT_STATUS_CHANGED", _REFUND: "REFUND_STATUS_CHANGED"}
_UNSIGNED: Final = "GatewayReference"
"""Part of a refund's ``Data`` in version 1 that is left out of the signature (refund-data-model)."""

_SIGNED_V2: Final[Mapping[int, tuple[str, ...]]] = {
    _PAYMENT: ("Invoice.Id", "Invoice.Status", "Transaction.Status", "Transaction.PaymentId"),
    _REFUND: ("Refund.Id", "Refund.Status", "Amount.ValueInBaseCurrency", "ReferencedInvoice.Id"),
}
_OUR_NUMBER: Final = "Invoice.ExternalIdentifier"
_OUR_NUMBER_OLD: Final = "Customer.Reference"
"""Last of the signed fields of a payment, as it was called before (and is in the library's 2.2)."""

_PERSONAL: Final = frozenset(("CustomerName", "CustomerMobile", "CustomerEmail", "CardNumber"))
"""Of version 1; never kept. Of version 2 only signed fields are."""


class _V1(msgspec.Struct, rename="pascal"):
    event_type: int
    event: str
    data: dict[str, msgspec.Raw]  # raw: a number is signed as it was written


class _Event(msgspec.Struct, rename="pascal"):
    code: int
    name: str


class _V2(msgspec.Struct, rename="pascal"):
    event: _Event
    data: dict[str, msgspec.Raw]


def read(secret: str, body: bytes, headers: Mapping[str, str]) -> Callback:
    """What the notification claims.

    Raises:
        Malformed: always with the same text, whatever is wrong.
    """
    try:
        return _read(secret, body, headers)
    except (msgspec.DecodeError, ValueError, KeyError, RecursionError, Malformed):
        raise Malformed(SERVICE, "notification refused") from None


def _read(secret: str, body: bytes, headers: Mapping[str, str]) -> Callback:
    if len(body) > _LONGEST:
        raise ValueError("too long")
    version = headers.get(VERSION, "").strip().lower()
    given = headers.get(SIGNATURE, "")
    try:
        second = msgspec.json.decode(body, type=_V2)
    except msgspec.ValidationError:
        first = msgspec.json.decode(body, type=_V1)
        _agree(version, "v1")
        return _first(secret, given, first)
    _agree(version, "v2")
    return _second(secret, given, second)


def _agree(said: str, found: str) -> None:
    if said not in {"", found}:
        raise ValueError("the header names another version")


def _first(secret: str, given: str, notice: _V1) -> Callback:
    if _NAMES_V1.get(notice.event_type) != notice.event:
        raise ValueError("an event that is none of ours")
    refund = notice.event_type == _REFUND
    signed = {name: raw for name, raw in notice.data.items() if not (refund and name == _UNSIGNED)}
    # A name with a dot or an equals sign could pass off the signed text of one version as the other's.
    if any(_NAME.fullmatch(name) is None for name in signed):
        raise ValueError("a name outside the contract")
    fields = {name: _text(signed[name]) for name in sorted(signed, key=str.lower)}
    _verify(secret, given, fields)
    kept = {name: value for name, value in fields.items() if name not in _PERSONAL}
    if refund:
        return _refunded(fields["RefundId"], fields["RefundStatus"], fields["InvoiceId"], kept)
    amount = fields["InvoiceValueInBaseCurrency"]
    if _AMOUNT.fullmatch(amount) is None:
        raise ValueError("not an amount")
    fils = fils_in(Decimal(amount))
    return _payment(
        fields["InvoiceId"],
        fields["TransactionStatus"],
        fields["PaymentId"],
        fields["CustomerReference"],
        fils=fils if fields["BaseCurrency"] == "KWD" else 0,
        plain=kept,
    )


def _second(secret: str, given: str, notice: _V2) -> Callback:
    code = notice.event.code
    if _NAMES_V2.get(code) != notice.event.name:
        raise ValueError("an event that is none of ours")
    names = _SIGNED_V2[code]
    if code == _PAYMENT:
        new = "ExternalIdentifier" in _object(notice.data.get("Invoice"))
        names = (*names, _OUR_NUMBER if new else _OUR_NUMBER_OLD)
    fields = {name: _at(notice.data, name) for name in names}
    _verify(secret, given, fields)
    if code == _REFUND:
        number, status, invoice = fields["Refund.Id"], fields["Refund.Status"], fields["ReferencedInvoice.Id"]
        return _refunded(number, status, invoice, fields)
    # No amount: it is not signed, so it would be a claim of nobody.
    return _payment(
        fields["Invoice.Id"],
        fields["Transaction.Status"],
        fields["Transaction.PaymentId"],
        fields[names[-1]],
        fils=0,
        plain=fields,
    )


def _payment(
    invoice: str, status: str, payment: str, track: str, *, fils: int, plain: dict[str, str]
) -> Callback:
    if _INVOICE.fullmatch(invoice) is None or not status:
        raise ValueError("not the agreed shape")
    return Callback(
        track_id=track if _TRACK.fullmatch(track) else "",
        provider_ref=invoice,
        event=payment,
        result=status,
        fils=fils,
        paid=status in _PAID,
        plain=plain,
    )


def _refunded(number: str, status: str, invoice: str, plain: dict[str, str]) -> Callback:
    if _INVOICE.fullmatch(invoice) is None or not number or not status:
        raise ValueError("not the agreed shape")
    return Callback(provider_ref=invoice, event=f"refund {number}", result=status, plain=plain)


def _verify(secret: str, given: str, fields: Mapping[str, str]) -> None:
    text = ",".join(f"{name}={value}" for name, value in fields.items())
    digest = hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest()
    if not hmac.compare_digest(base64.b64encode(digest), given.encode()):
        raise ValueError("not signed by the gateway")


def _at(data: Mapping[str, msgspec.Raw], path: str) -> str:
    """The value at ``Invoice.Id`` as signed; one that is not there is signed as empty."""
    outer, _, inner = path.partition(".")
    return _text(_object(data.get(outer)).get(inner, msgspec.Raw(b"null")))


def _object(raw: msgspec.Raw | None) -> dict[str, msgspec.Raw]:
    return {} if raw is None else msgspec.json.decode(raw, type=dict[str, msgspec.Raw])


def _text(raw: msgspec.Raw) -> str:
    value: Any = msgspec.json.decode(raw)
    match value:
        case None:
            return ""
        case str():
            return value
        case bool() | dict() | list():
            raise ValueError("not a plain value")
        case _:
            return bytes(raw).decode().strip()  # a number, digit for digit
