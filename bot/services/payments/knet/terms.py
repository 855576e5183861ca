"""What one KNET terminal is reached with."""

import re
from typing import Final
from urllib.parse import urlsplit

import msgspec

from bot.errors import ConfigError
from bot.services.http import is_loopback

PRODUCTION: Final = "https://www.kpay.com.kw"
"""K-064 9.1. The test terminal's address is https://www.kpaytest.com.kw (K-064 3.1)."""

_KEY_BYTES: Final = 16  # AES-128; the key's text is the key
_ID_LENGTH: Final = 255
_PASSWORD_LENGTH: Final = 15

# Values travel as `k=v&k=v` without any escaping, so an ampersand cannot be part of one.
_VALUE = re.compile(r"[!-%'-~]+", re.ASCII)


class KnetTerms(msgspec.Struct, frozen=True, kw_only=True):
    """One terminal's credentials and the gateway's address.

    Attributes:
        tranportal_id: read in the merchant portal; at most 255 characters (K-064 6). ``KNET_ID``.
        password: tranportal password from the bank; at most 15 characters (K-064 6). ``KNET_PASSWORD``.
        key: terminal resource key from the bank, 16 ASCII characters. ``KNET_KEY``.
        url: where the gateway lives, a path prefix is kept; http on loopback only. ``KNET_URL``.

    Raises:
        ConfigError: something is missing or malformed; names the variable, never its value.
    """

    tranportal_id: str
    password: str
    key: str
    url: str = PRODUCTION

    def __post_init__(self) -> None:
        if len(self.tranportal_id) > _ID_LENGTH or not _VALUE.fullmatch(self.tranportal_id):
            raise ConfigError("KNET_ID: expected 1 to 255 ASCII characters without spaces and ampersands")
        if len(self.password) > _PASSWORD_LENGTH or not _VALUE.fullmatch(self.password):
            raise ConfigError(
                "KNET_PASSWORD: expected 1 to 15 ASCII characters without spaces and ampersands"
            )
        if len(self.key) != _KEY_BYTES or not self.key.isascii() or not self.key.isprintable():
            raise ConfigError("KNET_KEY: expected exactly 16 ASCII characters")
        if not _is_base(self.url):
            raise ConfigError("KNET_URL: expected https:// and a host, without query (http on loopback only)")

    def __repr__(self) -> str:
        return "KnetTerms(…)"

    def __rich_repr__(self) -> list[tuple[str, str]]:
        """Nothing of it is to be shown."""
        return []

    @property
    def base(self) -> str:
        """The address without a slash at the end."""
        return self.url.rstrip("/")

    @property
    def is_local(self) -> bool:
        """Whether the gateway is on this machine: a counterpart, not KNET."""
        return is_loopback(urlsplit(self.url).hostname or "")


def _is_base(url: str) -> bool:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port  # a port outside its range raises
    except ValueError:
        return False
    if not host or set("?#@") & set(url) or not _VALUE.fullmatch(url):
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host))
