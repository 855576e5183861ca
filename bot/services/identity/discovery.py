"""What a provider says of itself: OpenID Connect Discovery 1.0, and its keys (RFC 7517)."""

import asyncio
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import urlsplit

import msgspec

from bot.errors import Declined, Malformed
from bot.ports import Clock
from bot.services.http import Http, decoded, is_loopback

if TYPE_CHECKING:
    from joserfc.jwk import Key

SERVICE: Final = "identity"

KEPT: Final = 3600
"""Seconds the document and the keys are believed before they are read again."""

KEYS_AGAIN: Final = 30
"""Seconds between two readings of the keys because of a token that names another one."""

ALGORITHMS: Final = (
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "Ed25519",
    "EdDSA",
)
"""Signatures that only the provider can make. None by a shared secret, and not ``none``."""

_OK: Final = 200
_T = TypeVar("_T")


class NoCivilId(Malformed):
    """The provider vouched for somebody without saying, or saying wrongly, which civil ID is theirs."""


class Metadata(msgspec.Struct, frozen=True):
    """The discovery document, as far as it matters here."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    id_token_signing_alg_values_supported: tuple[str, ...] = ()
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)
    code_challenge_methods_supported: tuple[str, ...] = ("S256",)
    authorization_response_iss_parameter_supported: bool = False

    @property
    def algorithms(self) -> tuple[str, ...]:
        """Signatures that are taken: ours, narrowed to the provider's where it names any."""
        named = self.id_token_signing_alg_values_supported
        return tuple(each for each in ALGORITHMS if not named or each in named)


class _Keys(msgspec.Struct, frozen=True):
    keys: tuple[dict[str, Any], ...]


_METADATA: Final = msgspec.json.Decoder(Metadata)
_KEYS: Final = msgspec.json.Decoder(_Keys)


def secure(url: str) -> bool:
    """Whether ``url`` is https, or http on this machine, without a user name or a fragment."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        _ = parts.port  # ValueError where it is no number
    except ValueError:
        return False
    if parts.fragment or "@" in parts.netloc or not host:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host))


class Discovery:
    """The document and the keys, read when needed and kept for a while.

    Args:
        issuer: exactly as the provider's document and tokens write it.
        http: asks.
        clock: measures how long they are kept.
    """

    def __init__(self, issuer: str, http: Http, clock: Clock) -> None:
        self._issuer = issuer
        self._http = http
        self._clock = clock
        self._reading = asyncio.Lock()
        self._metadata: Metadata | None = None
        self._metadata_at = 0.0
        self._keys: dict[str, Key] = {}
        self._keys_at = 0.0
        self._keys_read = False

    async def metadata(self) -> Metadata:
        """The document.

        Raises:
            Unavailable: no answer.
            Declined: there is none.
            Malformed: not such a document, another issuer's, or an address without https.
        """
        async with self._reading:
            if self._metadata is None or self._clock.monotonic() - self._metadata_at >= KEPT:
                self._metadata = await self._read_metadata()
                self._metadata_at = self._clock.monotonic()
            return self._metadata

    async def _read_metadata(self) -> Metadata:
        # Section 4.1: a slash at the issuer's end is dropped before the path is added.
        found = await self._get(f"{self._issuer.rstrip('/')}/.well-known/openid-configuration", _METADATA)
        if found.issuer != self._issuer:
            raise Malformed(SERVICE, "another issuer's document")
        if not all(
            secure(url) for url in (found.authorization_endpoint, found.token_endpoint, found.jwks_uri)
        ):
            raise Malformed(SERVICE, "an address that is not https")
        if "S256" not in found.code_challenge_methods_supported:
            raise Malformed(SERVICE, "no PKCE by S256")
        return found

    async def key(self, name: str) -> "Key":
        """The public key that a token names; the keys are read again for a new name, but not at every one.

        Args:
            name: the token's ``kid``; empty where it names none, which is enough where there is one key.

        Raises:
            Unavailable: no answer.
            Declined: there is no key set.
            Malformed: no such key, or no key set.
        """
        # joserfc and the cryptography behind it: not before somebody signs in.
        from bot.services.identity.keys import public  # noqa: PLC0415

        address = (await self.metadata()).jwks_uri
        async with self._reading:
            age = self._clock.monotonic() - self._keys_at
            known = self._pick(name)
            if not self._keys_read or age >= KEPT or (known is None and age >= KEYS_AGAIN):
                self._keys = public((await self._get(address, _KEYS)).keys)
                self._keys_at = self._clock.monotonic()
                self._keys_read = True
                known = self._pick(name)
        if known is None:
            raise Malformed(SERVICE, "signed by an unknown key")
        return known

    def _pick(self, name: str) -> "Key | None":
        if name:
            return self._keys.get(name)
        return next(iter(self._keys.values())) if len(self._keys) == 1 else None

    async def _get(self, url: str, decoder: msgspec.json.Decoder[_T]) -> _T:
        answer = await self._http.ask("GET", url, repeatable=True, headers={"Accept": "application/json"})
        if answer.status != _OK:
            raise Declined(SERVICE, f"answered {answer.status}")
        return decoded(SERVICE, answer, decoder)
