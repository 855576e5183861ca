"""What the settings name outside: registry, gateways, identity provider, and their sandbox; the ledger's database."""

import contextlib
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack
from typing import Final
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.routing import Mount

from bot.clock import SystemClock
from bot.config import Settings
from bot.crypto import Keyring
from bot.errors import ConfigError
from bot.ports import Clock
from bot.sandbox.faults import Faults
from bot.sandbox.gateway import gateway_app
from bot.sandbox.identity import Client, identity_app
from bot.sandbox.recorded import Recorded
from bot.sandbox.registry import registry_app
from bot.secret_keys import load_keyring
from bot.services.http import is_loopback
from bot.services.identity import BACK, Provider, ProviderTerms
from bot.services.ledger import Ledger, default_url, migrate, open_engine
from bot.services.payments import Payments
from bot.services.payments.gateways import Gateways
from bot.services.payments.knet import Knet, KnetTerms
from bot.services.payments.myfatoorah import MyFatoorah, MyFatoorahTerms
from bot.services.payments.sandbox import SandboxPayments
from bot.services.payments.tap import Tap, TapTerms


def needs_sandbox(settings: Settings) -> bool:
    """Whether an outside system is the sandbox's."""
    return not settings.registry_url or _needs_gateway(settings)


def _needs_gateway(settings: Settings) -> bool:
    return settings.payments == "sandbox" and not settings.gateway_url


def sandbox_base(settings: Settings) -> str:
    """Where the sandbox listens: this machine only."""
    return f"http://127.0.0.1:{settings.sandbox_port}"


def registry_address(settings: Settings, keyring: Keyring) -> tuple[str, str]:
    """The registry's base URL and bearer token.

    Raises:
        ConfigError: the given URL is none.
    """
    if settings.registry_url:
        return _http(settings.registry_url, "REGISTRY_URL"), settings.registry_token.get_secret_value()
    return f"{sandbox_base(settings)}/registry", keyring.blind("sandbox registry token")


async def open_ledger(settings: Settings, stack: AsyncExitStack) -> Ledger:
    """The ledger, migrated; ``stack`` lets go of its database.

    Raises:
        ConfigError: it cannot be opened.
    """
    try:
        engine = open_engine(settings.database_url or default_url(settings.data_dir))
        stack.push_async_callback(engine.dispose)
        await migrate(engine)
    except Exception as error:  # noqa: BLE001 - drivers raise whatever they like
        raise ConfigError(f"DATABASE_URL: the ledger cannot be opened ({type(error).__name__})") from None
    return Ledger(engine)


# --- gateways ------------------------------------------------------------------------------------


def open_gateways(settings: Settings, keyring: Keyring, clock: Clock) -> Gateways:
    """The gateway of ``PAYMENTS``, and every other one whose settings are there.

    The others take no new payments; what is under way there is still asked about.

    Raises:
        ConfigError: a setting is missing or malformed.
    """
    opened: dict[str, Payments] = {}
    for name, (main, make) in _MAKERS.items():
        if name == settings.payments or main(settings):
            opened[name] = make(settings, keyring, clock)
    current = opened.pop(settings.payments)
    host = urlsplit(_reached(settings)).hostname or ""
    if settings.payments != "sandbox" and not settings.public_url and not is_loopback(host):
        raise ConfigError("PUBLIC_URL: a real gateway must reach this service over https")
    return Gateways(current, *opened.values())


def _sandbox(settings: Settings, keyring: Keyring, clock: Clock) -> Payments:
    return SandboxPayments(gateway_url(settings), gateway_secret(settings, keyring), clock)


def _knet(settings: Settings, _keyring: Keyring, clock: Clock) -> Payments:
    terms = KnetTerms(
        tranportal_id=settings.knet_id,
        password=settings.knet_password.get_secret_value(),
        key=settings.knet_key.get_secret_value(),
        url=settings.knet_url,
    )
    return Knet(terms, clock)


def _tap(settings: Settings, _keyring: Keyring, clock: Clock) -> Payments:
    key = settings.tap_secret_key.get_secret_value()
    return Tap(TapTerms(key, settings.tap_merchant, settings.tap_email, settings.tap_url), clock)


def _myfatoorah(settings: Settings, _keyring: Keyring, clock: Clock) -> Payments:
    token = settings.myfatoorah_token.get_secret_value()
    secret = settings.myfatoorah_secret.get_secret_value()
    return MyFatoorah(MyFatoorahTerms(token, secret, settings.myfatoorah_url), clock)


def _given(secret: str) -> Callable[[Settings], bool]:
    return lambda settings: bool(getattr(settings, secret).get_secret_value())


