"""Every state an invoice of MyFatoorah's may be in, amount by amount."""

from collections.abc import AsyncGenerator
from typing import Any

import pytest

from bot.clock import local
from bot.dialogs.checkout import RefusalReason
from bot.errors import Malformed
from bot.services.payments import Result
from tests.payments.myfatoorah_desk import FILS, Desk, number, one, open_desk


@pytest.fixture(scope="module", params=["v2"])
async def desk(request: pytest.FixtureRequest) -> AsyncGenerator[Desk, None]:
    async with open_desk(request.param) as opened:
        yield opened


STATES = [
    ("the sandwich of the documentation", "Paid", ["Failed", "InProgress", "Failed", "Succss"], Result.PAID),
    ("success first", "Paid", ["Succss", "Failed", "InProgress"], Result.PAID),
    ("success, the invoice behind", "Pending", ["Succss"], Result.PAID),
    ("success, the invoice withdrawn", "Canceled", ["Succss"], Result.PAID),
    ("success among the unknown", "Paid", ["Baffled", "Succss"], Result.PAID),
    ("the other spelling", "Paid", ["SUCCESS"], Result.PAID),
    ("success beats held", "Paid", ["Authorize", "Succss"], Result.PAID),
    ("paid by nobody", "Paid", [], Result.SUSPECT),
    ("paid by a refusal", "Paid", ["Failed"], Result.SUSPECT),
    ("held", "Pending", ["Authorize"], Result.SUSPECT),
    ("held and released", "Pending", ["Authorize", "Canceled"], Result.FAILED),
    ("no try", "Pending", [], Result.OPEN),
    ("no list", "Pending", None, Result.OPEN),
    ("under way", "Pending", ["InProgress"], Result.PENDING),
    ("under way again", "Pending", ["Failed", "InProgress"], Result.PENDING),
    ("refused", "Pending", ["Failed", "Failed"], Result.FAILED),
    ("withdrawn", "Canceled", [], Result.FAILED),
    ("expired", "Expired", [], Result.EXPIRED),
]


@pytest.mark.parametrize(
    ("standing", "tries", "status"), [case[1:] for case in STATES], ids=[c[0] for c in STATES]
)
async def test_every_state_of_an_invoice(
    desk: Desk, standing: str, tries: list[str] | None, status: Result
) -> None:
    rows = None if tries is None else [one(state, f"10020212096596475{at}") for at, state in enumerate(tries)]
    assert (await desk.asked_of(InvoiceStatus=standing, InvoiceTransactions=rows)).status is status


@pytest.mark.parametrize("rows", [[one("Success!")], [one("")], [one("Refunded")]])
async def test_a_transaction_in_an_unknown_state_is_outside_the_contract(desk: Desk, rows: list[Any]) -> None:
    with pytest.raises(Malformed):
        await desk.asked_of(InvoiceTransactions=rows)


@pytest.mark.parametrize("standing", ["", "Refunded", "paid?"])
async def test_an_invoice_in_an_unknown_state_is_outside_the_contract(desk: Desk, standing: str) -> None:
    with pytest.raises(Malformed):
        await desk.asked_of(InvoiceStatus=standing)


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("MF001", RefusalReason.DECLINED),
        ("MF002", RefusalReason.DECLINED),
        ("MF004", RefusalReason.FUNDS),
        ("MF005", RefusalReason.TIMEOUT),
        ("MF006", RefusalReason.CANCELLED),
        ("MF007", RefusalReason.CARD),
        ("MF008", RefusalReason.TIMEOUT),
        ("MF010", RefusalReason.PIN),
        ("MF020", RefusalReason.DECLINED),
        ("", RefusalReason.DECLINED),
        (None, RefusalReason.DECLINED),
    ],
)
async def test_the_last_refusal_gives_the_reason(desk: Desk, code: str | None, reason: RefusalReason) -> None:
    late = one("Failed", "2", ErrorCode=code, TransactionDate="2021-07-28T13:28:00")
    early = one("Failed", "1", ErrorCode="MF009", TransactionDate="2021-07-28T13:27:00.5")
    found = await desk.asked_of(InvoiceTransactions=[late, early])
    assert (found.status, found.reason, found.payment_id) == (Result.FAILED, reason, "2")


@pytest.mark.parametrize(
    ("date", "time", "status"),
    [
        ("November 1, 2026", "00:00:00.017", Result.EXPIRED),
        ("November 1, 2026", None, Result.EXPIRED),
        ("December 31, 2099", "00:00:00", Result.OPEN),
        ("2020-01-01", "00:00:00", Result.OPEN),  # a form we do not know says nothing
        ("Movember 1, 2020", "00:00:00", Result.OPEN),
        ("February 31, 2020", "00:00:00", Result.OPEN),
        ("January 1, 2020", "25:00:00", Result.OPEN),
        (None, None, Result.OPEN),
    ],
)
async def test_when_an_invoice_expires(
    desk: Desk, date: str | None, time: str | None, status: Result
) -> None:
    assert (await desk.asked_of(ExpiryDate=date, ExpiryTime=time)).status is status


