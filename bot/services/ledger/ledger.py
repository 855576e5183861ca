"""Changing the ledger: transactions over its tables.

`Ledger.write` gives a `Work`: one transaction, in which an order's row is locked before anything that
hangs on it is changed (`Reads.lock`), so two deciders about one order queue up. Nothing is awaited inside
one but the database. SQLite lets one writer in at a time; PostgreSQL locks the row.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, Final

import msgspec
from sqlalchemy import Table, and_, bindparam, delete, exists, insert, select, update
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.domain import Item
from bot.errors import Unavailable
from bot.services.ledger import tables as t
from bot.services.ledger.base import Taken
from bot.services.ledger.postings import PostingWork
from bot.services.ledger.queries import Reads
from bot.services.ledger.refunds import RefundWork
from bot.services.ledger.rows import (
    Attempt,
    AttemptStatus,
    Event,
    NewOrder,
    Notice,
    Order,
    OrderStatus,
    RefundRow,
)

_TABLES: Final[dict[type, Table]] = {Attempt: t.attempts, Notice: t.notices, RefundRow: t.refunds}


class Work(RefundWork, PostingWork, Reads):
    """One writing transaction."""

    async def claim(self, row: Attempt | Order | Notice | RefundRow, until: int) -> bool:
        """Reserve a due row for this process until ``until``; false when another one was faster."""
        if isinstance(row, Order):
            table, name, seen = t.orders, "post_due", row.post_due
        else:
            table, name, seen = _TABLES[type(row)], "due", row.due
        mine = table.c.id == row.id, table.c[name] == seen
        change = update(table).where(*mine).values({name: until}).returning(table.c.id)
        return (await self._on.execute(change)).scalar() is not None

    # --- changing --------------------------------------------------------------------------------

    async def add_order(self, new: NewOrder, at: int) -> Order:
        """Store an open order and its lines.

        Raises:
            Taken: a line is live elsewhere, or the reference or the key exists. The transaction is lost.
        """
        values = msgspec.structs.asdict(new)
        values.pop("items")
        values |= {"total_fils": sum(item.fils for item in new.items), "currency": "KWD"}
        values |= {"status": OrderStatus.OPEN, "reason": "", "created": at, "updated": at}
        values |= {"paid_at": 0, "bank": "", "post_due": None, "post_tries": 0}
        try:
            made = await self._on.execute(insert(t.orders).values(values).returning(t.orders.c.id))
            order_id = int(made.scalar_one())
            await self._on.execute(insert(t.order_items), _lines(order_id, new.items))
        except IntegrityError as error:
            raise Taken("a live order holds one of the lines") from error
        await self._note(order_id, at, "chat", "opened", OrderStatus.OPEN)
        return await self.lock(order_id)

    async def set_order(self, order: Order, at: int, who: str, what: str, **changes: Any) -> Order:
        """Change the order and write down who did what."""
        values = {"updated": at, **changes}
        await self._on.execute(update(t.orders).where(t.orders.c.id == order.id).values(values))
        changed = msgspec.structs.replace(order, **values)
        await self._note(order.id, at, who, what, changed.status)
        return changed

    async def hold(self, order_id: int) -> bool:
        """Make the order's lines live again; false, and nothing changed, when another order holds one."""
        mine = select(t.order_items.c.id).where(t.order_items.c.order_id == order_id)
        rows = (await self._on.execute(mine.order_by(t.order_items.c.number))).scalars().all()
        change = update(t.order_items).where(t.order_items.c.id == bindparam("row")).values(live=True)
        try:
            async with self._on.begin_nested():
                # One by one in the sequence of `_lines`, for the same reason.
                await self._on.execute(change, [{"row": row} for row in rows])
        except IntegrityError:
            return False
        return True

    async def release(self, order_id: int) -> None:
        """Let the order's lines go: another order may hold them."""
        change = update(t.order_items).where(t.order_items.c.order_id == order_id).values(live=False)
        await self._on.execute(change)

    async def release_posted(self, before: int) -> None:
        """Let go the lines of orders paid before ``before`` and recorded: the registry's word counts again."""
        # Looked for from the live lines, of which there are few: of recorded orders there are ever more.
        settled = exists().where(
            t.orders.c.id == t.order_items.c.order_id,
            t.orders.c.status == OrderStatus.POSTED,
            t.orders.c.paid_at < before,
        )
        change = update(t.order_items).where(t.LIVE, settled)
        await self._on.execute(change.values(live=False))

    async def add_attempt(self, order: Order, provider: str, track: str, at: int, due: int) -> Attempt:
        """Store an attempt for the whole order.

        Raises:
            Taken: the order has an open attempt already. The transaction is lost.
        """
        values = {"order_id": order.id, "provider": provider, "provider_ref": "", "track": track}
        values |= {"fils": order.total_fils, "currency": order.currency, "url": "", "reason": "", "bank": ""}
        values |= {"payment": "", "bank_transaction": "", "auth": "", "captured": 0}
        values |= {"status": AttemptStatus.CREATED, "created": at, "updated": at, "due": due}
        try:
            made = await self._on.execute(insert(t.attempts).values(values).returning(t.attempts.c.id))
        except IntegrityError as error:
            raise Taken("the order has an open attempt") from error
        attempt_id = int(made.scalar_one())
        await self._note_attempt(attempt_id, at, "resident", "pressed pay", AttemptStatus.CREATED)
        return await self.attempt(attempt_id)

    async def set_attempt(self, attempt: Attempt, at: int, who: str, what: str, **changes: Any) -> Attempt:
        """Change the attempt and write down who did what."""
        values = {"updated": at, **changes}
        await self._on.execute(update(t.attempts).where(t.attempts.c.id == attempt.id).values(values))
        changed = msgspec.structs.replace(attempt, **values)
        await self._note_attempt(attempt.id, at, who, what, changed.status)
        return changed

    async def defer(self, attempt: Attempt, due: int | None) -> None:
        """Ask about the attempt again at ``due``; not an event worth history."""
        await self._on.execute(update(t.attempts).where(t.attempts.c.id == attempt.id).values(due=due))

    async def note_attempt(self, attempt: Attempt, at: int, who: str, what: str) -> None:
        """Write down something that changed nothing."""
        await self._note_attempt(attempt.id, at, who, what, attempt.status)

    async def add_link(self, order_id: int, token_hash: str, at: int, expires_at: int) -> None:
        """Store a link by its token's hash."""
        values = {"token_hash": token_hash, "order_id": order_id, "created": at, "expires_at": expires_at}
        await self._on.execute(insert(t.links).values(values))

    async def drop_links(self, before: int) -> None:
        """Forget links that expired before ``before``."""
        await self._on.execute(delete(t.links).where(t.links.c.expires_at < before))

    async def add_notice(self, name: str, order_id: int, kind: str, reason: str, due: int) -> None:
        """Owe the chat a notice; one that exists already is left as it is."""
        known = select(t.notices.c.id).where(t.notices.c.name == name)
        if (await self._on.execute(known)).scalar() is None:
            values = {"name": name, "order_id": order_id, "kind": kind, "reason": reason}
            await self._on.execute(insert(t.notices).values({**values, "due": due, "told_at": 0}))

    async def told(self, notice: Notice, at: int) -> None:
        """Mark the notice as told."""
        change = update(t.notices).where(t.notices.c.id == notice.id).values(told_at=at, due=None)
        await self._on.execute(change)

    async def put_back(self, notice: Notice, due: int) -> None:
        """Let whoever looks from ``due`` on tell the notice, unless it was told meanwhile."""
        mine = t.notices.c.id == notice.id, t.notices.c.told_at == 0
        await self._on.execute(update(t.notices).where(*mine).values(due=due))

    async def add_event(self, new: Event, at: int) -> bool:
        """Keep a notification as it claims to be.

        Returns:
            False when the same one came before with another amount: an alarm.

        Raises:
            Taken: the same one arrived twice at once. The transaction is lost.
        """
        same = and_(
            t.gateway_events.c.provider == new.provider,
            t.gateway_events.c.event == new.event,
            t.gateway_events.c.result == new.result,
        )
        known = (await self._on.execute(select(t.gateway_events).where(same))).mappings().one_or_none()
        if known is None:
            values = {**msgspec.structs.asdict(new), "at": at, "repeats": 0, "altered": False}
            try:
                await self._on.execute(insert(t.gateway_events).values(values))
            except IntegrityError as error:
                raise Taken("the same notification arrived twice at once") from error
            return True
        honest = bool(known["fils"] == new.fils)
        change = {"repeats": t.gateway_events.c.repeats + 1, "altered": known["altered"] or not honest}
        await self._on.execute(update(t.gateway_events).where(same).values(change))
        return honest

    async def audit(self, who: str, what: str, about: str, at: int) -> None:
        """Write down who did, or tried, what; ``about`` holds references, never personal data."""
        values = {"at": at, "who": who[:32], "what": what[:40], "about": about[:80]}
        await self._on.execute(insert(t.audit).values(values))

    # --- inside ----------------------------------------------------------------------------------

    async def _note(self, order_id: int, at: int, who: str, what: str, status: OrderStatus) -> None:
        values = {"order_id": order_id, "at": at, "who": who, "what": what, "status": status}
        await self._on.execute(insert(t.order_history).values(values))

    async def _note_attempt(
        self, attempt_id: int, at: int, who: str, what: str, status: AttemptStatus
    ) -> None:
        values = {"attempt_id": attempt_id, "at": at, "who": who, "what": what, "status": status}
        await self._on.execute(insert(t.attempt_history).values(values))


