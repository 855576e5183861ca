"""The sandbox gateway and its client: the contract between them, and money as text."""

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from bot.errors import Declined, Malformed, Unavailable
from bot.sandbox.gateway import LATE, PAGE_LIFE, Gateway
from bot.services.payments import Charge, Refund, RefundResult, Result, amount_text, fils_of
from bot.services.payments.sandbox import SandboxPayments
from tests.payments.world import SECRET, World

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def charge(track: str = "T1", fils: int = 45_000) -> Charge:
    return Charge(
        track_id=track,
        fils=fils,
        language="ar",
        return_url="http://127.0.0.1:1/p/x/return",
        notify_url="http://127.0.0.1:1/notify",
        order="IQ-0000-0000",
        minutes=30,
    )


@pytest.fixture
async def stranger(world: World) -> AsyncGenerator[SandboxPayments, None]:
    payments = SandboxPayments(f"{world.url}/gateway", "wrong", world.clock)
    yield payments
    await payments.close()


async def test_the_same_track_id_is_the_same_charge(world: World) -> None:
    first = await world.payments.create(charge())
    assert await world.payments.create(charge()) == first
    with pytest.raises(Declined):
        await world.payments.create(charge(fils=1))


async def test_an_enquiry_tells_amount_currency_and_track(world: World) -> None:
    made = await world.payments.create(charge())
    before = await world.payments.enquire("T1", "", 45_000)
    assert (before.status, before.track_id, before.fils, before.currency) == (
        Result.OPEN,
        "T1",
        45_000,
        "KWD",
    )
    await world.press(made.url, "approved")
    after = await world.payments.enquire("T1", "", 45_000)
    assert (after.status, len(after.bank_reference)) == (Result.PAID, 12)


async def test_an_unused_page_expires(world: World) -> None:
    made = await world.payments.create(charge())
    world.clock.advance(PAGE_LIFE)
    assert (await world.payments.enquire("T1", "", 45_000)).status is Result.EXPIRED
    await world.press(made.url, "approved")
    assert (await world.payments.enquire("T1", "", 45_000)).status is Result.EXPIRED


async def test_an_unknown_charge_is_missing(world: World) -> None:
    assert (await world.payments.enquire("NONE", "", 1)).status is Result.MISSING


def refund(key: str = "K1", fils: int = 45_000) -> Refund:
    return Refund(key=key, track_id="T1", provider_ref="", payment_id="", fils=fils, why="test")


async def test_a_refund_happens_once_for_each_key(world: World) -> None:
    made = await world.payments.create(charge())
    assert (await world.payments.refund(refund())).status is RefundResult.REFUSED
    await world.press(made.url, "approved")
    first = await world.payments.refund(refund("K2"))
    assert first.status is RefundResult.DONE
    assert await world.payments.refund(refund("K2")) == first
    assert await world.payments.refund_status(refund("K2"), "") == first
    assert (await world.payments.refund(refund("K3"))).status is RefundResult.REFUSED
    assert (await world.payments.enquire("T1", "", 45_000)).status is Result.REFUNDED


async def test_without_the_secret_nothing_is_said(stranger: SandboxPayments) -> None:
    with pytest.raises(Declined):
        await stranger.create(charge())
    with pytest.raises(Declined):
        await stranger.enquire("T1", "", 1)
    with pytest.raises(Declined):
        await stranger.refund(refund())


async def test_a_gateway_that_fails_or_is_gone_is_unavailable(world: World) -> None:
    world.wire.cut = True
    with pytest.raises(Unavailable):
        await world.payments.create(charge())
    nobody = SandboxPayments("http://127.0.0.1:9", SECRET, world.clock)
    with pytest.raises(Unavailable):
        await nobody.enquire("T1", "", 1)
    await nobody.close()


