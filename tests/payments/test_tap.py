"""Our client of Tap against a counterpart of Tap, and against answers Tap should never give."""

import socket
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route

from bot.dialogs.checkout import RefusalReason
from bot.errors import Declined, Malformed
from bot.services.payments import Charge, Created, Refund, Refunded, RefundResult, Result
from bot.services.payments.tap import Tap, TapTerms
from tests.payments.counterparts import tap as counterpart
from tests.payments.counterparts.bank import LATE, SILENCE, Counterpart
from tests.payments.counterparts.tap import EMAIL, MERCHANT, SECRET, TapServer
from tests.payments.world import FakeClock, serving

TRACK = "KB7F3C9A1D2E4051"
DAY = 24 * 3600


@dataclass
class Tried:
    """The counterpart on loopback, a notify address, a browser."""

    clock: FakeClock
    url: str
    other: Counterpart
    browser: httpx.AsyncClient
    notices: list[tuple[bytes, dict[str, str]]] = field(default_factory=list)
    deaf: int = 0

    @property
    def tap(self) -> Tap:
        assert isinstance(self.other.payments, Tap)
        return self.other.payments

    @property
    def server(self) -> TapServer:
        assert isinstance(self.other.app, Starlette)
        server: TapServer = self.other.app.state.server
        return server

    async def notify(self, request: Request) -> Response:
        if self.deaf:
            self.deaf -= 1
            return PlainTextResponse("away", 503)
        self.notices.append((await request.body(), dict(request.headers)))
        return PlainTextResponse(self.tap.acknowledge(""))

    def charge(self, **changes: Any) -> Charge:
        whole: dict[str, Any] = {
            "track_id": TRACK,
            "fils": 45_250,
            "order": "IQ-7F3C-9A1D",
            "language": "ar",
            "return_url": f"{self.url}/p/token/return",
            "notify_url": f"{self.url}/notify",
            "minutes": 30,
        }
        return Charge(**(whole | changes))

    async def press(self, made: Created, button: str, knob: str = "") -> str:
        answer = await self.browser.post(made.url, data={"button": button, "knob": knob})
        assert answer.status_code == 303, answer.text
        return answer.headers["location"]

    async def paid(self) -> Created:
        made = await self.tap.create(self.charge())
        await self.press(made, "approved")
        return made


@pytest.fixture
async def tried() -> AsyncGenerator[Tried, None]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        clock = FakeClock()
        other = counterpart.make(clock, f"{url}/gateway")
        async with httpx.AsyncClient(timeout=30, trust_env=False) as browser:
            world = Tried(clock, url, other, browser)
            app = Starlette(
                routes=[Route("/notify", world.notify, methods=["POST"]), Mount("/gateway", other.app)]
            )
            async with serving(app, listening):
                yield world
                await other.close()


# Charges.


async def test_a_charge_is_made_as_documented(tried: Tried) -> None:
    made = await tried.tap.create(tried.charge())
    assert made.provider_ref.startswith("chg_")
    assert made.url.startswith(f"{tried.url}/gateway/pay/")
    (asked,), (headers,) = tried.server.requests, tried.server.headers
    assert headers["authorization"] == f"Bearer {SECRET}"
    assert headers["lang_code"] == "AR"
    assert asked == {
        "amount": Decimal("45.250"),
        "currency": "KWD",
        "customer_initiated": True,
        "threeDSecure": True,
        "save_card": False,
        "description": "Order IQ-7F3C-9A1D",
        "reference": {"transaction": TRACK, "order": "IQ-7F3C-9A1D", "idempotent": TRACK},
        "receipt": {"email": False, "sms": False},
        "customer": {"first_name": "Resident", "email": EMAIL},
        "merchant": {"id": MERCHANT},
        "source": {"id": "src_kw.knet"},
        "post": {"url": f"{tried.url}/notify"},
        "redirect": {"url": f"{tried.url}/p/token/return"},
        "transaction": {"expiry": {"period": 30, "type": "MINUTE"}},
    }


