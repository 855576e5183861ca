"""Our client of Tap against answers Tap should never give, and its settings."""

import json
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest
import stamina
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from structlog.testing import capture_logs

from bot.dialogs.checkout import RefusalReason
from bot.errors import ConfigError, Declined, Malformed, OutsideError, Unavailable
from bot.services.payments import Charge, Refund, Refunded, RefundResult, Result
from bot.services.payments.tap import Tap, TapTerms
from tests.payments.counterparts.tap import EMAIL, MERCHANT, SECRET
from tests.payments.world import FakeClock, serving

TRACK = "KB7F3C9A1D2E4051"
BACK = Refund(key="RF1", track_id=TRACK, provider_ref="chg_1", payment_id="", fils=5_000, why="Paid twice")


@dataclass
class Oracle:
    """Answers whatever the test says, and counts how often it was asked."""

    answer: Callable[[], Response]
    asked: int = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.asked += 1
        while (await receive()).get("more_body"):
            pass
        await self.answer()(scope, receive, send)


@dataclass
class Line:
    """Our client toward the oracle."""

    tap: Tap
    oracle: Oracle

    def says(self, answer: Callable[[], Response]) -> None:
        self.oracle.answer, self.oracle.asked = answer, 0


@pytest.fixture(scope="module")
async def oracle() -> AsyncGenerator[tuple[Oracle, str], None]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        made = Oracle(lambda: Response(status_code=404))
        async with serving(made, listening):
            yield made, f"http://127.0.0.1:{listening.getsockname()[1]}"


@pytest.fixture
async def line(oracle: tuple[Oracle, str]) -> AsyncGenerator[Line, None]:
    tap = Tap(TapTerms(SECRET, MERCHANT, EMAIL, oracle[1]), FakeClock())
    with stamina.set_testing(testing=True, attempts=3, cap=True):
        yield Line(tap, oracle[0])
    await tap.close()


CHARGE: dict[str, Any] = {
    "id": "chg_1",
    "object": "charge",
    "status": "CAPTURED",
    "amount": 45.25,
    "currency": "KWD",
    "transaction": {"created": "1760000000000", "url": "https://sandbox.payments.tap.company/x"},
    "reference": {"transaction": TRACK, "order": "IQ-7F3C-9A1D", "gateway": None},
    "response": {"code": "000", "message": "Captured"},
    "merchant": {"id": MERCHANT},
}


def said(**changes: Any) -> Callable[[], Response]:
    body = {name: value for name, value in {**CHARGE, **changes}.items() if value is not ...}
    return lambda: Response(json.dumps(body), media_type="application/json")


