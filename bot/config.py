"""The environment, read once into frozen settings and checked at start."""

from ipaddress import ip_network
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from bot.errors import ConfigError


class Settings(BaseSettings):
    """Every setting. README.md has the same table for operators; a test compares the two."""

    model_config = SettingsConfigDict(frozen=True, env_file=".env", env_file_encoding="utf-8", extra="ignore")

    host: str = Field(default="127.0.0.1", description="Address the web chat and the webhooks listen on.")
    port: int = Field(default=8080, ge=1, le=65535, description="Port of the web chat and the webhooks.")
    public_url: str = Field(
        default="",
        description="HTTPS address residents reach this service at; turns the Telegram webhook on.",
    )
    trusted_proxies: Annotated[tuple[str, ...], NoDecode] = Field(
        default=("127.0.0.1", "::1"),
        description="Proxies whose `X-Forwarded-For` and `-Proto` are believed: addresses or networks, comma-separated.",
    )
    network_per_second: float = Field(
        default=50.0, gt=0, le=100_000, description="Requests a second taken from one network address."
    )
    file_megabytes: int = Field(
        default=5,
        ge=1,
        le=20,
        description="Largest file a resident may send, in megabytes; a reverse proxy must let it through, too.",
    )
    data_dir: Path = Field(
        default=Path(".data"), description="Where the embedded Valkey, SQLite and generated keys are kept."
    )
    redis_url: str = Field(
        default="",
        description="Redis or Valkey to use instead of the embedded one; `?cluster=1` for a cluster.",
    )
    database_url: str = Field(
        default="", description="`postgresql+asyncpg://…` instead of the embedded SQLite."
    )
    secret_keys: SecretStr = Field(
        default=SecretStr(""),
        description="Encryption keys `index:newest[,older]`; made and kept in DATA_DIR when empty.",
    )

    telegram_token: SecretStr = Field(
        default=SecretStr(""), description="Bot token from @BotFather; Telegram is off without it."
    )
    telegram_api_base: str = Field(default="https://api.telegram.org", description="Bot API server.")
    telegram_webhook_secret: SecretStr = Field(
        default=SecretStr(""), description="Secret token of the webhook; derived from the token when empty."
    )
    telegram_per_second: int = Field(
        default=30, ge=1, le=1000, description="Messages a second Telegram allows this bot, over all chats."
    )

    operator_name: str = Field(default="", description="Who runs this service, as residents read it.")
    operator_authority: str = Field(
        default="", description="The body that authorised it; unofficial when empty."
    )

    registry_url: str = Field(default="", description="The registry; the sandbox when empty.")
    registry_token: SecretStr = Field(default=SecretStr(""), description="Bearer token for the registry.")
    registry_timeout: float = Field(
        default=20.0, gt=0, le=120, description="Seconds the registry has for one answer."
    )

    payments: str = Field(
        default="sandbox",
        pattern="^(sandbox|knet|tap|myfatoorah)$",
        description="Gateway of new payments: `sandbox`, `knet`, `tap` or `myfatoorah`.",
    )
    gateway_url: str = Field(
        default="", description="Sandbox gateway of another process; our own when empty."
    )
    gateway_secret: SecretStr = Field(
        default=SecretStr(""), description="Secret shared with the sandbox gateway; made when empty."
    )
    knet_id: str = Field(default="", description="KNET: tranportal id.")
    knet_password: SecretStr = Field(default=SecretStr(""), description="KNET: tranportal password.")
    knet_key: SecretStr = Field(default=SecretStr(""), description="KNET: terminal resource key.")
    knet_url: str = Field(
        default="https://www.kpay.com.kw", description="KNET: `https://www.kpaytest.com.kw` for tests."
    )
    tap_secret_key: SecretStr = Field(default=SecretStr(""), description="Tap: secret API key, `sk_…`.")
    tap_merchant: str = Field(default="", description="Tap: merchant id.")
    tap_email: str = Field(
        default="", description="Tap: the operator's address, given in the resident's place."
    )
    tap_url: str = Field(default="https://api.tap.company", description="Tap: API server.")
    myfatoorah_token: SecretStr = Field(default=SecretStr(""), description="MyFatoorah: API token.")
    myfatoorah_secret: SecretStr = Field(default=SecretStr(""), description="MyFatoorah: webhook secret.")
    myfatoorah_url: str = Field(
        default="https://api.myfatoorah.com",
        description="MyFatoorah: `https://apitest.myfatoorah.com` for tests.",
    )
    pay_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="Hosts a payment may lead to, comma-separated; the gateway's own when empty."
    )
    pay_link_minutes: int = Field(
        default=30, ge=5, le=1440, description="Life of a payment link, in minutes."
    )

    oidc_issuer: str = Field(
        default="",
        description="Identity provider, exactly as it writes its issuer; the sandbox's where the registry is, else off.",
    )
    oidc_client_id: str = Field(default="", description="By which the identity provider knows this service.")
    oidc_client_secret: SecretStr = Field(
        default=SecretStr(""),
        description="Client secret at the identity provider; empty for a public client.",
    )
    oidc_claim: str = Field(
        default="civil_id", min_length=1, description="Claim of the ID token that carries the civil ID."
    )
    oidc_scope: str = Field(default="openid", description="Scopes asked for, separated by spaces.")
    oidc_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="Other hosts over which the provider's page redirects, comma-separated; `docs/sign-in.md` says when.",
    )
    sign_in_minutes: int = Field(
        default=30,
        ge=1,
        le=1440,
        description="Minutes without a message after which nobody is signed in any more.",
    )
    sign_in_above: int = Field(
        default=100,
        ge=0,
        le=1_000_000,
        description="Dinars of a renewal above which a fresh sign-in is asked for; `0` for every sum.",
    )
    quote_minutes: int = Field(
        default=30, ge=5, le=240, description="Minutes that the quoted price of a renewal holds."
    )

    log_level: str = Field(
        default="warning", pattern="^(debug|info|warning|error)$", description="Least severe log line kept."
    )

    sandbox_port: int = Field(
        default=8090,
        ge=1,
        le=65535,
        description="Port of the sandbox registry and payment page (loopback only).",
    )
    sandbox_latency: float = Field(
        default=0.0, ge=0, le=60, description="Seconds the sandbox waits before each answer."
    )
    sandbox_failure: float = Field(
        default=0.0, ge=0, le=1, description="Share of requests the sandbox fails with 503."
    )

    @field_validator("pay_hosts", "trusted_proxies", "oidc_hosts", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return (
            tuple(host.strip() for host in value.split(",") if host.strip())
            if isinstance(value, str)
            else value
        )

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        try:
            for name in value:
                ip_network(name, strict=False)
        except ValueError:
            raise ValueError("expected addresses or networks, comma-separated") from None
        return value

    @field_validator("public_url")
    @classmethod
    def _https(cls, value: str) -> str:
        if value and urlsplit(value).scheme != "https":
            raise ValueError("must begin with https://")
        return value.rstrip("/")

    @property
    def base_url(self) -> str:
        """Where residents' browsers find us."""
        if self.public_url:
            return self.public_url
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"


def load() -> Settings:
    """Settings from the environment and ``.env``.

    Raises:
        ConfigError: one line naming the setting and what is wrong with it, never its value.
    """
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        name = "_".join(str(part) for part in first["loc"]).upper()
        raise ConfigError(f"{name}: {first['msg']}") from None
