"""Opening the ledger's database and bringing it up to date."""

from importlib.resources import files
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, event, inspect, make_url, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

_BUSY_MS = 15_000
"""How long SQLite waits for another process's write; a write of ours takes a few milliseconds."""

_MIGRATING = 7_221_943
"""Any constant: the PostgreSQL advisory lock that lets one process migrate at a time."""


def default_url(data_dir: Path) -> str:
    """The embedded database's address inside ``data_dir``."""
    return f"sqlite+aiosqlite:///{(data_dir / 'ledger.sqlite3').resolve()}"


def open_engine(url: str) -> AsyncEngine:
    """An engine for ``sqlite+aiosqlite:///path`` or ``postgresql+asyncpg://…``. Dispose of it at the end."""
    if make_url(url).get_backend_name() != "sqlite":
        # The last one used first: few connections do nearly all, and the others keep no statements prepared.
        return create_async_engine(url, pool_pre_ping=True, pool_use_lifo=True)
    engine = create_async_engine(url)
    event.listen(engine.sync_engine, "connect", _prepare)
    event.listen(engine.sync_engine, "begin", _begin)
    return engine


def _prepare(connection: Any, _record: object) -> None:
    # The driver must not begin transactions by itself: it begins them deferred, and a deferred one that
    # turns into a write fails at once when another process has written meanwhile.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "foreign_keys=ON", f"busy_timeout={_BUSY_MS}", "synchronous=FULL"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: Connection) -> None:
    reading = connection.get_execution_options().get("ledger_reads")
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


async def migrate(engine: AsyncEngine) -> None:
    """Bring the schema to this release's. Safe when several processes start at once.

    A newer release's is used as it is: revisions only add what the release before does without, so that its processes go
    on, and can be started again, while the new one is being deployed or was taken back.
    """
    async with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            await connection.execute(text(f"SELECT pg_advisory_xact_lock({_MIGRATING})"))
        if await connection.run_sync(_revisions) == {latest()}:
            return
        # Alembic and its templates take a quarter of a start, and a release begins anew once.
        from bot.services.ledger.upgrade import upgrade  # noqa: PLC0415

        await connection.run_sync(upgrade)


def _revisions(connection: Connection) -> set[str]:
    """Where the schema stands; nothing for one that is not there yet."""
    if not inspect(connection).has_table("alembic_version"):
        return set()
    return set(connection.scalars(text("SELECT version_num FROM alembic_version")))


def latest() -> str:
    """The revision of this release's schema: the last by the names of its files, ``v0001_ledger.py``."""
    folder = files("bot.services.ledger") / "migrations" / "versions"
    return max(file.name for file in folder.iterdir() if file.name.startswith("v"))[1:5]
