"""The composition root: the only place that joins implementations to the protocols between layers."""

import contextlib
import secrets
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import structlog
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.clock import SystemClock
from bot.config import Settings
from bot.crypto import Keyring
from bot.dialogs import book
from bot.dialogs.home import Operator
from bot.embedded import EmbeddedValkey
from bot.errors import ConfigError, StoreAway, Unavailable
from bot.handlers.address import networks
from bot.handlers.batches import batch_routes
from bot.handlers.chat_log import LogChannel
from bot.handlers.files import Intake
from bot.handlers.guard import Guard, Limits
from bot.handlers.my_data import my_data_routes
from bot.handlers.pay import pay_routes, receipt_routes
from bot.handlers.refusals import Refusals
from bot.handlers.signin import signin_routes
from bot.handlers.verify import verify_routes
from bot.handlers.web import Page, web_routes
from bot.i18n.catalog import Catalog
from bot.i18n.render import Renderer
from bot.i18n.speech import Keywords
from bot.model import Chat, Woken
from bot.outside import open_gateways, open_provider, pay_hosts, registry_address
from bot.ports import Channel, Clock, Effect, Executor, Wake
from bot.runtime import Runtime
from bot.runtime.sweep import Sweeper
from bot.secret_keys import load_keyring
from bot.services.authority import guarded
from bot.services.batches import Batches, Checking, Papers
from bot.services.batches import executors as batch_executors
from bot.services.companies import Companies
from bot.services.companies import executors as company_executors
from bot.services.http import make_client, make_wire
from bot.services.identity import SignIns
from bot.services.identity import executors as identity_executors
from bot.services.ledger import Ledger, default_url, migrate, open_engine
from bot.services.links import executors as link_executors
from bot.services.links import known_names
from bot.services.orders import Orders, Terms
from bot.services.orders import executors as order_executors
from bot.services.quotas import Meter, metered
from bot.services.receipts import Printer, Receipts
from bot.services.registry import Registry
from bot.services.registry import executors as registry_executors
from bot.services.reminders import Reminders
from bot.services.reminders import executors as reminder_executors
from bot.services.renewals import FILS, Appraiser, QuoteLimits, Renewals
from bot.services.renewals import executors as renewal_executors
from bot.services.travel import Travel
from bot.services.verification import Pictures, Verification
from bot.store.connect import connect
from bot.store.files import MEGABYTE, FileStore
from bot.store.privacy import ChatMemory
from bot.store.quotas import Quotas
from bot.store.sessions import Sessions
from bot.store.signins import SignInStore
from bot.store.verifications import Verifications
from bot.store.weblog import WebLog
from bot.tasks import Tasks
from bot.upkeep import Personal, personal
from bot.whole import Lane

if TYPE_CHECKING:
    from bot.handlers.telegram import Telegram

log = structlog.get_logger(__name__)