@pytest.mark.parametrize(("minutes", "sent"), [(1, 5), (5, 5), (60, 60), (1440, 60)])
async def test_a_page_lives_as_long_as_tap_allows(tried: Tried, minutes: int, sent: int) -> None:
    await tried.tap.create(tried.charge(minutes=minutes))
    assert tried.server.requests[0]["transaction"]["expiry"]["period"] == sent


@pytest.mark.parametrize("fils", [1, 50, 100, 18_600, 1_000_000, 999_999_999])
async def test_amounts_survive_the_wire(tried: Tried, fils: int) -> None:
    made = await tried.tap.create(tried.charge(fils=fils))
    assert tried.other.kept[TRACK].fils == fils
    assert (await tried.tap.enquire(TRACK, made.provider_ref, fils)).fils == fils


async def test_the_same_track_id_is_the_same_page_for_a_day(tried: Tried) -> None:
    first = await tried.tap.create(tried.charge())
    tried.clock.advance(DAY - 1)
    assert await tried.tap.create(tried.charge()) == first
    assert len(tried.server.charges) == 1
    with pytest.raises(Malformed, match="another charge"):
        await tried.tap.create(tried.charge(fils=1))
    tried.clock.advance(1)
    assert await tried.tap.create(tried.charge()) != first


async def test_an_open_page_expires(tried: Tried) -> None:
    made = await tried.tap.create(tried.charge(minutes=5))
    assert (await tried.tap.enquire(TRACK, made.provider_ref, 1)).status is Result.OPEN
    tried.clock.advance(5 * 60)
    assert (await tried.tap.enquire(TRACK, made.provider_ref, 1)).status is Result.EXPIRED
    assert (await tried.browser.get(made.url)).status_code == 200  # CANCELLED with 304 now
    assert (await tried.tap.enquire(TRACK, made.provider_ref, 1)).status is Result.EXPIRED
    await tried.press(made, "approved")
    assert tried.notices == []


# Enquiries.


@pytest.mark.parametrize(
    ("button", "status", "reason"),
    [
        ("approved", Result.PAID, ""),
        ("funds", Result.FAILED, RefusalReason.FUNDS),
        ("pin", Result.FAILED, RefusalReason.PIN),
        ("cancel", Result.FAILED, RefusalReason.CANCELLED),
        ("timeout", Result.UNKNOWN, ""),
        ("pending", Result.PENDING, ""),
    ],
)
async def test_every_button(tried: Tried, button: str, status: Result, reason: str) -> None:
    made = await tried.tap.create(tried.charge())
    back = await tried.press(made, button)
    assert back == f"{tried.url}/p/token/return?tap_id={made.provider_ref}"
    found = await tried.tap.enquire(TRACK, made.provider_ref, 45_250)
    assert (found.status, found.reason, bool(found.bank_reference)) == (status, reason, status is Result.PAID)
    assert (found.track_id, found.fils, found.currency) == (TRACK, 45_250, "KWD")
    tried.clock.advance(SILENCE)
    later = await tried.tap.enquire(TRACK, made.provider_ref, 45_250)
    assert later.status is (Result.PAID if button == "timeout" else status)


async def test_a_capture_names_its_numbers(tried: Tried) -> None:
    made = await tried.paid()
    found = await tried.tap.enquire(TRACK, made.provider_ref, 45_250)
    number = made.provider_ref[-8:]
    assert found.bank_reference == f"2354{number}"  # the acquirer's: what KNET prints
    assert found.payment_id.startswith("972022")
    assert found.transaction.startswith("2022")
    assert found.authorisation == "B63465"


async def test_nobody_was_sent_to_a_page_without_a_number(tried: Tried) -> None:
    assert (await tried.tap.enquire(TRACK, "", 1)).status is Result.MISSING
    assert tried.server.headers == []
    assert (await tried.tap.enquire(TRACK, "chg_none", 1)).status is Result.MISSING
    for rubbish in ("..", "chg_1/../..", "chg_1?x", "re_1", "chg_1\n"):
        with pytest.raises(Malformed, match="not a number"):
            await tried.tap.enquire(TRACK, rubbish, 1)
        with pytest.raises(Malformed, match="not a number"):
            await tried.tap.refund_status(back(Created("chg_1", "")), rubbish.replace("re_", "chg_"))
    assert len(tried.server.headers) == 1


