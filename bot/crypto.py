"""Encryption at rest: AES-256-GCM under rotating keys, and keyed blind names.

Sealed bytes are ``version (1) | key id (4) | nonce (12) | ciphertext and tag``. New data is sealed with
the first key; every key of the ring opens. NIST SP 800-38D: random 96-bit nonces are safe for 2**32
messages a key, hence rotation.
"""

import base64
import contextlib
import hashlib
import hmac
import os
import secrets
from collections.abc import Callable
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from bot.errors import ConfigError, Unreadable

_VERSION: Final = 1
_ID: Final = 4
_HEADER: Final = 5
"""Bytes of version and key id."""
_NONCE: Final = 12
_KEY: Final = 32

KEY_ID: Final = (2, _ID)
"""Where sealed bytes hold their key's id: the first byte, counted from 1 as SQL does, and how many."""

Renewed = Callable[[], str | None]
"""The ring's text in the form `Keyring.parse` reads where it has changed since the last call, else None."""


class Keyring:
    """Seals with the newest key, opens with any.

    A ring from a source that can change (a file) follows it: at once when something was sealed with a key it
    does not know, by `refresh` otherwise.

    Args:
        keys: 32-byte keys, newest first.
        index: 32-byte key of the blind names; it does not rotate with the others.
        renewed: tells when the ring has changed.

    Raises:
        ConfigError: no key, or one that is not 32 bytes.
    """

    def __init__(self, keys: list[bytes], index: bytes, renewed: Renewed | None = None) -> None:
        _check(keys, index)
        self._index = index
        self._use(keys)
        self._renewed = renewed

    @classmethod
    def parse(cls, text: str, renewed: Renewed | None = None) -> "Keyring":
        """Read ``index:key[,older key…]``, all base64."""
        keys, index = _read(text)
        return cls(keys, index, renewed)

    @property
    def newest(self) -> bytes:
        """Id of the key that seals: 4 bytes, no secret."""
        return self._newest

    @property
    def ids(self) -> tuple[bytes, ...]:
        """Ids of all keys, newest first."""
        return tuple(self._ciphers)

    def refresh(self) -> bool:
        """Take the changed ring over; false where nothing has changed.

        Raises:
            ConfigError: what was put in its place is no ring, or one with other blind names; the old one stays.
        """
        text = self._renewed() if self._renewed is not None else None
        if text is None:
            return False
        keys, index = _read(text)
        if index != self._index:
            raise ConfigError("SECRET_KEYS: the index key must stay: it names every chat")
        self._use(keys)
        return True

    def _use(self, keys: list[bytes]) -> None:
        self._ciphers = {_key_id(key): AESGCM(key) for key in keys}
        self._newest = _key_id(keys[0])
        self._sealing = bytes([_VERSION]) + self._newest, self._ciphers[self._newest]

    @staticmethod
    def generate() -> str:
        """A fresh ring in the form `parse` reads."""
        index, key = (base64.b64encode(secrets.token_bytes(_KEY)).decode() for _ in range(2))
        return f"{index}:{key}"

    def seal(self, data: bytes, bound: bytes) -> bytes:
        """Encrypt ``data`` so that it opens only together with ``bound`` (the place it is kept in)."""
        nonce = _NONCES.next()
        header, cipher = self._sealing
        return header + nonce + cipher.encrypt(nonce, data, header + bound)

    def open(self, sealed: bytes, bound: bytes) -> bytes:
        """Decrypt what `seal` made.

        Raises:
            Unreadable: not ours, altered, moved to another place, or its key is gone.
        """
        header, nonce = sealed[:_HEADER], sealed[_HEADER : _HEADER + _NONCE]
        cipher = self._ciphers.get(header[1:])
        if cipher is None and len(header) == _HEADER and header[0] == _VERSION:
            # Another process may have sealed with a key that was added a moment ago.
            with contextlib.suppress(ConfigError):
                self.refresh()
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


_DRAWN: Final = 256
"""Nonces drawn at once."""


class _Nonces:
    """Random nonces, drawn from the system some at a time: one system call each costs as much as the encryption.

    None is given twice: not to two threads (a list's ``pop`` is one act), not to a forked process, which draws its own.
    """

    def __init__(self) -> None:
        self._left: list[bytes] = []

    def next(self) -> bytes:
        """A nonce that nobody has had."""
        try:
            return self._left.pop()
        except IndexError:
            drawn = os.urandom(_NONCE * _DRAWN)
            nonces = [drawn[at : at + _NONCE] for at in range(0, len(drawn), _NONCE)]
            mine = nonces.pop()
            self._left += nonces
            return mine

    def forget(self) -> None:
        """Draw anew: another process has these."""
        self._left.clear()


_NONCES: Final = _Nonces()
"""Every ring's: what is random is nobody's."""

if hasattr(os, "register_at_fork"):  # Windows does not fork
    os.register_at_fork(after_in_child=_NONCES.forget)


def _read(ring: str) -> tuple[list[bytes], bytes]:
    """The keys of ``index:key[,older key…]``, newest first, and the index key."""
    index, _, rest = ring.strip().partition(":")
    try:
        keys = [base64.b64decode(key, validate=True) for key in rest.split(",")]
        name = base64.b64decode(index, validate=True)
    except ValueError:
        raise ConfigError("SECRET_KEYS: expected index:key[,older key] in base64") from None
    _check(keys, name)
    return keys, name


def _check(keys: list[bytes], index: bytes) -> None:
    if not keys or any(len(key) != _KEY for key in [*keys, index]):
        raise ConfigError(
            "SECRET_KEYS: each key must be 32 bytes in base64; make one with `iqamati keys new`"
        )


def rotated(ring: str) -> str:
    """``ring`` with a fresh key before the others."""
    _read(ring)
    index, _, keys = ring.strip().partition(":")
    return f"{index}:{base64.b64encode(secrets.token_bytes(_KEY)).decode()},{keys}"


def announced(ring: str) -> str:
    """``ring`` with its first key second: its owner opens what the new key sealed, and does not seal with it."""
    _read(ring)
    index, _, keys = ring.strip().partition(":")
    newest, *older = keys.split(",")
    return f"{index}:{','.join([*older[:1], newest, *older[1:]])}"


def only_newest(ring: str) -> str:
    """``ring`` without its older keys."""
    _read(ring)
    return ring.strip().partition(",")[0]


def key_of(sealed: bytes) -> bytes:
    """Id of the key that sealed it; empty for bytes that nothing of ours sealed."""
    long_enough = len(sealed) >= _HEADER + _NONCE + 16  # the tag
    return sealed[1:_HEADER] if long_enough and sealed[0] == _VERSION else b""


def _key_id(key: bytes) -> bytes:
    return hashlib.sha256(b"iqamati key id" + key).digest()[:_ID]
