"""The composition root: the only place that joins implementations to the protocols between layers."""

import contextlib
import secrets
from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from bot.clock import SystemClock
from bot.config import Settings
from bot.crypto import Keyring
from bot.dialogs import book
from bot.dialogs.home import Operator
from bot.embedded import EmbeddedValkey
from bot.engine.book import Book
from bot.errors import StoreAway
from bot.handlers.chat_log import LogChannel
from bot.handlers.files import Intake
from bot.i18n.catalog import Catalog
from bot.i18n.render import Renderer
from bot.i18n.speech import Keywords
from bot.model import Woken
from bot.outside import open_gateways, open_ledger, open_provider, pay_hosts, registry_address
from bot.ports import Channel, Clock, Effect, Executor, Wake
from bot.process import Service
from bot.runtime import Runtime
from bot.secret_keys import load_keyring
from bot.services.authority import guarded
from bot.services.batches import Batches, Checking, Papers
from bot.services.batches import executors as batch_executors
from bot.services.companies import Companies
from bot.services.companies import executors as company_executors
from bot.services.http import make_client, make_wire
from bot.services.identity import SignIns
from bot.services.identity import executors as identity_executors
from bot.services.ledger import Ledger
from bot.services.links import executors as link_executors
from bot.services.links import known_names
from bot.services.orders import Orders, Terms
from bot.services.orders import executors as order_executors
from bot.services.payments.gateways import Gateways
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

if TYPE_CHECKING:
    from bot.handlers.telegram import Telegram

LAST_WORDS: Final = 3.0
"""Seconds that deliveries under way have when the service stops."""


@contextlib.asynccontextmanager
async def opened(settings: Settings, redis_at: str, tasks: Tasks) -> AsyncGenerator[Service, None]:
    """Open everything the settings name, join it, and close it again.

    Raises:
        ConfigError: something cannot be opened; one line for the operator.
    """
    async with AsyncExitStack() as stack:
        base = await _ground(settings, redis_at, tasks, stack)

        async def wake(event: Woken) -> None:
            await runtime.handle(event)

        desks = _desks(base, wake, stack)
        runtime = Runtime(
            _book(settings, base.renderer),
            base.store,
            base.renderer,
            _channels(base),
            guarded(_executors(base, desks), base.registry),
            base.clock,
            tasks,
        )
        # Last, when nothing runs any more: what was delivered and not yet noted must not be waited for later.
        stack.push_async_callback(_flush, base.store)
        stack.push_async_callback(tasks.close)
        stack.push_async_callback(runtime.deliveries.finish, LAST_WORDS)
        yield Service(
            settings=settings,
            keyring=base.keyring,
            clock=base.clock,
            tasks=tasks,
            store=base.store,
            log=base.log,
            runtime=runtime,
            intake=Intake(base.files, runtime.awaits, base.files.limit),
            orders=desks.orders,
            batches=desks.batches,
            remind=lambda: desks.reminders.tell(wake),
            receipts=desks.receipts,
            sign_ins=desks.sign_ins,
            verification=desks.verification,
            personal=desks.personal,
            hosts=pay_hosts(settings, base.gateways),
            catalog=base.catalog,
            renderer=base.renderer,
            telegram=base.telegram,
        )


# --- what is opened ------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Ground:
    """What everything stands on: opened by the settings, closed with the process."""

    settings: Settings
    clock: Clock
    keyring: Keyring
    catalog: Catalog
    renderer: Renderer
    tasks: Tasks
    redis: Any  # redis-py's own annotations are incomplete under strict checking
    ledger: Ledger
    registry: Registry
    gateways: Gateways
    telegram: "Telegram | None"
    store: Sessions
    log: WebLog
    files: FileStore


async def _ground(settings: Settings, redis_at: str, tasks: Tasks, stack: AsyncExitStack) -> _Ground:
    clock, keyring, catalog = SystemClock(), load_keyring(settings), Catalog()
    redis = await connect(redis_at)
    stack.push_async_callback(redis.aclose)
    ledger = await open_ledger(settings, stack)
    registry = _registry(settings, keyring, clock, stack)
    gateways = open_gateways(settings, keyring, clock)
    stack.push_async_callback(gateways.close)
    telegram = _telegram(settings, clock, tasks, catalog, stack)
    store = Sessions(redis, keyring, secrets.token_hex(8))
    log = WebLog(redis, keyring, store.place, tasks, clock)
    stack.push_async_callback(log.close)
    return _Ground(
        settings=settings,
        clock=clock,
        keyring=keyring,
        catalog=catalog,
        renderer=Renderer(catalog),
        tasks=tasks,
        redis=redis,
        ledger=ledger,
        registry=registry,
        gateways=gateways,
        telegram=telegram,
        store=store,
        log=log,
        files=FileStore(redis, keyring, store.keys, limit=settings.file_megabytes * MEGABYTE),
    )


def _registry(settings: Settings, keyring: Keyring, clock: Clock, stack: AsyncExitStack) -> Registry:
    url, token = registry_address(settings, keyring)
    client = make_wire(url, token) or make_client(url, token)
    stack.push_async_callback(client.close)
    return Registry(client, clock, timeout=settings.registry_timeout)