@pytest.mark.parametrize(
    ("knob", "seen"),
    [
        ("amount", (Result.PAID, TRACK, 45_249, "KWD")),
        ("currency", (Result.PAID, TRACK, 45_250, "BHD")),
        ("track", (Result.PAID, "SOMEONEELSE", 45_250, "KWD")),
        ("merchant", (Result.SUSPECT, TRACK, 45_250, "KWD")),
    ],
)
async def test_what_differs_is_reported_as_it_is(tried: Tried, knob: str, seen: tuple[Any, ...]) -> None:
    made = await tried.tap.create(tried.charge())
    await tried.press(made, "approved", knob)
    found = await tried.tap.enquire(TRACK, made.provider_ref, 45_250)
    assert (found.status, found.track_id, found.fils, found.currency) == seen


# Notifications.


@pytest.mark.parametrize(
    ("button", "knob", "results"),
    [
        ("approved", "", ["CAPTURED"]),
        ("funds", "", ["DECLINED"]),
        ("cancel", "", ["CANCELLED"]),
        ("timeout", "", ["UNKNOWN"]),
        ("pending", "", []),
        ("approved", "missing", []),
        ("approved", "duplicate", ["CAPTURED", "CAPTURED"]),
        ("approved", "reordered", ["CAPTURED", "DECLINED"]),
    ],
)
async def test_notifications_are_read(tried: Tried, button: str, knob: str, results: list[str]) -> None:
    made = await tried.tap.create(tried.charge())
    await tried.press(made, button, knob)
    found = [tried.tap.parse_callback(body, headers) for body, headers in tried.notices]
    assert [each.result for each in found] == results
    for each in found:
        assert (each.track_id, each.provider_ref, each.fils) == (TRACK, made.provider_ref, 45_250)
        assert each.paid is (each.result == "CAPTURED")
        assert EMAIL not in str(each.plain)
    assert len({each.event for each in found}) == min(len(found), 1)


async def test_a_late_and_a_repeated_notification(tried: Tried) -> None:
    tried.deaf = 2
    made = await tried.tap.create(tried.charge())
    await tried.press(made, "approved", "late")
    while not tried.clock._sleepers:
        await tried.browser.get(made.url)
    tried.clock.advance(LATE)
    await tried.server.bank._tasks.drain()
    assert len(tried.notices) == 1  # the third delivery
    assert tried.tap.parse_callback(*tried.notices[0]).paid


async def test_an_altered_notification_is_refused(tried: Tried) -> None:
    await tried.paid()
    body, headers = tried.notices[0]
    for forged in (body.replace(b"45.25", b"45.24"), body.replace(b"CAPTURED", b"DECLINED"), body[:-1]):
        assert forged != body
        with pytest.raises(Malformed, match="notification refused"):
            tried.tap.parse_callback(forged, headers)
    with pytest.raises(Malformed, match="notification refused"):
        tried.tap.parse_callback(body, {**headers, "hashstring": "f" * 64})


# Refunds.


def back(made: Created, fils: int = 5_000, key: str = "RF1") -> Refund:
    return Refund(
        key=key, track_id=TRACK, provider_ref=made.provider_ref, payment_id="", fils=fils, why="Paid twice"
    )


async def test_a_refund_goes_once_and_can_be_asked_about(tried: Tried) -> None:
    refund = back(await tried.paid())
    first = await tried.tap.refund(refund)
    assert first.status is RefundResult.PENDING
    assert await tried.tap.refund(refund) == first
    assert tried.other.kept[TRACK].refunded == {"RF1": 5_000}
    assert (await tried.tap.refund_status(refund, first.reference)).status is RefundResult.PENDING
    tried.clock.advance(SILENCE)
    assert await tried.tap.refund_status(refund, first.reference) == Refunded(
        RefundResult.DONE, first.reference
    )
    asked = tried.server.requests[-1]
    assert (asked["amount"], asked["reference"]) == (Decimal(5), {"merchant": "RF1", "idempotent": "RF1"})
    assert asked["description"] == "Paid twice"


