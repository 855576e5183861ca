"""What an operator settles with MyFatoorah: the token, the webhooks' secret, the address."""

import re
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from bot.errors import ConfigError
from bot.services.http import is_loopback

LIVE: Final = "https://api.myfatoorah.com"
"""API of accounts in Kuwait (documentation, "API key"); test accounts: https://apitest.myfatoorah.com."""

_TEST_HOST: Final = "apitest.myfatoorah.com"
_TEST_PAGES: Final = ("demo.myfatoorah.com",)
_LIVE_PAGES: Final = ("portal.myfatoorah.com", "kw.myfatoorah.com")
"""Where pages live. Verified from the documentation's samples: demo. Not verified: portal is what MyFatoorah's
list of countries (mf-config.json) names for Kuwait, kw is its older name, still seen in public code."""

_SECRET = re.compile(r"[!-~]+")  # printable ASCII without spaces: it travels in a header


class MyFatoorahTerms(msgspec.Struct, frozen=True):
    """Settings of the gateway.

    Attributes:
        token: the API token, ``MYFATOORAH_TOKEN``.
        secret: the webhook secret key of the portal, ``MYFATOORAH_SECRET``.
        url: address of the API without a slash at the end, ``MYFATOORAH_URL``.

    Raises:
        ConfigError: something is missing or malformed; names the variable, never its value.
    """

    token: str
    secret: str
    url: str = LIVE

    def __post_init__(self) -> None:
        for name, value in (("MYFATOORAH_TOKEN", self.token), ("MYFATOORAH_SECRET", self.secret)):
            if not value:
                raise ConfigError(f"{name}: is missing")
            if _SECRET.fullmatch(value) is None:
                raise ConfigError(f"{name}: holds something else than printable ASCII characters")
        _check_address(self.url)

    def __repr__(self) -> str:
        return f"MyFatoorahTerms(url={self.url!r})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [("url", self.url)]

    @property
    def pages(self) -> tuple[str, ...]:
        """Hosts of the payment pages that belong to `url`."""
        parts = urlsplit(self.url)
        if is_loopback(parts.hostname or ""):
            return (parts.hostname or "", parts.netloc)
        return _TEST_PAGES if parts.hostname == _TEST_HOST else _LIVE_PAGES


def _check_address(url: str) -> None:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise ConfigError("MYFATOORAH_URL: is not an address") from None
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(host)):
        raise ConfigError("MYFATOORAH_URL: must begin with https://")
    if not host or "@" in parts.netloc or parts.query or parts.fragment or url.endswith("/"):
        raise ConfigError("MYFATOORAH_URL: expected an address such as https://api.myfatoorah.com")
