"""KNET's adapter against its counterpart over loopback: pages, notifications, enquiries, refunds."""

import asyncio
import socket
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Mount, Route

from bot.dialogs.checkout import RefusalReason
from bot.errors import Declined, Malformed
from bot.services.payments import Charge, Payments, Refund, Refunded, RefundResult, Result
from bot.services.payments.knet import Knet, KnetTerms
from tests.payments.counterparts.bank import LATE, SILENCE
from tests.payments.counterparts.knet import KEY, PASSWORD, TERMINAL, Gateway, make, terms
from tests.payments.world import FakeClock, serving

TRACK = "KB7F3C9A1D2E40518"
FILS = 5250


@dataclass
class Merchant:
    """Our side of the notification, and a browser."""

    url: str
    clock: FakeClock
    gateway: Gateway
    knet: Knet
    browser: httpx.AsyncClient
    told: list[bytes] = field(default_factory=list[bytes])
    answer: Response | None = None
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    def charge(self, **changes: object) -> Charge:
        fields: dict[str, object] = {
            "track_id": TRACK,
            "fils": FILS,
            "order": "IQ-7F3C-9A1D",
            "language": "ar",
            "return_url": f"{self.url}/return",
            "notify_url": f"{self.url}/notify",
            "minutes": 30,
        }
        return Charge(**{**fields, **changes})  # type: ignore[arg-type]  # changes of several types

    async def notified(self, request: Request) -> Response:
        self.told.append(await request.body())
        self.arrived.set()
        try:
            self.knet.parse_callback(self.told[-1], request.headers)
        except Malformed:
            return PlainTextResponse("refused", status_code=400)
        return self.answer or PlainTextResponse(self.knet.acknowledge(f"{self.url}/return"))

    async def press(self, button: str, knob: str = "", **changes: object) -> str:
        """Where the browser is sent after a button of a new page."""
        page = (await self.knet.create(self.charge(**changes))).url
        answer = await self.browser.post(page, data={"button": button, "knob": knob})
        assert answer.status_code == 303, answer.text
        return answer.headers["location"]

    async def refund(self, fils: int = FILS) -> Refunded:
        wanted = Refund(key="R1", track_id=TRACK, provider_ref="", payment_id="", fils=fils, why="Order")
        return await self.knet.refund(wanted)


@pytest.fixture
async def merchant() -> AsyncGenerator[Merchant, None]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        clock = FakeClock()
        gateway = Gateway(clock, f"{url}/gateway")
        knet = Knet(terms(f"{url}/gateway"), clock)
        async with httpx.AsyncClient(timeout=30) as browser:
            merchant = Merchant(url, clock, gateway, knet, browser)
            notify = Route("/notify", merchant.notified, methods=["POST"])
            app = Starlette(routes=[Mount("/gateway", gateway.app), notify])
            async with serving(app, listening):
                yield merchant
                await knet.close()
                await gateway.close()


# --- the page ---------------------------------------------------------------------------------------


async def test_a_page_is_an_address_and_nothing_is_sent(merchant: Merchant) -> None:
    made = await merchant.knet.create(merchant.charge())
    parts = urlsplit(made.url)
    query = parse_qs(parts.query)
    assert (made.provider_ref, parts.path) == ("", "/gateway/kpg/PaymentHTTP.htm")
    assert list(query) == ["param", "trandata", "tranportalId", "responseURL", "errorURL"]
    assert query["responseURL"] == [f"{merchant.url}/notify"]
    assert query["errorURL"] == [f"{merchant.url}/return"]
    assert PASSWORD not in made.url
    assert KEY not in made.url
    assert not merchant.gateway.kept
    assert not merchant.gateway.asked
    assert parts.netloc in merchant.knet.hosts


async def test_the_port_is_kept_to(merchant: Merchant) -> None:
    payments: Payments = merchant.knet
    assert (payments.name, payments.reopens, payments.keyed_refunds) == ("knet", False, False)


async def test_the_live_page_is_on_the_gateways_host() -> None:
    knet = Knet(KnetTerms(tranportal_id="1", password="p", key=KEY), FakeClock())
    assert knet.hosts == ("www.kpay.com.kw",)
    await knet.close()


