"""A process of the service: what it is joined of, its public HTTP application, its rounds."""

import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import structlog
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.config import Settings
from bot.crypto import Keyring
from bot.errors import StoreAway, Unavailable
from bot.handlers.address import networks
from bot.handlers.batches import batch_routes
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
from bot.model import Chat
from bot.ports import Clock
from bot.runtime import Runtime
from bot.runtime.sweep import Sweeper
from bot.services.batches import Batches
from bot.services.identity import SignIns
from bot.services.orders import Orders
from bot.services.receipts import Receipts
from bot.services.verification import Verification
from bot.store.files import MEGABYTE
from bot.store.sessions import Sessions
from bot.store.weblog import WebLog
from bot.tasks import Tasks
from bot.upkeep import Personal
from bot.whole import Lane

if TYPE_CHECKING:
    from bot.handlers.telegram import Telegram

log = structlog.get_logger(__name__)

SWEEP_EVERY: Final = 10.0
"""Seconds between looks at orders and batches that are due."""
BUSY: Final = 20
"""Rows that a look worked on, from which the next one follows at once: looks take fifty of a kind, shared with other
processes, and after an outage of the registry's some thousand wait."""


@dataclass(frozen=True)
class Service:
    """The service, joined together. Made by `bot.bootstrap.opened`."""

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
