"""What every reader of the ledger is built on: one connection, rows as values."""

from collections.abc import Sequence
from typing import Any, Final, TypeVar

import msgspec
from sqlalchemy import Column, ColumnElement, RowMapping, Select, Table, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import BotError

Row = TypeVar("Row")

_FILLED: Final = 1024
"""Values of a list up to which it is filled up; a statement takes 32,766 (SQLite), 32,767 (PostgreSQL)."""


class Taken(BotError):
    """A unique index refused: a fine is in another live order, or a name exists already."""


class Connected:
    """Queries on one connection, inside whatever transaction it is in."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._on = connection

    async def _one(self, query: Select[Any], kind: type[Row]) -> Row | None:
        row = (await self._on.execute(query)).mappings().one_or_none()
        return None if row is None else value(row, kind)

    async def _all(self, query: Select[Any], kind: type[Row]) -> list[Row]:
        rows = (await self._on.execute(query)).mappings().all()
        return [value(row, kind) for row in rows]

    async def _rows(self, query: Select[Any]) -> list[dict[str, Any]]:
        return [dict(row) for row in (await self._on.execute(query)).mappings()]

    async def _number(self, query: Select[Any]) -> int:
        return int((await self._on.execute(query)).scalar() or 0)


def value(row: RowMapping, kind: type[Row]) -> Row:
    """A row as a value of ``kind``."""
    # Names that SQL must quote come as a subclass of str, which msgspec does not take.
    return msgspec.convert({str(name): value for name, value in row.items()}, kind)


def due_rows(table: Table, column: Column[Any], now: int, limit: int) -> Select[Any]:
    """Rows of ``table`` whose time ``column`` has come, the longest waiting first."""
    return select(table).where(column <= now).order_by(column, table.c.id).limit(limit)


def among(column: ColumnElement[Any], values: Sequence[Any]) -> ColumnElement[bool]:
    """Whether ``column`` is one of ``values``.

    The last is said again until they are a power of two: every number of them is another statement, and each connection
    keeps those it has prepared.
    """
    many = list(values)
    if 0 < len(many) <= _FILLED:
        many += many[-1:] * ((1 << (len(many) - 1).bit_length()) - len(many))
    return column.in_(many)