def _telegram(
    settings: Settings, clock: Clock, tasks: Tasks, catalog: Catalog, stack: AsyncExitStack
) -> "Telegram | None":
    if not settings.telegram_token.get_secret_value():
        return None
    # aiogram builds some hundred pydantic models at import, three seconds nobody without a bot waits for.
    from bot.handlers.telegram import Telegram  # noqa: PLC0415

    telegram = Telegram(settings, clock, tasks, catalog.text, per_second=settings.telegram_per_second)
    stack.push_async_callback(telegram.close)
    return telegram


# --- who does the work ---------------------------------------------------------------------------


@dataclass(frozen=True)
class _Desks:
    """Those who carry out effects and have something of their own to do besides."""

    orders: Orders
    batches: Batches
    receipts: Receipts
    reminders: Reminders
    sign_ins: SignIns
    verification: Verification
    meter: Meter
    personal: Personal


def _desks(base: _Ground, wake: Wake, stack: AsyncExitStack) -> _Desks:
    settings, ledger, keyring, clock = base.settings, base.ledger, base.keyring, base.clock
    receipts = Receipts(
        ledger,
        keyring,
        clock,
        Printer(base.renderer),
        settings.base_url,
        settings.operator_name,
        settings.operator_authority,
    )
    batches = _batches(base, wake)
    orders = Orders(
        ledger=ledger,
        gateways=base.gateways,
        registry=base.registry,
        appraiser=Appraiser(base.registry, clock),
        baskets=batches,
        clock=clock,
        keyring=keyring,
        wake=wake,
        terms=Terms(settings.base_url, settings.pay_link_minutes, receipts.link),
    )
    quotas = Quotas(base.redis, keyring, base.store.keys)
    verifications = Verifications(base.redis, keyring, base.store.keys)
    verification = Verification(verifications, keyring, clock, settings.base_url, wake, Pictures().draw)
    memory = ChatMemory(base.redis, base.store, base.log, clock, keyring)
    return _Desks(
        orders=orders,
        batches=batches,
        receipts=receipts,
        reminders=Reminders(ledger=ledger, files=base.registry, keyring=keyring, clock=clock),
        sign_ins=_sign_ins(base, quotas, wake, stack),
        verification=verification,
        meter=Meter(quotas, verification, keyring, clock),
        personal=personal(ledger, memory, keyring, clock, base.tasks, base_url=settings.base_url),
    )


def _batches(base: _Ground, wake: Wake) -> Batches:
    ledger, keyring, clock = base.ledger, base.keyring, base.clock
    papers = Papers(
        ledger=ledger,
        keyring=keyring,
        clock=clock,
        plain=base.renderer.plain,
        base_url=base.settings.base_url,
    )
    checking = Checking(
        ledger=ledger, staff=base.registry, keyring=keyring, clock=clock, wake=wake, link=papers.link
    )
    return Batches(
        ledger=ledger,
        files=base.files,
        checking=checking,
        papers=papers,
        keyring=keyring,
        clock=clock,
        tasks=base.tasks,
        prices=_quotes(base.settings),
    )


def _sign_ins(base: _Ground, quotas: Quotas, wake: Wake, stack: AsyncExitStack) -> SignIns:
    settings, keyring, clock = base.settings, base.keyring, base.clock
    provider = open_provider(settings, keyring, clock)
    if provider is not None:
        stack.push_async_callback(provider.close)
    return SignIns(
        SignInStore(base.redis, keyring), quotas, provider, keyring, clock, wake, settings.base_url
    )


# --- what the runtime is given -------------------------------------------------------------------


def _book(settings: Settings, renderer: Renderer) -> Book:
    return book(
        Operator(settings.operator_name, settings.operator_authority),
        Keywords(renderer),
        settings.sign_in_minutes * 60,
        settings.file_megabytes,
    )


def _channels(base: _Ground) -> tuple[Channel, ...]:
    ours = LogChannel(base.log, base.clock), LogChannel(base.log, base.clock, "terminal")
    return ours if base.telegram is None else (*ours, base.telegram.channel)


def _executors(base: _Ground, desks: _Desks) -> Mapping[type[Effect], Executor]:
    settings, registry, clock = base.settings, base.registry, base.clock
    return {
        **metered(registry_executors(registry), desks.meter),
        **order_executors(desks.orders, desks.receipts),
        **identity_executors(desks.sign_ins),
        **desks.personal.executors,
        **company_executors(Companies(registry, clock, _quotes(settings))),
        **batch_executors(desks.batches),
        **renewal_executors(Renewals(registry, clock, _quotes(settings))),
        **reminder_executors(desks.reminders),
        **Travel(registry, clock).executors(),
        **link_executors(
            desks.orders,
            known_names(settings.base_url, pay_hosts(settings, base.gateways)),
            lambda: _chats(base.telegram),
        ),
    }


def _quotes(settings: Settings) -> QuoteLimits:
    """What the operator decides about prices of renewals."""
    return QuoteLimits(settings.quote_minutes * 60, settings.sign_in_above * FILS)


def _chats(telegram: "Telegram | None") -> tuple[str, ...]:
    """Addresses of our chats elsewhere, once they are known."""
    link = telegram.link() if telegram is not None else ""
    return () if not link or link.endswith("/") else (link,)


# --- the end, and Redis --------------------------------------------------------------------------


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
