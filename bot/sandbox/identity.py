"""The sandbox identity provider: OpenID Connect with the synthetic population, and no password.

Authorization code with PKCE (S256) for one client: ``/.well-known/openid-configuration``, ``/jwks``, ``/authorize``
(a page on which one chooses who one is), ``/token``. ID tokens are signed by ES256 with a key kept in the data folder;
the civil ID is the claim ``civil_id``. A script signs in as the page does::

    curl -s -d civil_id=285011500029 '<address of the page>'

``knob`` in the page's address or form adds a fault: see `KNOBS`.
"""

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, unquote_plus, urlencode, urlsplit

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from bot.clock import local
from bot.parse import civil_id as read_civil_id
from bot.ports import Clock
from bot.sandbox.gateway_page import PAGE_HEADERS, STYLE
from bot.sandbox.identity_page import page, strange

if TYPE_CHECKING:
    from bot.sandbox.identity_keys import Key

KNOBS: Final = (
    "nonce",  # another nonce in the token
    "audience",  # for another client
    "lent",  # for another client, who lets us use it
    "audiences",  # for us and another client, without a word on who may use it
    "issuer",  # by another issuer
    "expired",
    "future",  # issued tomorrow
    "stale",  # of somebody who signed in yesterday
    "key",  # signed by a key that is not in the key set, under the name of one that is
    "stranger",  # signed by a key of an unknown name
    "none",  # not signed
    "secret",  # signed with the client secret, HS256
    "missing",  # without the civil ID
    "invalid",  # with a civil ID that cannot be one
    "number",  # with the civil ID as a number
    "html",  # the token endpoint answers with a page
    "error",  # it answers 503
    "refused",  # it takes no code
    "slow",  # it answers after a minute
    "mixed",  # the browser comes back in another issuer's name
)
"""Faults of a provider, or of somebody between us."""

CODE_LIFE: Final = 60
"""Seconds a code waits to be exchanged (RFC 6749, section 4.1.2, recommends ten minutes at most)."""

TOKEN_LIFE: Final = 300
SLOW: Final = 60.0

_BODY: Final = 16 * 1024
_CHALLENGE: Final = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)
_VERIFIER: Final = re.compile(r"[A-Za-z0-9._~-]{43,128}", re.ASCII)
_DAY: Final = 86_400


class Client(msgspec.Struct, frozen=True):
    """The one client. ``back`` is the only address browsers are sent to."""

    id: str
    secret: str
    back: str


class _Grant(msgspec.Struct, frozen=True):
    civil_id: str
    challenge: str
    nonce: str
    knob: str
    made: int