@pytest.mark.parametrize(("language", "langid"), [("ar", "AR"), ("en", "EN")])
async def test_the_request_as_the_gateway_reads_it(merchant: Merchant, language: str, langid: str) -> None:
    await merchant.press("approved", language=language)
    fields = merchant.gateway.kept[TRACK].more["fields"]
    assert fields["langid"] == langid
    assert (fields["amt"], fields["udf1"], fields["udf2"]) == ("5.250", "IQ7F3C9A1D", "")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"track_id": "K" * 20}, "track id"),
        ({"track_id": "K-1"}, "track id"),
        ({"track_id": ""}, "track id"),
        ({"track_id": "K١"}, "track id"),
        ({"fils": 0}, "amount"),
        ({"fils": -1}, "amount"),
        ({"fils": 1_000_000_000}, "amount"),
        ({"language": "fr"}, "language"),
        ({"order": ""}, "order"),
        ({"order": "IQ 7F3C"}, "order"),
        ({"order": "A&amt=0.001"}, "order"),
        ({"notify_url": "https://pay.example.com/n?a=1"}, "address"),
        ({"return_url": "https://pay.example.com/n#a"}, "address"),
        ({"return_url": "https://pay.example.com/n&amt=0.001"}, "address"),
        ({"return_url": "http://pay.example.com/n"}, "address"),
        ({"return_url": "ftp://pay.example.com/n"}, "address"),
        ({"return_url": "https://[::"}, "address"),
        ({"notify_url": f"https://pay.example.com/{'n' * 232}"}, "address"),
    ],
)
async def test_what_is_outside_the_limits_is_refused_whole(
    merchant: Merchant, changes: dict[str, object], reason: str
) -> None:
    with pytest.raises(Declined, match=reason) as refused:
        await merchant.knet.create(merchant.charge(**changes))
    assert not any(str(value) in str(refused.value) for value in changes.values() if value not in {"", 0})


async def test_the_limits_themselves_are_allowed(merchant: Merchant) -> None:
    whole = {"track_id": "K" * 19, "fils": 999_999_999, "notify_url": f"https://pay.example.com/{'n' * 231}"}
    assert (await merchant.knet.create(merchant.charge(**whole))).url


async def test_an_address_longer_than_the_ledger_keeps_is_refused(merchant: Merchant) -> None:
    wordy = Knet(KnetTerms(tranportal_id="9" * 255, password="p", key=KEY, url=merchant.url), merchant.clock)
    long = f"https://pay.example.com/{'n' * 230}"
    with pytest.raises(Declined, match="too long"):
        await wordy.create(merchant.charge(notify_url=long, return_url=long))
    await wordy.close()


async def test_the_live_gateway_is_not_given_an_address_it_would_void_over() -> None:
    knet = Knet(KnetTerms(tranportal_id="1", password="p", key=KEY), FakeClock())
    charge = Charge(
        track_id=TRACK,
        fils=FILS,
        order="IQ-1",
        language="en",
        return_url="http://127.0.0.1/return",
        notify_url="http://127.0.0.1/notify",
        minutes=30,
    )
    with pytest.raises(Declined, match="address"):
        await knet.create(charge)
    await knet.close()


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"tranportal_id": "999902"}, "IPAY0100006"),
        ({"password": "other"}, "IPAY0100015"),
        ({"key": "ANOTHERKEY012345"}, "IPAY0100176"),
    ],
)
async def test_another_terminal_is_sent_to_our_error_page(
    merchant: Merchant, changes: dict[str, str], code: str
) -> None:
    wrong = {"tranportal_id": TERMINAL, "password": PASSWORD, "key": KEY, **changes}
    stranger = Knet(KnetTerms(url=merchant.gateway.url, **wrong), merchant.clock)
    answer = await merchant.browser.get((await stranger.create(merchant.charge())).url)
    way = urlsplit(answer.headers["location"])
    assert f"{way.scheme}://{way.netloc}{way.path}" == f"{merchant.url}/return"
    assert parse_qs(way.query)["Error"] == [code]
    await stranger.close()


async def test_a_page_opens_once(merchant: Merchant) -> None:
    page = (await merchant.knet.create(merchant.charge())).url
    assert (await merchant.browser.get(page)).status_code == 200
    again = parse_qs(urlsplit((await merchant.browser.get(page)).headers["location"]).query)
    assert (again["Error"], again["trackid"], again["amt"]) == (["IPAY0100114"], [TRACK], ["5.250"])


