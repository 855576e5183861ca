"""What a provider may not do: every fault of its answers ends with nobody signed in, in plain words."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from starlette.responses import JSONResponse, PlainTextResponse, Response

from bot.dialogs.identify import BeginSignIn, SignInRefused
from bot.errors import ConfigError, Declined, Malformed, OutsideError, Unavailable
from bot.ports import Failed
from bot.services.identity import Provider, ProviderTerms, SignIns
from bot.services.identity.discovery import KEPT, KEYS_AGAIN
from bot.services.identity.provider import Trip
from bot.store.quotas import Quotas
from bot.store.signins import SignInStore
from tests.identity.test_signin_pages import nobody
from tests.identity.world import CIVIL_ID, OTHER_ID, World, build, changed, code_on, query_of, text_of

MINUTE = 60
VERIFIED = "could not be verified"
SILENT = "does not answer"
NAMELESS = "did not name a valid civil ID"

FAULTS = {
    "nonce": (502, VERIFIED),
    "audience": (502, VERIFIED),
    "lent": (502, VERIFIED),
    "audiences": (502, VERIFIED),
    "issuer": (502, VERIFIED),
    "expired": (502, VERIFIED),
    "future": (502, VERIFIED),
    "key": (502, VERIFIED),
    "stranger": (502, VERIFIED),
    "none": (502, VERIFIED),
    "secret": (502, VERIFIED),
    "mixed": (502, VERIFIED),
    "html": (502, VERIFIED),
    "refused": (502, VERIFIED),
    "error": (503, SILENT),
    "missing": (502, NAMELESS),
    "invalid": (502, NAMELESS),
    "number": (502, NAMELESS),
}


@pytest.mark.parametrize("knob", FAULTS)
async def test_a_fault_signs_nobody_in_and_spoils_nothing(world: World, knob: str) -> None:
    link = await world.link()
    answer = await world.come_back(await world.way_back(link, knob=knob))
    status, said = FAULTS[knob]
    assert (answer.status_code, said in text_of(answer)) == (status, True), text_of(answer)
    await nobody(world, link, answer)
    assert CIVIL_ID not in answer.text
    assert await world.confirm(link, await world.code(link)) == CIVIL_ID


async def test_the_silence_of_a_provider_is_bounded(single: Any) -> None:
    async with build(single, patience=0.3) as world:
        link = await world.link()
        answer = await world.come_back(await world.way_back(link, knob="slow"))
        assert (answer.status_code, SILENT in text_of(answer)) == (503, True)
        await nobody(world, link, answer)
        world.clock.advance(MINUTE)


async def test_a_provider_that_is_down_is_told_in_the_chat_and_on_the_page(world: World) -> None:
    world.weather.answers["openid-configuration"] = Response(status_code=503)
    with pytest.raises(Unavailable):
        await world.link()
    del world.weather.answers["openid-configuration"]
    link = await world.link()
    world.clock.advance(0)
    world.weather.answers["token"] = Response(status_code=503)
    answer = await world.come_back(await world.way_back(link))
    assert answer.status_code == 503
    await nobody(world, link, answer)


async def test_a_provider_that_goes_away_before_the_button(world: World) -> None:
    link = await world.link()
    world.clock.advance(KEPT)
    world.weather.answers["openid-configuration"] = Response(status_code=503)
    assert link.until < world.clock.now()  # a link does not live that long: a new one is refused in the chat
    with pytest.raises(OutsideError):
        await world.link()


# --- proofs --------------------------------------------------------------------------------------


async def grant(world: World, trip: Trip, civil_id: str = CIVIL_ID) -> str:
    """A code for ``trip``."""
    page = await world.provider.address(trip, "state", "en", afresh=False)
    return query_of(await world.vouch(page, civil_id))["code"]


TRIP = Trip("n" * 43, "v" * 43)


async def test_the_code_of_one_browser_is_useless_in_another(world: World) -> None:
    """A stranger's code put into the resident's way back, and a resident's stolen code in the stranger's."""
    mine, theirs = await world.link(), await world.link()
    my_way, their_way = await world.way_back(mine), await world.way_back(theirs, OTHER_ID)
    stolen = changed(their_way, code=query_of(my_way)["code"])
    answer = await world.come_back(stolen)
    assert VERIFIED in text_of(answer)
    await nobody(world, theirs, answer)
    spent = await world.come_back(my_way)  # a code gets one try, whoever makes it
    await nobody(world, mine, spent)


async def test_pkce_a_wrong_verifier_is_refused(world: World) -> None:
    code = await grant(world, TRIP)
    with pytest.raises(Declined):
        await world.provider.civil_id(code, Trip(TRIP.nonce, "w" * 43), 0)
    assert await world.provider.civil_id(await grant(world, TRIP), TRIP, 0) == CIVIL_ID


async def test_a_code_is_exchanged_once(world: World) -> None:
    code = await grant(world, TRIP)
    assert await world.provider.civil_id(code, TRIP, 0) == CIVIL_ID
    with pytest.raises(Declined):
        await world.provider.civil_id(code, TRIP, 0)


async def test_an_old_code_is_refused(world: World) -> None:
    code = await grant(world, TRIP)
    world.clock.advance(MINUTE)
    with pytest.raises(Declined):
        await world.provider.civil_id(code, TRIP, 0)


async def test_another_client_gets_nothing(world: World) -> None:
    code = await grant(world, TRIP)
    back = f"{world.url}/signin/back"
    terms = ProviderTerms(world.issuer, "iqamati-test", "guessed", "civil_id", "openid", back)
    thief = Provider(terms, world.clock)
    with pytest.raises(Declined):
        await thief.civil_id(code, TRIP, 0)
    await thief.close()
    assert await world.provider.civil_id(code, TRIP, 0) == CIVIL_ID


async def test_what_is_asked_of_the_provider(world: World) -> None:
    asked = query_of(await world.press(await world.link()))
    assert asked["response_type"] == "code"
    assert asked["scope"] == "openid"
    assert asked["code_challenge_method"] == "S256"
    assert len(asked["code_challenge"]) == 43
    assert asked["redirect_uri"] == f"{world.url}/signin/back"
    assert "prompt" not in asked
    again = query_of(await world.press(await world.link()))
    assert all(asked[name] != again[name] for name in ("state", "nonce", "code_challenge"))


async def test_who_is_signed_in_already_is_asked_afresh(world: World) -> None:
    link = await world.link(actor=CIVIL_ID)
    page = await world.press(link)
    assert query_of(page)["prompt"] == "login"
    answer = await world.come_back(await world.vouch(page, knob="stale"))
    await nobody(world, link, answer)
    assert await world.confirm(link, await world.code(link)) == CIVIL_ID
    first = await world.link()
    easy = code_on(await world.come_back(await world.way_back(first, knob="stale")))
    assert await world.confirm(first, easy) == CIVIL_ID


async def test_more_scopes_keep_openid(single: Any) -> None:
    for scope, sent in (("civil profile", "openid civil profile"), ("profile openid", "profile openid")):
        async with build(single, scope=scope) as world:
            page = await world.provider.address(TRIP, "state", "ar", afresh=False)
            assert query_of(page)["scope"] == sent


async def test_the_claim_is_a_setting(single: Any) -> None:
    async with build(single, claim="sub") as world:
        link = await world.link()
        answer = await world.come_back(await world.way_back(link))
        assert NAMELESS in text_of(answer)
        await nobody(world, link, answer)


# --- discovery -----------------------------------------------------------------------------------

DOCUMENTS: dict[str, dict[str, Any]] = {
    "another issuer": {"issuer": "https://id.example.kw"},
    "a slash more": {"issuer": "http://127.0.0.1/identity/"},
    "a page over http": {"authorization_endpoint": "http://id.example.kw/authorize"},
    "tokens over http": {"token_endpoint": "http://id.example.kw/token"},
    "keys over http": {"jwks_uri": "http://id.example.kw/jwks"},
    "a user in the address": {"authorization_endpoint": "https://id.example.kw@evil.example/"},
    "no page": {"authorization_endpoint": None},
    "plain PKCE": {"code_challenge_methods_supported": ["plain"]},
}


@pytest.mark.parametrize("name", DOCUMENTS)
async def test_a_document_that_cannot_be_trusted(world: World, name: str) -> None:
    world.weather.changes = DOCUMENTS[name]
    with pytest.raises(Malformed):
        await world.link()
    world.weather.changes = {}
    assert (await world.link()).host in world.issuer


@pytest.mark.parametrize(
    "answer",
    [
        PlainTextResponse("<!doctype html>", media_type="text/html"),
        JSONResponse([]),
        JSONResponse({}, status_code=404),
        Response("{" * 100_000, media_type="application/json"),
        Response(status_code=302, headers={"location": "https://id.example.kw/"}),
    ],
    ids=["html", "a list", "missing", "deep", "moved"],
)
async def test_a_document_that_is_none(world: World, answer: Response) -> None:
    world.weather.answers["openid-configuration"] = answer
    with pytest.raises(OutsideError):
        await world.link()


async def test_the_document_is_read_now_and_then(world: World) -> None:
    for _ in range(3):
        await world.link()
    assert world.weather.times("openid-configuration") == 1
    world.clock.advance(KEPT)
    await world.link()
    assert world.weather.times("openid-configuration") == 2


async def test_a_new_key_is_found(world: World) -> None:
    first, second = await world.link(), await world.link()
    assert await world.confirm(first, await world.code(first)) == CIVIL_ID
    world.sandbox.renew_key()
    world.clock.advance(KEYS_AGAIN)
    assert await world.confirm(second, await world.code(second)) == CIVIL_ID
    assert world.weather.times("jwks") == 2


async def test_unknown_keys_do_not_make_us_read_all_the_time(world: World) -> None:
    link = await world.link()
    for _ in range(5):
        await world.come_back(await world.way_back(link, knob="stranger"))
    assert world.weather.times("jwks") == 1


async def test_keys_that_are_not_for_signing_are_left_out(world: World) -> None:
    good = world.sandbox._key.as_dict(private=False)
    await keys_are(world, {**good, "use": "enc"})
    await keys_are(world, {"kty": "oct", "k": "c2VjcmV0", "kid": good["kid"]})
    await keys_are(world, {"kty": "EC", "crv": "P-256", "x": "?", "kid": good["kid"]})
    await keys_are(world, "no key at all")


async def test_a_key_for_something_else_does_not_stand_in_the_way(world: World) -> None:
    good = world.sandbox._key.as_dict(private=False)
    world.weather.answers["jwks"] = JSONResponse({"keys": [good, {**good, "use": "enc"}, {"kty": "new"}]})
    link = await world.link()
    assert await world.confirm(link, await world.code(link)) == CIVIL_ID


async def keys_are(world: World, key: Any) -> None:
    """With such a key in the set, nobody is signed in."""
    world.clock.advance(KEPT)
    world.weather.answers["jwks"] = JSONResponse({"keys": [key]})
    link = await world.link()
    answer = await world.come_back(await world.way_back(link))
    assert VERIFIED in text_of(answer)
    await nobody(world, link, answer)


async def test_signatures_that_the_provider_does_not_name_are_not_taken(world: World) -> None:
    world.weather.changes = {"id_token_signing_alg_values_supported": ["RS256", "HS256", "none"]}
    link = await world.link()
    for knob in ("", "secret", "none"):
        await nobody(world, link, await world.come_back(await world.way_back(link, knob=knob)))


@pytest.mark.parametrize("way", ["client_secret_post", "client_secret_basic"])
async def test_the_secret_is_shown_as_the_provider_wants_it(world: World, way: str) -> None:
    world.weather.changes = {"token_endpoint_auth_methods_supported": [way]}
    link = await world.link()
    assert await world.confirm(link, await world.code(link)) == CIVIL_ID


async def test_a_provider_that_takes_no_secret_of_ours(world: World) -> None:
    world.weather.changes = {"token_endpoint_auth_methods_supported": ["private_key_jwt"]}
    link = await world.link()
    await nobody(world, link, await world.come_back(await world.way_back(link)))


# --- settings ------------------------------------------------------------------------------------


@pytest_asyncio.fixture
async def off(world: World) -> AsyncIterator[SignIns]:
    store = SignInStore(world.redis, world.keyring)
    yield SignIns(
        store, Quotas(world.redis, world.keyring), None, world.keyring, world.clock, world.wake, world.url
    )


async def test_without_a_provider_signing_in_is_off(world: World, off: SignIns) -> None:
    with pytest.raises(Failed) as refusal:
        await off.begin(BeginSignIn(), world.asked())
    assert refusal.value.word == SignInRefused.OFF


@pytest.mark.parametrize(
    ("issuer", "client_id", "named"),
    [
        ("http://id.example.kw", "iqamati", "OIDC_ISSUER"),
        ("id.example.kw", "iqamati", "OIDC_ISSUER"),
        ("https://", "iqamati", "OIDC_ISSUER"),
        ("https://user:word@id.example.kw", "iqamati", "OIDC_ISSUER"),
        ("https://id.example.kw?tenant=1", "iqamati", "OIDC_ISSUER"),
        ("https://id.example.kw#x", "iqamati", "OIDC_ISSUER"),
        ("https://id.example.kw:port", "iqamati", "OIDC_ISSUER"),
        ("https://id.example.kw", "", "OIDC_CLIENT_ID"),
    ],
)
async def test_a_wrong_setting_is_named_and_not_shown(
    world: World, issuer: str, client_id: str, named: str
) -> None:
    terms = ProviderTerms(issuer, client_id, "secret", "civil_id", "openid", f"{world.url}/signin/back")
    with pytest.raises(ConfigError) as error:
        Provider(terms, world.clock)
    assert str(error.value).startswith(named)
    assert not issuer.removeprefix("https://") or issuer not in str(error.value)
