"""A provider's keys (RFC 7517), read by joserfc."""

from typing import Any, Final

from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, Key

_ASYMMETRIC: Final = frozenset({"RSA", "EC", "OKP"})


def public(found: tuple[dict[str, Any], ...]) -> dict[str, Key]:
    """The keys that may have signed a token; what we do not understand is left out (RFC 7517, section 5)."""
    keys: dict[str, Key] = {}
    for number, each in enumerate(found):
        if each.get("kty") not in _ASYMMETRIC or each.get("use", "sig") != "sig":
            continue
        try:
            key = JWKRegistry.import_key(each)
        except (JoseError, ValueError, TypeError, KeyError):
            continue
        name = each.get("kid")
        keys[name if isinstance(name, str) and name else f"\0{number}"] = key
    return keys
