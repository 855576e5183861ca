"""What an ID token must say before anybody is believed to be signed in (OpenID Connect Core 1.0, 3.1.3.7)."""

from typing import Any, Final

from authlib.oidc.core import CodeIDToken
from joserfc import jws, jwt
from joserfc.errors import JoseError

from bot.clock import local
from bot.errors import Malformed
from bot.parse import CIVIL_ID_DIGITS, is_civil_id
from bot.services.identity.discovery import SERVICE, Discovery, NoCivilId

LEEWAY: Final = 60
"""Seconds the provider's clock may differ from ours."""

OLDEST: Final = 600
"""Seconds after which an ID token is not fresh any more, whatever it says of its end."""

_MAX_TOKEN: Final = 64 * 1024
_MAX_HEADER: Final = 16 * 1024  # some send their certificates along


class Expected:
    """What one ID token is held to.

    Args:
        issuer: who must have made it.
        client_id: for whom.
        nonce: sent with the request it answers.
        now: epoch seconds.
        since: the person must have been asked at or after this time, where the token says; 0 for any.
    """

    def __init__(self, issuer: str, client_id: str, nonce: str, now: int, since: int = 0) -> None:
        self.issuer = issuer
        self.client_id = client_id
        self.nonce = nonce
        self.now = now
        self.since = since


async def verified(token: str, access_token: str, discovery: Discovery, wanted: Expected) -> dict[str, Any]:
    """The claims of ``token``.

    Raises:
        Malformed: it is not such a token; the text says what is wrong, never what stands in it.
        Unavailable: the keys cannot be read.
    """
    algorithms = (await discovery.metadata()).algorithms
    if len(token) > _MAX_TOKEN:
        raise Malformed(SERVICE, "an ID token that is too long")
    try:
        # What is in the header besides is the provider's own business; `crit` is checked all the same.
        registry = jws.JWSRegistry(algorithms=algorithms, strict_check_header=False)
        registry.max_header_length = _MAX_HEADER
        header: dict[str, Any] = jws.extract_compact(token.encode(), registry=registry).headers()
        name = header.get("kid", "")
        if not isinstance(name, str):
            raise Malformed(SERVICE, "an ID token whose key has no name")
        key = await discovery.key(name)
        read = jwt.decode(token, key, registry=registry)
        _check(CodeIDToken(read.claims, read.header, *_rules(access_token, wanted)), wanted)
    except (JoseError, ValueError, TypeError, RecursionError, OverflowError) as error:
        # The class of joserfc's errors says which check it was; their texts may quote a claim.
        raise Malformed(SERVICE, f"ID token refused ({type(error).__name__})") from None
    return dict(read.claims)


def _rules(access_token: str, wanted: Expected) -> tuple[dict[str, Any], dict[str, Any]]:
    options = {
        "iss": {"essential": True, "value": wanted.issuer},
        "aud": {"essential": True, "value": wanted.client_id},
        "sub": {"essential": True},
        "exp": {"essential": True},
        "iat": {"essential": True},
    }
    params = {"nonce": wanted.nonce, "client_id": wanted.client_id, "access_token": access_token}
    return options, params


def _check(claims: Any, wanted: Expected) -> None:
    claims.validate(
        wanted.now, LEEWAY
    )  # another audience beside us needs an `azp`, too, and only we may be that
    if claims["iat"] < wanted.now - OLDEST:
        raise Malformed(SERVICE, "an old ID token")
    asked_at = claims.get("auth_time")
    if wanted.since and isinstance(asked_at, int) and asked_at < wanted.since - LEEWAY:
        raise Malformed(SERVICE, "an old sign-in where a new one was asked for")


def civil_id_of(claims: dict[str, Any], claim: str, now: int) -> str:
    """The civil ID that ``claims`` vouch for.

    Raises:
        NoCivilId: ``claim`` is missing, or no valid civil ID: twelve digits, in digits and nothing else.
    """
    value = claims.get(claim)
    if (
        not isinstance(value, str)
        or len(value) != CIVIL_ID_DIGITS
        or not (value.isascii() and value.isdigit())
    ):
        raise NoCivilId(SERVICE, "no civil ID in its claim")
    if not is_civil_id(value, local(now).date()):
        raise NoCivilId(SERVICE, "a civil ID that cannot be one")
    return value
