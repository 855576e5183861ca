"""The way back from the identity provider: what a browser brings, and what the provider answers."""

import base64
import json
from typing import Any, Final, NamedTuple, cast

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from joserfc import jws, jwt
from joserfc.jwk import OKPKey
from starlette.requests import Request

from bot.errors import OutsideError
from bot.handlers.signin.routes import _parameter
from bot.services.identity.provider import Provider, ProviderTerms, Trip
from bot.services.identity.service import SignIns
from bot.wire import Answer
from tests.fuzz.targets.base import (
    CIVIL_ID,
    LOOP,
    NAME,
    PASSPORT,
    Target,
    ended,
    garbled,
    hold,
    spotless,
    texts,
    values,
)
from tests.fuzz.targets.residents import NOON, Clock

ISSUER: Final = "https://id.example"
KEY: Final = OKPKey.generate_key("Ed25519", {"kid": "k1"})
TRIP: Final = Trip("n0nce", "v" * 43)
METADATA: Final[dict[str, Any]] = {
    "issuer": ISSUER,
    "authorization_endpoint": f"{ISSUER}/auth",
    "token_endpoint": f"{ISSUER}/token",
    "jwks_uri": f"{ISSUER}/keys",
    "id_token_signing_alg_values_supported": ["Ed25519", "ES256"],
}
CLAIMS: Final[dict[str, Any]] = {
    "iss": ISSUER, "aud": "us", "sub": "s", "exp": NOON + 300, "iat": NOON, "nonce": TRIP.nonce, "civil_id": CIVIL_ID,
}  # fmt: skip


class Back(NamedTuple):
    """What the provider answers, and with what query a browser comes back."""

    metadata: bytes
    keys: bytes
    tokens: bytes
    query: bytes = b""


class _Provider:
    """In place of `bot.services.http.Http`."""

    def __init__(self, back: Back) -> None:
        self._back = back

    async def ask(self, _method: str, path: str, **_: Any) -> Answer:
        body = (
            self._back.tokens
            if path.endswith("/token")
            else self._back.keys
            if path.endswith("/keys")
            else self._back.metadata
        )
        return Answer(200, body, "application/json")


@st.composite
def tokens(draw: st.DrawFn) -> bytes:
    """An ID token with odd claims, soundly signed, give or take."""
    claims = dict(CLAIMS)
    names = [*CLAIMS, "azp", "at_hash", "acr", "amr", "auth_time", "nbf", "name"]
    odd = st.one_of(
        values(3),
        st.sampled_from(
            [
                "us",
                ["us"],
                ["us", "you"],
                {"us": 1},
                NOON,
                -1,
                1e300,
                "١" * 12,
                f"{CIVIL_ID} ",
                NAME,
                PASSPORT,
            ]
        ),
    )
    for name in draw(st.lists(st.sampled_from(names), max_size=3)):
        claims[name] = draw(odd)
    header = {"alg": "Ed25519", "kid": draw(st.sampled_from(["k1", "k1", "k1", "k2", ""]))}
    header |= draw(
        st.one_of(
            st.just({}), st.just({"crit": ["x"]}), st.just({"typ": "x" * 20_000}), st.just({"b64": False})
        )
    )
    try:
        token = jwt.encode(header, claims, KEY, algorithms=["Ed25519"])
    except Exception:  # noqa: BLE001 - what cannot be signed is sent as it is
        token = draw(texts(40))
    token = draw(
        st.sampled_from(
            [token] * 5
            + [
                token[:-3],
                token + ".x",
                token.replace(".", "..", 1),
                "a.b.c",
                "." * 9,
                "eyJhbGciOiJub25lIn0.e30.",
            ]
        )
    )
    whole = {
        "id_token": token,
        "access_token": draw(st.one_of(st.just("a"), texts(8))),
        "more": draw(values(3)),
    }
    return draw(garbled(st.just(json.dumps(whole).encode())))


