"""Which provider the settings name, and which settings stop the service with one line."""

from pathlib import Path
from typing import Any

import pytest

from bot.bootstrap import opened, redis_url
from bot.clock import SystemClock
from bot.config import Settings
from bot.crypto import Keyring
from bot.dialogs.identify import BeginSignIn, SignInRefused
from bot.errors import ConfigError
from bot.model import Chat
from bot.outside import open_provider
from bot.ports import Asked, Failed
from bot.services.identity import Provider, SignIns
from bot.tasks import Tasks

REAL = {"registry_url": "http://127.0.0.1:9/registry"}
ISSUER = {"oidc_issuer": "https://id.example.kw", "oidc_client_id": "iqamati"}
HERE = {"oidc_issuer": "http://127.0.0.1:9", "oidc_client_id": "iqamati"}
PUBLIC = {"public_url": "https://iqamati.example.kw"}


def settings(**given: Any) -> Settings:
    return Settings(_env_file=None, **given)  # pyright: ignore[reportCallIssue] - pydantic-settings' own argument


def provider_of(**given: Any) -> Provider | None:
    return open_provider(settings(**given), Keyring.parse(Keyring.generate()), SystemClock())


async def test_the_sandbox_vouches_where_it_keeps_the_registry() -> None:
    provider = provider_of(sandbox_port=8099)
    assert provider is not None
    assert provider._terms.issuer == "http://127.0.0.1:8099/identity"
    assert provider._terms.back == "http://127.0.0.1:8080/signin/back"
    await provider.close()


async def test_beside_a_real_registry_nobody_signs_in_without_an_issuer() -> None:
    assert provider_of(**REAL) is None


@pytest.mark.parametrize("registry", [{}, REAL], ids=["sandbox", "real"])
async def test_an_issuer_that_is_named_is_the_one(registry: dict[str, str]) -> None:
    terms = {"oidc_claim": "https://id.example.kw/civil", "oidc_scope": "openid civil"}
    provider = provider_of(**registry, **ISSUER, **PUBLIC, **terms)
    assert provider is not None
    assert provider._terms.issuer == "https://id.example.kw"
    assert provider._terms.claim == "https://id.example.kw/civil"
    assert provider._terms.back == "https://iqamati.example.kw/signin/back"
    await provider.close()


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({**ISSUER}, "PUBLIC_URL: a real identity provider"),
        ({**ISSUER, **PUBLIC, "oidc_client_id": ""}, "OIDC_CLIENT_ID:"),
        ({**PUBLIC, **HERE, "oidc_issuer": "http://id.example.kw"}, "OIDC_ISSUER:"),
    ],
    ids=["not public", "no client", "no https"],
)
async def test_a_setting_that_is_missing_or_wrong(given: dict[str, str], named: str) -> None:
    with pytest.raises(ConfigError, match=f"^{named}"):
        provider_of(**given)


async def test_the_service_signs_in_for_as_long_as_the_settings_say(tmp_path: Path) -> None:
    """And says in the chat where signing in is off."""
    given = settings(data_dir=tmp_path / "d", sign_in_minutes=7, log_level="error", **REAL, **PUBLIC)
    tasks = Tasks()
    with redis_url(given) as at:
        async with opened(given, at, tasks) as service:
            assert service.runtime._book.signed_for == 7 * 60
            with pytest.raises(Failed) as refusal:
                await begin(service.sign_ins)
            assert refusal.value.word == SignInRefused.OFF


async def begin(sign_ins: SignIns) -> None:
    await sign_ins.begin(BeginSignIn(), Asked("1:0", Chat("web", "x"), "en"))
