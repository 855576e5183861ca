"""The client of MyFatoorah against its counterpart: pages, settings."""

import json
from collections.abc import AsyncGenerator
from typing import Any

import pytest
from starlette.responses import Response

from bot.clock import local
from bot.errors import ConfigError, Declined, Malformed, Unavailable
from bot.services.http import Breaker, Http
from bot.services.payments import Payments, Result
from bot.services.payments.myfatoorah import MyFatoorah, MyFatoorahTerms
from bot.services.payments.myfatoorah.client import _TIMEOUT
from tests.payments.counterparts.myfatoorah import KNET
from tests.payments.counterparts.myfatoorah_webhooks import bill
from tests.payments.myfatoorah_desk import EXECUTE, FILS, INITIATE, TRACK, Desk, open_desk, said
from tests.payments.world import FakeClock


@pytest.fixture(params=["v2"])
async def desk(request: pytest.FixtureRequest) -> AsyncGenerator[Desk, None]:
    async with open_desk(request.param) as opened:
        yield opened


async def test_a_page_is_made_for_the_exact_amount_and_says_nothing_of_the_resident(desk: Desk) -> None:
    made = await desk.payments.create(desk.charge())
    assert made.url == f"{desk.url}/gateway/En/KWT/PayInvoice/Checkout/{made.provider_ref}"
    assert desk.line.passed == [INITIATE, EXECUTE]
    assert b'"InvoiceValue":15.750,' in desk.line.bodies[1]
    asked = json.loads(desk.line.bodies[1])
    assert asked == {
        "PaymentMethodId": KNET,
        "InvoiceValue": 15.75,
        "CustomerReference": TRACK,
        "DisplayCurrencyIso": "KWD",
        "CallBackUrl": f"{desk.url}/p/token/return",
        "ErrorUrl": f"{desk.url}/p/token/return",
        "Language": "ar",
        "ExpiryDate": local(desk.clock.now() + 1800).strftime("%Y-%m-%dT%H:%M:%S"),
        "UserDefinedField": "Order IQ-7F3C-9A1D",
    }
    assert (await desk.browser.get(made.url)).status_code == 200
    assert desk.portal.kept[TRACK].fils == FILS
    assert bill(desk.portal.kept[TRACK]).until == desk.clock.now() + 1800


@pytest.mark.parametrize(("fils", "text"), [(1, b"0.001"), (5000, b"5.000"), (999_999_999, b"999999.999")])
async def test_amounts_are_written_with_three_decimals(desk: Desk, fils: int, text: bytes) -> None:
    await desk.payments.create(desk.charge(fils=fils))
    assert b'"InvoiceValue":' + text + b"," in desk.line.bodies[1]
    assert desk.portal.kept[TRACK].fils == fils


async def test_knet_is_looked_up_once_and_again_after_a_refusal(desk: Desk) -> None:
    await desk.payments.create(desk.charge())
    await desk.payments.create(desk.charge("T2"))
    assert desk.line.passed == [INITIATE, EXECUTE, EXECUTE]
    desk.portal.methods = {31: ("kn", "KNET", "KWD")}
    with pytest.raises(Declined):
        await desk.payments.create(desk.charge("T3"))
    await desk.payments.create(desk.charge("T3"))
    assert desk.line.passed[3:] == [EXECUTE, INITIATE, EXECUTE]
    assert desk.portal.kept["T3"].more["asked"]["PaymentMethodId"] == 31


@pytest.mark.parametrize(
    "methods",
    [{}, {2: ("vm", "VISA/MASTER", "KWD")}, {1: ("kn", "KNET", "SAR")}, {0: ("kn", "KNET", "KWD")}],
)
async def test_an_account_without_knet_makes_no_page(
    desk: Desk, methods: dict[int, tuple[str, str, str]]
) -> None:
    desk.portal.methods = methods
    with pytest.raises(Declined, match="the account has no KNET"):
        await desk.payments.create(desk.charge())
    assert desk.line.passed == [INITIATE]


async def test_a_return_address_of_254_characters_will_do_and_a_longer_one_is_not_sent(desk: Desk) -> None:
    address = f"{desk.url}/p/".ljust(254, "t")
    await desk.payments.create(desk.charge(return_url=address))
    desk.line.passed.clear()
    with pytest.raises(Declined, match="254"):
        await desk.payments.create(desk.charge(return_url=f"{address}t"))
    assert desk.line.passed == []


async def test_an_invoice_is_never_asked_for_twice_by_one_call(desk: Desk) -> None:
    desk.answer(EXECUTE, Response(status_code=503))
    with pytest.raises(Unavailable):
        await desk.payments.create(desk.charge())
    assert desk.line.passed == [INITIATE, EXECUTE]


async def test_an_invoice_whose_answer_does_not_come_is_not_asked_for_again(desk: Desk) -> None:
    assert _TIMEOUT >= 30
    payments = desk.payments
    assert isinstance(payments, MyFatoorah)
    assert payments._http._budget == _TIMEOUT
    await payments._find_knet(FILS)
    payments._http = Http("payments", payments._client, Breaker(desk.clock), timeout=0.3)
    desk.answer(EXECUTE, None)
    with pytest.raises(Unavailable, match="timeout"):
        await payments.create(desk.charge())
    assert desk.line.passed == [INITIATE, EXECUTE]