class IdentityProvider:
    """The provider's memory and its answers.

    Args:
        clock: for expiry and silence.
        client: who may ask.
        issuer: address browsers find the mounted provider at, without a slash at the end.
        store: file the signing key survives a restart in; None keeps it in memory.
    """

    def __init__(self, clock: Clock, client: Client, issuer: str, store: Path | None = None) -> None:
        self._clock = clock
        self._client = client
        self._issuer = issuer
        self._store = store
        self._grants: dict[str, _Grant] = {}

    def routes(self) -> list[Route]:
        """To be mounted below the path of ``issuer``."""
        return [
            Route("/.well-known/openid-configuration", self._discovery, methods=["GET"]),
            Route("/jwks", self._jwks, methods=["GET"]),
            Route("/authorize", self._ask, methods=["GET"]),
            Route("/authorize", self._answer, methods=["POST"]),
            Route("/token", self._token, methods=["POST"]),
            Route("/pay.css", _style, methods=["GET"]),
        ]

    @cached_property
    def _key(self) -> "Key":
        """What tokens are signed with, from the first sign-in on: a start does without joserfc."""
        from bot.sandbox.identity_keys import signing_key  # noqa: PLC0415

        return signing_key(self._store)

    def renew_key(self) -> None:
        """Sign with a new key from now on, as providers do now and then."""
        from bot.sandbox.identity_keys import new_key  # noqa: PLC0415 - as above

        self._key = new_key()

    async def _discovery(self, _request: Request) -> Response:
        return JSONResponse(
            {
                "issuer": self._issuer,
                "authorization_endpoint": f"{self._issuer}/authorize",
                "token_endpoint": f"{self._issuer}/token",
                "jwks_uri": f"{self._issuer}/jwks",
                "response_types_supported": ["code"],
                "response_modes_supported": ["query"],
                "grant_types_supported": ["authorization_code"],
                "scopes_supported": ["openid"],
                "claims_supported": ["sub", "civil_id", "auth_time"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["ES256"],
                "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
                "code_challenge_methods_supported": ["S256"],
                "ui_locales_supported": ["ar", "en"],
                "authorization_response_iss_parameter_supported": True,
            }
        )

    async def _jwks(self, _request: Request) -> Response:
        return JSONResponse({"keys": [self._key.as_dict(private=False, use="sig", alg="ES256")]})

    # --- the page --------------------------------------------------------------------------------

    async def _ask(self, request: Request) -> Response:
        query = dict(request.query_params)
        if not self._known(query):
            return self._html(strange(query), 400)
        if (fault := _fault(query)) is not None:
            return self._back(query, {"error": fault})
        knob = query.get("knob", "")
        return self._html(page(query, knob=knob if knob in KNOBS else ""))

    async def _answer(self, request: Request) -> Response:
        query = dict(request.query_params)
        if not self._known(query):
            return self._html(strange(query), 400)
        if (fault := _fault(query)) is not None:
            return self._back(query, {"error": fault})
        form = await _form(request)
        if "refuse" in form:
            return self._back(query, {"error": "access_denied", "error_description": "no"})
        civil_id = read_civil_id(form.get("civil_id", ""), local(self._clock.now()).date())
        knob = form.get("knob", "")
        if not isinstance(civil_id, str) or knob not in {"", *KNOBS}:
            return self._html(page(query, knob=knob if knob in KNOBS else "", wrong=True), 422)
        code = secrets.token_urlsafe(24)
        now = self._clock.now()
        self._grants = {key: each for key, each in self._grants.items() if now < each.made + CODE_LIFE}
        self._grants[code] = _Grant(civil_id, query["code_challenge"], query.get("nonce", ""), knob, now)
        return self._back(query, {"code": code}, knob)

    def _known(self, query: Mapping[str, str]) -> bool:
        return query.get("client_id") == self._client.id and query.get("redirect_uri") == self._client.back

    def _back(self, query: Mapping[str, str], answer: dict[str, str], knob: str = "") -> Response:
        answer["iss"] = f"{self._issuer}/other" if knob == "mixed" else self._issuer
        if "state" in query:
            answer["state"] = query["state"]
        return RedirectResponse(f"{self._client.back}?{urlencode(answer)}", 303, self._page_headers())

    def _html(self, body: str, status: int = 200) -> Response:
        return Response(body, status, self._page_headers(), "text/html")

    def _page_headers(self) -> dict[str, str]:
        # Browsers hold a form's redirect to form-action too, and the way back is another origin.
        back = urlsplit(self._client.back)
        policy = (
            f"{PAGE_HEADERS['content-security-policy']}; form-action 'self' {back.scheme}://{back.netloc}"
        )
        return {**PAGE_HEADERS, "content-security-policy": policy}

    # --- the token -------------------------------------------------------------------------------

    async def _token(self, request: Request) -> Response:
        form = await _form(request)
        if not self._is_client(request, form):
            return _error(401, "invalid_client")
        if form.get("grant_type") != "authorization_code":
            return _error(400, "unsupported_grant_type")
        # Taken before it is looked at: whatever is wrong, a code does not get a second try.
        grant = self._grants.pop(form.get("code", ""), None)
        if grant is None or self._clock.now() >= grant.made + CODE_LIFE or grant.knob == "refused":
            return _error(400, "invalid_grant")
        if form.get("redirect_uri") != self._client.back or not _proves(
            form.get("code_verifier", ""), grant.challenge
        ):
            return _error(400, "invalid_grant")
        if grant.knob == "slow":
            await self._clock.sleep(SLOW)
        if grant.knob == "error":
            return _error(503, "temporarily_unavailable")
        if grant.knob == "html":
            return Response("<!doctype html><title>Maintenance</title>", media_type="text/html")
        answer = {
            "access_token": secrets.token_urlsafe(24),
            "token_type": "Bearer",
            "expires_in": TOKEN_LIFE,
            "id_token": self._id_token(grant),
        }
        return JSONResponse(answer, headers={"cache-control": "no-store"})

    def _is_client(self, request: Request, form: Mapping[str, str]) -> bool:
        given = form.get("client_id", ""), form.get("client_secret", "")
        kind, _, value = request.headers.get("authorization", "").partition(" ")
        if kind.lower() == "basic":
            try:
                name, _, secret = base64.b64decode(value, validate=True).decode().partition(":")
            except (binascii.Error, UnicodeDecodeError):
                return False
            given = unquote_plus(name), unquote_plus(secret)
        wanted = self._client.id, self._client.secret
        return hmac.compare_digest("\0".join(given).encode(), "\0".join(wanted).encode())

    def _id_token(self, grant: _Grant) -> str:
        from bot.sandbox import identity_keys as keys  # noqa: PLC0415 - as above

        knob = grant.knob
        claims = _changed(self._claims(grant), knob)
        if knob == "none":
            # By hand: no library should be talked into it.
            return f"{_encoded({'alg': 'none'})}.{_encoded(claims)}."
        if knob == "secret":
            return keys.signed_with_secret(claims, self._client.secret)
        key = keys.new_key() if knob in {"key", "stranger"} else self._key
        return keys.signed(claims, key, key.kid if knob == "stranger" else self._key.kid)

    def _claims(self, grant: _Grant) -> dict[str, Any]:
        now = self._clock.now()
        return {
            "iss": self._issuer,
            "sub": hashlib.sha256(f"sandbox subject {grant.civil_id}".encode()).hexdigest()[:24],
            "aud": self._client.id,
            "iat": now,
            "auth_time": now,
            "exp": now + TOKEN_LIFE,
            "nonce": grant.nonce,
            "civil_id": grant.civil_id,
        }


def _changed(claims: dict[str, Any], knob: str) -> dict[str, Any]:
    now = claims["iat"]
    changes: dict[str, dict[str, Any]] = {
        "nonce": {"nonce": secrets.token_urlsafe(16)},
        "audience": {"aud": "another-client"},
        "lent": {"aud": "another-client", "azp": claims["aud"]},
        "audiences": {"aud": [claims["aud"], "another-client"]},
        "issuer": {"iss": f"{claims['iss']}/other"},
        "expired": {"iat": now - TOKEN_LIFE - 1, "exp": now - _DAY},
        "future": {"iat": now + _DAY, "exp": now + 2 * _DAY},
        "stale": {"auth_time": now - _DAY},
        "missing": {"civil_id": None},
        "invalid": {"civil_id": claims["civil_id"][:-1] + str((int(claims["civil_id"][-1]) + 1) % 10)},
        "number": {"civil_id": int(claims["civil_id"])},
    }
    changed = {**claims, **changes.get(knob, {})}
    return {name: value for name, value in changed.items() if value is not None}


def _fault(query: Mapping[str, str]) -> str | None:
    """What is wrong with an authorization request of our client, as RFC 6749 names it."""
    if query.get("response_type") != "code":
        return "unsupported_response_type"
    if "openid" not in query.get("scope", "").split():
        return "invalid_scope"
    pkce = query.get("code_challenge_method") == "S256" and _CHALLENGE.fullmatch(
        query.get("code_challenge", "")
    )
    return None if pkce else "invalid_request"


def _encoded(part: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(part)).decode().rstrip("=")


def _proves(verifier: str, challenge: str) -> bool:
    if _VERIFIER.fullmatch(verifier) is None:
        return False
    made = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    return hmac.compare_digest(made, challenge)


def identity_app(clock: Clock, client: Client, issuer: str, store: Path | None = None) -> Starlette:
    """The provider as an application to be mounted below the path of ``issuer``; arguments as `IdentityProvider`'s."""
    return Starlette(routes=IdentityProvider(clock, client, issuer, store).routes())


async def _style(_request: Request) -> Response:
    return Response(STYLE, media_type="text/css", headers={"x-content-type-options": "nosniff"})


async def _form(request: Request) -> dict[str, str]:
    """The fields of a form; none where it is no form, or too long."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _BODY:
            return {}
    try:
        return dict(parse_qsl(body.decode("ascii")))
    except ValueError:
        return {}


def _error(status: int, word: str) -> Response:
    return JSONResponse({"error": word}, status)