def raw(body: str | bytes, status: int = 200, media_type: str = "application/json") -> Callable[[], Response]:
    return lambda: Response(body, status, media_type=media_type)


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, Result.PAID),
        ({"response": ...}, Result.PAID),
        ({"response": {"code": "901"}}, Result.SUSPECT),
        ({"merchant": {"id": "1"}}, Result.SUSPECT),
        ({"merchant": ...}, Result.SUSPECT),
        ({"auto_reversed": True}, Result.SUSPECT),
        ({"status": "DECLINED"}, Result.SUSPECT),
        ({"status": "INITIATED", "response": {"code": "100"}, "merchant": ...}, Result.OPEN),
        ({"status": "INITIATED", "response": {"code": "100"}, "merchant": {"id": "1"}}, Result.SUSPECT),
        ({"status": "IN PROGRESS", "response": {"code": "200"}}, Result.PENDING),
        ({"status": "IN_PROGRESS", "response": {"code": "200"}}, Result.PENDING),
        ({"status": "ABANDONED", "response": {"code": "301"}}, Result.EXPIRED),
        ({"status": "CANCELLED", "response": {"code": "304"}}, Result.EXPIRED),
        ({"status": "CANCELLED", "response": {"code": "302"}}, Result.FAILED),
        ({"status": "FAILED", "response": {"code": "401"}}, Result.FAILED),
        ({"status": "RESTRICTED", "response": {"code": "701"}}, Result.FAILED),
        ({"status": "VOID", "response": {"code": "601"}}, Result.FAILED),
        ({"status": "TIMEDOUT", "response": {"code": "801"}}, Result.FAILED),
        ({"status": "UNKNOWN", "response": {"code": "901"}}, Result.UNKNOWN),
        ({"live_mode": True, "new_field": [1.5]}, Result.PAID),
    ],
)
async def test_the_table_of_statuses(line: Line, changes: dict[str, Any], status: Result) -> None:
    line.says(said(**changes))
    assert (await line.tap.enquire(TRACK, "chg_1", 45_250)).status is status


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"response": {"code": "505"}}, RefusalReason.FUNDS),
        ({"response": {"code": "407"}}, RefusalReason.CARD),
        ({"response": {"code": "508"}}, RefusalReason.TIMEOUT),
        ({"response": {"code": "501"}}, RefusalReason.DECLINED),
        ({"response": ...}, RefusalReason.DECLINED),
        ({"response": {"code": "501"}, "gateway": {"response": {"code": "61"}}}, RefusalReason.LIMIT),
        ({"response": {"code": "501"}, "acquirer": {"response": {"code": "54"}}}, RefusalReason.CARD),
        ({"response": {"code": "505"}, "gateway": {"response": {"code": "05"}}}, RefusalReason.FUNDS),
        ({"response": {"code": "505"}, "gateway": {"response": None}}, RefusalReason.FUNDS),
        ({"status": "TIMEDOUT", "response": {"code": "801"}}, RefusalReason.TIMEOUT),
    ],
)
async def test_the_reasons_of_refusals(line: Line, changes: dict[str, Any], reason: RefusalReason) -> None:
    line.says(said(**{"status": "DECLINED", **changes}))
    found = await line.tap.enquire(TRACK, "chg_1", 45_250)
    assert (found.reason, found.bank_reference) == (reason, "")


RUBBISH = [
    said(status=None),
    said(id=7),
    said(amount=45.2501),
    said(amount=0),
    said(amount=-45.25),
    said(amount=1_000_000),
    said(amount="many"),
    said(amount="NaN"),
    said(amount=None),
    raw(json.dumps(CHARGE).replace("45.25", "1e400000000")),
    said(currency=...),
    said(reference=[]),
    raw(""),
    raw("[]"),
    raw("null"),
    raw(json.dumps(CHARGE)[:-1]),
    raw(b"\xff\xfe"),
    raw(json.dumps(CHARGE), media_type="text/plain"),
    raw("<html>sk_test_ KNET</html>", media_type="text/html"),
    raw("<html>not found</html>", 404, "text/html"),
    raw("<html>blocked</html>", 403, "text/html"),
    raw('{"errors": []}', 404),
    raw('{"errors": [{"code": "see page"}]}', 400),
    raw('{"message": "no"}', 400),
    raw("", 302),
    raw('"' + "x" * 1024 * 1024 + '"'),
]

NOT_THIS_ONE = [said(status="REFUNDED"), said(status=""), said(id="chg_2"), said(object="refund")]


@pytest.mark.parametrize("answer", [*RUBBISH, *NOT_THIS_ONE])
async def test_answers_outside_the_contract_are_malformed(line: Line, answer: Callable[[], Response]) -> None:
    line.says(answer)
    with capture_logs() as lines, pytest.raises(Malformed) as caught:
        await line.tap.enquire(TRACK, "chg_1", 45_250)
    assert line.oracle.asked == 1
    assert_clean(caught.value, lines)


