"""The sandbox provider keeps to the protocol, so that what passes here passes elsewhere."""

import base64
import hashlib
from pathlib import Path

import httpx
import pytest

from bot.sandbox.cast import DEMO
from bot.sandbox.identity import Client, IdentityProvider, identity_app
from tests.identity.world import CIVIL_ID, World, changed, query_of
from tests.payments.test_pay_pages import Seen

VERIFIER = "v" * 50
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
MINUTE = 60


def address(world: World, **values: str | None) -> str:
    """An authorization request."""
    usual: dict[str, str | None] = {
        "response_type": "code",
        "client_id": "iqamati-test",
        "redirect_uri": f"{world.url}/signin/back",
        "scope": "openid",
        "state": "a-state",
        "nonce": "a-nonce",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
        "ui_locales": "en",
    }
    return changed(f"{world.issuer}/authorize", **{**usual, **values})


async def code(world: World) -> str:
    return query_of(await world.vouch(address(world)))["code"]


async def token(world: World, **values: str) -> httpx.Response:
    form = {
        "grant_type": "authorization_code",
        "redirect_uri": f"{world.url}/signin/back",
        "code_verifier": VERIFIER,
        "client_id": "iqamati-test",
        "client_secret": "a secret: with + signs & spaces",
        **values,
    }
    return await world.browser.post(f"{world.issuer}/token", data=form)


async def test_it_says_what_it_is(world: World) -> None:
    said = (await world.browser.get(f"{world.issuer}/.well-known/openid-configuration")).json()
    assert said["issuer"] == world.issuer
    keys = (await world.browser.get(said["jwks_uri"])).json()["keys"]
    assert [(key["kty"], key["alg"], key["use"], "d" in key) for key in keys] == [
        ("EC", "ES256", "sig", False)
    ]


async def test_the_page_offers_everybody_and_asks_for_no_password(world: World) -> None:
    for language, direction in (("ar", "rtl"), ("en", "ltr")):
        answer = await world.browser.get(address(world, ui_locales=language))
        seen = Seen(answer.text)
        assert (seen.language, seen.direction, seen.inline) == (language, direction, [])
        assert all(each.civil_id in answer.text for each in DEMO)
        assert "SANDBOX" in answer.text
        assert 'type="password"' not in answer.text
        assert "unsafe" not in answer.headers["content-security-policy"]
        (toggle,) = seen.links
        assert query_of(toggle)["state"] == "a-state"


@pytest.mark.parametrize("typed", ["", "285011500028", "28501150002", "x" * 40_000])
async def test_what_is_no_civil_id_is_asked_for_again(world: World, typed: str) -> None:
    answer = await world.browser.post(address(world), data={"civil_id": typed})
    assert answer.status_code == 422
    assert "not a valid civil ID" in answer.text


async def test_digits_of_any_script_are_a_civil_id(world: World) -> None:
    assert "code" in query_of(await world.vouch(address(world), "٢٨٥٠ ١١٥٠ ٠٠٢٩"))


@pytest.mark.parametrize(
    "values",
    [{"client_id": "another"}, {"redirect_uri": "https://evil.example/"}, {"redirect_uri": None}],
    ids=["client", "address", "no address"],
)
async def test_strangers_are_not_sent_anywhere(world: World, values: dict[str, str | None]) -> None:
    for method in ("GET", "POST"):
        answer = await world.browser.request(method, address(world, **values))
        assert (answer.status_code, "location" in answer.headers) == (400, False)


@pytest.mark.parametrize(
    ("values", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"scope": "profile"}, "invalid_scope"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
    ],
)
async def test_a_wrong_request_goes_back_with_its_error(
    world: World, values: dict[str, str | None], error: str
) -> None:
    for method in ("GET", "POST"):
        answer = await world.browser.request(method, address(world, **values))
        back = query_of(answer.headers["location"])
        assert (back["error"], back["state"], back["iss"]) == (error, "a-state", world.issuer)


async def test_a_code_becomes_a_token_once(world: World) -> None:
    made = await code(world)
    answer = await token(world, code=made)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert (await token(world, code=made)).json() == {"error": "invalid_grant"}


@pytest.mark.parametrize(
    ("values", "error"),
    [
        ({"code_verifier": "w" * 50}, "invalid_grant"),
        ({"code_verifier": ""}, "invalid_grant"),
        ({"code_verifier": CHALLENGE}, "invalid_grant"),
        ({"redirect_uri": "https://evil.example/"}, "invalid_grant"),
        ({"client_secret": "guessed"}, "invalid_client"),
        ({"client_id": "another"}, "invalid_client"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
    ],
)
async def test_a_wrong_exchange_gets_nothing(world: World, values: dict[str, str], error: str) -> None:
    answer = await token(world, **{"code": await code(world), **values})
    assert answer.status_code in {400, 401}
    assert answer.json() == {"error": error}


async def test_a_code_does_not_wait(world: World) -> None:
    made = await code(world)
    world.clock.advance(MINUTE)
    assert (await token(world, code=made)).json() == {"error": "invalid_grant"}


@pytest.mark.parametrize("shown", ["Basic ???", "Basic /w==", "Bearer x"])
async def test_a_client_that_shows_nonsense(world: World, shown: str) -> None:
    answer = await world.browser.post(
        f"{world.issuer}/token", data={"grant_type": "authorization_code"}, headers={"authorization": shown}
    )
    assert answer.status_code == 401


async def test_its_key_survives_a_restart_and_is_kept_to_itself(world: World, tmp_path: Path) -> None:
    client = Client("iqamati-test", "s", f"{world.url}/signin/back")
    file = tmp_path / "sandbox" / "identity.pem"
    first, second = (IdentityProvider(world.clock, client, world.issuer, file) for _ in range(2))
    assert first._key.as_dict(private=False) == second._key.as_dict(private=False)
    assert file.stat().st_mode & 0o077 == 0
    assert CIVIL_ID not in file.read_text("ascii")


async def test_the_application_is_that_provider(world: World) -> None:
    client = Client("iqamati-test", "s", f"{world.url}/signin/back")
    transport = httpx.ASGITransport(identity_app(world.clock, client, "http://127.0.0.1/identity"))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as browser:
        said = (await browser.get("/.well-known/openid-configuration")).json()
        assert said["issuer"] == "http://127.0.0.1/identity"
        assert (await browser.get("/pay.css")).status_code == 200
