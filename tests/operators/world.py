"""What operators work on: a ledger with paid orders, and the sandbox gateway that took the money."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import httpx
import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.crypto import Keyring
from bot.domain import Item, ItemKind
from bot.i18n.text import Local
from bot.model import Chat
from bot.operators.desk import Desk
from bot.sandbox.gateway import gateway_app
from bot.services.ledger import (
    Attempt,
    AttemptStatus,
    Ledger,
    NewOrder,
    Order,
    OrderStatus,
    RefundRow,
    open_engine,
)
from bot.services.ledger.tables import metadata
from bot.services.orders.closing import Closing
from bot.services.orders.parts import new_reference, new_track
from bot.services.orders.refunds import Refunds
from bot.services.payments import (
    Callback,
    Charge,
    Created,
    Enquiry,
    Payments,
    Refund,
    Refunded,
    RefundResult,
)
from bot.services.payments.gateways import Gateways
from bot.services.payments.sandbox import SandboxPayments
from tests.sandbox.kit import Stage

SECRET = "shared-with-the-sandbox"
NOON = 1_795_251_600  # 2026-11-21 12:00 in Kuwait
PHONE = "96550001234"
BANK = "600100000001"
HOUR = 3600


class FakeClock:
    """Time that moves when told to."""

    def __init__(self) -> None:
        self._now = NOON

    def now(self) -> int:
        return self._now

    def monotonic(self) -> float:
        return float(self._now)

    async def sleep(self, seconds: float) -> None:
        self._now += int(seconds)

    def advance(self, seconds: int) -> None:
        self._now += seconds


_ANSWERS: Final = {"garbled": (200, b"<html>"), "declined": (401, b""), "closed": (401, b"")}
"""Instead of the gateway's own: ``declined`` to requests for a refund, ``closed`` to questions about one, too."""


class Wire:
    """Between us and the gateway's refunds: passes, is cut, loses the answer, garbles it, or declines what is asked for."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.mood = ""
        self.passed = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or "/v1/refunds" not in scope["path"] or not self.mood:
            await self._app(scope, receive, send)
            return
        if self.mood == "declined" and scope["method"] == "GET":
            await self._app(scope, receive, send)
            return
        self.passed += 1
        if self.mood == "lost":
            await self._app(scope, receive, _nowhere)
        status, body = _ANSWERS.get(self.mood, (503, b""))
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": body})


async def _nowhere(_message: Message) -> None:
    return


class Different:
    """The sandbox gateway with another gateway's manners, over the same wire."""

    name = "sandbox"
    reopens = True

    def __init__(self, sandbox: SandboxPayments, *, keyed: bool, patient: bool = False) -> None:
        self._sandbox = sandbox
        self.keyed_refunds = keyed
        self._patient = patient
        self.asked = 0

    @property
    def hosts(self) -> tuple[str, ...]:
        return self._sandbox.hosts

    async def create(self, charge: Charge) -> Created:
        return await self._sandbox.create(charge)

    async def enquire(self, track_id: str, provider_ref: str, fils: int) -> Enquiry:
        return await self._sandbox.enquire(track_id, provider_ref, fils)

    async def refund(self, refund: Refund) -> Refunded:
        """``patient``, as Tap: takes it on and decides later."""
        self.asked += 1
        said = await self._sandbox.refund(refund)
        return Refunded(RefundResult.PENDING, f"re_{refund.key}") if self._patient else said

    async def refund_status(self, refund: Refund, reference: str) -> Refunded:
        """Not keyed, as KNET: there is no such question."""
        if not self.keyed_refunds:
            return Refunded(RefundResult.UNKNOWN, reference)
        return await self._sandbox.refund_status(refund, reference)

    def parse_callback(self, body: bytes, headers: Mapping[str, str]) -> Callback:
        return self._sandbox.parse_callback(body, headers)

    def acknowledge(self, return_url: str) -> str:
        return self._sandbox.acknowledge(return_url)

    async def close(self) -> None:
        return