@pytest.mark.parametrize(
    "answer",
    [
        *RUBBISH,
        said(status="INITIATED", merchant={"id": "1"}),
        said(reference={"transaction": "ANOTHER"}),
        said(reference={}),
        said(currency="BHD"),
        said(amount=45.249),
        said(transaction={"created": "1"}),
        said(transaction={"url": ""}),
        said(id="../chg_1"),
    ],
)
async def test_a_page_is_never_made_of_rubbish(line: Line, answer: Callable[[], Response]) -> None:
    line.says(answer)
    with capture_logs() as lines, pytest.raises(Malformed) as caught:
        await line.tap.create(ASKED)
    assert_clean(caught.value, lines)


ASKED = Charge(
    track_id=TRACK,
    fils=45_250,
    order="IQ-7F3C-9A1D",
    language="en",
    return_url="https://pay.example.com/p/token/return",
    notify_url="https://pay.example.com/notify",
    minutes=30,
)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (said(status="FAILED", response={"code": "403"}), "403"),
        (said(status="RESTRICTED", response={"code": "704"}), "704"),
        (said(status="DECLINED", response={"code": "<b>"}), "refused"),
        (raw('{"errors": [{"code": "2104", "description": "Invalid API Key"}]}', 401), "2104"),
        (raw('{"errors": [{"code": 1138}]}', 400), "1138"),
    ],
)
async def test_a_charge_that_is_refused_is_declined_in_taps_word(
    line: Line, answer: Callable[[], Response], reason: str
) -> None:
    line.says(answer)
    with capture_logs() as lines, pytest.raises(Declined) as caught:
        await line.tap.create(ASKED)
    assert caught.value.reason == reason
    assert line.oracle.asked == 1
    assert_clean(caught.value, lines)


@pytest.mark.parametrize(("status", "asked"), [(500, 3), (503, 3), (409, 1), (429, 1)])
async def test_what_may_be_asked_again_is_unavailable(line: Line, status: int, asked: int) -> None:
    calls: list[tuple[Callable[[Tap], Awaitable[Any]], int]] = [
        (lambda tap: tap.create(ASKED), asked),
        (lambda tap: tap.enquire(TRACK, "chg_1", 1), asked),
        (lambda tap: tap.refund(BACK), 1),
        (lambda tap: tap.refund_status(BACK, "re_1"), asked),
    ]
    for ask, times in calls:
        line.says(raw('{"errors": [{"code": "9999"}]}', status))
        with capture_logs() as lines, pytest.raises(Unavailable) as caught:
            await ask(line.tap)
        assert line.oracle.asked == times
        assert_clean(caught.value, lines)


async def test_a_gateway_that_never_answers_is_unavailable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        terms = TapTerms(SECRET, MERCHANT, EMAIL, f"http://127.0.0.1:{deaf.getsockname()[1]}")
        tap = Tap(terms, FakeClock(), timeout=0.2)
        with pytest.raises(Unavailable, match="timeout"):
            await tap.create(ASKED)
        await tap.close()


REFUND: dict[str, Any] = {
    "id": "re_1",
    "object": "refund",
    "status": "REFUNDED",
    "amount": 5,
    "currency": "KWD",
    "charge_id": "chg_1",
    "response": {"code": "000"},
}


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, RefundResult.DONE),
        ({"amount": 5.000}, RefundResult.DONE),
        ({"amount": 4.999}, RefundResult.UNKNOWN),
        ({"currency": "USD"}, RefundResult.UNKNOWN),
        ({"charge_id": "chg_2"}, RefundResult.UNKNOWN),
    ],
)
async def test_a_refund_of_something_else_needs_a_person(
    line: Line, changes: dict[str, Any], status: RefundResult
) -> None:
    line.says(raw(json.dumps({**REFUND, **changes})))
    assert await line.tap.refund(BACK) == Refunded(status, "re_1")
    assert await line.tap.refund_status(BACK, "re_1") == Refunded(status, "re_1")


@pytest.mark.parametrize(
    "answer",
    [
        *({**REFUND, "status": word} for word in ("CAPTURED", "", None)),
        {**REFUND, "id": "chg_1"},
        {**REFUND, "amount": 5.0001},
        {**REFUND, "amount": 0},
        {"id": "re_1"},
        [],
    ],
)
async def test_an_answer_outside_the_contract_leaves_a_refund_open(line: Line, answer: Any) -> None:
    line.says(raw(json.dumps(answer)))
    for ask in (line.tap.refund(BACK), line.tap.refund_status(BACK, "re_1")):
        with pytest.raises(Malformed):
            await ask


