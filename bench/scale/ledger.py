"""The ledger with so many orders: bytes of each, and what a pass of the rounds costs that finds nothing to do."""

import time
from typing import Final

import msgspec
from sqlalchemy.ext.asyncio import AsyncEngine

from bench.scale.books import fill
from bench.scale.plans import Pass, passes
from bot.services.ledger import migrate, open_engine

NOW: Final = 1_795_251_600
"""21 November 2026, 12:00 in Kuwait."""
_SIZE: Final = """
SELECT sum(pg_total_relation_size(oid)) FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
"""


class Grown(msgspec.Struct, frozen=True):
    """A ledger of one size.

    Attributes:
        filled: seconds it took to make.
        bytes: of the database for each order, with all that belongs to it and its indexes.
        passes: every round once.
    """

    orders: int
    filled: float
    bytes: float
    passes: list[Pass]

    @property
    def sweep_ms(self) -> float:
        """The rounds of every ten seconds."""
        return sum(one.ms for one in self.passes if not one.round.startswith("retention"))

    @property
    def retention_ms(self) -> float:
        """The rounds of every hour."""
        return sum(one.ms for one in self.passes if one.round.startswith("retention"))

    @property
    def visited(self) -> int:
        """Rows that the database looked at in all of them."""
        return sum(one.visited for one in self.passes)


async def measured(url: str, orders: int) -> Grown:
    """A ledger of ``orders``, in an empty database."""
    engine = open_engine(url)
    try:
        await migrate(engine)
        began = time.perf_counter()
        await fill(engine, orders, NOW)
        filled = time.perf_counter() - began
        return Grown(orders, filled, await _bytes(engine) / orders, await passes(engine, NOW))
    finally:
        await engine.dispose()


async def _bytes(engine: AsyncEngine) -> float:
    async with engine.connect() as connection:
        return float((await connection.exec_driver_sql(_SIZE)).scalar_one())


def line(row: Grown | None) -> str:
    """A line of the table; its head without a row."""
    if row is None:
        return (
            "\n| orders | B/order | rounds of every 10 s, ms | rounds of every hour, ms | rows looked at | tables walked"
            " through |\n|---|---|---|---|---|---|"
        )
    walked = sorted({table for one in row.passes for table in one.walked} - {"batches", "refunds"})
    return (
        f"| {row.orders:,} | {row.bytes:,.0f} | {row.sweep_ms:.1f} | {row.retention_ms:.1f} | {row.visited:,}"
        f" | {', '.join(walked) or 'none'} |"
    )
