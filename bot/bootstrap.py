"""The composition root: the only place that joins implementations to the protocols between layers."""

import contextlib
import os
import secrets
from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

from bot.clock import SystemClock
from bot.config import Settings
from bot.crypto import Keyring
from bot.dialogs import book
from bot.dialogs.home import Operator
from bot.embedded import EmbeddedValkey
from bot.errors import ConfigError, StoreAway
from bot.handlers.chat_log import LogChannel
from bot.handlers.pay import pay_routes
from bot.handlers.web import web_routes
from bot.i18n.catalog import Catalog
from bot.i18n.render import Renderer
from bot.i18n.speech import Keywords
from bot.model import Chat, Woken
from bot.ports import Channel, Clock, Effect, Executor
from bot.runtime import Runtime
from bot.runtime.sweep import Sweeper
from bot.sandbox.faults import Faults
from bot.sandbox.gateway import gateway_app
from bot.sandbox.recorded import Recorded
from bot.sandbox.registry import registry_app
from bot.services.http import make_client
from bot.services.ledger import Ledger, default_url, migrate, open_engine
from bot.services.orders import Orders, Terms
from bot.services.orders import executors as order_executors
from bot.services.payments.sandbox import SandboxPayments
from bot.services.registry import Registry
from bot.services.registry import executors as registry_executors
from bot.store.connect import connect
from bot.store.sessions import Sessions
from bot.store.weblog import WebLog
from bot.tasks import Tasks

if TYPE_CHECKING:
    from bot.handlers.telegram import Telegram

LAST_WORDS: Final = 3.0
"""Seconds that deliveries under way have when the service stops."""
SWEEP_EVERY: Final = 10.0
"""Seconds between looks at orders that are due."""


@dataclass(frozen=True)
class Service:
    """The service, joined together. Made by `opened`."""

    settings: Settings
    keyring: Keyring
    clock: Clock
    tasks: Tasks
    store: Sessions
    log: WebLog
    runtime: Runtime
    orders: Orders
    catalog: Catalog
    renderer: Renderer
    telegram: "Telegram | None"

    def app(self) -> Starlette:
        """The public HTTP application: web chat, payment pages, webhooks, health."""
        settings = self.settings
        routes: list[Route] = [
            *web_routes(
                self.log,
                self.runtime.handle,
                self.keyring,
                self.clock,
                self.catalog.text,
                operator=settings.operator_name,
                authority=settings.operator_authority,
                base_url=settings.base_url,
            ),
            *pay_routes(
                self.orders,
                render=self.renderer.render,
                back_url=self._back,
                hosts=pay_hosts(settings),
                host=pay_hosts(settings)[0],
            ),
            Route("/health", self._health),
        ]
        if self.telegram is not None:
            routes += self.telegram.routes(self.runtime.handle)
        return Starlette(routes=routes)

    def sweep(self) -> None:
        """Begin the process's own rounds: timers, recovery, orders that are due."""
        Sweeper(self.runtime, self.store, self.clock, self.tasks).start()
        self.tasks.spawn(self._sweep_orders(), "orders sweep")

    def attend(self) -> None:
        """Begin only the rounds of a process that helps another one: signs of life for what it has in hand."""
        Sweeper(self.runtime, self.store, self.clock, self.tasks).attend()

    async def _sweep_orders(self) -> None:
        while True:
            with contextlib.suppress(StoreAway):
                await self.orders.sweep()
            await self.clock.sleep(SWEEP_EVERY)

    async def _health(self, _request: Request) -> Response:
        try:
            await self.store.load(Chat("health", "health"))
        except StoreAway:
            return JSONResponse({"store": "away"}, status_code=503)
        return JSONResponse({"store": "here", "version": version("iqamati")})

    def _back(self, chat: Chat) -> str:
        """Where a resident's chat is, from a payment page."""
        if chat.channel == "telegram" and self.telegram is not None:
            return self.telegram.link()
        return f"{self.settings.base_url}/"