LAST_WORDS: Final = 3.0
"""Seconds that deliveries under way have when the service stops."""
SWEEP_EVERY: Final = 10.0
"""Seconds between looks at orders and batches that are due."""
BUSY: Final = 20
"""Rows that a look worked on, from which the next one follows at once: looks take fifty of a kind, shared with other
processes, and after an outage of the registry's some thousand wait."""


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
    intake: Intake
    orders: Orders
    batches: Batches
    remind: Callable[[], Awaitable[int]]
    receipts: Receipts
    sign_ins: SignIns
    verification: Verification
    personal: Personal
    hosts: tuple[str, ...]
    catalog: Catalog
    renderer: Renderer
    telegram: "Telegram | None"

    def app(self) -> Guard:
        """The public HTTP application: web chat, payment pages, webhooks, health, and the guard before them."""
        settings = self.settings
        refusals = Refusals(self.renderer.render)
        inner = Starlette(routes=self.routes(), exception_handlers=refusals.handlers)
        # A missing slash is a missing page: the redirect would be built from the Host header.
        inner.router.redirect_slashes = False
        return Guard(
            inner,
            refusals,
            self.clock,
            base_url=settings.base_url,
            host=urlsplit(settings.public_url).netloc,
            trusted=networks(settings.trusted_proxies),
            limits=Limits(per_second=settings.network_per_second, file=settings.file_megabytes * MEGABYTE),
        )

    def routes(self) -> list[Route]:
        """Every route there is."""
        settings = self.settings
        routes: list[Route] = [
            *web_routes(
                self.log,
                self.runtime.handle,
                self.intake,
                self.keyring,
                self.clock,
                Page(
                    self.catalog.text,
                    settings.operator_name,
                    settings.operator_authority,
                    self.intake.limit,
                ),
                settings.base_url,
            ),
            *pay_routes(
                self.orders,
                render=self.renderer.render,
                back_url=self._back,
                hosts=self.hosts,
                host=self.hosts[0],
                payee=settings.operator_authority or settings.operator_name,
                trial=settings.payments == "sandbox",
            ),
            *receipt_routes(self.receipts, render=self.renderer.render),
            *my_data_routes(self.personal.exports),
            *batch_routes(self.batches.papers),
            *verify_routes(self.verification, render=self.renderer.render, back_url=self._back),
            *signin_routes(
                self.sign_ins,
                render=self.renderer.render,
                back_url=self._back,
                hosts=settings.oidc_hosts,
                secure=settings.base_url.startswith("https:"),
            ),
            Route("/health", self._health),
        ]
        if self.telegram is not None:
            routes += self.telegram.routes(self.runtime.handle, self.intake)
        return routes

    def lane(self) -> Lane | None:
        """What comes past the application: Telegram's webhook."""
        return None if self.telegram is None else self.telegram.lane(self.runtime.handle, self.intake)

    def sweep(self) -> None:
        """Begin the process's own rounds: timers, recovery, orders, batches and reminders that are due, personal data."""
        Sweeper(self.runtime, self.store, self.clock, self.tasks).start()
        self.personal.upkeep.start()
        self.tasks.spawn(self._sweep(self.orders.sweep), "orders sweep")
        self.tasks.spawn(self._sweep(self.batches.sweep), "batches sweep")
        self.tasks.spawn(self._sweep(self.remind), "reminders sweep")

    def attend(self) -> None:
        """Begin only the rounds of a process that helps another one: signs of life for what it has in hand."""
        Sweeper(self.runtime, self.store, self.clock, self.tasks).attend()
        self.personal.upkeep.attend()

    async def _sweep(self, work: Callable[[], Awaitable[int]]) -> None:
        while True:
            done = 0
            try:
                with contextlib.suppress(StoreAway, Unavailable):
                    done = await work()
            except Exception as error:  # noqa: BLE001 - a round that ended would be missed by nobody but residents
                # The type only: its text may quote what was asked.
                log.error("sweep failed", error=type(error).__name__)  # noqa: TRY400
            await self.clock.sleep(0.0 if done >= BUSY else SWEEP_EVERY)

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
        client = make_wire(registry_url, registry_token) or make_client(registry_url, registry_token)
        stack.push_async_callback(client.close)
        registry = Registry(client, clock, timeout=settings.registry_timeout)
        gateways = open_gateways(settings, keyring, clock)
        stack.push_async_callback(gateways.close)
        telegram = None
        if settings.telegram_token.get_secret_value():
            # aiogram builds some hundred pydantic models at import, three seconds nobody without a bot waits for.
            from bot.handlers.telegram import Telegram  # noqa: PLC0415

            telegram = Telegram(settings, clock, tasks, catalog.text, per_second=settings.telegram_per_second)
            stack.push_async_callback(telegram.close)
        store = Sessions(redis, keyring, secrets.token_hex(8))
        log = WebLog(redis, keyring, store.place, tasks, clock)
        stack.push_async_callback(log.close)

        files = FileStore(redis, keyring, store.keys, limit=settings.file_megabytes * MEGABYTE)

        ledger = Ledger(engine)
        receipts = Receipts(
            ledger,
            keyring,
            clock,
            Printer(renderer),
            settings.base_url,
            settings.operator_name,
            settings.operator_authority,
        )

        async def wake(event: Woken) -> None:
            await runtime.handle(event)

        batches = _batches(settings, ledger, files, registry, keyring, tasks, wake, renderer)
        orders = Orders(
            ledger=ledger,
            gateways=gateways,
            registry=registry,
            appraiser=Appraiser(registry, clock),
            baskets=batches,
            clock=clock,
            keyring=keyring,
            wake=wake,
            terms=Terms(settings.base_url, settings.pay_link_minutes, receipts.link),
        )
        verification = Verification(
            Verifications(redis, keyring, store.keys),
            keyring,
            clock,
            settings.base_url,
            wake,
            Pictures().draw,
        )
        meter = Meter(Quotas(redis, keyring, store.keys), verification, keyring, clock)
        sign_ins = _sign_ins(
            settings, SignInStore(redis, keyring), Quotas(redis, keyring, store.keys), keyring, wake, stack
        )
        reminders = Reminders(ledger=ledger, files=registry, keyring=keyring, clock=clock)
        memory = ChatMemory(redis, store, log, clock, keyring)
        mine = personal(ledger, memory, keyring, clock, tasks, base_url=settings.base_url)
        ours: tuple[Channel, ...] = (LogChannel(log, clock), LogChannel(log, clock, "terminal"))
        channels = ours if telegram is None else (*ours, telegram.channel)
        executors: Mapping[type[Effect], Executor] = {
            **metered(registry_executors(registry), meter),
            **order_executors(orders, receipts),
            **identity_executors(sign_ins),
            **mine.executors,
            **company_executors(Companies(registry, clock, _quotes(settings))),
            **batch_executors(batches),
            **renewal_executors(Renewals(registry, clock, _quotes(settings))),
            **reminder_executors(reminders),
            **Travel(registry, clock).executors(),
            **link_executors(
                orders,
                known_names(settings.base_url, pay_hosts(settings, gateways)),
                lambda: _chats(telegram),
            ),
        }
        dialogs = book(
            Operator(settings.operator_name, settings.operator_authority),
            Keywords(renderer),
            settings.sign_in_minutes * 60,
            settings.file_megabytes,
        )
        runtime = Runtime(dialogs, store, renderer, channels, guarded(executors, registry), clock, tasks)
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
            intake=Intake(files, runtime.awaits, files.limit),
            orders=orders,
            batches=batches,
            remind=lambda: reminders.tell(wake),
            receipts=receipts,
            sign_ins=sign_ins,
            verification=verification,
            personal=mine,
            hosts=pay_hosts(settings, gateways),
            catalog=catalog,
            renderer=renderer,
            telegram=telegram,
        )