async def test_another_refund_than_asked_for(line: Line) -> None:
    line.says(raw(json.dumps(REFUND)))
    with pytest.raises(Malformed, match="another refund"):
        await line.tap.refund_status(BACK, "re_2")


def assert_clean(error: OutsideError, lines: Any) -> None:
    """No secret, body or number in what is told or logged; nothing hangs on the error that holds them."""
    told = f"{error!s} {error!r} {error.args} {lines}"
    for word in (SECRET, SECRET[8:], EMAIL, MERCHANT, TRACK, "chg_", "html", "45.25", "Invalid", "<b>"):
        assert word not in told
    assert error.__cause__ is None


# Settings.


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"secret_key": ""}, "TAP_SECRET_KEY: missing"),
        ({"secret_key": "pk_test_0123456789"}, "TAP_SECRET_KEY: expected the secret API key"),
        ({"secret_key": "sk_test_ 123456789"}, "TAP_SECRET_KEY: expected"),
        ({"secret_key": "sk_test_123456789\n"}, "TAP_SECRET_KEY: expected"),
        ({"merchant": ""}, "TAP_MERCHANT: missing"),
        ({"merchant": "1 2"}, "TAP_MERCHANT: expected"),
        ({"email": ""}, "TAP_EMAIL: missing"),
        ({"email": "nobody"}, "TAP_EMAIL: expected"),
        ({"email": "a@b"}, "TAP_EMAIL: expected"),
        ({"url": ""}, "TAP_URL: expected"),
        ({"url": "ftp://api.tap.company"}, "TAP_URL: expected"),
        ({"url": "http://api.tap.company"}, "TAP_URL: http:// is for loopback only"),
        ({"url": "https://me:word@api.tap.company"}, "TAP_URL: expected no user"),
        ({"url": "https://api.tap.company/?a=1"}, "TAP_URL: expected no user"),
        ({"url": "https://api.tap.company:port"}, "TAP_URL: not an address"),
        ({"url": "https://[::1"}, "TAP_URL: not an address"),
    ],
)
def test_settings_are_checked_without_being_told(changes: dict[str, str], text: str) -> None:
    values = {"secret_key": SECRET, "merchant": MERCHANT, "email": EMAIL, **changes}
    with pytest.raises(ConfigError) as caught:
        TapTerms(**values)
    assert str(caught.value).startswith(text)
    for value in values.values():
        assert not value or value not in str(caught.value)


def test_settings_hide_their_values() -> None:
    terms = TapTerms(SECRET, MERCHANT, EMAIL)
    told = f"{terms} {terms!r} {terms.__rich_repr__()} {[terms]}"
    assert not [value for value in (SECRET, MERCHANT, EMAIL) if value in told]


async def test_hosts_are_those_of_the_key_and_of_loopback() -> None:
    for key, url, first, last in (
        ("sk_live_0123456789", "https://api.tap.company", "checkout.payments.tap.company", "www.kpay.com.kw"),
        (SECRET, "https://api.tap.company", "sandbox.payments.tap.company", "www.kpaytest.com.kw"),
        (SECRET, "http://127.0.0.1:5000/gateway", "127.0.0.1", "www.kpaytest.com.kw"),
        (SECRET, "http://localhost:5000/gateway", "localhost", "www.kpaytest.com.kw"),
    ):
        tap = Tap(TapTerms(key, MERCHANT, EMAIL, url), FakeClock())
        assert (tap.hosts[0], tap.hosts[-1]) == (first, last)
        assert ("127.0.0.1:5000" in tap.hosts) is (first == "127.0.0.1")
        assert SECRET not in repr(tap)
        await tap.close()
