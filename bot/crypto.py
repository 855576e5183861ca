"""Encryption at rest: AES-256-GCM under rotating keys, and keyed blind names.

Sealed bytes are ``version (1) | key id (4) | nonce (12) | ciphertext and tag``. New data is sealed with
the first key; every key of the ring opens. NIST SP 800-38D: random 96-bit nonces are safe for 2**32
messages a key, hence rotation.
"""

import base64
import hashlib
import hmac
import os
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from bot.errors import ConfigError, Unreadable

_VERSION = 1
_HEADER = 1 + 4
_NONCE = 12
_KEY = 32


class Keyring:
    """Seals with the newest key, opens with any.

    Args:
        keys: 32-byte keys, newest first.
        index: 32-byte key of the blind names; it does not rotate with the others.

    Raises:
        ConfigError: no key, or one that is not 32 bytes.
    """

    def __init__(self, keys: list[bytes], index: bytes) -> None:
        if not keys or any(len(key) != _KEY for key in [*keys, index]):
            raise ConfigError(
                "SECRET_KEYS: each key must be 32 bytes in base64; make one with `iqamati keys new`"
            )
        self._index = index
        self._ciphers = {_key_id(key): AESGCM(key) for key in keys}
        self._newest = _key_id(keys[0])

    @classmethod
    def parse(cls, text: str) -> "Keyring":
        """Read ``index:key[,older key…]``, all base64."""
        index, _, rest = text.partition(":")
        try:
            keys = [base64.b64decode(key, validate=True) for key in rest.split(",")]
            return cls(keys, base64.b64decode(index, validate=True))
        except ValueError:
            raise ConfigError("SECRET_KEYS: expected index:key[,older key] in base64") from None

    @staticmethod
    def generate() -> str:
        """A fresh ring in the form `parse` reads."""
        index, key = (base64.b64encode(secrets.token_bytes(_KEY)).decode() for _ in range(2))
        return f"{index}:{key}"

    def seal(self, data: bytes, bound: bytes) -> bytes:
        """Encrypt ``data`` so that it opens only together with ``bound`` (the place it is kept in)."""
        nonce = os.urandom(_NONCE)
        header = bytes([_VERSION]) + self._newest
        return header + nonce + self._ciphers[self._newest].encrypt(nonce, data, header + bound)

    def open(self, sealed: bytes, bound: bytes) -> bytes:
        """Decrypt what `seal` made.

        Raises:
            Unreadable: not ours, altered, moved to another place, or its key is gone.
        """
        header, nonce = sealed[:_HEADER], sealed[_HEADER : _HEADER + _NONCE]
        cipher = self._ciphers.get(header[1:])
        if cipher is None or header[0] != _VERSION:
            raise Unreadable("sealed under an unknown key or version")
        try:
            return cipher.decrypt(nonce, sealed[_HEADER + _NONCE :], header + bound)
        except (InvalidTag, ValueError):  # a nonce cut short is a ValueError
            raise Unreadable("altered, or sealed for another place") from None

    def blind(self, text: str) -> str:
        """A stable keyed name for ``text`` (24 hex digits) that does not reveal it."""
        return hmac.new(self._index, text.encode(), hashlib.sha256).hexdigest()[:24]


def _key_id(key: bytes) -> bytes:
    return hashlib.sha256(b"iqamati key id" + key).digest()[:4]
