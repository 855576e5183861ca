"""How fast one process records what was paid while the registry was away: real rounds over a real ledger."""

import asyncio
import time
from typing import Any, Final

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from bench.scale.books import fill
from bench.scale.ledger import NOW
from bench.scale.plans import StillClock
from bot.crypto import Keyring
from bot.domain import Item
from bot.model import Chat, Woken
from bot.services.ledger import Ledger, migrate, open_engine
from bot.services.orders.parts import SIDE_BY_SIDE, Terms
from bot.services.orders.settle import Settling
from bot.services.orders.sweep import Sweep

REGISTRY: Final = 0.05
"""Assumed: seconds the registry takes to record a payment."""
ORDERS: Final = 400
"""Recorded in each measurement."""
_BOOKS: Final = 10_000
_KEYRING: Final = Keyring([bytes(range(32))], bytes(range(32, 64)))
_WAIT: Final = (
    "UPDATE orders SET status = 'paid', post_due = :now, chat = :chat WHERE id = :id",
    "UPDATE postings SET status = 'pending' WHERE order_id = :id",
)


class Recorded(msgspec.Struct, frozen=True):
    """What was found.

    Attributes:
        at_once: orders that the sweep worked on side by side.
        a_second: orders recorded, and their chats told.
        cpu_us: of the process, for each.
    """

    at_once: int
    a_second: float
    cpu_us: float


class _Registry:
    """Records everything, after a while."""

    async def record_payment(
        self, order: str, paid_at: int, gateway_reference: str, items: tuple[Item, ...]
    ) -> None:
        del order, paid_at, gateway_reference, items
        await asyncio.sleep(REGISTRY)


async def measured(url: str) -> list[Recorded]:
    """One order at a time, then as many as the service does; in an empty database."""
    engine = open_engine(url)
    try:
        await migrate(engine)
        await fill(engine, _BOOKS, NOW)
        return [await _recorded(engine, run, at_once) for run, at_once in enumerate((1, SIDE_BY_SIDE))]
    finally:
        await engine.dispose()


async def _recorded(engine: AsyncEngine, run: int, at_once: int) -> Recorded:
    ledger, clock, nobody = Ledger(engine), StillClock(NOW), _nobody()
    told: list[str] = []

    async def wake(woken: Woken) -> None:
        told.append(woken.ref)

    settling = Settling(
        ledger=ledger,
        gateways=nobody,
        registry=_Registry(),
        clock=clock,
        keyring=_KEYRING,
        wake=wake,
        terms=Terms("https://iqamati.example", 30, lambda ref: f"https://iqamati.example/{ref}.pdf"),
    )
    sweep = Sweep(ledger, settling, nobody, clock, at_once)
    await _wait(engine, run * ORDERS)
    began, cpu = time.perf_counter(), time.process_time()
    while await sweep.run():
        pass
    took, used = time.perf_counter() - began, time.process_time() - cpu
    if len(set(told)) != ORDERS:
        raise RuntimeError(f"{len(told)} chats told of {ORDERS} orders")
    return Recorded(at_once, ORDERS / took, 1e6 * used / ORDERS)


def _nobody() -> Any:
    """Who would be asked if there were something to ask."""
    return None


async def _wait(engine: AsyncEngine, skipped: int) -> None:
    """Have the newest recorded orders but for some wait for the registry, as after an hour in which it was away."""
    newest = text(
        "SELECT id, ref FROM orders WHERE status = 'posted' ORDER BY id DESC LIMIT :many OFFSET :skipped"
    )
    chat = msgspec.json.encode(Chat("web", "resident"))
    async with engine.begin() as connection:
        for row in (await connection.execute(newest, {"many": ORDERS, "skipped": skipped})).all():
            sealed = _KEYRING.seal(chat, f"order:{row.ref}".encode())
            for statement in _WAIT:
                values = {"id": row.id, "now": NOW, "chat": sealed}
                await connection.execute(text(statement), values)


def line(row: Recorded | None) -> str:
    """A line of the table; its head without a row."""
    if row is None:
        return "\n| orders at once | recorded and told a second | CPU µs/order |\n|---|---|---|"
    return f"| {row.at_once} | {row.a_second:.1f} | {row.cpu_us:,.0f} |"
