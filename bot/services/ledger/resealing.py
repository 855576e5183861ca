"""Sealed columns: how many rows are under which key, and bringing them under the newest one.

A row is sealed anew only where it is still what was read: whoever changed it meanwhile has sealed it with the
newest key already. Any number of processes may do it at once, and one that dies leaves whole rows.
"""

from collections.abc import Callable
from typing import Any, Final, NamedTuple

import structlog
from sqlalchemy import Column, ColumnElement, LargeBinary, Table, func, literal, select, update

from bot.crypto import KEY_ID, Keyring
from bot.errors import Unreadable
from bot.services.ledger import tables as t
from bot.services.ledger.ledger import Ledger
from bot.services.ledger.queries import Reads

log = structlog.get_logger(__name__)

BATCH: Final = 100
"""Rows of one transaction: SQLite lets nobody else write meanwhile."""


class Sealed(NamedTuple):
    """A sealed column: its table, its row's key, and the place its values are bound to."""

    column: Column[Any]
    key: Column[Any]
    place: Callable[[dict[str, Any]], str]

    @property
    def table(self) -> Table:
        """The column's table."""
        return self.column.table

    @property
    def name(self) -> str:
        """``orders.chat``."""
        return f"{self.table.name}.{self.column.name}"


def _order(row: dict[str, Any]) -> str:
    return f"order:{row['ref']}"


def _number(row: dict[str, Any]) -> str:
    return f"remembered:{row['chat_blind']}"


def _event(row: dict[str, Any]) -> str:
    return f"event:{row['provider']}:{row['event']}"


def _reminder(row: dict[str, Any]) -> str:
    return f"reminder:{row['chat_blind']}:{row['permit']}:{row['kind']}"


def _batch_chat(row: dict[str, Any]) -> str:
    return f"batch:{row['ref']}"


def _people(row: dict[str, Any]) -> str:
    return f"batch:{row['batch_id']}:{row['position']}:people"


def _verdicts(row: dict[str, Any]) -> str:
    return f"batch:{row['batch_id']}:{row['position']}:verdicts"


SEALED: Final = (
    Sealed(t.orders.c.chat, t.orders.c.id, _order),
    Sealed(t.remembered.c.value, t.remembered.c.chat_blind, _number),
    Sealed(t.gateway_events.c.payload, t.gateway_events.c.id, _event),
    Sealed(t.reminders.c.chat, t.reminders.c.id, _reminder),
    Sealed(t.batches.c.about, t.batches.c.id, _batch_chat),
    Sealed(t.batch_parts.c.people, t.batch_parts.c.id, _people),
    Sealed(t.batch_parts.c.verdicts, t.batch_parts.c.id, _verdicts),
)
"""Places as the owners bind them: orders in `bot.services.orders.settle`, notifications in ``notified``, reminders in
`bot.services.reminders`, batches in `bot.services.batches.parts`."""


class Sealing(Reads):
    """`Reads` with the keys' questions."""

    @classmethod
    def of(cls, reads: Reads) -> "Sealing":
        """The same connection, in the same transaction."""
        return cls(reads._on)  # noqa: SLF001 - a subclass, on the connection of its own kind

    async def count(self, sealed: Sealed) -> dict[bytes, int]:
        """Rows by the id of the key they are sealed with."""
        key = _key_id(sealed.column)
        counted: Any = select(key.label("key"), func.count().label("rows"))
        query = counted.where(_filled(sealed.column)).group_by(key)
        return {bytes(row["key"]): int(row["rows"]) for row in await self._rows(query)}

    async def older(self, sealed: Sealed, newest: bytes, after: Any) -> list[dict[str, Any]]:
        """Rows sealed with another key than ``newest``, whose own key is greater than ``after``."""
        query = select(sealed.table).where(
            _filled(sealed.column), _key_id(sealed.column) != literal(newest, LargeBinary())
        )
        if after is not None:
            query = query.where(sealed.key > after)
        return await self._rows(query.order_by(sealed.key).limit(BATCH))

    async def replace(self, sealed: Sealed, row: dict[str, Any], value: bytes) -> bool:
        """Put ``value`` in place of the row's, unless it has changed."""
        same = sealed.key == row[sealed.key.name], sealed.column == row[sealed.column.name]
        change = update(sealed.table).where(*same).values({sealed.column.name: value})
        return (await self._on.execute(change.returning(sealed.key))).first() is not None


async def reseal(ledger: Ledger, keyring: Keyring) -> int:
    """Bring every sealed column under the newest key; how many rows were changed.

    Raises:
        Unavailable: the database does not answer; what was done stays done.
    """
    done = 0
    for sealed in SEALED:
        after: Any = None
        while True:
            async with ledger.read() as read:
                rows = await Sealing.of(read).older(sealed, keyring.newest, after)
            if not rows:
                break
            after = rows[-1][sealed.key.name]
            done += await _batch(ledger, keyring, sealed, rows)
    return done


async def _batch(ledger: Ledger, keyring: Keyring, sealed: Sealed, rows: list[dict[str, Any]]) -> int:
    done = 0
    async with ledger.write() as work:
        sealing = Sealing.of(work)
        for row in rows:
            place = sealed.place(row).encode()
            try:
                plain = keyring.open(row[sealed.column.name], place)
            except Unreadable:  # its key is gone: for the status to show, and for a person
                log.error("row cannot be sealed anew", column=sealed.name)  # noqa: TRY400 - its text says no more
                continue
            done += await sealing.replace(sealed, row, keyring.seal(plain, place))
    return done


def _key_id(column: Column[Any]) -> ColumnElement[Any]:
    return func.substr(column, *KEY_ID, type_=LargeBinary())


def _filled(column: Column[Any]) -> ColumnElement[bool]:
    return func.length(column) > 0
