"""The rounds over the ledger look at what is due, not at all there ever was."""

from typing import Any

import pytest
from sqlalchemy import Connection, inspect
from sqlalchemy.ext.asyncio import AsyncEngine

from bench.scale import books, plans
from bot.services.ledger.tables import metadata

NOW = 1_795_251_600
ORDERS = 4_000
LARGE = {
    *(
        "orders",
        "order_items",
        "postings",
        "attempts",
        "links",
        "notices",
        "order_history",
        "attempt_history",
    ),
    *("gateway_events", "audit", "consents", "remembered", "reminders"),
}
"""Tables that grow with residents or with orders."""


async def _prefer_indexes(engine: AsyncEngine) -> None:
    """Have PostgreSQL walk through a table only where it has no other way, as it would in a large one."""
    if engine.dialect.name == "postgresql":
        async with engine.begin() as connection:
            await connection.exec_driver_sql(f"ALTER DATABASE {engine.url.database} SET enable_seqscan = off")
        await engine.dispose()  # the next connections obey


async def test_a_pass_with_nothing_to_do_walks_through_no_table(engine: AsyncEngine) -> None:
    await books.fill(engine, ORDERS, NOW)
    await _prefer_indexes(engine)
    passes = await plans.passes(engine, NOW)
    assert {one.round for one in passes} >= {
        "orders",
        "reminders",
        "batches",
        "retention: notices for nobody",
    }
    assert all(one.plans for one in passes)
    assert {one.round: LARGE & set(one.walked) for one in passes if LARGE & set(one.walked)} == {}
    # Of two years' orders those of the last day are looked at: their lines are live.
    assert {one.round: one.visited for one in passes if one.visited > ORDERS / 100} == {}


@pytest.mark.parametrize("index", ["ix_notices_untold", "ix_gateway_events_payload"])
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_missing_index_is_noticed(engine: AsyncEngine, index: str) -> None:
    await books.fill(engine, ORDERS, NOW)
    async with engine.begin() as connection:
        await connection.exec_driver_sql(f"DROP INDEX {index}")
    walked = {table for one in await plans.passes(engine, NOW) for table in LARGE & set(one.walked)}
    assert walked, "the test above would not see it"


async def test_rows_that_refer_to_others_are_found_by_an_index(engine: AsyncEngine) -> None:
    """When a row goes, the database looks for what refers to it: that must not be a walk through a table either."""

    def unindexed(connection: Connection) -> set[tuple[str, str]]:
        found: Any = inspect(connection)
        leading = {
            (table, str(column))
            for table in metadata.tables
            for each in (*found.get_indexes(table), *found.get_unique_constraints(table))
            if (column := each["column_names"][0])
            and not each.get("dialect_options", {}).get("postgresql_where")
        }
        keys = {
            (table, str(key["constrained_columns"][0]))
            for table in metadata.tables
            for key in found.get_foreign_keys(table)
        }
        return keys - leading

    async with engine.connect() as connection:
        assert await connection.run_sync(unindexed) == set()