async def test_a_day_without_an_hour_is_a_whole_day(desk: Desk) -> None:
    today = f"{local(desk.clock.now()):%B %d, %Y}"
    assert (await desk.asked_of(ExpiryDate=today, ExpiryTime=None)).status is Result.OPEN


@pytest.mark.parametrize("seconds", [-1, 1])
async def test_expiry_is_told_in_kuwaits_time(desk: Desk, seconds: int) -> None:
    until = local(desk.clock.now() + seconds)
    found = await desk.asked_of(ExpiryDate=f"{until:%B %d, %Y}", ExpiryTime=f"{until:%H:%M:%S}")
    assert found.status is (Result.EXPIRED if seconds < 0 else Result.OPEN)


async def test_money_that_came_twice_is_for_a_person(desk: Desk) -> None:
    twice = [one(payment="1"), one(payment="2")]
    assert (await desk.asked_of(InvoiceTransactions=twice)).status is Result.SUSPECT
    nameless = [one(payment=""), one(payment="")]
    assert (await desk.asked_of(InvoiceTransactions=nameless)).status is Result.SUSPECT
    listed_twice = [one(payment="1"), one(payment="1")]
    assert (await desk.asked_of(InvoiceTransactions=listed_twice)).status is Result.PAID


@pytest.mark.parametrize(
    ("changes", "status", "currency"),
    [
        ({"TransationValue": "15.700"}, Result.SUSPECT, "KWD"),
        ({"PaidCurrencyValue": "15.749"}, Result.SUSPECT, "KWD"),
        ({"PaidCurrencyValue": "15.950", "CustomerServiceCharge": "0.200"}, Result.PAID, "KWD"),
        ({"PaidCurrency": "SR", "PaidCurrencyValue": "190.000"}, Result.PAID, "SR"),
        ({"PaidCurrency": "US", "PaidCurrencyValue": "5.100"}, Result.PAID, "US"),
        ({"Currency": "SR"}, Result.PAID, "SR"),
        ({"Currency": "KWD", "PaidCurrency": "KWD"}, Result.PAID, "KWD"),
        ({"Currency": None, "PaidCurrency": None}, Result.PAID, ""),
        ({"TransationValue": None, "PaidCurrencyValue": None}, Result.PAID, "KWD"),
    ],
)
async def test_invoice_and_transaction_must_agree(
    desk: Desk, changes: dict[str, Any], status: Result, currency: str
) -> None:
    # The text for the customer's eye is not believed: it says dinars in every case.
    found = await desk.asked_of(InvoiceStatus="Paid", InvoiceTransactions=[one(**changes)])
    assert (found.status, found.currency, found.fils) == (status, currency, FILS)


async def test_thousands_are_grouped_in_text(desk: Desk) -> None:
    row = one(TransationValue="12,345.000", PaidCurrencyValue="12,345.000")
    found = await desk.asked_of(InvoiceValue=12345, InvoiceTransactions=[row])
    assert (found.status, found.fils) == (Result.PAID, 12_345_000)


@pytest.mark.parametrize(
    "value",
    [
        "15.7501",
        "15.7500",
        "0",
        "0.000",
        "-15.75",
        "1000000",
        "1e400",
        "15.75000000000000000000000000000000001",
    ],
)
async def test_an_amount_outside_the_contract_is_refused(desk: Desk, value: str) -> None:
    with pytest.raises(Malformed):
        await desk.asked_of(InvoiceValue=number(value), InvoiceTransactions=[one(TransationValue=None)])


@pytest.mark.parametrize("value", ["15.7501", "0.000", "1,2345.000", "15", "-15.750", "NaN", "١٥.٧٥٠"])
async def test_an_amount_in_text_outside_the_contract_is_refused(desk: Desk, value: str) -> None:
    with pytest.raises(Malformed):
        await desk.asked_of(InvoiceTransactions=[one(TransationValue=value)])


async def test_a_number_too_long_to_keep_is_outside_the_contract(desk: Desk) -> None:
    assert (await desk.asked_of(InvoiceTransactions=[one(payment="1" * 64)])).payment_id == "1" * 64
    with pytest.raises(Malformed):
        await desk.asked_of(InvoiceTransactions=[one(payment="1" * 65)])


async def test_no_other_invoice_is_believed(desk: Desk) -> None:
    found = await desk.asked_of(InvoiceId="6409988", InvoiceTransactions=[one()])
    assert found.status is Result.SUSPECT
