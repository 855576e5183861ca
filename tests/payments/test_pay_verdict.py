"""What an answer means, case by case: attempt as it is, answer of the gateway, what follows."""

from typing import Any

import pytest

from bot.services.ledger import Attempt, AttemptStatus, Order, OrderStatus
from bot.services.orders.parts import (
    GIVE_UP,
    PAGE_LIFE,
    ask_again,
    hidden,
    new_reference,
    new_token,
    new_track,
)
from bot.services.orders.verdict import SILENT, Deed, judge
from bot.services.payments import Enquiry, Result

A = AttemptStatus
OPEN = (A.CREATED, A.LINKED, A.PENDING, A.UNKNOWN)


def order(status: OrderStatus = OrderStatus.OPEN, reason: str = "") -> Order:
    return Order(
        id=1,
        ref="IQ-0000-0001",
        key="k",
        chat=b"",
        chat_blind="b",
        language="ar",
        subject="",
        total_fils=5000,
        currency="KWD",
        status=status,
        reason=reason,
        created=0,
        updated=0,
        paid_at=0,
        bank="",
        post_due=None,
        post_tries=0,
    )


def attempt(status: AttemptStatus, reason: str = "", created: int = 0) -> Attempt:
    return Attempt(
        id=1,
        order_id=1,
        provider="sandbox",
        provider_ref="",
        track="T1",
        fils=5000,
        currency="KWD",
        status=status,
        url="",
        reason=reason,
        bank="",
        payment="",
        bank_transaction="",
        auth="",
        captured=0,
        created=created,
        updated=0,
        due=None,
    )


def said(status: Result, **other: Any) -> Enquiry:
    return Enquiry(status=status, **{"track_id": "T1", "fils": 5000, "currency": "KWD", **other})


@pytest.mark.parametrize("status", [*OPEN, A.FAILED, A.EXPIRED])
@pytest.mark.parametrize("where", [OrderStatus.OPEN, OrderStatus.CANCELLED])
def test_an_agreed_payment_is_captured_whatever_we_thought(status: A, where: OrderStatus) -> None:
    assert judge(order(where), attempt(status), said(Result.PAID), age=GIVE_UP).deed is Deed.CAPTURE


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        ({"track_id": "T2"}, "track"),
        ({"fils": 4999}, "amount"),
        ({"fils": 5001}, "amount"),
        ({"currency": "USD"}, "currency"),
        ({"currency": ""}, "currency"),
        ({"track_id": ""}, "track"),
    ],
)
@pytest.mark.parametrize("status", [*OPEN, A.FAILED, A.EXPIRED])
def test_a_payment_that_differs_is_reviewed(status: A, other: dict[str, Any], reason: str) -> None:
    verdict = judge(order(), attempt(status), said(Result.PAID, **other), age=600)
    assert (verdict.deed, verdict.reason) == (Deed.REVIEW, reason)


@pytest.mark.parametrize("answer", list(Result))
@pytest.mark.parametrize("status", [A.PAID, A.REFUNDED])
def test_paid_is_final(status: A, answer: Result) -> None:
    for age in (600, GIVE_UP):
        for other in ({}, {"fils": 1}):
            verdict = judge(order(OrderStatus.PAID), attempt(status), said(answer, **other), age=age)
            assert verdict.deed in {Deed.KEEP, Deed.NOTE}


@pytest.mark.parametrize("where", [OrderStatus.PAID, OrderStatus.POSTED, OrderStatus.REFUNDED])
def test_a_second_capture_is_reviewed(where: OrderStatus) -> None:
    verdict = judge(order(where), attempt(A.EXPIRED), said(Result.PAID), age=600)
    assert (verdict.deed, verdict.reason) == (Deed.REVIEW, "second")


def test_only_a_review_for_silence_ends_by_itself() -> None:
    silent = order(OrderStatus.REVIEW, SILENT)
    assert judge(silent, attempt(A.REVIEW, SILENT), said(Result.PAID), age=GIVE_UP).deed is Deed.CAPTURE
    other = judge(silent, attempt(A.REVIEW, SILENT), said(Result.PAID, fils=1), age=GIVE_UP)
    assert (other.deed, other.reason) == (Deed.REVIEW, "amount")
    assert (
        judge(
            order(OrderStatus.REVIEW, "amount"), attempt(A.REVIEW, "amount"), said(Result.PAID), age=GIVE_UP
        ).deed
        is Deed.KEEP
    )


