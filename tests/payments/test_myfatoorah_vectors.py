"""MyFatoorah's webhooks: the vectors of its documentation, and everything that is not signed by it."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import Malformed
from bot.services.payments import Callback
from tests.payments.myfatoorah_samples import (
    PAYMENTS,
    SMALL,
    V1,
    V1_HMAC,
    V1_REFUND,
    V1_REFUND_TEXT,
    V1_TEXT,
    V2,
    V2_HMAC,
    V2_REFUND,
    V2_REFUND_TEXT,
    V2_TEXT,
    changed,
    first,
    read,
    refused,
    signed,
)

# --- the vectors ---------------------------------------------------------------------------------


def test_version_2_as_documented() -> None:
    assert signed(V2_TEXT) == V2_HMAC
    assert signed(V1_TEXT) == V1_HMAC
    told = read(V2, V2_HMAC)
    assert told == Callback(
        track_id="",  # not of our form
        provider_ref="6409988",
        event="07076409988323998875",
        result="SUCCESS",
        fils=0,  # not signed, so claimed by nobody
        paid=True,
        plain={
            "Invoice.Id": "6409988",
            "Invoice.Status": "PAID",
            "Transaction.Status": "SUCCESS",
            "Transaction.PaymentId": "07076409988323998875",
            "Invoice.ExternalIdentifier": "asdqwd-f13sdf-fasjkz",
        },
    )


def test_version_1_as_documented() -> None:
    told = read(V1, V1_HMAC)
    assert (told.track_id, told.provider_ref, told.event) == ("12223444", "586170", "100202106359084366")
    assert (told.result, told.fils, told.paid) == ("SUCCESS", 456_750, True)
    assert told.plain["InvoiceId"] == "586170"
    assert told.plain["UserDefinedField"] == ""
    assert not {"CustomerName", "CustomerMobile", "CustomerEmail"} & set(told.plain)


def test_refunds_as_documented() -> None:
    told = read(V1_REFUND, signed(V1_REFUND_TEXT))
    assert (told.track_id, told.provider_ref, told.event) == ("", "585757", "refund 2840")
    assert (told.result, told.fils, told.paid) == ("REFUNDED", 0, False)
    told = read(V2_REFUND, signed(V2_REFUND_TEXT))
    assert (told.track_id, told.provider_ref, told.event) == ("", "5620277", "refund 111147")
    assert (told.result, told.fils, told.paid) == ("CANCELED", 0, False)
    unsigned = changed(V1_REFUND, "GatewayReference", None)
    assert read(unsigned, signed(V1_REFUND_TEXT)).provider_ref == "585757"
    payment = changed(V1, "GatewayReference", "x")  # left out of refunds only
    refused(payment, V1_HMAC)


def test_the_older_name_of_our_number() -> None:
    older = changed(V2, "Customer", {"Reference": "T1"})
    del older["Data"]["Invoice"]["ExternalIdentifier"]
    text = V2_TEXT.replace("Invoice.ExternalIdentifier=asdqwd-f13sdf-fasjkz", "Customer.Reference=T1")
    assert read(older, signed(text)).track_id == "T1"
    refused(older, V2_HMAC)


def test_what_is_null_or_missing_is_signed_as_empty() -> None:
    empty = V2_TEXT.replace("asdqwd-f13sdf-fasjkz", "")
    assert read(changed(V2, "Invoice.ExternalIdentifier", None), signed(empty)).track_id == ""
    missing = changed(V2, "Transaction", {"Status": "FAILED"})
    text = V2_TEXT.replace("SUCCESS", "FAILED").replace("07076409988323998875", "")
    told = read(missing, signed(text))
    assert (told.event, told.paid) == ("", False)


def test_names_are_sorted_ignoring_case() -> None:
    notice, signature = first({"aPart": "1", "BaseCurrency": "KWD", **SMALL})
    assert read(notice, signature).provider_ref == "586170"
    shuffled = {**notice, "Data": dict(reversed(notice["Data"].items()))}
    assert read(shuffled, signature).provider_ref == "586170"


def test_a_number_is_signed_as_it_was_written() -> None:
    body = json.dumps(first(SMALL)[0]).replace(
        '"InvoiceValueInBaseCurrency": "5"', '"InvoiceValueInBaseCurrency": 5.500'
    )
    _, signature = first({**SMALL, "InvoiceValueInBaseCurrency": "5.500"})
    assert read(body.encode(), signature).fils == 5500


@pytest.mark.parametrize(
    ("status", "paid"),
    [("SUCCESS", True), ("Succss", True), ("FAILED", False), ("INPROGRESS", False), ("success?", False)],
)
def test_only_success_claims_money(status: str, paid: bool) -> None:  # noqa: FBT001 - a parameter of pytest
    assert read(*first({**SMALL, "TransactionStatus": status})).paid is paid
    told = read(changed(V2, "Transaction.Status", status), signed(V2_TEXT.replace("SUCCESS", status)))
    assert (told.paid, told.result) == (paid, status)


def test_an_amount_in_another_currency_is_no_amount_of_ours() -> None:
    assert read(*first({**SMALL, "BaseCurrency": "SAR"})).fils == 0


# --- what is refused -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("Invoice.Id", "6409989"),
        ("Invoice.Id", 6409989),
        ("Invoice.Status", "PENDING"),
        ("Transaction.Status", "FAILED"),
        ("Transaction.PaymentId", "1"),
        ("Invoice.ExternalIdentifier", "T1"),
        ("Invoice", None),
        ("Invoice", []),
        ("Transaction", "SUCCESS"),
    ],
)
def test_version_2_altered(path: str, value: Any) -> None:
    refused(changed(V2, path, value), V2_HMAC)


@pytest.mark.parametrize("name", sorted(V1["Data"]))
def test_version_1_altered_added_to_and_shortened(name: str) -> None:
    refused(changed(V1, name, "altered"), V1_HMAC)
    refused(changed(V1, f"{name}X", "added"), V1_HMAC)
    shorter = changed(V1, name, "")
    del shorter["Data"][name]
    refused(shorter, V1_HMAC)


@pytest.mark.parametrize(
    "signature",
    [
        "",
        "=",
        V1_HMAC,
        V2_HMAC.lower(),
        V2_HMAC[:-1],
        f"{V2_HMAC} ",
        "é",
        "\udc80",
        signed(V2_TEXT, "another"),
    ],
)
def test_another_signature(signature: str) -> None:
    refused(V2, signature)


def test_no_signature() -> None:
    with pytest.raises(Malformed):
        PAYMENTS.parse_callback(json.dumps(V2).encode(), {})


@pytest.mark.parametrize(
    ("data", "event"),
    [
        ({**SMALL, "InvoiceValueInBaseCurrency": "5.0001"}, 1),
        ({**SMALL, "InvoiceValueInBaseCurrency": "0"}, 1),
        ({**SMALL, "InvoiceValueInBaseCurrency": "0.000"}, 1),
        ({**SMALL, "InvoiceValueInBaseCurrency": "-5"}, 1),
        ({**SMALL, "InvoiceValueInBaseCurrency": "NaN"}, 1),
        ({**SMALL, "InvoiceValueInBaseCurrency": "Infinity"}, 1),
        ({**SMALL, "InvoiceValueInBaseCurrency": "five"}, 1),
        ({**SMALL, "InvoiceValueInBaseCurrency": "1_0"}, 1),
        ({**SMALL, "InvoiceValueInBaseCurrency": "٥"}, 1),
        ({**SMALL, "InvoiceValueInBaseCurrency": None}, 1),
        ({**SMALL, "InvoiceId": "six"}, 1),
        ({**SMALL, "InvoiceId": "٦"}, 1),
        ({**SMALL, "InvoiceId": None}, 1),
        ({**SMALL, "TransactionStatus": None}, 1),
        ({"A=1,B": "2", **SMALL}, 1),
        ({"A.B": "2", **SMALL}, 1),
        ({"InvoiceId": "1"}, 1),
        ({"InvoiceId": "1", "RefundId": "1"}, 2),
        ({"InvoiceId": "six", "RefundId": "1", "RefundStatus": "REFUNDED"}, 2),
        ({"InvoiceId": "1", "RefundId": None, "RefundStatus": "REFUNDED"}, 2),
        ({"DepositedAmount": "6917.282", "InvoiceId": "1"}, 3),
        ({}, 1),
    ],
)
def test_signed_and_yet_outside_the_contract(data: dict[str, Any], event: int) -> None:
    refused(*first(data, event))


@pytest.mark.parametrize("value", [True, [], {}])
def test_what_is_not_a_plain_value_is_refused_however_signed(value: Any) -> None:
    notice, _ = first({"Aside": value, **SMALL})
    _, signature = first({"Aside": json.dumps(value), **SMALL})
    refused(notice, signature)


def test_other_events_are_none_of_ours() -> None:
    notice, signature = first(SMALL)
    refused({**notice, "EventType": 2}, signature)
    refused({**notice, "Event": "RefundStatusChanged"}, signature)
    refused({**notice, "EventType": 6, "Event": "DisputeStatusChanged"}, signature)
    for event in (
        {"Code": 6, "Name": "DISPUTE_STATUS_CHANGED"},
        {"Code": 1, "Name": "REFUND_STATUS_CHANGED"},
    ):
        refused({**V2, "Event": event}, V2_HMAC)


def test_the_versions_are_not_taken_for_one_another() -> None:
    assert read(V2, V2_HMAC, myfatoorah_webhook_version="v2").provider_ref == "6409988"
    assert read(V1, V1_HMAC, myfatoorah_webhook_version="V1").provider_ref == "586170"
    refused(V2, V2_HMAC, myfatoorah_webhook_version="v1")
    refused(V1, V1_HMAC, myfatoorah_webhook_version="v2")
    refused(V2, V2_HMAC, myfatoorah_webhook_version="v3")
    # What version 2 signed, dressed up as one field of version 1, and beside it whatever one likes.
    name, _, value = V2_TEXT.partition("=")
    refused({"EventType": 1, "Event": "TransactionsStatusChanged", "Data": {name: value}}, V2_HMAC)
    refused({"EventType": 2, "Event": "RefundStatusChanged", "Data": {name: value}}, V2_HMAC)
    # And what version 1 signed, split at other places.
    head, _, rest = V1_TEXT.partition("=")
    refused({"EventType": 1, "Event": "TransactionsStatusChanged", "Data": {head: rest}}, V1_HMAC)
    # A body of both shapes is the one its event says.
    refused({**V1, "Event": V2["Event"]}, V1_HMAC)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'{"Data":{}}',
        b'{"Event":{"Code":1,"Name":"PAYMENT_STATUS_CHANGED"},"Data":null}',
        b'{"Event":{"Code":1,"Name":"PAYMENT_STATUS_CHANGED"},"Data":{}}',
        b"\xff\xfe",
        b"[" * 60_000,
        b'{"Data":' + b"[" * 60_000,
        b'{"Event":"TransactionsStatusChanged","EventType":1,"Data":{"InvoiceId":' + b"[" * 60_000,
        b'{"Event":"TransactionsStatusChanged","EventType":1,"Data":{"InvoiceId":"\\ud800"}}',
        b'{"Event":"TransactionsStatusChanged","EventType":1,"Data":{"InvoiceId":true}}',
        b"<html>",
    ],
)
def test_bodies_that_are_no_notification(body: bytes) -> None:
    refused(body, V2_HMAC)


def test_a_notification_cut_short_or_too_long() -> None:
    body = json.dumps(V2).encode()
    for length in range(0, len(body), 7):
        refused(body[:length], V2_HMAC)
    assert read(body + b" " * (64 * 1024 - len(body)), V2_HMAC).provider_ref == "6409988"
    refused(body + b" " * (64 * 1024 - len(body) + 1), V2_HMAC)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
HEADERS = st.dictionaries(
    st.sampled_from(["myfatoorah-signature", "myfatoorah-webhook-version", "content-type"]),
    st.text(max_size=50) | st.sampled_from([V1_HMAC, V2_HMAC, "v1", "v2"]),
)
NAMES = st.sampled_from(["Event", "EventType", "Data", "Invoice", "Transaction", "Code", "Name", "InvoiceId"])
SHAPED = st.fixed_dictionaries(
    {
        "Event": st.sampled_from([V1["Event"], V2["Event"]]) | JSON,
        "Data": st.dictionaries(NAMES, JSON) | JSON,
    },
    optional={"EventType": st.integers(-1, 8) | JSON},
)


@given(st.binary(max_size=300) | JSON.map(lambda v: json.dumps(v).encode()), HEADERS)
def test_whatever_comes_is_refused_in_one_way(body: bytes, headers: dict[str, str]) -> None:
    with pytest.raises(Malformed, match=r"^payments: notification refused$"):
        PAYMENTS.parse_callback(body, headers)


@given(SHAPED, HEADERS)
def test_whatever_looks_like_a_notification_is_refused_in_one_way(
    notice: dict[str, Any], headers: dict[str, str]
) -> None:
    with pytest.raises(Malformed, match=r"^payments: notification refused$"):
        PAYMENTS.parse_callback(json.dumps(notice).encode(), headers)


@given(st.dictionaries(st.from_regex(r"[A-Za-z]{1,6}", fullmatch=True), JSON, max_size=4), st.integers(1, 2))
def test_a_signed_notification_is_read_or_refused_and_nothing_else(extra: dict[str, Any], event: int) -> None:
    data = {**SMALL, "RefundId": "1", "RefundStatus": "REFUNDED", **extra}
    names = sorted(data, key=str.lower)
    text = ",".join(f"{name}={'' if data[name] is None else data[name]}" for name in names)
    notice = {"EventType": event, "Event": first({}, event)[0]["Event"], "Data": data}
    try:
        told = read(notice, signed(text))
    except Malformed as error:
        said = str(error)
    else:
        said = told.provider_ref
    assert said in {"586170", "payments: notification refused"}