async def test_a_paid_page_does_not_take_another_payment(merchant: Merchant) -> None:
    await merchant.press("approved")
    assert "IPAY0100114" in await merchant.press("approved")
    assert len(merchant.told) == 1


# --- what happened to it ----------------------------------------------------------------------------


async def test_a_page_nobody_opened_and_one_nobody_pays_on_are_missing(merchant: Merchant) -> None:
    assert (await merchant.knet.enquire(TRACK, "", FILS)).status is Result.MISSING
    await merchant.browser.get((await merchant.knet.create(merchant.charge())).url)
    assert (await merchant.knet.enquire(TRACK, "", FILS)).status is Result.MISSING


@pytest.mark.parametrize(
    ("button", "status", "reason"),
    [
        ("approved", Result.PAID, ""),
        ("funds", Result.FAILED, RefusalReason.FUNDS),
        ("pin", Result.FAILED, RefusalReason.PIN),
        ("cancel", Result.FAILED, RefusalReason.CANCELLED),
    ],
)
async def test_a_button_is_notified_and_found_by_enquiry(
    merchant: Merchant, button: str, status: Result, reason: str
) -> None:
    assert await merchant.press(button) == f"{merchant.url}/return"
    found = await merchant.knet.enquire(TRACK, "", FILS)
    assert (found.status, found.reason) == (status, reason)
    assert (found.track_id, found.fils, found.currency) == (TRACK, FILS, "KWD")
    kept = merchant.gateway.kept[TRACK].more
    assert found.bank_reference == (kept["ref"] if status is Result.PAID else "")
    assert (found.payment_id, found.transaction, found.authorisation) == (
        kept["paymentid"],
        kept["tranid"],
        kept["auth"],
    )
    read = merchant.knet.parse_callback(merchant.told[0], {})
    assert (read.track_id, read.fils, read.event) == (TRACK, FILS, kept["paymentid"])
    assert read.paid is (status is Result.PAID)
    assert read.plain["udf1"] == "IQ7F3C9A1D"


@pytest.mark.parametrize(("button", "later"), [("timeout", Result.PAID), ("pending", Result.UNKNOWN)])
async def test_a_silent_bank(merchant: Merchant, button: str, later: Result) -> None:
    await merchant.press(button)
    assert merchant.knet.parse_callback(merchant.told[0], {}).result == "HOST TIMEOUT"
    assert (await merchant.knet.enquire(TRACK, "", FILS)).status is Result.UNKNOWN
    merchant.clock.advance(SILENCE)
    assert (await merchant.knet.enquire(TRACK, "", FILS)).status is later


async def test_both_forms_of_the_notification_and_of_the_answer(merchant: Merchant) -> None:
    gateway = merchant.gateway
    gateway.bare, gateway.wrapped, gateway.captured = True, True, "CAPTURED"
    assert await merchant.press("approved") == f"{merchant.url}/return"
    assert b"=" not in merchant.told[0]
    assert (await merchant.knet.enquire(TRACK, "", FILS)).status is Result.PAID


async def test_a_browser_that_brings_the_answer(merchant: Merchant) -> None:
    await merchant.press("approved", "missing")
    kept = merchant.gateway.kept[TRACK]
    query = f"paymentid=FORGED&result=FORGED&trandata={merchant.gateway.answer(kept, 'captured')}"
    read = merchant.knet.parse_callback(query.encode(), {})
    assert (read.event, read.result, read.paid) == (kept.more["paymentid"], "CAPTURED", True)


@pytest.mark.parametrize("knob", ["duplicate", "missing", "late", "reordered"])
async def test_notifications_gone_astray(merchant: Merchant, knob: str) -> None:
    assert await merchant.press("approved", knob) == f"{merchant.url}/return"
    assert (await merchant.knet.enquire(TRACK, "", FILS)).status is Result.PAID
    read = [merchant.knet.parse_callback(body, {}) for body in merchant.told]
    results = {"duplicate": ["CAPTURED"] * 2, "reordered": ["CAPTURED", "NOT CAPTURED"]}
    assert [each.result for each in read] == results.get(knob, [])
    assert len({each.event for each in read}) <= 1


