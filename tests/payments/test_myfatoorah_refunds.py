"""Refunds through MyFatoorah."""

import json
from collections.abc import AsyncGenerator
from typing import Any

import msgspec
import pytest
from starlette.responses import Response

from bot.errors import Declined, Malformed, Unavailable
from bot.services.payments import Refund, RefundResult, Result
from tests.payments.counterparts.myfatoorah import REVIEW
from tests.payments.myfatoorah_desk import (
    FILS,
    TRACK,
    Desk,
    number,
    open_desk,
    said,
)


@pytest.fixture(params=["v2"])
async def desk(request: pytest.FixtureRequest) -> AsyncGenerator[Desk, None]:
    async with open_desk(request.param) as opened:
        yield opened


both = pytest.mark.parametrize("desk", ["v1", "v2"], indirect=True)


async def refund_of(desk: Desk, fils: int = FILS, key: str = "R1", *, by_invoice: bool = False) -> Refund:
    ref = await desk.paid()
    payment = "" if by_invoice else (await desk.ask(ref)).payment_id
    return Refund(key=key, track_id=TRACK, provider_ref=ref, payment_id=payment, fils=fils, why="paid twice")


@pytest.mark.parametrize("by_invoice", [False, True])
async def test_a_refund_is_taken_on_and_then_carried_out(desk: Desk, by_invoice: bool) -> None:  # noqa: FBT001 - a parameter of pytest
    refund = await refund_of(desk, by_invoice=by_invoice)
    made = await desk.payments.refund(refund)
    assert made.status is RefundResult.PENDING
    assert b'"Amount":15.750' in desk.line.bodies[-1]
    asked = json.loads(desk.line.bodies[-1])
    assert asked["KeyType"] == ("InvoiceId" if by_invoice else "PaymentId")
    assert asked["ExternalIdentifier"] == "R1"
    assert asked["ServiceChargeOnCustomer"] is False
    assert desk.line.headers[-1]["idempotency-key"] == "R1"
    assert desk.portal.kept[TRACK].refunded == {made.reference: FILS}
    assert await desk.payments.refund_status(refund, made.reference) == made
    desk.clock.advance(REVIEW)
    done = await desk.payments.refund_status(refund, made.reference)
    assert (done.status, done.reference) == (RefundResult.DONE, made.reference)
    assert (await desk.ask(refund.provider_ref)).status is Result.PAID  # a refund is an invoice of its own


@both
@pytest.mark.parametrize(
    ("button", "result", "word"),
    [
        ("approve", RefundResult.DONE, "REFUNDED"),
        ("cancel", RefundResult.REFUSED, "CANCELED"),
    ],
)
async def test_the_finance_team_decides_and_tells(
    desk: Desk, button: str, result: RefundResult, word: str
) -> None:
    refund = await refund_of(desk)
    made = await desk.payments.refund(refund)
    desk.told.clear()
    await desk.browser.post(f"/gateway/refunds/{made.reference}", data={"button": button})
    assert (await desk.payments.refund_status(refund, made.reference)).status is result
    (told,) = desk.heard
    assert (told.track_id, told.provider_ref, told.result) == ("", refund.provider_ref, word)
    assert not told.paid
    assert told.event.startswith("refund ")


async def test_a_refund_whose_answer_was_lost_is_found_by_its_key_and_not_asked_for_again(desk: Desk) -> None:
    refund = await refund_of(desk, 5000, "R7")
    await desk.payments.refund(msgspec.structs.replace(refund, key="R6"))
    desk.line.passed.clear()
    desk.answer("MakeRefund", Response(status_code=503))
    with pytest.raises(Unavailable):
        await desk.payments.refund(refund)
    assert desk.line.passed == ["MakeRefund"]
    assert desk.payments.keyed_refunds is False
    assert (await desk.payments.refund_status(refund, "")).status is RefundResult.UNKNOWN
    made = await desk.payments.refund(refund)
    assert await desk.payments.refund_status(refund, "") == made


async def test_more_than_was_paid_is_refused(desk: Desk) -> None:
    refund = await refund_of(desk, FILS + 1)
    with pytest.raises(Declined, match="answered 400"):
        await desk.payments.refund(refund)
    assert desk.portal.kept[TRACK].refunded == {}


async def test_a_refund_of_nothing_the_gateway_knows_is_refused_and_its_status_unknown(desk: Desk) -> None:
    refund = Refund(key="R1", track_id=TRACK, provider_ref="77", payment_id="", fils=FILS, why="paid twice")
    with pytest.raises(Declined):
        await desk.payments.refund(refund)
    assert (await desk.payments.refund_status(refund, "")).status is RefundResult.UNKNOWN
    assert (await desk.payments.refund_status(refund, "2026000001")).status is RefundResult.UNKNOWN


async def test_a_refund_of_another_amount_is_for_a_person(desk: Desk) -> None:
    refund = await refund_of(desk)
    desk.answer("MakeRefund", said({"RefundReference": "2026000012", "Amount": number("1.0")}))
    assert (await desk.payments.refund(refund)).status is RefundResult.UNKNOWN


def row(**changes: Any) -> dict[str, Any]:
    """A row of GetRefundStatus as in the documentation."""
    return {
        "RefundId": 275988,
        "RefundStatus": "Refunded",
        "InvoiceId": 6867014,
        "Amount": number("15.750"),
        "RefundReference": "2026002024",
        "ExternalIdentifier": "R1",
        "RefundAmount": number("15.750"),
        "BaseCurrency": "KWD",
        **changes,
    }


@pytest.mark.parametrize(
    ("rows", "status"),
    [
        ([row()], RefundResult.DONE),
        ([row(RefundStatus="Pending"), row(RefundReference="2026002025")], RefundResult.PENDING),
        ([row(RefundStatus="Canceled")], RefundResult.REFUSED),
        ([row(RefundAmount=None, BaseCurrency=None)], RefundResult.DONE),
        ([row(RefundReference="2026002025")], RefundResult.UNKNOWN),
        ([row(), row()], RefundResult.UNKNOWN),
        ([row(Amount=1)], RefundResult.UNKNOWN),
        ([row(RefundAmount=1)], RefundResult.UNKNOWN),
        ([row(BaseCurrency="SAR")], RefundResult.UNKNOWN),
        ([], RefundResult.UNKNOWN),
    ],
)
async def test_the_state_of_a_refund(desk: Desk, rows: list[Any], status: RefundResult) -> None:
    refund = Refund(key="R1", track_id=TRACK, provider_ref="1", payment_id="", fils=FILS, why="paid twice")
    desk.answer("GetRefundStatus", said({"RefundStatusResult": rows}))
    assert (await desk.payments.refund_status(refund, "2026002024")).status is status


async def test_a_refund_in_an_unknown_state_is_outside_the_contract(desk: Desk) -> None:
    refund = Refund(key="R1", track_id=TRACK, provider_ref="1", payment_id="", fils=FILS, why="paid twice")
    desk.answer("GetRefundStatus", said({"RefundStatusResult": [row(RefundStatus="Refunding")]}))
    with pytest.raises(Malformed):
        await desk.payments.refund_status(refund, "2026002024")
