"""Samples of MyFatoorah's documentation, signed, and how they are shown to our client."""

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot.errors import Malformed
from bot.services.payments import Callback
from bot.services.payments.myfatoorah import MyFatoorah, MyFatoorahTerms
from tests.payments.world import FakeClock

SECRET = "test-secret"

# The two texts are the documentation's samples; the two HMACs were made with OpenSSL under the secret above.
V2_TEXT = (
    "Invoice.Id=6409988,Invoice.Status=PAID,Transaction.Status=SUCCESS,"
    "Transaction.PaymentId=07076409988323998875,Invoice.ExternalIdentifier=asdqwd-f13sdf-fasjkz"
)
V1_TEXT = (
    "AuthorizationId=B68413,BaseCurrency=KWD,CreatedDate=04032021211555,CustomerEmail=,"
    "CustomerMobile=96512345678,CustomerName=Test Webhook,CustomerReference=12223444,DisplayCurrency=KWD,"
    "InvoiceId=586170,InvoiceReference=2021000184,InvoiceValueInBaseCurrency=456.75,"
    "InvoiceValueInDisplayCurreny=456.75,InvoiceValueInPayCurrency=456.75,PayCurrency=KWD,"
    "PaymentId=100202106359084366,PaymentMethod=KNET,ReferenceId=106310001097,TrackId=04-03-2021_477336,"
    "TransactionStatus=SUCCESS,UserDefinedField="
)
V2_HMAC = "fAHcCPgqkudaxnH5BCT2OQbPzEeHNl8HxD78Gn1rT0A="
V1_HMAC = "KNrbLgT0o+vhBtWwjeVKSz261933MoqlEUIbAp4sE+g="

V2: dict[str, Any] = {
    "Event": {
        "Code": 1,
        "Name": "PAYMENT_STATUS_CHANGED",
        "CountryIsoCode": "KWT",
        "CreationDate": "2026-01-04T08:15:00.9500000Z",
        "Reference": "WH-626519",
    },
    "Data": {
        "Invoice": {
            "Id": "6409988",
            "Status": "PAID",
            "Reference": "2026000073",
            "ExternalIdentifier": "asdqwd-f13sdf-fasjkz",
            "MetaData": {"UDF1": "dsa"},
        },
        "Transaction": {
            "Id": "86781",
            "Status": "SUCCESS",
            "PaymentMethod": "VISA/MASTER",
            "PaymentId": "07076409988323998875",
            "Card": {"NameOnCard": "SOMEBODY", "Number": "512345xxxxxx0008"},
        },
        "Customer": {"Name": "Anonymous", "Mobile": "+965", "Email": ""},
        "Amount": {"BaseCurrency": "KWD", "ValueInBaseCurrency": "1"},
        "Suppliers": [],
    },
}
V1: dict[str, Any] = {
    "EventType": 1,
    "Event": "TransactionsStatusChanged",
    "DateTime": "04032021211557",
    "CountryIsoCode": "KWT",
    "Data": {
        "InvoiceId": 586170,
        "InvoiceReference": "2021000184",
        "CreatedDate": "04032021211555",
        "CustomerReference": "12223444",
        "CustomerName": "Test Webhook",
        "CustomerMobile": "96512345678",
        "CustomerEmail": None,
        "TransactionStatus": "SUCCESS",
        "PaymentMethod": "KNET",
        "UserDefinedField": None,
        "ReferenceId": "106310001097",
        "TrackId": "04-03-2021_477336",
        "PaymentId": "100202106359084366",
        "AuthorizationId": "B68413",
        "InvoiceValueInBaseCurrency": "456.75",
        "BaseCurrency": "KWD",
        "InvoiceValueInDisplayCurreny": "456.75",
        "DisplayCurrency": "KWD",
        "InvoiceValueInPayCurrency": "456.75",
        "PayCurrency": "KWD",
    },
}
V1_REFUND: dict[str, Any] = {
    "EventType": 2,
    "Event": "RefundStatusChanged",
    "DateTime": "04032021211057",
    "CountryIsoCode": "KWT",
    "Data": {
        "RefundId": 2840,
        "RefundReference": "2021000019",
        "CreatedDate": "04032021210447",
        "RefundStatus": "REFUNDED",
        "Amount": "40",
        "Comments": "Test Webhook",
        "InvoiceId": "585757",
        "GatewayReference": {"PaymentId": "100202109798688317", "RefundAmount": "40", "Currency": "KWD"},
    },
}
V1_REFUND_TEXT = (
    "Amount=40,Comments=Test Webhook,CreatedDate=04032021210447,InvoiceId=585757,RefundId=2840,"
    "RefundReference=2021000019,RefundStatus=REFUNDED"
)
V2_REFUND: dict[str, Any] = {
    "Event": {"Code": 2, "Name": "REFUND_STATUS_CHANGED", "Reference": "WH-128044"},
    "Data": {
        "Refund": {"Id": "111147", "Reference": "2025000058", "Status": "CANCELED", "InvoiceId": "5620292"},
        "Amount": {"BaseCurrency": "KWD", "ValueInBaseCurrency": "30"},
        "ReferencedInvoice": {"Id": "5620277", "ValueInBaseCurrency": "64.32"},
    },
}
V2_REFUND_TEXT = (
    "Refund.Id=111147,Refund.Status=CANCELED,Amount.ValueInBaseCurrency=30,ReferencedInvoice.Id=5620277"
)


def signed(text: str, secret: str = SECRET) -> str:
    return base64.b64encode(hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest()).decode()


PAYMENTS = MyFatoorah(MyFatoorahTerms("a-token", SECRET), FakeClock())


def read(notice: Any, signature: str, **headers: str) -> Callback:
    body = notice if isinstance(notice, bytes) else json.dumps(notice).encode()
    given_headers = {name.replace("_", "-"): value for name, value in headers.items()}
    return PAYMENTS.parse_callback(body, {"myfatoorah-signature": signature, **given_headers})


def refused(notice: Any, signature: str, **headers: str) -> None:
    with (
        capture_logs() as logs,
        pytest.raises(Malformed, match=r"^payments: notification refused$") as raised,
    ):
        read(notice, signature, **headers)
    assert raised.value.__cause__ is None
    assert raised.value.__suppress_context__
    assert logs == []


def changed(notice: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """A copy with the field at ``Data.…path`` replaced."""
    copy: dict[str, Any] = json.loads(json.dumps(notice))
    inner = copy["Data"]
    *way, last = path.split(".")
    for step in way:
        inner = inner[step]
    inner[last] = value
    return copy


def first(data: dict[str, Any], event: int = 1) -> tuple[dict[str, Any], str]:
    """A signed notification of version 1 with ``data``, whose names are in order already."""
    names = {1: "TransactionsStatusChanged", 2: "RefundStatusChanged", 3: "BalanceTransferred"}
    text = ",".join(f"{name}={'' if value is None else value}" for name, value in data.items())
    return {"EventType": event, "Event": names[event], "Data": data}, signed(text)


SMALL: dict[str, Any] = {
    "BaseCurrency": "KWD",
    "CustomerReference": "T1",
    "InvoiceId": 586170,
    "InvoiceValueInBaseCurrency": "5",
    "PaymentId": "77",
    "TransactionStatus": "SUCCESS",
}
