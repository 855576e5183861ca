"""What MyFatoorah's counterpart says of its invoices, and what comes of it."""

from collections.abc import AsyncGenerator

import pytest
from starlette.responses import Response
from structlog.testing import capture_logs

from bot.dialogs.checkout import RefusalReason
from bot.errors import Declined, Malformed, OutsideError, Unavailable
from bot.services.payments import Enquiry, Result
from bot.services.payments.myfatoorah import MyFatoorah, MyFatoorahTerms
from tests.payments.counterparts.bank import BUTTONS, LATE, SILENCE
from tests.payments.counterparts.myfatoorah import TOKEN
from tests.payments.counterparts.myfatoorah_webhooks import SECRET, bill
from tests.payments.myfatoorah_desk import FILS, STATUS, TRACK, Desk, invoice, open_desk, said


@pytest.fixture(params=["v2"])
async def desk(request: pytest.FixtureRequest) -> AsyncGenerator[Desk, None]:
    async with open_desk(request.param) as opened:
        yield opened


both = pytest.mark.parametrize("desk", ["v1", "v2"], indirect=True)


@both
async def test_a_capture_is_told_and_then_believed_by_asking(desk: Desk) -> None:
    ref = await desk.paid()
    found = await desk.ask(ref)
    payment = bill(desk.portal.kept[TRACK]).tries[0].payment
    assert found == Enquiry(
        status=Result.PAID,
        track_id=TRACK,
        fils=FILS,
        currency="KWD",
        bank_reference=payment[-12:],
        payment_id=payment,
        transaction=f"{payment[-12:]}726",
        authorisation=f"B{payment[-5:]}",
    )
    (told,) = desk.heard
    assert (told.track_id, told.provider_ref, told.event) == (TRACK, ref, payment)
    assert told.paid
    assert told.result == "SUCCESS"
    assert desk.payments.acknowledge("https://iqamati.example/p/x/return") == "OK"


@both
@pytest.mark.parametrize(
    ("button", "status", "reason"),
    [
        ("approved", Result.PAID, ""),
        ("funds", Result.FAILED, RefusalReason.FUNDS),
        ("pin", Result.FAILED, RefusalReason.PIN),
        ("cancel", Result.FAILED, RefusalReason.CANCELLED),
        ("timeout", Result.PENDING, ""),
        ("pending", Result.PENDING, ""),
    ],
)
async def test_every_button_has_its_result(desk: Desk, button: str, status: Result, reason: str) -> None:
    assert button in BUTTONS
    ref = await desk.paid(button)
    found = await desk.ask(ref)
    assert (found.status, found.reason, found.track_id, found.fils) == (status, reason, TRACK, FILS)
    assert bool(found.bank_reference) is (status is Result.PAID)
    assert found.payment_id
    silent = status is Result.PENDING
    assert [told.paid for told in desk.heard] == ([] if silent else [status is Result.PAID])


async def test_a_silent_bank_is_heard_of_later_or_never(desk: Desk) -> None:
    ref = await desk.paid("timeout")
    desk.clock.advance(SILENCE)
    assert (await desk.ask(ref)).status is Result.PAID
    other = await desk.paid("pending")
    desk.clock.advance(30 * 60 + 29 * 60)
    assert (await desk.ask(other)).status is Result.PENDING
    desk.clock.advance(61)
    assert (await desk.ask(other)).status is Result.EXPIRED


async def test_a_page_nobody_used_is_open_and_then_expired(desk: Desk) -> None:
    made = await desk.payments.create(desk.charge())
    found = await desk.ask(made.provider_ref)
    assert found == Enquiry(status=Result.OPEN, track_id=TRACK, fils=FILS, currency="KWD")
    desk.clock.advance(30 * 60 - 1)
    assert (await desk.ask(made.provider_ref)).status is Result.OPEN
    desk.clock.advance(2)
    assert (await desk.ask(made.provider_ref)).status is Result.EXPIRED
    await desk.press(made.url, "approved")
    assert (await desk.ask(made.provider_ref)).status is Result.PAID


async def test_an_invoice_may_be_refused_and_then_paid_and_is_suspect_when_paid_twice(desk: Desk) -> None:
    ref = await desk.paid("funds")
    page = f"/gateway/En/KWT/PayInvoice/Checkout/{ref}"
    await desk.press(page, "approved")
    assert (await desk.ask(ref)).status is Result.FAILED  # settled pages stay as they are
    await desk.press(page, "approved", "again")
    found = await desk.ask(ref)
    assert found.status is Result.PAID
    assert found.payment_id == bill(desk.portal.kept[TRACK]).tries[1].payment
    await desk.press(page, "approved", "again")
    assert (await desk.ask(ref)).status is Result.SUSPECT