@contextlib.asynccontextmanager
async def opened(settings: Settings, redis_at: str, tasks: Tasks) -> AsyncGenerator[Service, None]:
    """Open everything the settings name, join it, and close it again.

    Raises:
        ConfigError: something cannot be opened; one line for the operator.
    """
    clock = SystemClock()
    keyring = load_keyring(settings)
    catalog = Catalog()
    renderer = Renderer(catalog)
    async with AsyncExitStack() as stack:
        redis = await connect(redis_at)
        stack.push_async_callback(redis.aclose)
        try:
            engine = open_engine(settings.database_url or default_url(settings.data_dir))
            stack.push_async_callback(engine.dispose)
            await migrate(engine)
        except Exception as error:  # noqa: BLE001 - drivers raise whatever they like
            raise ConfigError(f"DATABASE_URL: the ledger cannot be opened ({type(error).__name__})") from None
        registry_url, registry_token = registry_address(settings, keyring)
        client = make_client(registry_url, registry_token)
        stack.push_async_callback(client.aclose)
        registry = Registry(client, clock, timeout=settings.registry_timeout)
        payments = SandboxPayments(gateway_url(settings), gateway_secret(settings, keyring))
        stack.push_async_callback(payments.close)
        telegram = None
        if settings.telegram_token.get_secret_value():
            # aiogram builds some hundred pydantic models at import, three seconds nobody without a bot waits for.
            from bot.handlers.telegram import Telegram  # noqa: PLC0415

            telegram = Telegram(settings, clock, tasks, catalog.text, per_second=settings.telegram_per_second)
            stack.push_async_callback(telegram.close)
        store = Sessions(redis, keyring, secrets.token_hex(8))
        log = WebLog(redis, keyring, store.place, tasks, clock)
        stack.push_async_callback(log.close)

        async def wake(event: Woken) -> None:
            await runtime.handle(event)

        orders = Orders(
            ledger=Ledger(engine),
            payments=payments,
            registry=registry,
            clock=clock,
            keyring=keyring,
            wake=wake,
            terms=Terms(settings.base_url, settings.pay_link_minutes),
        )
        channels: list[Channel] = [LogChannel(log, clock), LogChannel(log, clock, "terminal")]
        if telegram is not None:
            channels.append(telegram.channel)
        executors: Mapping[type[Effect], Executor] = {
            **registry_executors(registry),
            **order_executors(orders),
        }
        operator = Operator(settings.operator_name, settings.operator_authority)
        dialogs = book(operator, Keywords(renderer))
        runtime = Runtime(dialogs, store, renderer, tuple(channels), executors, clock, tasks)
        # Last, when nothing runs any more: what was delivered and not yet noted must not be waited for later.
        stack.push_async_callback(_flush, store)
        stack.push_async_callback(tasks.close)
        stack.push_async_callback(runtime.deliveries.finish, LAST_WORDS)
        yield Service(
            settings=settings,
            keyring=keyring,
            clock=clock,
            tasks=tasks,
            store=store,
            log=log,
            runtime=runtime,
            orders=orders,
            catalog=catalog,
            renderer=renderer,
            telegram=telegram,
        )


async def _flush(store: Sessions) -> None:
    with contextlib.suppress(StoreAway):
        await store.flush()


def load_keyring(settings: Settings) -> Keyring:
    """The encryption keys: the given ones, or those made once and kept in the data folder.

    Raises:
        ConfigError: the given ones are malformed.
    """
    given = settings.secret_keys.get_secret_value()
    if given:
        return Keyring.parse(given)
    path = settings.data_dir / "secret_keys"
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        # Made under another name first: a process that starts at the same moment never reads half a key.
        draft = path.with_suffix(f".{os.getpid()}")
        draft.touch(mode=0o600)
        draft.write_text(Keyring.generate(), "ascii")
        try:
            os.link(draft, path)
        finally:
            draft.unlink()
    return Keyring.parse(path.read_text("ascii"))


@contextlib.contextmanager
def redis_url(settings: Settings) -> Generator[str, None, None]:
    """The address of Redis: the given one, or the embedded server's while the block runs."""
    if settings.redis_url:
        yield settings.redis_url
        return
    server = EmbeddedValkey(settings.data_dir / "valkey")
    server.start()
    try:
        yield server.url
    finally:
        server.stop()


def embedded_redis_url(settings: Settings) -> str:
    """The address of Redis for a process that helps a running one."""
    return settings.redis_url or EmbeddedValkey(settings.data_dir / "valkey").url


# --- the sandbox ---------------------------------------------------------------------------------


def needs_sandbox(settings: Settings) -> bool:
    """Whether an outside system is the sandbox's."""
    return not settings.registry_url or not settings.gateway_url


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


def pay_hosts(settings: Settings) -> tuple[str, ...]:
    """Hosts a payment may lead to; the first is the one residents are told of."""
    return settings.pay_hosts or (urlsplit(gateway_url(settings)).hostname or "",)


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
        if not settings.gateway_url:
            gateway = gateway_app(
                clock,
                gateway_secret(settings, keyring),
                folder / "gateway.json",
                base_url=gateway_url(settings),
            )
            stack.push_async_callback(gateway.state.gateway.close)
            routes.append(Mount("/gateway", gateway))
        yield Starlette(routes=routes)
