"""What the operator has agreed with Tap, checked before anything is sent."""

import re
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from bot.errors import ConfigError
from bot.services.http import is_loopback

_SECRET: Final = re.compile(r"sk_[A-Za-z0-9_]{8,200}", re.ASCII)
_MERCHANT: Final = re.compile(r"[A-Za-z0-9_]{1,64}", re.ASCII)
_EMAIL: Final = re.compile(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63}){1,4}", re.ASCII)
_LIVE: Final = "https://api.tap.company"


class TapTerms(msgspec.Struct, frozen=True):
    """Settings of the Tap client; no text of it shows a value.

    Attributes:
        secret_key: ``sk_test_…`` or ``sk_live_…``: bearer token of our requests, key of Tap's signatures.
        merchant: the merchant id, sent with every charge and compared in every enquiry.
        email: an address of the operator, given to Tap in the resident's place: a charge needs a customer
            with a phone number or an e-mail address, and ours are nobody's to give away.
        url: of the API; ``http://`` on loopback only.

    Raises:
        ConfigError: a value is missing or malformed; names the environment variable, never the value.
    """

    secret_key: str
    merchant: str
    email: str
    url: str = _LIVE

    def __post_init__(self) -> None:
        if not self.secret_key:
            raise ConfigError("TAP_SECRET_KEY: missing")
        if _SECRET.fullmatch(self.secret_key) is None:
            raise ConfigError("TAP_SECRET_KEY: expected the secret API key, which begins with sk_")
        if not self.merchant:
            raise ConfigError("TAP_MERCHANT: missing")
        if _MERCHANT.fullmatch(self.merchant) is None:
            raise ConfigError("TAP_MERCHANT: expected the merchant id, letters and digits")
        if not self.email:
            raise ConfigError("TAP_EMAIL: missing")
        if _EMAIL.fullmatch(self.email) is None:
            raise ConfigError("TAP_EMAIL: expected an e-mail address of the operator")
        _check_url(self.url)

    def __repr__(self) -> str:
        return "TapTerms(…)"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return []

    @property
    def test(self) -> bool:
        """Whether Tap takes no real money under this key."""
        return self.secret_key.startswith("sk_test_")

    @property
    def loopback(self) -> bool:
        """Whether the API is on this machine."""
        return is_loopback(urlsplit(self.url).hostname or "")


def _check_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        _ = parts.port  # raises for one that is no number
    except ValueError:
        raise ConfigError("TAP_URL: not an address") from None
    if not host or parts.scheme not in {"https", "http"}:
        raise ConfigError("TAP_URL: expected an address that begins with https://")
    if parts.scheme == "http" and not is_loopback(host):
        raise ConfigError("TAP_URL: http:// is for loopback only")
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise ConfigError("TAP_URL: expected no user, query or fragment")