def _batches(
    settings: Settings,
    ledger: Ledger,
    files: FileStore,
    registry: Registry,
    keyring: Keyring,
    tasks: Tasks,
    wake: Wake,
    renderer: Renderer,
) -> Batches:
    clock = SystemClock()
    papers = Papers(
        ledger=ledger, keyring=keyring, clock=clock, plain=renderer.plain, base_url=settings.base_url
    )
    checking = Checking(
        ledger=ledger, staff=registry, keyring=keyring, clock=clock, wake=wake, link=papers.link
    )
    return Batches(
        ledger=ledger,
        files=files,
        checking=checking,
        papers=papers,
        keyring=keyring,
        clock=clock,
        tasks=tasks,
        prices=_quotes(settings),
    )


def _quotes(settings: Settings) -> QuoteLimits:
    """What the operator decides about prices of renewals."""
    return QuoteLimits(settings.quote_minutes * 60, settings.sign_in_above * FILS)


def _chats(telegram: "Telegram | None") -> tuple[str, ...]:
    """Addresses of our chats elsewhere, once they are known."""
    link = telegram.link() if telegram is not None else ""
    return () if not link or link.endswith("/") else (link,)


def _sign_ins(
    settings: Settings,
    store: SignInStore,
    windows: Quotas,
    keyring: Keyring,
    wake: Wake,
    stack: AsyncExitStack,
) -> SignIns:
    clock = SystemClock()
    provider = open_provider(settings, keyring, clock)
    if provider is not None:
        stack.push_async_callback(provider.close)
    return SignIns(store, windows, provider, keyring, clock, wake, settings.base_url)


async def _flush(store: Sessions) -> None:
    with contextlib.suppress(StoreAway):
        await store.flush()


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
