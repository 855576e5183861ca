"""A small world around the orders: a registry, chats, a clock, the real gateway and pages on loopback."""

import asyncio
import socket
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Mount
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.crypto import Keyring
from bot.dialogs.checkout import CancelOrder, CheckPayment, OpenOrder, PayLink, RenewLink, Standing
from bot.domain import Item, ItemKind
from bot.errors import Declined, StoreAway, Unavailable
from bot.handlers.pay import pay_routes
from bot.i18n.text import Arg, Code, Hour, Lines, Local, Ltr, Money, Plural, Text
from bot.model import Chat, Span, Woken
from bot.ports import Asked
from bot.sandbox.gateway import Gateway, gateway_app
from bot.services.ledger import Ledger, open_engine
from bot.services.ledger.tables import metadata
from bot.services.orders import Orders, Terms
from bot.services.payments import Payments
from bot.services.payments.gateways import Gateways
from bot.services.payments.sandbox import SandboxPayments
from bot.tasks import Tasks
from tests.payments.counterparts import knet, myfatoorah, tap
from tests.payments.counterparts.bank import Counterpart
from tests.prompt import prompt

SECRET = "shared-with-the-sandbox"
NOON = 1_795_500_000
PHONE = "96550001234"
HERE = Chat("whatsapp", PHONE)
THERE = Chat("telegram", "812000999")
SUBJECT = "2850****0029"
OWNER = "285011500029"


class FakeClock:
    """Time that moves when told to; whoever sleeps is woken when their time has come."""

    def __init__(self) -> None:
        self._now = NOON
        self._sleepers: list[tuple[int, asyncio.Event]] = []

    def now(self) -> int:
        return self._now

    def monotonic(self) -> float:
        return float(self._now)

    async def sleep(self, seconds: float) -> None:
        done = asyncio.Event()
        self._sleepers.append((self._now + int(seconds), done))
        await done.wait()

    def advance(self, seconds: int) -> None:
        self._now += seconds
        for due, done in self._sleepers:
            if due <= self._now:
                done.set()


@dataclass
class FakeRegistry:
    """Remembers what was recorded; refuses or stays silent when told to, all or single lines."""

    down: bool = False
    refuses: str = ""
    refuses_parts: dict[str, str] = field(default_factory=dict)
    down_for: set[str] = field(default_factory=set)
    dies_at: str = ""
    at_once: int = 0
    most_at_once: int = 0
    calls: int = 0
    heard: list[str] = field(default_factory=list)
    recorded: dict[str, tuple[int, str, tuple[Item, ...]]] = field(default_factory=dict)

    async def record_payment(
        self, order: str, paid_at: int, gateway_reference: str, items: tuple[Item, ...]
    ) -> None:
        self.calls += 1
        self.heard.append(order)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await asyncio.sleep(0)
        self.at_once -= 1
        if self.down:
            raise Unavailable("registry", "answered 503")
        if self.refuses:
            raise Declined("registry", self.refuses)
        for number in (line.number for line in items):
            if number == self.dies_at:
                raise asyncio.CancelledError
            if number in self.down_for:
                raise Unavailable("registry", "answered 503")
            if number in self.refuses_parts:
                raise Declined("registry", self.refuses_parts[number])
        self.recorded[order] = (paid_at, gateway_reference, items)


@dataclass
class Prices:
    """Says whether renewals can be had for their price; and keeps baskets.

    Attributes:
        hold: what it says.
        down: it does not answer.
        asked: whose and of which body it was asked, by the number of lines.
        baskets: lines by reference and chat.
    """

    hold: bool = True
    down: bool = False
    asked: list[tuple[int, tuple[str, ...], str]] = field(default_factory=list)
    baskets: dict[tuple[str, Chat], tuple[Item, ...]] = field(default_factory=dict)

    async def holds(self, items: tuple[Item, ...], owners: tuple[str, ...], body: str) -> bool:
        self.asked.append((len(items), owners, body))
        if self.down:
            raise Unavailable("registry", "answered 503")
        return self.hold

    async def lines(self, ref: str, asked: Asked) -> tuple[Item, ...] | None:
        return self.baskets.get((ref, asked.chat))


@dataclass
class Chats:
    """Where news arrive."""

    away: bool = False
    news: list[Woken] = field(default_factory=list)

    async def wake(self, woken: Woken) -> None:
        if self.away:
            raise StoreAway("no answer")
        self.news.append(woken)

    @property
    def kinds(self) -> list[str]:
        return [woken.kind for woken in self.news]


