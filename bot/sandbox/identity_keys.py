"""The sandbox identity provider's keys and signatures, by joserfc."""

import os
from pathlib import Path
from typing import Any

from joserfc import jwk, jwt

Key = jwk.ECKey


def signing_key(store: Path | None) -> Key:
    """The key kept in ``store``, made there if missing; a new one where there is no such file to be."""
    if store is None:
        return new_key()
    if store.exists():
        kept = jwk.ECKey.import_key(store.read_bytes())
        kept.ensure_kid()
        return kept
    key = new_key()
    store.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(store, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(key.as_pem(private=True))
    return key


def new_key() -> Key:
    """Another key for ES256."""
    return jwk.ECKey.generate_key("P-256", auto_kid=True)


def signed(claims: dict[str, Any], key: Key, kid: str | None) -> str:
    """``claims`` as a token signed by ``key``, which is called ``kid`` in it."""
    return jwt.encode({"alg": "ES256", "kid": kid}, claims, key)


def signed_with_secret(claims: dict[str, Any], secret: str) -> str:
    """``claims`` as a token of HS256."""
    return jwt.encode({"alg": "HS256"}, claims, jwk.OctKey.import_key(secret))