async def test_a_second_invoice_for_a_track_id_is_the_one_that_counts(desk: Desk) -> None:
    first = await desk.payments.create(desk.charge())
    second = await desk.payments.create(desk.charge())
    assert first.provider_ref != second.provider_ref
    await desk.press(second.url, "approved")
    assert (await desk.ask(second.provider_ref)).status is Result.PAID
    assert (await desk.ask(first.provider_ref)).status is Result.OPEN


@pytest.mark.parametrize(
    "data",
    [
        {"CustomerReference": "ANOTHER"},
        {"PaymentURL": ""},
        {"PaymentURL": None},
        {"InvoiceId": "12-34"},
        {"InvoiceId": None},
        {"IsDirectPayment": True},
    ],
)
async def test_another_charge_than_asked_for_is_no_page(desk: Desk, data: dict[str, Any]) -> None:
    made = {"InvoiceId": 1, "PaymentURL": "https://demo.MyFatoorah.com/x", "CustomerReference": TRACK}
    desk.answer(EXECUTE, said({**made, "IsDirectPayment": False, **data}))
    with pytest.raises(Malformed):
        await desk.payments.create(desk.charge())


@pytest.mark.parametrize(
    ("token", "secret", "url", "name"),
    [
        ("", "s3cret", "https://api.myfatoorah.com", "MYFATOORAH_TOKEN"),
        ("t0ken with-a-space", "s3cret", "https://api.myfatoorah.com", "MYFATOORAH_TOKEN"),
        ("t0ken\n", "s3cret", "https://api.myfatoorah.com", "MYFATOORAH_TOKEN"),
        ("t0ken", "", "https://api.myfatoorah.com", "MYFATOORAH_SECRET"),
        ("t0ken", "s3crét", "https://api.myfatoorah.com", "MYFATOORAH_SECRET"),
        ("t0ken", "s3cret", "", "MYFATOORAH_URL"),
        ("t0ken", "s3cret", "api.myfatoorah.com", "MYFATOORAH_URL"),
        ("t0ken", "s3cret", "http://api.myfatoorah.com", "MYFATOORAH_URL"),
        ("t0ken", "s3cret", "http://127.0.0.1.evil.example", "MYFATOORAH_URL"),
        ("t0ken", "s3cret", "https://u:p@api.myfatoorah.com", "MYFATOORAH_URL"),
        ("t0ken", "s3cret", "https://api.myfatoorah.com/", "MYFATOORAH_URL"),
        ("t0ken", "s3cret", "https://api.myfatoorah.com?x=1", "MYFATOORAH_URL"),
        ("t0ken", "s3cret", "https://api.myfatoorah.com:port", "MYFATOORAH_URL"),
        ("t0ken", "s3cret", "https://[", "MYFATOORAH_URL"),
        ("t0ken", "s3cret", "ftp://127.0.0.1", "MYFATOORAH_URL"),
    ],
)
def test_wrong_settings_are_named_and_never_quoted(token: str, secret: str, url: str, name: str) -> None:
    with pytest.raises(ConfigError, match=f"^{name}: ") as raised:
        MyFatoorahTerms(token, secret, url)
    for value in ("t0ken", "s3cr", "u:p", "evil"):
        assert value not in str(raised.value)


@pytest.mark.parametrize(("token", "secret"), [("", "s3cret"), ("t0ken", "")])
def test_what_is_missing_is_called_missing(token: str, secret: str) -> None:
    with pytest.raises(ConfigError, match="is missing"):
        MyFatoorahTerms(token, secret)


def test_settings_do_not_show_their_secrets() -> None:
    terms = MyFatoorahTerms("t0ken", "s3cret")
    shown = f"{terms!r} {terms} {terms.__rich_repr__()}"
    assert "t0ken" not in shown
    assert "s3cret" not in shown
    assert "https://api.myfatoorah.com" in shown


@pytest.mark.parametrize(
    ("url", "hosts"),
    [
        ("https://api.myfatoorah.com", ("portal.myfatoorah.com", "kw.myfatoorah.com")),
        ("https://apitest.myfatoorah.com", ("demo.myfatoorah.com",)),
        ("http://127.0.0.1:5000/gateway", ("127.0.0.1", "127.0.0.1:5000")),
        ("http://localhost:5000", ("localhost", "localhost:5000")),
        ("http://[::1]:5000", ("::1", "[::1]:5000")),
    ],
)
async def test_the_hosts_of_its_pages(url: str, hosts: tuple[str, ...]) -> None:
    payments = MyFatoorah(MyFatoorahTerms("t0ken", "s3cret", url), FakeClock())
    port: Payments = payments
    assert (port.name, port.reopens, port.hosts) == ("myfatoorah", True, hosts)
    assert "t0ken" not in repr(payments)
    await payments.close()
