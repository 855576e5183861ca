"""The schema: what migrations make is what the code expects, and the database itself keeps the rules."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, insert, inspect, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.errors import Unavailable
from bot.services.ledger import Ledger, migrate, open_engine
from bot.services.ledger.tables import attempts, metadata, order_history, order_items, orders, postings

ORDER: dict[str, Any] = {
    "ref": "IQ-0000-0001",
    "key": "k1",
    "chat": b"sealed",
    "chat_blind": "blind",
    "language": "ar",
    "subject": "2850****0029",
    "total_fils": 5000,
    "currency": "KWD",
    "status": "open",
    "reason": "",
    "created": 1,
    "updated": 1,
    "paid_at": 0,
    "bank": "",
    "post_due": None,
    "post_tries": 0,
}
ITEM: dict[str, Any] = {
    "order_id": 1,
    "position": 0,
    "number": "F1",
    "kind": "traffic",
    "title_ar": "مرور",
    "title_en": "Traffic",
    "fils": 5000,
    "live": True,
}
ATTEMPT: dict[str, Any] = {
    "order_id": 1,
    "provider": "sandbox",
    "provider_ref": "",
    "track": "A1",
    "fils": 5000,
    "currency": "KWD",
    "status": "PAID",
    "url": "",
    "reason": "",
    "bank": "",
    "created": 1,
    "updated": 1,
    "due": None,
}


async def _add(engine: AsyncEngine, table: Any, **values: Any) -> None:
    async with engine.begin() as connection:
        await connection.execute(insert(table).values(values))


async def test_migrations_make_the_tables_of_the_code(engine: AsyncEngine) -> None:
    def differences(connection: Connection) -> list[Any]:
        return list(compare_metadata(MigrationContext.configure(connection), metadata))

    def indexes(connection: Connection) -> set[str]:
        found = inspect(connection)
        return {str(index["name"]) for table in metadata.tables for index in found.get_indexes(table)}

    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []
        assert await connection.run_sync(indexes) >= {
            str(index.name) for table in metadata.tables.values() for index in table.indexes
        }


async def test_processes_that_start_together_migrate_once(database_url: str) -> None:
    engines = [open_engine(database_url) for _ in range(4)]
    await asyncio.gather(*(migrate(engine) for engine in engines))
    for engine in engines:
        await engine.dispose()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_sqlite_is_durable_and_checks_foreign_keys(engine: AsyncEngine) -> None:
    async with engine.connect() as connection:
        mode = (await connection.execute(text("PRAGMA journal_mode"))).scalar()
        keys = (await connection.execute(text("PRAGMA foreign_keys"))).scalar()
    assert (mode, keys) == ("wal", 1)
    with pytest.raises(IntegrityError):
        await _add(engine, order_items, **ITEM)


@pytest.mark.parametrize(
    ("column", "value"), [("total_fils", 0), ("total_fils", -1), ("currency", "USD"), ("status", "lost")]
)
async def test_orders_refuse_what_makes_no_sense(engine: AsyncEngine, column: str, value: object) -> None:
    with pytest.raises(IntegrityError):
        await _add(engine, orders, **{**ORDER, column: value})


async def test_a_fine_is_in_one_live_order(engine: AsyncEngine) -> None:
    await _add(engine, orders, **ORDER)
    await _add(engine, order_items, **ITEM)
    await _add(engine, order_items, **{**ITEM, "live": False})
    with pytest.raises(IntegrityError):
        await _add(engine, order_items, **ITEM)


async def test_a_part_stands_one_way_at_the_registry(engine: AsyncEngine) -> None:
    await _add(engine, orders, **ORDER)
    part = {"order_id": 1, "part": 0, "status": "pending", "reason": "", "at": 1}
    await _add(engine, postings, **part)
    await _add(engine, postings, **{**part, "part": 1})
    for wrong in (part, {**part, "part": 2, "status": "lost"}):
        with pytest.raises(IntegrityError):
            await _add(engine, postings, **wrong)


async def test_an_order_is_paid_once_and_tried_once_at_a_time(engine: AsyncEngine) -> None:
    await _add(engine, orders, **ORDER)
    await _add(engine, attempts, **ATTEMPT)
    await _add(engine, attempts, **{**ATTEMPT, "track": "A2", "status": "PENDING"})
    await _add(engine, attempts, **{**ATTEMPT, "track": "A3", "status": "FAILED"})
    for number, status in enumerate(("PAID", "UNKNOWN", "CREATED")):
        with pytest.raises(IntegrityError):
            await _add(engine, attempts, **{**ATTEMPT, "track": f"B{number}", "status": status})


@pytest.mark.parametrize("verb", ["UPDATE order_history SET what = 'else'", "DELETE FROM order_history"])
async def test_history_only_grows(engine: AsyncEngine, verb: str) -> None:
    await _add(engine, orders, **ORDER)
    await _add(engine, order_history, order_id=1, at=1, who="chat", what="opened", status="open")
    with pytest.raises(DBAPIError, match="history only grows"):
        async with engine.begin() as connection:
            await connection.execute(text(verb))


async def test_a_database_that_is_gone_is_unavailable_and_quotes_nothing(tmp_path: Path) -> None:
    ledger = Ledger(open_engine("postgresql+asyncpg://postgres@127.0.0.1:9/none"))
    with pytest.raises(Unavailable) as caught:
        async with ledger.read() as read:
            await read.order("IQ-0000-0001")
    assert str(caught.value) in {"ledger: ConnectionRefusedError", "ledger: OSError"}
    empty = open_engine(f"sqlite+aiosqlite:///{tmp_path / 'empty.sqlite3'}")
    with pytest.raises(Unavailable) as caught:
        async with Ledger(empty).write() as work:
            await work.order("IQ-0000-0001")
    assert str(caught.value) == "ledger: OperationalError"
    await empty.dispose()