async def test_a_late_notification_comes(merchant: Merchant) -> None:
    await merchant.press("approved", "late")
    merchant.clock.advance(LATE)
    async with asyncio.timeout(10):
        await merchant.arrived.wait()
    assert len(merchant.told) == 1


@pytest.mark.parametrize(
    ("knob", "status", "track", "fils"),
    [
        ("amount", Result.PAID, TRACK, 1),
        ("track", Result.PAID, TRACK[::-1], FILS),
        ("currency", Result.SUSPECT, TRACK, FILS),
        ("merchant", Result.SUSPECT, TRACK, FILS),
    ],
)
async def test_what_an_enquiry_gets_wrong_is_reported(
    merchant: Merchant, knob: str, status: Result, track: str, fils: int
) -> None:
    await merchant.press("approved", knob)
    found = await merchant.knet.enquire(TRACK, "", FILS)
    assert (found.status, found.track_id, found.fils) == (status, track, fils)


async def test_an_enquiry_with_another_amount_is_suspect(merchant: Merchant) -> None:
    await merchant.press("approved")
    assert (await merchant.knet.enquire(TRACK, "", FILS - 1)).status is Result.SUSPECT


async def test_a_settled_page_pressed_again(merchant: Merchant) -> None:
    await merchant.press("funds")
    await merchant.press("approved", "again")
    assert (await merchant.knet.enquire(TRACK, "", FILS)).status is Result.PAID


@pytest.mark.parametrize(
    "answer",
    [
        PlainTextResponse("OK"),
        PlainTextResponse("<html>REDIRECT=https://pay.example.com/r</html>"),
        PlainTextResponse("REDIRECT=https://pay.example.com/r\nand more"),
        PlainTextResponse("REDIRECT=https://pay.example.com/r", status_code=500),
        RedirectResponse("https://pay.example.com/r"),
    ],
)
async def test_what_is_not_acknowledged_is_voided(merchant: Merchant, answer: Response) -> None:
    merchant.answer = answer
    assert "IPAY0100249" in await merchant.press("approved")
    assert merchant.gateway.kept[TRACK].state == "voided"
    assert (await merchant.knet.enquire(TRACK, "", FILS)).status is Result.SUSPECT


async def test_the_acknowledgement_is_one_line(merchant: Merchant) -> None:
    assert merchant.knet.acknowledge("https://pay.example.com/r") == "REDIRECT=https://pay.example.com/r"


# --- refunds ----------------------------------------------------------------------------------------


async def test_refunds_in_parts_and_not_more_than_was_paid(merchant: Merchant) -> None:
    await merchant.press("approved")
    assert await merchant.refund(5000) == Refunded(RefundResult.DONE, "700100000001")
    assert (await merchant.refund(251)).status is RefundResult.REFUSED
    assert (await merchant.refund(250)).status is RefundResult.DONE
    assert merchant.gateway.kept[TRACK].refunded == {"1": 5000, "2": 250}


@pytest.mark.parametrize("button", ["", "funds", "pending"])
async def test_what_was_not_paid_is_not_given_back(merchant: Merchant, button: str) -> None:
    if button:
        await merchant.press(button)
    assert (await merchant.refund()).status is RefundResult.REFUSED


@pytest.mark.parametrize("fils", [0, -1, 1_000_000_000])
async def test_a_refund_outside_the_limits_is_not_sent(merchant: Merchant, fils: int) -> None:
    with pytest.raises(Declined, match="amount"):
        await merchant.refund(fils)
    assert not merchant.gateway.asked


async def test_nobody_can_say_how_a_refund_stands(merchant: Merchant) -> None:
    wanted = Refund(key="R1", track_id=TRACK, provider_ref="", payment_id="", fils=FILS, why="Order")
    assert await merchant.knet.refund_status(wanted, "REF") == Refunded(RefundResult.UNKNOWN, "REF")
    assert not merchant.gateway.asked


async def test_the_counterpart_as_others_mount_it() -> None:
    clock = FakeClock()
    made = make(clock, "http://127.0.0.1:1/gateway")
    assert made.payments.name == "knet"
    assert not made.kept
    await made.close()