class Wire:
    """Between us and the gateway's API; can be cut, and counts what passes."""

    def __init__(self, app: ASGIApp, api: tuple[str, ...] = ("/v1/",)) -> None:
        self._app = app
        self._api = api
        self.cut = False
        self.passed: list[str] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and any(each in scope["path"] for each in self._api):
            if self.cut:
                await send({"type": "http.response.start", "status": 503, "headers": []})
                await send({"type": "http.response.body", "body": b""})
                return
            self.passed.append(scope["method"])
        await self._app(scope, receive, send)


class Ears:
    """Where notifications arrive. Keeps them, and can hold them back or hand one over many times at once."""

    def __init__(self, app: ASGIApp, url: str) -> None:
        self._app = app
        self._url = url
        self.held = False
        self.heard: list[tuple[str, bytes, dict[str, str]]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if scope["type"] != "http" or not path.endswith("/notify") or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        body = await request.body()
        if request.headers.get("x-replayed"):
            await self._app(scope, _given(body), send)
            return
        names = ("content-type", "x-sandbox-signature", "hashstring", "myfatoorah-signature")
        kept = {name: request.headers[name] for name in names if name in request.headers}
        self.heard.append((path, body, kept))
        if self.held:
            await PlainTextResponse(f"REDIRECT={self._url}/held")(scope, receive, send)
            return
        await self._app(scope, _given(body), send)


def _given(body: bytes) -> Receive:
    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


def render(arg: Arg, language: str) -> tuple[Span, ...]:
    """A stand-in for the renderer: the English source with its arguments, without marks."""
    match arg:
        case Text(msg, args, _):
            text = str(msg.other if isinstance(msg, Plural) else msg).replace("*", "")
            for name, value in args.items():
                inner = "".join(span.text for span in render(value, language))
                text = text.replace(f"{{{name}}}", inner)
            return (Span(text),)
        case Lines(parts):
            return (Span("\n".join(render(part, language)[0].text for part in parts)),)
        case Money(fils):
            return (Span(f"{fils // 1000}.{fils % 1000:03d}"),)
        case Local(ar, en):
            return (Span(ar if language == "ar" else en),)
        case Code(text) | Ltr(text):
            return (Span(text),)
        case Hour(at):
            return (Span(str(at)),)
        case _:
            return (Span(str(arg)),)


def item(fine: str, fils: int = 5000) -> Item:
    return Item(fine, ItemKind.TRAFFIC, Local(f"مخالفة {fine}", f"Fine {fine} <b>"), fils)


def renewal(number: str, fils: int = 20_000, part: int = 0, years: int = 2) -> Item:
    until = f"{2026 + years}-12-31"
    return Item(
        f"P-{number}",
        ItemKind.RENEWAL,
        Local(f"معال {number}", f"Dependant {number}"),
        fils,
        years,
        until,
        part,
    )


def asked(key: str, chat: Chat = HERE, language: str = "ar") -> Asked:
    return Asked(f"{chat.channel}:{chat.id}:{key}", chat, language)


def terms(url: str) -> Terms:
    return Terms(url, 30, lambda ref: f"{url}/receipts/{ref}.pdf")


@dataclass
class World:
    engine: AsyncEngine
    url: str
    clock: FakeClock
    registry: FakeRegistry
    prices: Prices
    chats: Chats
    wire: Wire
    orders: Orders
    ledger: Ledger
    payments: Payments
    browser: httpx.AsyncClient
    keyring: Keyring
    gateway: Gateway
    ears: Ears
    counterpart: Counterpart | None = None

    async def open(self, *items: Item, key: str = "1:0", chat: Chat = HERE) -> PayLink:
        items = items or (item("F1"),)
        owners = (OWNER,) if any(each.kind is ItemKind.RENEWAL for each in items) else ()
        return await self.orders.open(OpenOrder(SUBJECT, items, owners), asked(key, chat))

    async def check(self, ref: str) -> Standing:
        return await self.orders.check(CheckPayment(ref), asked("check"))

    async def cancel(self, ref: str) -> Standing:
        return await self.orders.cancel(CancelOrder(ref), asked("cancel"))

    async def renew(self, ref: str) -> PayLink:
        return await self.orders.renew_link(RenewLink(ref), asked("renew"))

    async def press_pay(self, link: PayLink) -> str:
        """Our page's button; the gateway's address."""
        answer = await self.browser.post(link.url, data={"go": "1"})
        assert answer.status_code == 303, answer.text
        return answer.headers["location"]

    async def press(self, page: str, button: str, knob: str = "") -> str:
        """A button of the gateway's page; the way back."""
        answer = await self.browser.post(page, data={"button": button, "knob": knob})
        assert answer.status_code == 303, answer.text
        return answer.headers["location"]

    async def pay(self, link: PayLink, button: str = "approved", knob: str = "") -> str:
        return await self.press(await self.press_pay(link), button, knob)

    async def replay(self, number: int = -1) -> httpx.Response:
        """Send a notification that was heard, as it came."""
        path, body, headers = self.ears.heard[number]
        return await self.browser.post(path, content=body, headers={**headers, "x-replayed": "1"})

    async def rows(self, table: str) -> list[dict[str, Any]]:
        async with self.engine.connect() as connection:
            query = select(metadata.tables[table]).order_by(*metadata.tables[table].primary_key)
            return [dict(row) for row in (await connection.execute(query)).mappings()]

    async def statuses(self, table: str) -> list[str]:
        return [row["status"] for row in await self.rows(table)]

    def another_process(self) -> Orders:
        """The same service on connections of its own; dispose of them by `close_others`."""
        engine = open_engine(self.engine.url.render_as_string(hide_password=False))
        self._others.append(engine)
        return _orders(self, Ledger(engine))

    def __post_init__(self) -> None:
        self._others: list[AsyncEngine] = []

    async def close_others(self) -> None:
        for engine in self._others:
            await engine.dispose()


def _orders(world: World, ledger: Ledger) -> Orders:
    return Orders(
        ledger=ledger,
        gateways=Gateways(world.payments),
        registry=world.registry,
        appraiser=world.prices,
        baskets=world.prices,
        clock=world.clock,
        keyring=world.keyring,
        wake=world.chats.wake,
        terms=terms(world.url),
    )


COUNTERPARTS: dict[str, Callable[[FakeClock, str], Counterpart]] = {
    "knet": knet.make,
    "tap": tap.make,
    "myfatoorah": myfatoorah.make,
}


@asynccontextmanager
async def build(engine: AsyncEngine, store: Path, provider: str = "sandbox") -> AsyncGenerator[World, None]:
    """The world on ``engine``; the sandbox gateway keeps its charges in ``store``."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        clock, chats, registry, prices = FakeClock(), Chats(), FakeRegistry(), Prices()
        gateway = gateway_app(clock, SECRET, store, base_url=f"{url}/gateway")
        counterpart = COUNTERPARTS[provider](clock, f"{url}/gateway") if provider in COUNTERPARTS else None
        wire = Wire(counterpart.app, counterpart.api) if counterpart else Wire(gateway)
        payments = counterpart.payments if counterpart else SandboxPayments(f"{url}/gateway", SECRET, clock)
        keyring, ledger = Keyring.parse(Keyring.generate()), Ledger(engine)
        orders = Orders(
            ledger=ledger,
            gateways=Gateways(payments),
            registry=registry,
            appraiser=prices,
            baskets=prices,
            clock=clock,
            keyring=keyring,
            wake=chats.wake,
            terms=terms(url),
        )
        pages = pay_routes(
            orders,
            render=render,
            back_url=lambda chat: f"/chat/{chat.channel}",
            hosts=(urlsplit(url).netloc,),
            host="127.0.0.1",
        )
        ears = Ears(Starlette(routes=[*pages, Mount("/gateway", wire)]), url)
        async with serving(ears, listening), httpx.AsyncClient(base_url=url, timeout=30) as browser:
            world = World(
                engine,
                url,
                clock,
                registry,
                prices,
                chats,
                wire,
                orders,
                ledger,
                payments,
                browser,
                keyring,
                gateway.state.gateway,
                ears,
                counterpart,
            )
            yield world
        await world.close_others()
        await (counterpart.close() if counterpart else payments.close())
        await gateway.state.gateway.close()


@asynccontextmanager
async def serving(app: ASGIApp, listening: socket.socket) -> AsyncGenerator[None, None]:
    """``app`` answering on ``listening``."""
    server, tasks = prompt(app), Tasks()
    tasks.spawn(server.serve(sockets=[listening]), "test server")
    try:
        yield
    finally:
        server.end()
        await tasks.drain()
