"""What the rounds ask the ledger, and how the database finds it: how many rows it looks at, which tables it walks through."""

import asyncio
import re
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any, Final

import msgspec
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot.crypto import Keyring
from bot.services.ledger import Ledger
from bot.services.ledger.batches import BatchReads
from bot.services.ledger.privacy import Letting
from bot.services.orders.parts import SIDE_BY_SIDE
from bot.services.orders.sweep import Sweep
from bot.services.privacy.retention import STEPS
from bot.services.reminders import Reminders

Asked = tuple[str, Any]
"""A statement as the driver gets it, with its values."""

Round = Callable[[], Awaitable[object]]

_SCAN: Final = re.compile(r"^SCAN (\w+)(?! USING|\w| ROW)")
_KEYRING: Final = Keyring([bytes(range(32))], bytes(range(32, 64)))


class Plan(msgspec.Struct, frozen=True):
    """How the database found what one statement asked for.

    Attributes:
        statement: as the driver got it.
        walked: tables that were read from end to end.
        visited: rows that were looked at, the kept and the thrown away; -1 where the database does not tell.
    """

    statement: str
    walked: tuple[str, ...]
    visited: int


class Pass(msgspec.Struct, frozen=True):
    """One pass of a round that finds nothing to do."""

    round: str
    ms: float
    plans: tuple[Plan, ...]

    @property
    def walked(self) -> tuple[str, ...]:
        """Tables that a statement of it read from end to end."""
        return tuple(sorted({table for plan in self.plans for table in plan.walked}))

    @property
    def visited(self) -> int:
        """Rows that were looked at."""
        return sum(plan.visited for plan in self.plans)


class StillClock:
    """Implements `bot.ports.Clock`: it is always the same moment."""

    def __init__(self, at: int) -> None:
        self._at = at

    def now(self) -> int:
        return self._at

    def monotonic(self) -> float:
        return float(self._at)

    async def sleep(self, seconds: float) -> None:
        del seconds
        await asyncio.sleep(0)


def rounds(engine: AsyncEngine, now: int) -> dict[str, Round]:
    """Every round of a process over the ledger, by name; nothing of it is due."""
    ledger, clock = Ledger(engine), StillClock(now)
    nobody: Any = None  # who would be asked if there were something to do
    sweep = Sweep(ledger, nobody, nobody, clock, SIDE_BY_SIDE)
    reminders = Reminders(ledger=ledger, files=nobody, keyring=_KEYRING, clock=clock)

    async def batches() -> None:
        async with ledger.read() as read:
            await BatchReads.of(read).due_batches(now, 10)

    def let_go(name: str) -> Round:
        async def step() -> None:
            async with ledger.write() as work:
                await STEPS[name](Letting.of(work), now)

        return step

    found: dict[str, Round] = {"orders": sweep.run, "reminders": reminders.due, "batches": batches}
    return found | {f"retention: {name}": let_go(name) for name in STEPS}


@asynccontextmanager
async def listening(engine: AsyncEngine) -> AsyncGenerator[list[Asked], None]:
    """Statements that are sent meanwhile."""
    heard: list[Asked] = []

    def hear(_connection: Any, _cursor: Any, statement: str, values: Any, _context: Any, many: bool) -> None:  # noqa: FBT001 - SQLAlchemy's own
        if not many and statement.partition(" ")[0] in {"SELECT", "UPDATE", "DELETE", "WITH"}:
            heard.append((statement, values))

    event.listen(engine.sync_engine, "before_cursor_execute", hear)
    try:
        yield heard
    finally:
        event.remove(engine.sync_engine, "before_cursor_execute", hear)


async def passes(engine: AsyncEngine, now: int) -> list[Pass]:
    """Make every round once, and see how the database found what it asked for."""
    found: list[Pass] = []
    for name, work in rounds(engine, now).items():
        await work()  # caches and prepared statements
        async with listening(engine) as heard:
            began = time.perf_counter()
            await work()
            took = time.perf_counter() - began
        plans = [await explained(engine, asked) for asked in heard]
        found.append(Pass(name, 1e3 * took, tuple(plans)))
    return found


async def explained(engine: AsyncEngine, asked: Asked) -> Plan:
    """How the database would find it now."""
    async with engine.connect() as connection:
        try:
            if engine.dialect.name == "sqlite":
                return await _explained_by_sqlite(connection, asked)
            return await _explained_by_postgres(connection, asked)
        finally:
            await connection.rollback()


async def _explained_by_sqlite(connection: AsyncConnection, asked: Asked) -> Plan:
    statement, values = asked
    rows = (await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)).all()
    details = [str(tuple(row)[-1]) for row in rows]
    walked = {found[1] for detail in details if (found := _SCAN.match(detail))}
    return Plan(statement, tuple(sorted(walked)), -1)


async def _explained_by_postgres(connection: AsyncConnection, asked: Asked) -> Plan:
    statement, values = asked
    told = await connection.exec_driver_sql(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", values)
    answer = told.scalar_one()
    root = (msgspec.json.decode(answer) if isinstance(answer, str | bytes) else answer)[0]["Plan"]
    nodes = list(_nodes(root))
    walked = {node["Relation Name"] for node in nodes if node["Node Type"] == "Seq Scan"}
    visited = sum(
        (
            node["Actual Rows"]
            + node.get("Rows Removed by Filter", 0)
            + node.get("Rows Removed by Index Recheck", 0)
        )
        * node["Actual Loops"]
        for node in nodes
        if "Relation Name" in node and "Scan" in node["Node Type"]
    )
    return Plan(statement, tuple(sorted(walked)), round(visited))


def _nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for child in node.get("Plans", ()):
        yield from _nodes(child)