@pytest.mark.parametrize(
    "body",
    [
        {"amount": "45"},
        {"amount": "45.0000"},
        {"amount": "0.000"},
        {"amount": "-1.000"},
        {"amount": "٤٥.٠٠٠"},
        {"amount": 45},
        {"currency": "USD"},
        {"track_id": "with-dash"},
        {"track_id": ""},
        {"return_url": "javascript:alert(1)"},
    ],
)
async def test_a_charge_that_makes_no_sense_is_refused(world: World, body: dict[str, object]) -> None:
    good: dict[str, object] = {
        "track_id": "T2",
        "amount": "45.000",
        "currency": "KWD",
        "language": "ar",
        "return_url": "http://127.0.0.1:1/",
        "notify_url": "http://127.0.0.1:1/",
    }
    head = {"authorization": f"Bearer {SECRET}"}
    answer = await world.browser.post("/gateway/v1/charges", json={**good, **body}, headers=head)
    assert answer.status_code in {400, 422}
    assert (await world.browser.post("/gateway/v1/charges", json=good, headers=head)).status_code == 201


async def test_the_page_says_that_it_is_a_sandbox_in_both_languages(world: World) -> None:
    made = await world.payments.create(charge())
    arabic = await world.browser.get(f"{made.url}?knob=late")
    assert 'dir="rtl"' in arabic.text
    assert "تجريبية" in arabic.text
    assert 'name="knob" value="late"' in arabic.text
    english = await world.browser.get(f"{made.url}?lang=en")
    assert "SANDBOX" in english.text
    assert "45.000 KWD" in english.text
    for word in ("<script", "style=", '<input type="text"'):
        assert word not in english.text
    assert "default-src 'self'" in english.headers["content-security-policy"]
    assert "unsafe" not in english.headers["content-security-policy"]


@pytest.mark.parametrize("form", [{}, {"button": "steal"}, {"button": "approved", "knob": "melt"}])
async def test_buttons_that_do_not_exist_do_nothing(world: World, form: dict[str, str]) -> None:
    made = await world.payments.create(charge())
    assert (await world.browser.post(made.url, data=form)).status_code == 400
    assert (await world.payments.enquire("T1", "", 45_000)).status is Result.OPEN
    assert (await world.browser.post("/gateway/pay/nobody", data=form)).status_code == 404


async def test_charges_survive_a_restart(world: World, tmp_path: Path) -> None:
    made = await world.payments.create(charge())
    await world.press(made.url, "approved", knob="missing")
    again = Gateway(world.clock, SECRET, tmp_path / "gateway.json", f"{world.url}/gateway")
    assert [(each.track_id, each.status) for each in again._charges.values()] == [("T1", "CAPTURED")]
    await again.close()


async def test_a_late_notification_arrives_after_the_browser(world: World) -> None:
    link = await world.open()
    await world.pay(link, knob="late")
    assert world.chats.news == []
    await asyncio.sleep(0)  # lets the gateway begin to wait
    world.clock.advance(LATE)
    await world.gateway._tasks.drain()
    assert world.chats.kinds == ["paid"]


async def test_a_notification_without_its_signature_is_malformed(world: World) -> None:
    for body, headers in ((b"{}", {}), (b"{}", {"x-sandbox-signature": "é"})):
        with pytest.raises(Malformed, match="notification refused"):
            world.payments.parse_callback(body, headers)


def test_amounts_as_text(database_url: str) -> None:  # noqa: ARG001 - the module's parameter
    for fils, text in ((1, "0.001"), (50, "0.050"), (18_600, "18.600"), (999_999_999, "999999.999")):
        assert amount_text(fils) == text
        assert fils_of(text) == fils
    for wrong in (
        "1",
        "1.0",
        "1.86",
        "01.000",
        "1.0000",
        "1,000",
        "-1.000",
        " 1.000",
        "1.000\n",
        "",
        "١.٠٠٠",
    ):
        with pytest.raises(ValueError, match="three decimals"):
            fils_of(wrong)