class Ledger:
    """The database behind the orders.

    Args:
        engine: from `bot.services.ledger.open_engine`, migrated. The caller disposes of it.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._reading = engine.execution_options(ledger_reads=True)

    @asynccontextmanager
    async def read(self) -> AsyncGenerator[Reads, None]:
        """A transaction that changes nothing.

        Raises:
            Unavailable: the database does not answer.
        """
        async with _told(), self._reading.begin() as connection:
            yield Reads(connection)

    @asynccontextmanager
    async def write(self) -> AsyncGenerator[Work, None]:
        """A transaction; committed at the end, rolled back by any exception.

        Raises:
            Unavailable: the database does not answer, or broke the transaction off; nothing was changed.
        """
        async with _told(), self._engine.begin() as connection:
            yield Work(connection)


@asynccontextmanager
async def _told() -> AsyncGenerator[None, None]:
    """A database's own troubles, as ours. The text of the original may quote values."""
    try:
        yield
    except IntegrityError:
        raise
    except (DBAPIError, PoolTimeout, OSError) as error:
        raise Unavailable("ledger", type(error).__name__) from None


def _lines(order_id: int, items: tuple[Item, ...]) -> list[dict[str, Any]]:
    lines = [
        {
            "order_id": order_id,
            "position": position,
            "number": item.number,
            "kind": item.kind,
            "title_ar": item.title.ar,
            "title_en": item.title.en,
            "fils": item.fils,
            "live": True,
            "years": item.years,
            "until": item.until,
            "part": item.part,
        }
        for position, item in enumerate(items)
    ]
    # Always in the same sequence: two orders over the same numbers then wait for each other instead of
    # deadlocking on the unique index.
    return sorted(lines, key=lambda line: str(line["number"]))