_MAKERS: Final[
    dict[str, tuple[Callable[[Settings], bool], Callable[[Settings, Keyring, Clock], Payments]]]
] = {
    "sandbox": (lambda settings: bool(settings.gateway_url), _sandbox),
    "knet": (_given("knet_key"), _knet),
    "tap": (_given("tap_secret_key"), _tap),
    "myfatoorah": (_given("myfatoorah_token"), _myfatoorah),
}
"""By name: whether its main setting is there, and how it is opened."""


def _reached(settings: Settings) -> str:
    addresses = {
        "knet": settings.knet_url,
        "tap": settings.tap_url,
        "myfatoorah": settings.myfatoorah_url,
    }
    return addresses.get(settings.payments, "")


def pay_hosts(settings: Settings, gateways: Gateways) -> tuple[str, ...]:
    """Hosts a payment may lead to; the first is the one residents are told of."""
    every = [gateways.current, *gateways.all.values()]
    return settings.pay_hosts or tuple(dict.fromkeys(host for each in every for host in each.hosts))


def gateway_url(settings: Settings) -> str:
    """The gateway's base URL.

    Raises:
        ConfigError: the given URL is none.
    """
    if settings.gateway_url:
        return _http(settings.gateway_url, "GATEWAY_URL")
    return f"{sandbox_base(settings)}/gateway"


def _http(url: str, setting: str) -> str:
    """``url``, whose value is not shown where it is wrong: it may hold a password."""
    try:
        parts = urlsplit(url)
        if parts.scheme in {"http", "https"} and parts.hostname:
            return url
    except ValueError:
        pass
    raise ConfigError(f"{setting}: expected http:// or https:// and a host")


def gateway_secret(settings: Settings, keyring: Keyring) -> str:
    """The secret shared with the gateway."""
    return settings.gateway_secret.get_secret_value() or keyring.blind("sandbox gateway secret")


# --- the identity provider -----------------------------------------------------------------------


def _needs_identity(settings: Settings) -> bool:
    return not settings.registry_url and not settings.oidc_issuer


def open_provider(settings: Settings, keyring: Keyring, clock: Clock) -> Provider | None:
    """The identity provider; None where nobody can sign in: a real registry, and no issuer is set.

    Raises:
        ConfigError: a setting is missing or malformed.
    """
    back = f"{settings.base_url}{BACK}"
    if _needs_identity(settings):
        client = _sandbox_client(settings, keyring)
        issuer = _sandbox_issuer(settings)
        return Provider(ProviderTerms(issuer, client.id, client.secret, "civil_id", "openid", back), clock)
    if not settings.oidc_issuer:
        return None
    secret = settings.oidc_client_secret.get_secret_value()
    terms = ProviderTerms(
        settings.oidc_issuer,
        settings.oidc_client_id,
        secret,
        settings.oidc_claim,
        settings.oidc_scope,
        back,
    )
    provider = Provider(terms, clock)
    if not settings.public_url and not is_loopback(urlsplit(settings.oidc_issuer).hostname or ""):
        raise ConfigError("PUBLIC_URL: a real identity provider sends browsers back over https")
    return provider


def _sandbox_issuer(settings: Settings) -> str:
    return f"{sandbox_base(settings)}/identity"


def _sandbox_client(settings: Settings, keyring: Keyring) -> Client:
    return Client("iqamati", keyring.blind("sandbox identity secret"), f"{settings.base_url}{BACK}")


# --- the sandbox ---------------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def sandbox(settings: Settings) -> AsyncGenerator[Starlette, None]:
    """The sandbox's parts that are needed, as one application; what they know is kept in the data folder."""
    clock = SystemClock()
    keyring = load_keyring(settings)
    folder = settings.data_dir / "sandbox"
    async with AsyncExitStack() as stack:
        routes: list[Mount] = []
        if not settings.registry_url:
            recorded = Recorded(folder / "registry.sqlite3")
            stack.callback(recorded.close)
            faults = Faults(settings.sandbox_latency, settings.sandbox_failure)
            token = registry_address(settings, keyring)[1]
            routes.append(Mount("/registry", registry_app(clock, token, faults, recorded)))
        if _needs_identity(settings):
            client = _sandbox_client(settings, keyring)
            identity = identity_app(clock, client, _sandbox_issuer(settings), folder / "identity.pem")
            routes.append(Mount("/identity", identity))
        if _needs_gateway(settings):
            gateway = gateway_app(
                clock,
                gateway_secret(settings, keyring),
                folder / "gateway.json",
                base_url=gateway_url(settings),
            )
            stack.push_async_callback(gateway.state.gateway.close)
            routes.append(Mount("/gateway", gateway))
        yield Starlette(routes=routes)