async def test_no_more_goes_back_than_came(tried: Tried) -> None:
    made = await tried.tap.create(tried.charge())
    with pytest.raises(Declined, match="1161"):
        await tried.tap.refund(back(made))
    await tried.press(made, "approved")
    await tried.tap.refund(back(made, 45_000))
    with pytest.raises(Declined, match="1161"):
        await tried.tap.refund(back(made, 251, "RF2"))
    await tried.tap.refund(back(made, 250, "RF3"))
    assert tried.other.kept[TRACK].refunded == {"RF1": 45_000, "RF3": 250}


@pytest.mark.parametrize(
    ("said", "status"),
    [
        (("REFUNDED", "000"), RefundResult.DONE),
        (("ACCEPTED", "100"), RefundResult.PENDING),
        (("IN PROGRESS", "200"), RefundResult.PENDING),
        (("DECLINED", "502"), RefundResult.REFUSED),
        (("FAILED", "401"), RefundResult.REFUSED),
        (("FAILED", "403"), RefundResult.UNKNOWN),
        (("RESTRICTED", "601"), RefundResult.REFUSED),
        (("CANCELLED", "301"), RefundResult.REFUSED),
        (("TIMEDOUT", "701"), RefundResult.UNKNOWN),
        (("UNKNOWN", "801"), RefundResult.UNKNOWN),
    ],
)
async def test_every_word_about_a_refund(tried: Tried, said: tuple[str, str], status: RefundResult) -> None:
    made = await tried.paid()
    tried.other.kept[TRACK].more["refund"] = said
    assert (await tried.tap.refund(back(made))).status is status


async def test_a_refund_without_numbers(tried: Tried) -> None:
    nobody = Created("", "")
    with pytest.raises(Declined):
        await tried.tap.refund(back(nobody))
    assert await tried.tap.refund_status(back(nobody), "") == Refunded(RefundResult.UNKNOWN)
    with pytest.raises(Declined, match="1160"):
        await tried.tap.refund_status(back(nobody), "re_none")


# The counterpart itself refuses what Tap refuses.


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"amount": "45.250"}, "1117"),
        ({"amount": 0}, "1117"),
        ({"amount": 45.2501}, "1117"),
        ({"currency": "XXX"}, "1118"),
        ({"currency": "USD"}, "1119"),
        ({"source": {"id": "src_card"}}, "1125"),
        ({"redirect": {}}, "1110"),
        ({"customer": {"first_name": "A"}}, "1139"),
        ({"customer": {"email": "a@b.c"}}, "1130"),
        ({"merchant": {"id": "1"}}, "1164"),
        ({"transaction": {"expiry": {"period": 61, "type": "MINUTE"}}}, "1103"),
        ({"transaction": {"expiry": {"period": 4, "type": "MINUTE"}}}, "1103"),
        ({"reference": {"transaction": "A" * 100}}, "1123"),
    ],
)
async def test_the_counterpart_checks_charges(tried: Tried, changes: dict[str, Any], code: str) -> None:
    await tried.tap.create(tried.charge())
    whole = {**tried.server.requests[0], "amount": 45.25, **changes}
    address, headers = f"{tried.url}/gateway/v2/charges", {"authorization": f"Bearer {SECRET}"}
    answer = await tried.browser.post(address, json=whole, headers=headers)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, code)


async def test_the_counterpart_checks_the_key(tried: Tried) -> None:
    stranger = Tap(TapTerms("sk_test_another0000", MERCHANT, EMAIL, f"{tried.url}/gateway"), tried.clock)
    refund = back(Created("chg_1", ""))
    for ask in (
        stranger.create(tried.charge()),
        stranger.enquire(TRACK, "chg_1", 1),
        stranger.refund(refund),
        stranger.refund_status(refund, "re_1"),
    ):
        with pytest.raises(Declined, match="2104"):
            await ask
    await stranger.close()
