"""What the counterpart of MyFatoorah keeps of an invoice, and the webhooks it makes of it and signs.

From the pages "Webhook Signature", "Webhook V1", "Webhook V2" and their data models; never from our client.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from tests.payments.counterparts.bank import Kept

SECRET: Final = "webhook-secret-of-the-counterpart"

_V2_SIGNED: Final = {
    1: "Invoice.Id Invoice.Status Transaction.Status Transaction.PaymentId Invoice.ExternalIdentifier",
    2: "Refund.Id Refund.Status Amount.ValueInBaseCurrency ReferencedInvoice.Id",
}


@dataclass
class Try:
    """One transaction; ``state`` and ``code`` as the bank's, frozen once another one follows."""

    payment: str
    at: int
    state: str
    code: str


@dataclass
class Back:
    """One refund, with the moment the finance team will carry it out."""

    number: int
    fils: int
    external: str
    due: int
    status: str = "Pending"

    @property
    def reference(self) -> str:
        return f"2026{self.number % 1000000:06d}"


@dataclass
class Bill:
    """What is kept of an invoice besides `Kept`."""

    number: int
    until: int
    callback: str
    error: str
    note: str
    tries: list[Try] = field(default_factory=list[Try])
    refunds: list[Back] = field(default_factory=list[Back])


def bill(kept: Kept) -> Bill:
    """The invoice behind ``kept``."""
    found = kept.more["bill"]
    assert isinstance(found, Bill)
    return found


def money(fils: int) -> Decimal:
    """15750 as 15.75, 5000 as 5: without the zeros, as the gateway writes numbers."""
    return Decimal(f"{Decimal(fils).scaleb(-3).normalize():f}")


def signature(text: str, secret: str = SECRET) -> str:
    """Steps 3 to 5 of the page "Webhook Signature"."""
    return base64.b64encode(hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest()).decode()


def _plain(value: Any) -> str:
    return "" if value is None else str(value)


def text_v1(data: Mapping[str, Any], event: int) -> str:
    """All fields in alphabetical order; a refund's without GatewayReference."""
    names = [name for name in data if not (event == 2 and name == "GatewayReference")]
    names.sort(key=lambda name: (name.lower(), name))
    return ",".join(f"{name}={_plain(data[name])}" for name in names)


def text_v2(data: Mapping[str, Any], event: int) -> str:
    """The fields each event's page lists, in that order."""
    parts = [name.split(".") for name in _V2_SIGNED[event].split()]
    return ",".join(f"{outer}.{inner}={_plain(data[outer].get(inner))}" for outer, inner in parts)


def webhook(
    data: Mapping[str, Any], event: int, version: str, secret: str = SECRET
) -> tuple[bytes, dict[str, str]]:
    """Body and headers of a webhook."""
    if version == "v1":
        names = {1: "TransactionsStatusChanged", 2: "RefundStatusChanged"}
        body: dict[str, Any] = {
            "EventType": event,
            "Event": names[event],
            "DateTime": "04032021211557",
            "CountryIsoCode": "KWT",
            "Data": data,
        }
        text = text_v1(data, event)
    else:
        code = {1: "PAYMENT_STATUS_CHANGED", 2: "REFUND_STATUS_CHANGED"}
        about = {"Code": event, "Name": code[event], "CountryIsoCode": "KWT", "Reference": "WH-626519"}
        body = {"Event": about, "Data": data}
        text = text_v2(data, event)
    headers = {
        "Content-Type": "application/json",
        "MyFatoorah-Signature": signature(text, secret),
        "MyFatoorah-Webhook-Version": version,
    }
    return json.dumps(body).encode(), headers


def data_v1(kept: Kept, payment: str, status: str) -> dict[str, Any]:
    value = str(money(kept.fils))
    return {
        "InvoiceId": bill(kept).number,
        "InvoiceReference": "2021000184",
        "CreatedDate": "04032021211555",
        "CustomerReference": kept.track,
        "CustomerName": "Anonymous",
        "CustomerMobile": "+965",
        "CustomerEmail": None,
        "TransactionStatus": status,
        "PaymentMethod": "KNET",
        "UserDefinedField": bill(kept).note,
        "ReferenceId": payment[-12:],
        "TrackId": "04-03-2021_477336",
        "PaymentId": payment,
        "AuthorizationId": "B68413",
        "InvoiceValueInBaseCurrency": value,
        "BaseCurrency": "KWD",
        "InvoiceValueInDisplayCurreny": value,
        "DisplayCurrency": "KWD",
        "InvoiceValueInPayCurrency": value,
        "PayCurrency": "KWD",
    }


def data_v2(kept: Kept, payment: str, status: str) -> dict[str, Any]:
    value = str(money(kept.fils))
    return {
        "Invoice": {
            "Id": str(bill(kept).number),
            "Status": "PAID" if status == "SUCCESS" else "PENDING",
            "Reference": "2026000073",
            "UserDefinedField": bill(kept).note,
            "ExternalIdentifier": kept.track,
            "MetaData": None,
        },
        "Transaction": {
            "Id": "86781",
            "Status": status,
            "PaymentMethod": "KNET",
            "PaymentId": payment,
            "ReferenceId": payment[-12:],
            "IP": {"Address": "192.0.2.1", "Country": "Kuwait"},
            "Error": {"Code": "", "Message": ""},
            "Card": {"NameOnCard": "SOMEBODY ELSE", "Number": "888888xxxxxx0008"},
        },
        "Customer": {"Name": "Anonymous", "Mobile": "+965", "Email": ""},
        "Amount": {"BaseCurrency": "KWD", "ValueInBaseCurrency": value},
        "Suppliers": [],
    }


def refund_data(kept: Kept, back: Back, version: str) -> dict[str, Any]:
    value = str(money(back.fils))
    status, number = back.status.upper(), str(bill(kept).number)
    if version == "v1":
        return {
            "RefundId": back.number,
            "RefundReference": back.reference,
            "CreatedDate": "04032021210447",
            "RefundStatus": status,
            "Amount": value,
            "Comments": "Test Webhook",
            "InvoiceId": number,
            "GatewayReference": {"PaymentId": "100202109798688317", "Currency": "KWD"},
        }
    return {
        "Refund": {"Id": str(back.number), "Reference": back.reference, "Status": status},
        "Amount": {"BaseCurrency": "KWD", "ValueInBaseCurrency": value},
        "ReferencedInvoice": {"Id": number, "ExternalIdentifier": kept.track},
    }
