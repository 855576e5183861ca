"""The whole service with a real gateway's settings: from the chat to the receipt, by way of its counterpart."""

import asyncio
import contextlib
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount

from bot.clock import SystemClock
from bot.ports import Clock
from tests.e2e.command import SAFETY, Home, free_port, links
from tests.payments.counterparts import knet, myfatoorah, myfatoorah_webhooks, tap
from tests.payments.counterparts.bank import Counterpart

ONE_FINE = "299123190026"
SETTINGS = {
    "knet": {"KNET_ID": knet.TERMINAL, "KNET_PASSWORD": knet.PASSWORD, "KNET_KEY": knet.KEY},
    "tap": {"TAP_SECRET_KEY": tap.SECRET, "TAP_MERCHANT": tap.MERCHANT, "TAP_EMAIL": tap.EMAIL},
    "myfatoorah": {"MYFATOORAH_TOKEN": myfatoorah.TOKEN, "MYFATOORAH_SECRET": myfatoorah_webhooks.SECRET},
}


def counterpart(provider: str, clock: Clock, url: str) -> Counterpart:
    make = {"knet": knet.make, "tap": tap.make, "myfatoorah": myfatoorah.make}
    return make[provider](clock, url)


@contextlib.contextmanager
def gateway(provider: str) -> Iterator[str]:
    """The counterpart of a gateway, answering in a thread; its address."""
    port = free_port()
    url = f"http://127.0.0.1:{port}/gateway"
    ready = threading.Event()
    servers: list[uvicorn.Server] = []

    async def serve() -> None:
        made = counterpart(provider, SystemClock(), url)
        app = Starlette(routes=[Mount("/gateway", made.app)])
        servers.append(uvicorn.Server(uvicorn.Config(app, port=port, log_level="warning", lifespan="off")))
        ready.set()
        await servers[0].serve()
        await made.close()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert ready.wait(SAFETY)
    try:
        yield url
    finally:
        servers[0].should_exit = True
        thread.join(SAFETY)


@pytest.mark.long
@pytest.mark.parametrize("provider", SETTINGS)
def test_a_fine_is_paid_at_the_gateway_of_the_settings(provider: str, tmp_path: Path) -> None:
    with gateway(provider) as url:
        settings = {"PAYMENTS": provider, f"{provider.upper()}_URL": url, **SETTINGS[provider]}
        with Home(tmp_path, settings=settings).running() as run:
            home = run.home
            chatted = home.chat(ONE_FINE, "1")
            *_, link = links(chatted)
            with httpx.Client(trust_env=False, timeout=SAFETY) as browser:
                ours = browser.get(link)
                assert "5.250" in ours.text
                assert "تجربة" not in ours.text
                onward = browser.post(link, data={"go": "1"})
                assert onward.status_code == 303, onward.text
                page = onward.headers["location"]
                assert page.startswith(url)
                pressed = browser.post(page, data={"button": "approved", "knob": ""})
                assert pressed.status_code == 303, pressed.text
                back = browser.get(pressed.headers["location"])
                assert "✓" in back.text
            told = home.chat("/receipts", "1")
            assert any("5.250" in line and "✓" in line for line in told), told
            listed = home.command("orders", "--json")
            assert listed.code == 0, listed.errors
            (order,) = json.loads("\n".join(listed.lines))["orders"]
            assert (order["status"], order["amount"]["fils"]) == ("posted", 5250)
            assert run.interrupt().code == 0


MISSING = {
    "knet": ("KNET_KEY", "KNET_KEY"),
    "tap": ("TAP_MERCHANT", "TAP_MERCHANT"),
    "myfatoorah": ("MYFATOORAH_SECRET", "MYFATOORAH_SECRET"),
}


@pytest.mark.parametrize("provider", SETTINGS)
def test_a_missing_setting_stops_the_service_with_one_line(home: Home, provider: str) -> None:
    url = {f"{provider.upper()}_URL": "http://127.0.0.1:9"}
    left_out, named = MISSING[provider]
    settings = {name: value for name, value in SETTINGS[provider].items() if name != left_out}
    ended = home.command("run", PAYMENTS=provider, **url, **settings)
    assert ended.code == 1
    assert len(ended.errors) == 1
    assert named in ended.errors[0]
    assert not any(value in ended.errors[0] for value in settings.values())


@pytest.mark.parametrize("provider", SETTINGS)
def test_a_real_gateway_needs_an_address_it_can_reach(home: Home, provider: str) -> None:
    ended = home.command("run", PAYMENTS=provider, **SETTINGS[provider])
    assert ended.code == 1
    assert ended.errors == ["iqamati: PUBLIC_URL: a real gateway must reach this service over https"]


def test_an_unknown_gateway_is_refused(home: Home) -> None:
    ended = home.command("run", PAYMENTS="paypal")
    assert (ended.code, len(ended.errors)) == (1, 1)
    assert ended.errors[0].startswith("iqamati: PAYMENTS:")