@pytest.mark.parametrize("status", OPEN)
def test_failures_are_believed_only_about_the_same_charge(status: A) -> None:
    for answer, deed in ((Result.FAILED, Deed.REFUSE), (Result.EXPIRED, Deed.EXPIRE)):
        assert judge(order(), attempt(status), said(answer), age=600).deed is deed
        assert judge(order(), attempt(status), said(answer, track_id="T2"), age=600).deed is Deed.REVIEW


@pytest.mark.parametrize("answer", [Result.SUSPECT, Result.REFUNDED])
def test_contradictions_need_a_person(answer: Result) -> None:
    assert judge(order(), attempt(A.PENDING), said(answer), age=600).deed is Deed.REVIEW


@pytest.mark.parametrize(
    ("status", "answer", "age", "deed", "waits"),
    [
        (A.LINKED, Result.PENDING, 0, Deed.WAIT, A.PENDING),
        (A.PENDING, Result.UNKNOWN, 0, Deed.WAIT, A.UNKNOWN),
        (A.UNKNOWN, Result.PENDING, 0, Deed.WAIT, A.PENDING),
        (A.PENDING, Result.PENDING, GIVE_UP, Deed.REVIEW, None),
        (A.UNKNOWN, Result.UNKNOWN, GIVE_UP, Deed.REVIEW, None),
        (A.EXPIRED, Result.PENDING, 0, Deed.WAIT, A.EXPIRED),
        (A.EXPIRED, Result.PENDING, GIVE_UP, Deed.REVIEW, None),
        (A.LINKED, Result.OPEN, 0, Deed.WAIT, A.LINKED),
        (A.LINKED, Result.OPEN, PAGE_LIFE, Deed.WAIT, A.LINKED),
        (A.CREATED, Result.OPEN, 0, Deed.WAIT, A.LINKED),
        (A.UNKNOWN, Result.OPEN, 0, Deed.WAIT, A.LINKED),
        (A.LINKED, Result.OPEN, GIVE_UP, Deed.EXPIRE, None),
        (A.LINKED, Result.MISSING, PAGE_LIFE - 1, Deed.WAIT, A.LINKED),
        (A.UNKNOWN, Result.MISSING, 0, Deed.WAIT, A.LINKED),
        (A.PENDING, Result.MISSING, GIVE_UP, Deed.EXPIRE, None),
        (A.CREATED, Result.MISSING, 0, Deed.EXPIRE, None),
        (A.EXPIRED, Result.MISSING, PAGE_LIFE, Deed.WAIT, A.EXPIRED),
        (A.EXPIRED, Result.MISSING, GIVE_UP, Deed.EXPIRE, None),
        (A.FAILED, Result.PENDING, 0, Deed.KEEP, None),
        (A.FAILED, Result.EXPIRED, 0, Deed.KEEP, None),
        (A.REVIEW, Result.FAILED, 0, Deed.KEEP, None),
    ],
)
def test_what_is_not_said_is_asked_again_for_a_day(
    status: A,
    answer: Result,
    age: int,
    deed: Deed,
    waits: A | None,
) -> None:
    verdict = judge(order(), attempt(status), said(answer), age=age)
    assert verdict.deed is deed
    if waits is not None:
        assert verdict.status is waits


def test_a_page_nobody_paid_on_for_an_hour_is_given_up_and_still_asked_about() -> None:
    verdict = judge(order(), attempt(A.LINKED), said(Result.MISSING), age=PAGE_LIFE)
    assert (verdict.deed, verdict.asks_on) == (Deed.EXPIRE, True)
    assert not judge(order(), attempt(A.LINKED), said(Result.MISSING), age=GIVE_UP).asks_on


def test_the_gateway_is_asked_after_2_10_30_minutes_and_then_hourly() -> None:
    now, asked = 0, []
    while now < 4 * 3600:
        now = ask_again(attempt(A.PENDING, created=0), now)
        asked.append(now // 60)
    assert asked == [2, 10, 30, 60, 120, 180, 240]


def test_numbers_that_are_not_masked_are_hidden() -> None:
    assert hidden("2850****0029") == "2850****0029"
    assert hidden("285011500029") == "****0029"
    assert hidden("12345678") == "****5678"
    assert hidden("") == ""


def test_names_are_readable_and_do_not_repeat() -> None:
    assert len({new_reference() for _ in range(200)} | {new_track() for _ in range(200)}) == 400
    assert len({new_token() for _ in range(200)}) == 200
    track = new_track()
    assert len(track) == 19
    assert track.isalnum()
    assert not set(track + new_reference().replace("IQ-", "")) & set("ILOU")
