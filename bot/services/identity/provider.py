"""The identity provider: OpenID Connect authorization code with PKCE, nonce and state, at any provider by discovery.

Requests and checks are Authlib's, the transport is ours (`bot.services.http`): bounded time and size, no
redirects, one breaker. Nothing of an answer goes into an error's text. Authlib and joserfc are imported when somebody
signs in: a start does without them.
"""

from typing import Final
from urllib.parse import quote_plus, urlsplit

import msgspec

from bot.errors import ConfigError, Declined, Malformed
from bot.ports import Clock
from bot.services.http import Breaker, Http, decoded, make_client
from bot.services.identity.discovery import SERVICE, Discovery, Metadata, secure

TIMEOUT: Final = 10.0
"""Seconds for one question to the provider, retries included."""

_OK: Final = 200
_FORM: Final = "application/x-www-form-urlencoded"


class ProviderTerms(msgspec.Struct, frozen=True):
    """Settings of the provider.

    Attributes:
        issuer: exactly as the provider writes it.
        client_id: by which it knows us.
        client_secret: empty for a public client.
        claim: of the ID token, which carries the civil ID.
        scope: asked for; ``openid`` is added where it is missing.
        back: our address to which it sends browsers.
        timeout: seconds for one question, retries included.
    """

    issuer: str
    client_id: str
    client_secret: str
    claim: str
    scope: str
    back: str
    timeout: float = TIMEOUT


class Trip(msgspec.Struct, frozen=True, array_like=True):
    """What we know of one browser's way to the provider and must see again. Both are secrets."""

    nonce: str
    verifier: str


class _Tokens(msgspec.Struct, frozen=True):
    id_token: str
    access_token: str = ""


_TOKENS: Final = msgspec.json.Decoder(_Tokens)


class Provider:
    """One provider.

    Args:
        terms: settings.
        clock: time.

    Raises:
        ConfigError: the issuer is no https address, or there is no client id.
    """

    def __init__(self, terms: ProviderTerms, clock: Clock) -> None:
        if not secure(terms.issuer) or "?" in terms.issuer:
            raise ConfigError("OIDC_ISSUER: expected an address that begins with https://")
        if not terms.client_id:
            raise ConfigError("OIDC_CLIENT_ID: the identity provider needs to know who asks")
        self._terms = terms
        self._clock = clock
        self._client = make_client(terms.issuer)
        self._http = Http(SERVICE, self._client, Breaker(clock), timeout=terms.timeout)
        self._discovery = Discovery(terms.issuer, self._http, clock)

    async def host(self) -> str:
        """Where residents sign in: a host, with its port where it is not the usual one.

        Raises:
            OutsideError: the provider does not say.
        """
        return urlsplit((await self._discovery.metadata()).authorization_endpoint).netloc.lower()

    async def address(self, trip: Trip, state: str, language: str, *, afresh: bool) -> str:
        """The sign-in page's address for one browser.

        Args:
            trip: what comes back in the ID token, and what proves that we asked.
            state: what comes back with the browser.
            language: ``ar`` or ``en``.
            afresh: the person must sign in again even where the provider still knows them.

        Raises:
            OutsideError: the provider does not say where it is.
        """
        from bot.services.identity import requests  # noqa: PLC0415

        wanted = self._terms.scope.split()
        return requests.grant_uri(
            (await self._discovery.metadata()).authorization_endpoint,
            self._terms.client_id,
            "code",
            self._terms.back,
            " ".join(wanted if "openid" in wanted else ["openid", *wanted]),
            state,
            nonce=trip.nonce,
            code_challenge=requests.challenge(trip.verifier),
            code_challenge_method="S256",
            ui_locales=language,
            prompt="login" if afresh else None,
        )

    async def may_answer(self, issuer: str) -> bool:
        """Whether an answer that names ``issuer`` (empty: none) can be this provider's (RFC 9207).

        Raises:
            OutsideError: the provider does not say whether it names itself.
        """
        if issuer:
            return issuer == self._terms.issuer
        return not (await self._discovery.metadata()).authorization_response_iss_parameter_supported

    async def civil_id(self, code: str, trip: Trip, since: int) -> str:
        """Whom ``code`` stands for.

        Args:
            code: what the browser brought back; works once.
            trip: as given to `address`.
            since: when a fresh sign-in was asked for (epoch seconds); 0 where none was.

        Raises:
            Unavailable: no answer; whether the code was used up is not known.
            Declined: the provider does not take the code.
            NoCivilId: it vouches for somebody, but for no civil ID.
            Malformed: it answers something that cannot be believed.
        """
        from bot.services.identity.claims import Expected, civil_id_of, verified  # noqa: PLC0415

        tokens = await self._exchange(await self._discovery.metadata(), code, trip)
        now = self._clock.now()
        wanted = Expected(self._terms.issuer, self._terms.client_id, trip.nonce, now, since)
        claims = await verified(tokens.id_token, tokens.access_token, self._discovery, wanted)
        return civil_id_of(claims, self._terms.claim, now)

    async def _exchange(self, metadata: Metadata, code: str, trip: Trip) -> _Tokens:
        from bot.services.identity import requests  # noqa: PLC0415

        body = requests.token_request(
            "authorization_code", redirect_uri=self._terms.back, code=code, code_verifier=trip.verifier
        )
        client_id, secret, way = self._credentials(metadata)
        headers = {"Accept": "application/json"}
        url, headers, body = requests.client_auth(client_id, secret, way).prepare(
            "POST", metadata.token_endpoint, headers, body
        )
        # Not repeatable: a code that arrives twice is a stolen one to the provider.
        answer = await self._http.ask(
            "POST", url, repeatable=False, content=body.encode(), media_type=_FORM, headers=headers
        )
        if answer.status != _OK:
            raise Declined(SERVICE, f"answered {answer.status}")
        return decoded(SERVICE, answer, _TOKENS)

    def _credentials(self, metadata: Metadata) -> tuple[str, str, str]:
        """Our name, our secret and the way in which the provider takes them."""
        secret, offered = self._terms.client_secret, metadata.token_endpoint_auth_methods_supported
        ways = ("client_secret_basic", "client_secret_post") if secret else ("none",)
        way = next((each for each in ways if each in offered), None)
        if way is None and secret:
            raise Malformed(SERVICE, "no way in common to show the client secret")
        client_id = self._terms.client_id
        if (
            way == "client_secret_basic"
        ):  # RFC 6749, section 2.3.1: both form-encoded first, which Authlib leaves out
            client_id, secret = quote_plus(client_id), quote_plus(secret)
        return client_id, secret, way or "none"

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()