def _documents(good: dict[str, Any]) -> SearchStrategy[bytes]:
    changes = st.dictionaries(
        st.sampled_from([*good, "x"]),
        st.one_of(values(3), st.sampled_from(["http://[", ISSUER, "ftp://x", []])),
        max_size=2,
    )
    changed = changes.map(lambda more: json.dumps({**good, **more}).encode())
    return st.one_of(st.just(json.dumps(good).encode()), st.just(json.dumps(good).encode()), garbled(changed))


class SignIn(Target[Back]):
    """OpenID Connect, as far as others decide what we read."""

    name = "signin"
    about = "the provider's documents, keys and ID tokens, the query a browser brings: a civil ID that was vouched for, or a refusal"
    modules = ("bot.services.identity", "bot.handlers.signin")
    examples = 60

    def inputs(self) -> SearchStrategy[Back]:
        public = KEY.as_dict(private=False)
        odd = st.dictionaries(
            st.sampled_from([*public, "use", "key_ops", "alg", "n", "e"]),
            st.one_of(values(2), texts(8)),
            max_size=2,
        )
        keys = st.lists(odd.map(lambda more: {**public, **more}), min_size=1, max_size=2).map(
            lambda found: json.dumps({"keys": found}).encode()
        )
        good = st.just(json.dumps({"keys": [public]}).encode())
        query = st.lists(
            st.sampled_from(
                [
                    "state=",
                    "code=x",
                    "error=x",
                    "iss=x",
                    "state=%FF",
                    "&",
                    "code=" + "x" * 3000,
                    "state=7F3C-9A1D." + "a" * 43,
                    "state=١" + "0" * 40,
                ]
            ),
            max_size=4,
        )
        return st.builds(
            Back,
            _documents(METADATA),
            st.one_of(good, good, garbled(keys)),
            tokens(),
            query.map(lambda found: "&".join(found).encode()),
        )

    def raw(self, data: bytes) -> Back:
        good = json.dumps({"keys": [KEY.as_dict(private=False)]}).encode()
        kind, rest = (data[:1] or b"\0")[0] % 4, data[1:]
        if kind == 0:
            return Back(rest, good, b"{}")
        if kind == 1:
            return Back(json.dumps(METADATA).encode(), rest, tokens_of(b"{}"))
        if kind == 2:
            return Back(json.dumps(METADATA).encode(), good, tokens_of(rest))
        return Back(json.dumps(METADATA).encode(), good, b"{}", rest)

    def feed(self, given: Back) -> None:
        terms = ProviderTerms(ISSUER, "us", "", "civil_id", "openid", "https://iqamati.example/signin/back")
        provider = Provider(terms, Clock())
        provider._http = provider._discovery._http = cast("Any", _Provider(given))
        for ask in (
            provider.host,
            lambda: provider.address(TRIP, "s", "ar", afresh=True),
            lambda: provider.may_answer(""),
        ):
            try:
                LOOP.run(ended(ask()))
            except OutsideError as error:
                spotless(error)
        try:
            found = LOOP.run(ended(provider.civil_id("c0de", TRIP, NOON)))
        except OutsideError as error:
            spotless(error)
        else:
            hold(found == _vouched(given.tokens), "somebody else is signed in")
        LOOP.run(provider.close())
        self._brought(given.query)

    def _brought(self, query: bytes) -> None:
        request = Request(
            {"type": "http", "method": "GET", "query_string": query, "headers": [], "path": "/signin/back"}
        )
        for name in ("state", "code", "error", "iss"):
            value = _parameter(request, name)
            hold(len(value) <= 2048, "a parameter without an end")
            ref = SignIns.ref(cast("Any", None), value)
            hold(ref == "" or (ref.isascii() and len(ref) == 9), f"a reference {ref!r}")


def _vouched(answer: bytes) -> Any:
    """Whom the ID token in the token endpoint's answer names, read without the code under test."""
    payload: str = json.loads(answer)["id_token"].split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["civil_id"]


def tokens_of(claims: bytes) -> bytes:
    """The token endpoint's answer with an ID token of ``claims``, whatever they are, soundly signed."""
    token = jws.serialize_compact({"alg": "Ed25519", "kid": "k1"}, claims, KEY, algorithms=["Ed25519"])
    return json.dumps({"id_token": token}).encode()
