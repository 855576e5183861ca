"""An empty, migrated ledger for every example, and a way to look into it without the service's code."""

import shutil
import sqlite3
from collections.abc import Awaitable, Callable
from itertools import count
from pathlib import Path
from typing import Any, Final, Protocol

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from bot.services.ledger import migrate, open_engine

TABLES: Final = {
    "orders": "id",
    "order_items": "id",
    "postings": "id",
    "attempts": "id",
    "notices": "id",
    "order_history": "id",
    "attempt_history": "id",
    "refunds": "id",
    "refund_history": "id",
    "gateway_events": "id",
}

Rows = list[dict[str, Any]]
Book = dict[str, Rows]
"""Every row of every table, oldest first."""

_NUMBERS = count(1)


class Reader(Protocol):
    """Looks into one ledger; sees what is committed and nothing else."""

    async def read(self) -> Book: ...
    async def close(self) -> None: ...


class Database(Protocol):
    """Where ledgers come from."""

    async def fresh(self) -> str:
        """The address of an empty, migrated ledger."""
        ...

    async def reader(self, url: str) -> Reader: ...

    async def drop(self, url: str) -> None: ...


class SQLite:
    """Ledgers in files of ``folder``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._template = folder / "template.sqlite3"

    async def fresh(self) -> str:
        if not self._template.exists():
            engine = open_engine(_url(self._template))
            await migrate(engine)
            await engine.dispose()
        path = self._folder / f"ledger{next(_NUMBERS)}.sqlite3"
        shutil.copyfile(self._template, path)
        return _url(path)

    async def reader(self, url: str) -> Reader:
        return _FileReader(url.removeprefix("sqlite+aiosqlite:///"))

    async def drop(self, url: str) -> None:
        path = Path(url.removeprefix("sqlite+aiosqlite:///"))
        for end in ("", "-wal", "-shm"):
            path.with_name(path.name + end).unlink(missing_ok=True)


class PostgreSQL:
    """Ledgers copied from the database ``template`` of a server.

    Args:
        run: executes a statement on the server, outside any transaction.
        url: a database's address by its name.
        template: a migrated, empty one.
    """

    def __init__(
        self, run: Callable[[str], Awaitable[None]], url: Callable[[str], str], template: str
    ) -> None:
        self._run = run
        self._url = url
        self._template = template

    async def fresh(self) -> str:
        name = f"machine_{next(_NUMBERS)}"
        await self._run(f"CREATE DATABASE {name} TEMPLATE {self._template}")
        return self._url(name)

    async def reader(self, url: str) -> Reader:
        return _ServerReader(create_async_engine(url, isolation_level="REPEATABLE READ"))

    async def drop(self, url: str) -> None:
        await self._run(f"DROP DATABASE {url.rpartition('/')[2]} WITH (FORCE)")


class _FileReader:
    def __init__(self, path: str) -> None:
        self._on = sqlite3.connect(path, isolation_level=None)
        self._on.row_factory = sqlite3.Row

    async def read(self) -> Book:
        self._on.execute("BEGIN")
        book = {table: [dict(row) for row in self._on.execute(_select(table))] for table in TABLES}
        self._on.execute("COMMIT")
        return book

    async def close(self) -> None:
        self._on.close()


class _ServerReader:
    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def read(self) -> Book:
        book: Book = {}
        async with self._engine.connect() as connection:
            for table in TABLES:
                found = await connection.execute(text(_select(table)))
                book[table] = [dict(row) for row in found.mappings()]
        return book

    async def close(self) -> None:
        await self._engine.dispose()


def _select(table: str) -> str:
    return f"SELECT * FROM {table} ORDER BY {TABLES[table]}"  # noqa: S608 - names of our own


def _url(path: Path) -> str:
    return f"sqlite+aiosqlite:///{path}"
