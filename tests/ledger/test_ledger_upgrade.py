"""A ledger of an earlier release is brought up to date with what stands in it."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncEngine

import bot.services.ledger as package
from bot.domain import ItemKind
from bot.services.ledger import Ledger, migrate, open_engine
from bot.services.ledger.engine import latest

ORDERS = [
    ("open", "", 0),
    ("paid", "", 7),
    ("posted", "", 7),
    ("review", "already_paid", 7),
    ("review", "second", 7),
    ("refunded", "", 7),
]


def _to(revision: str, connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(package.__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


@pytest.fixture
async def old(database_url: str, tmp_path: Path) -> AsyncGenerator[AsyncEngine, None]:
    """A ledger as the release before the parts left it."""
    sqlite = database_url.startswith("sqlite")
    engine = open_engine(f"sqlite+aiosqlite:///{tmp_path / 'old.sqlite3'}" if sqlite else database_url)
    async with engine.begin() as connection:
        if not sqlite:
            await connection.execute(text("DROP SCHEMA public CASCADE"))
            await connection.execute(text("CREATE SCHEMA public"))
        await connection.run_sync(lambda plain: _to("0003", plain))
        for number, (status, reason, paid_at) in enumerate(ORDERS, 1):
            await connection.execute(
                text(
                    "INSERT INTO orders (id, ref, key, chat, chat_blind, language, subject, total_fils, currency,"
                    " status, reason, created, updated, paid_at, bank, post_tries)"
                    " VALUES (:id, :ref, :ref, :chat, 'blind', 'ar', '2850', 9000, 'KWD', :status, :reason, 1, 9,"
                    " :paid_at, '', 0)"
                ),
                {
                    "id": number,
                    "ref": f"IQ-{number}",
                    "chat": b"x",
                    "status": status,
                    "reason": reason,
                    "paid_at": paid_at,
                },
            )
            for position in range(2):
                await connection.execute(
                    text(
                        "INSERT INTO order_items (order_id, position, fine, kind, title_ar, title_en, fils, live)"
                        " VALUES (:id, :position, :fine, 'traffic', '', 'Fine', 4500, :live)"
                    ),
                    {"id": number, "position": position, "fine": f"F{number}-{position}", "live": True},
                )
        # One that was recorded, and paid a second time afterwards.
        await connection.execute(
            text(
                "INSERT INTO order_history (order_id, at, who, what, status)"
                " VALUES (5, 8, 'registry', 'answered: recorded', 'posted')"
            )
        )
        await connection.execute(
            text(
                "INSERT INTO order_history (order_id, at, who, what, status)"
                " VALUES (3, 8, 'registry', 'answered: recorded', 'posted')"
            )
        )
    yield engine
    await engine.dispose()


async def test_what_was_recorded_stays_recorded_and_lines_keep_their_numbers(old: AsyncEngine) -> None:
    await migrate(old)
    async with Ledger(old).read() as read:
        said = {
            number: [(each.part, each.status, each.reason) for each in await read.postings(number)]
            for number in range(1, len(ORDERS) + 1)
        }
        lines = await read.items(2)
        held = await read.holders(["F2-1"])
    assert said == {
        1: [],
        2: [(0, "pending", "")],
        3: [(0, "posted", "")],
        4: [(0, "refused", "already_paid")],
        5: [(0, "posted", "")],
        6: [(0, "pending", "")],
    }
    assert [(line.number, line.kind, line.years, line.until, line.part) for line in lines] == [
        ("F2-0", ItemKind.TRAFFIC, 0, "", 0),
        ("F2-1", ItemKind.TRAFFIC, 0, "", 0),
    ]
    assert [order.ref for order in held] == ["IQ-2"]


async def test_a_newer_release_s_ledger_is_used_as_it_is(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await connection.execute(text("ALTER TABLE orders ADD COLUMN later VARCHAR(8)"))
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    await migrate(engine)
    async with engine.begin() as connection:
        assert (await connection.execute(text("SELECT version_num FROM alembic_version"))).all() == [
            ("9999",)
        ]
    async with Ledger(engine).read() as read:
        assert not await read.items(1)


def test_the_last_file_by_name_is_alembic_s_head() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(package.__file__).parent / "migrations"))
    assert ScriptDirectory.from_config(config).get_current_head() == latest()