@both
async def test_the_notification_twice_late_reordered_and_missing(desk: Desk) -> None:
    ref = await desk.paid(knob="duplicate")
    first, second = desk.heard
    assert first == second
    desk.told.clear()
    ref = await desk.paid(knob="reordered")
    assert [told.paid for told in desk.heard] == [True, False]
    assert (await desk.ask(ref)).status is Result.PAID
    desk.told.clear()
    await desk.paid(knob="missing")
    await desk.paid(knob="late")
    assert desk.told == []
    desk.clock.advance(LATE)
    await desk.portal.bank._tasks.drain()
    assert [told.paid for told in desk.heard] == [True]


@pytest.mark.parametrize(
    ("knob", "status", "track", "fils", "currency"),
    [
        ("amount", Result.PAID, TRACK, FILS + 1000, "KWD"),
        ("currency", Result.PAID, TRACK, FILS, "SR"),
        ("track", Result.PAID, "ANOTHERTRACK0000001", FILS, "KWD"),
        ("merchant", Result.SUSPECT, TRACK, FILS, "KWD"),
    ],
)
async def test_what_the_gateway_says_is_reported_as_it_says_it(
    desk: Desk, knob: str, status: Result, track: str, fils: int, currency: str
) -> None:
    found = await desk.ask(await desk.paid(knob=knob))
    assert (found.status, found.track_id, found.fils, found.currency) == (status, track, fils, currency)


async def test_what_the_gateway_does_not_know_is_missing(desk: Desk) -> None:
    assert await desk.ask("") == Enquiry(status=Result.MISSING)
    assert desk.line.passed == []  # the track id alone is not asked by: it may name another invoice
    assert await desk.ask("77") == Enquiry(status=Result.MISSING)


WORD = "civil-id-299010112345"


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Response(f"<html>{WORD}</html>", media_type="text/html"), Malformed),
        (Response(f"<html>{WORD}</html>", 403, media_type="text/html"), Declined),
        (Response(f'{{"Message":"{WORD}"}}', 401, media_type="application/json"), Declined),
        (Response(f'{{"Message":"{WORD}"}}', 404, media_type="application/json"), Declined),
        (Response(WORD, 429), Unavailable),
        (Response(WORD, 302, {"location": f"https://evil.example/{WORD}"}), Malformed),
        (Response(f'"{WORD}"', media_type="application/json"), Malformed),
        (Response(f'{{"Data":{{"x":"{WORD}"', media_type="application/json"), Malformed),
        (Response("[" * 100_000, media_type="application/json"), Malformed),
        (Response('{"IsSuccess":true,"Data":' + "[" * 100_000, media_type="application/json"), Malformed),
        (Response(WORD * 60_000, media_type="application/json"), Malformed),
        (said(None), Malformed),
        (said({}), Malformed),
        (said([WORD]), Malformed),
        (said(invoice(InvoiceId=None)), Malformed),
        (said(invoice(InvoiceValue="NaN")), Malformed),
        (said(invoice(InvoiceValue=WORD)), Malformed),
        (said(invoice(InvoiceTransactions=[WORD])), Malformed),
        (said(None, IsSuccess=False, Message=WORD), Declined),
        (said({"ErrorMessage": WORD}, IsSuccess=False, Message=None), Declined),
        (
            Response(f'{{"Message":"{WORD}","MessageDetail":"No HTTP"}}', media_type="application/json"),
            Malformed,
        ),
    ],
)
async def test_a_bad_answer_is_an_error_that_quotes_nothing(
    desk: Desk, answer: Response, error: type[OutsideError]
) -> None:
    desk.answer(STATUS, answer, answer, answer)
    with capture_logs() as logs, pytest.raises(error) as raised:
        await desk.ask("6409989")
    cause: BaseException | None = raised.value
    while cause is not None:
        for secret in (WORD, TOKEN, SECRET, TRACK):
            assert secret not in f"{cause!r} {cause} {logs}"
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)


async def test_a_question_is_asked_again_when_the_gateway_stumbles(desk: Desk) -> None:
    ref = await desk.paid()
    desk.line.passed.clear()
    desk.answer(STATUS, Response(status_code=502), Response(status_code=503))
    assert (await desk.ask(ref)).status is Result.PAID
    assert desk.line.passed == [STATUS] * 3
    desk.answer(STATUS, *[Response(status_code=500)] * 3)
    with pytest.raises(Unavailable):
        await desk.ask(ref)


async def test_a_wrong_token_is_refused(desk: Desk) -> None:
    stranger = MyFatoorah(MyFatoorahTerms("another-token", SECRET, f"{desk.url}/gateway"), desk.clock)
    with pytest.raises(Declined, match="answered 401"):
        await stranger.create(desk.charge())
    await stranger.close()