@dataclass
class World:
    engine: AsyncEngine
    clock: FakeClock
    ledger: Ledger
    payments: SandboxPayments
    keyring: Keyring
    keys: str
    wire: Wire
    browser: httpx.AsyncClient
    url: str
    others: list[AsyncEngine] = field(default_factory=list)

    @property
    def refunds(self) -> Refunds:
        return self.refunds_by(self.payments)

    @property
    def closing(self) -> Closing:
        return Closing(self.ledger, Gateways(self.payments), self.clock)

    def refunds_by(self, payments: Payments) -> Refunds:
        return Refunds(self.ledger, Gateways(payments), self.clock)

    def another_process(self) -> Refunds:
        engine = open_engine(self.engine.url.render_as_string(hide_password=False))
        self.others.append(engine)
        return Refunds(Ledger(engine), Gateways(self.payments), self.clock)

    def desk(self, payments: Payments | None = None) -> Desk:
        """Where Amina works."""
        gateways = Gateways(payments or self.payments)
        return Desk(self.ledger, gateways, self.keyring, self.clock, "amina", "sandbox")

    # --- what residents did ------------------------------------------------------------------

    async def order(self, *fils: int, items: tuple[Item, ...] = ()) -> Order:
        """An open order with a fine for each amount, or of these lines."""
        ref = new_reference()
        chat = msgspec.json.encode(Chat("whatsapp", PHONE))
        new = NewOrder(
            ref=ref,
            key=new_track(),
            chat=self.keyring.seal(chat, f"order:{ref}".encode()),
            chat_blind=self.keyring.blind(f"whatsapp:{PHONE}"),
            language="ar",
            subject="2850****0029",
            items=items
            or tuple(
                Item(f"{ref}:{position}", ItemKind.TRAFFIC, Local("مخالفة", "Fine"), each)
                for position, each in enumerate(fils or (5000,))
            ),
        )
        async with self.ledger.write() as work:
            return await work.add_order(new, self.clock.now())

    async def charge(self, order: Order, button: str = "approved", knob: str = "") -> Attempt:
        """An attempt, and a button pressed on the gateway's page."""
        now = self.clock.now()
        async with self.ledger.write() as work:
            attempt = await work.add_attempt(order, "sandbox", new_track(), now, now + 120)
        charge = Charge(
            track_id=attempt.track,
            fils=attempt.fils,
            order=order.ref,
            language="ar",
            return_url=f"{self.url}/back",
            notify_url=f"{self.url}/notify",
            minutes=30,
        )
        made = await self.payments.create(charge)
        if button:
            pressed = await self.browser.post(made.url, data={"button": button, "knob": knob})
            assert pressed.status_code == 303, pressed.text
        async with self.ledger.write() as work:
            changes = {"status": AttemptStatus.LINKED, "provider_ref": made.provider_ref, "url": made.url}
            return await work.set_attempt(attempt, now, "gateway", "page made", **changes)

    async def paid(
        self, *fils: int, knob: str = "", posted: bool = True, items: tuple[Item, ...] = ()
    ) -> Order:
        """A paid order, recorded at the registry."""
        order = await self.order(*fils, items=items)
        attempt = await self.charge(order, knob=knob)
        now = self.clock.now()
        async with self.ledger.write() as work:
            taken = {"status": AttemptStatus.PAID, "captured": order.total_fils, "due": None}
            numbers = {"bank": f"6{attempt.id:011d}", "payment": f"1002{attempt.id:014d}"}
            await work.set_attempt(attempt, now, "gateway", "enquiry agrees: paid", **taken, **numbers)
            changes = {"status": OrderStatus.PAID, "paid_at": now, "bank": numbers["bank"], "post_due": now}
            order = await work.set_order(order, now, "gateway", "paid", **changes)
            await work.add_postings(order.id, now)
            if posted:
                await work.set_postings(order.id, {item.part: "" for item in await work.items(order.id)}, now)
                changes = {"status": OrderStatus.POSTED, "post_due": None}
                order = await work.set_order(order, now, "registry", "answered: recorded", **changes)
        return order

    async def partly(self) -> Order:
        """A paid order for two residencies and a fine; the registry took one of them."""
        lines = [
            Item(f"R-{part}", ItemKind.RENEWAL, Local("معال", "Dependant"), 20_000, 2, "2028-12-31", part)
            for part in range(2)
        ]
        fine = Item("F-9", ItemKind.TRAFFIC, Local("مخالفة", "Fine"), 5_250, part=1)
        order = await self.paid(items=(*lines, fine), posted=False)
        now = self.clock.now()
        async with self.ledger.write() as work:
            await work.set_postings(order.id, {0: "", 1: "not_renewable"}, now)
            changes = {"status": OrderStatus.REVIEW, "reason": "partly", "post_due": None}
            return await work.set_order(order, now, "registry", "answered: partly", **changes)

    async def reviewed(
        self, order: Order, reason: str, *, captured: int = 5000, knob: str = "", button: str = "approved"
    ) -> Attempt:
        """Another attempt of the order that a person must look at."""
        attempt = await self.charge(order, button, knob)
        changes = {"status": AttemptStatus.REVIEW, "captured": captured, "reason": reason, "due": None}
        async with self.ledger.write() as work:
            return await work.set_attempt(
                attempt, self.clock.now(), "gateway", f"to be reviewed: {reason}", **changes
            )

    async def set_order(self, order: Order, **changes: Any) -> Order:
        async with self.ledger.write() as work:
            return await work.set_order(order, self.clock.now(), "gateway", "changed", **changes)

    # --- what stands in the ledger -----------------------------------------------------------

    async def rows(self, table: str) -> list[dict[str, Any]]:
        async with self.engine.connect() as connection:
            query = select(metadata.tables[table]).order_by(*metadata.tables[table].primary_key)
            return [dict(row) for row in (await connection.execute(query)).mappings()]

    async def status(self, order: Order) -> OrderStatus:
        async with self.ledger.read() as read:
            found = await read.order(order.ref)
        assert found is not None
        return found.status

    async def statuses(self, table: str) -> list[str]:
        return [str(row["status"]) for row in await self.rows(table)]

    async def live(self) -> list[bool]:
        return [bool(row["live"]) for row in await self.rows("order_items")]

    async def due(self) -> list[RefundRow]:
        async with self.ledger.read() as read:
            return await read.due_refunds(self.clock.now(), 50)


@asynccontextmanager
async def build(engine: AsyncEngine, stage: Stage) -> AsyncGenerator[World, None]:
    clock = FakeClock()
    gateway = gateway_app(clock, SECRET, base_url=f"{stage.origin}/gateway")
    wire = Wire(gateway)
    stage.app = Starlette(routes=[Mount("/gateway", wire)])
    payments = SandboxPayments(f"{stage.origin}/gateway", SECRET, clock)
    keys = Keyring.generate()
    keyring = Keyring.parse(keys)
    async with httpx.AsyncClient(base_url=stage.origin, timeout=30) as browser:
        world = World(engine, clock, Ledger(engine), payments, keyring, keys, wire, browser, stage.origin)
        yield world
    for other in world.others:
        await other.dispose()
    await payments.close()
    await gateway.state.gateway.close()
