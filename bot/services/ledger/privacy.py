"""The ledger's side of personal data: what is held about a chat, what it agreed to, and letting go.

Rows of orders, attempts and histories are never deleted: they are the books. What leads from an order to
somebody is cleared out of it instead, and the numbers stay.
"""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    String,
    and_,
    case,
    cast,
    delete,
    exists,
    func,
    insert,
    literal,
    literal_column,
    or_,
    select,
    update,
)

from bot.services.ledger import tables as t
from bot.services.ledger.base import among
from bot.services.ledger.batches import BatchWork
from bot.services.ledger.queries import Reads
from bot.services.ledger.reminders import ReminderReads, ReminderWork
from bot.services.ledger.rows import AttemptStatus, Order, OrderStatus

NOBODY: Final = b""
"""The sealed chat of an order that was forgotten."""
GONE: Final = "forgotten"
"""Stands for a line's number; a payment that comes after all is reviewed, and no registry hears of it."""
_CLEARED: Final = {"number": GONE, "title_ar": "", "title_en": "", "until": ""}
_OPEN_REFUNDS: Final = t.OPEN_REFUNDS
_MONEY: Final = (AttemptStatus.PAID, AttemptStatus.REFUNDED, AttemptStatus.REVIEW)
_DONE: Final = (OrderStatus.POSTED, OrderStatus.REFUNDED, OrderStatus.CANCELLED)


class Consent(msgspec.Struct, frozen=True, kw_only=True):
    """A row of ``consents``."""

    id: int
    chat_blind: str
    what: str
    version: int
    at: int
    withdrawn: bool


class Remembered(msgspec.Struct, frozen=True, kw_only=True):
    """A row of ``remembered``; ``value`` is sealed."""

    chat_blind: str
    consent_id: int
    value: bytes
    at: int
    expires: int


class Held(ReminderReads, Reads):
    """`Reads` with the questions a resident has about what is held."""

    @classmethod
    def of(cls, reads: Reads) -> "Held":
        """The same connection, in the same transaction."""
        return cls(reads._on)  # noqa: SLF001 - a subclass, on the connection of its own kind

    async def orders_of(self, chat_blind: str) -> list[Order]:
        """All orders of the chat, oldest first."""
        mine = select(t.orders).where(t.orders.c.chat_blind == chat_blind)
        return await self._all(mine.order_by(t.orders.c.id), Order)

    async def open_orders(self, chat_blind: str, now: int) -> list[Order]:
        """Orders of the chat that somebody may be paying right now: a live link, or a gateway still asked."""
        open_ = t.orders.c.status == OrderStatus.OPEN, or_(_linked(now), _tried())
        mine = select(t.orders).where(t.orders.c.chat_blind == chat_blind, *open_)
        return await self._all(mine.order_by(t.orders.c.id), Order)

    async def remembered(self, chat_blind: str) -> Remembered | None:
        """What the chat asked us to remember."""
        mine = t.remembered.c.chat_blind == chat_blind
        return await self._one(select(t.remembered).where(mine), Remembered)

    async def consents(self, chat_blind: str) -> list[Consent]:
        """What the chat agreed to and took back, oldest first."""
        mine = select(t.consents).where(t.consents.c.chat_blind == chat_blind)
        return await self._all(mine.order_by(t.consents.c.id), Consent)

    async def rows_about(self, order: Order) -> dict[str, list[dict[str, Any]]]:
        """Everything that hangs on the order, by table; internal numbers left out."""
        tracks = select(t.attempts.c.track).where(t.attempts.c.order_id == order.id)
        tables: dict[str, Any] = {
            "order_items": select(t.order_items).where(t.order_items.c.order_id == order.id),
            "postings": select(t.postings)
            .where(t.postings.c.order_id == order.id)
            .order_by(t.postings.c.part),
            "attempts": select(t.attempts).where(t.attempts.c.order_id == order.id),
            "links": select(t.links).where(t.links.c.order_id == order.id),
            "notices": select(t.notices).where(t.notices.c.order_id == order.id),
            "gateway_events": select(t.gateway_events).where(t.gateway_events.c.track.in_(tracks)),
            "audit": select(t.audit.c.at, t.audit.c.what).where(t.audit.c.about.contains(order.ref)),
        }
        found = {name: await self._rows(query) for name, query in tables.items()}
        found["refunds"] = [msgspec.to_builtins(row) for row in await self.order_refunds(order.id)]
        found["order_history"] = await self.history(order.id)
        found["refund_history"] = await self.refund_history(order.id)
        return found


class Letting(ReminderWork, Held):
    """`Held` inside a writing transaction: agreeing, remembering, letting go."""

    @classmethod
    def of(cls, reads: Reads) -> "Letting":
        """The same connection, in the same transaction."""
        return cls(reads._on)  # noqa: SLF001 - a subclass, on the connection of its own kind

    async def add_consent(self, chat_blind: str, what: str, version: int, at: int, *, withdrawn: bool) -> int:
        """Write down that the chat agreed, or took it back; the row's number."""
        values = {"chat_blind": chat_blind, "what": what, "version": version, "at": at}
        made = insert(t.consents).values(**values, withdrawn=withdrawn).returning(t.consents.c.id)
        return int((await self._on.execute(made)).scalar_one())

    async def remember(self, row: Remembered) -> None:
        """Keep ``row`` in place of what the chat had us remember before."""
        await self.unremember(row.chat_blind)
        await self._on.execute(insert(t.remembered).values(msgspec.structs.asdict(row)))

    async def unremember(self, chat_blind: str) -> bool:
        """Forget it; false where there was nothing."""
        gone = delete(t.remembered).where(t.remembered.c.chat_blind == chat_blind)
        return await self._changed(gone.returning(t.remembered.c.chat_blind)) > 0

    async def forget_chat(self, chat_blind: str, now: int, refundable: int) -> None:
        """Let go of everything the chat may ask us to let go of.

        Args:
            chat_blind: whose.
            now: epoch seconds.
            refundable: seconds after a payment in which the chat may still have to be told of a refund.
        """
        await self.unremember(chat_blind)
        await self.drop_reminders(chat_blind)
        await BatchWork.of(self).drop_batches_of(chat_blind)
        await self._on.execute(delete(t.consents).where(t.consents.c.chat_blind == chat_blind))
        until = t.orders.c.paid_at + refundable
        due = case((_money(), case((until > now, until), else_=now)), else_=now)
        mine = update(t.orders).where(t.orders.c.chat_blind == chat_blind)
        await self._on.execute(mine.values(forget_at=due))

    # --- time passes -----------------------------------------------------------------------------

    async def drop_remembered(self, now: int, consents_before: int) -> int:
        """Forget what expired, and consents from before that nothing needs any more."""
        gone = delete(t.remembered).where(t.remembered.c.expires <= now)
        done = await self._changed(gone.returning(t.remembered.c.chat_blind))
        needed = or_(
            exists().where(t.remembered.c.chat_blind == t.consents.c.chat_blind),
            exists().where(t.reminders.c.chat_blind == t.consents.c.chat_blind),
        )
        old = delete(t.consents).where(t.consents.c.at < consents_before, ~needed)
        return done + await self._changed(old.returning(t.consents.c.id))

    async def drop_payloads(self, before: int, limit: int) -> int:
        """Clear what gateways wrote before ``before``; that they wrote stays."""
        events = t.gateway_events
        full = func.length(events.c.payload) > literal_column("0", Integer)
        old = select(events.c.id).where(events.c.at < before, full).order_by(events.c.at).limit(limit)
        change = update(events).where(events.c.id.in_(old)).values(payload=b"")
        return await self._changed(change.returning(events.c.id))

    async def drop_audit(self, now: int, seconds: int, limit: int) -> int:
        """Delete rows of the audit that are older than ``seconds``, by our clock and by the newest row."""
        newest = select(func.max(t.audit.c.at)).scalar_subquery()
        old = t.audit.c.at < now - seconds, t.audit.c.at < newest - seconds
        rows = select(t.audit.c.id).where(*old).order_by(t.audit.c.at).limit(limit)
        return await self._changed(delete(t.audit).where(t.audit.c.id.in_(rows)).returning(t.audit.c.id))

    async def clear_unpaid(self, now: int, before: int, limit: int) -> int:
        """Clear orders nobody paid: those cancelled before ``before``, and those to be forgotten by ``now``."""
        mine = t.orders.c.status == OrderStatus.CANCELLED, ~_money()
        ids = await self._clearable(now, before, and_(*mine), limit)
        if ids:
            lines = update(t.order_items).where(among(t.order_items.c.order_id, ids))
            await self._on.execute(lines.values(**_CLEARED))
            await self._on.execute(update(t.orders).where(among(t.orders.c.id, ids)).values(subject=""))
        await self._let_go(ids)
        return len(ids)

    async def clear_paid(self, now: int, before: int, limit: int) -> int:
        """Clear the chat out of settled orders: those of before ``before``, and those to be forgotten by ``now``."""
        mine = t.orders.c.status.in_(_DONE), _money()
        ids = await self._clearable(now, before, and_(*mine), limit)
        await self._let_go(ids)
        return len(ids)

    async def clear_books(self, before: int, limit: int) -> int:
        """Clear the masked number and what the lines say out of orders older than the books must be kept."""
        kept = t.orders.c.chat_blind == t.NOTHING, t.orders.c.subject != t.NOTHING
        old = select(t.orders.c.id).where(t.orders.c.created < before, *kept)
        ids = await self._ids(old.order_by(t.orders.c.created).limit(limit))
        if ids:
            lines = update(t.order_items).where(among(t.order_items.c.order_id, ids))
            await self._on.execute(lines.values(**_CLEARED, live=False))
            await self._on.execute(update(t.orders).where(among(t.orders.c.id, ids)).values(subject=""))
        return len(ids)

    async def hush(self, now: int) -> int:
        """Nobody is left to tell: notices of forgotten orders count as told."""
        nobody = exists().where(t.orders.c.id == t.notices.c.order_id, t.orders.c.chat_blind == "")
        mine = t.notices.c.told_at == literal_column("0", Integer), nobody
        change = update(t.notices).where(*mine).values(told_at=now, due=None)
        return await self._changed(change.returning(t.notices.c.id))

    # --- inside ----------------------------------------------------------------------------------

    async def _clearable(
        self, now: int, before: int, condition: ColumnElement[bool], limit: int
    ) -> list[int]:
        """Orders that still name a chat and that nothing more can happen to, locked.

        First those of before ``before``, then those to be forgotten by ``now``: each kind has an index of its own.
        """
        settled = t.orders.c.chat_blind != t.NOTHING, t.orders.c.post_due.is_(None)
        quiet = ~_asked(), ~_tried(), ~_reviewed(), ~_refunding(), ~_untold()
        query = select(t.orders.c.id).where(condition, *settled, *quiet).with_for_update(key_share=True)
        old = query.where(t.orders.c.updated < before).order_by(t.orders.c.updated, t.orders.c.id)
        asked = query.where(t.orders.c.forget_at <= now).order_by(t.orders.c.forget_at, t.orders.c.id)
        ids = await self._ids(old.limit(limit))
        if len(ids) < limit:
            ids += await self._ids(asked.where(~among(t.orders.c.id, ids)).limit(limit - len(ids)))
        return ids

    async def _let_go(self, ids: Sequence[int]) -> None:
        """Nothing leads from these orders to a chat any more, and no link to them."""
        if not ids:
            return
        orders = update(t.orders).where(among(t.orders.c.id, ids))
        key = literal("gone:") + cast(t.orders.c.id, String)
        await self._on.execute(orders.values(chat=NOBODY, chat_blind="", key=key))
        await self._on.execute(update(t.attempts).where(among(t.attempts.c.order_id, ids)).values(url=""))
        await self._on.execute(delete(t.links).where(among(t.links.c.order_id, ids)))

    async def _ids(self, query: Select[Any]) -> list[int]:
        return [int(row) for row in (await self._on.execute(query)).scalars()]

    async def _changed(self, statement: Any) -> int:
        """How many rows a statement with RETURNING changed."""
        return len((await self._on.execute(statement)).all())


def _linked(now: int) -> ColumnElement[bool]:
    return exists().where(t.links.c.order_id == t.orders.c.id, t.links.c.expires_at > now)


def _tried() -> ColumnElement[bool]:
    """An attempt of which the gateway has not said the last word."""
    return _any(t.attempts.c.order_id == t.orders.c.id, t.attempts.c.status.in_(t.OPEN_ATTEMPTS))


def _asked() -> ColumnElement[bool]:
    """An attempt the gateway is still asked about."""
    return _any(t.attempts.c.order_id == t.orders.c.id, t.attempts.c.due.is_not(None))


def _reviewed() -> ColumnElement[bool]:
    return _any(t.attempts.c.order_id == t.orders.c.id, t.attempts.c.status == AttemptStatus.REVIEW)


def _money() -> ColumnElement[bool]:
    """Money moved, or may have: the books must tell whose order it was."""
    mine = t.attempts.c.order_id == t.orders.c.id, t.attempts.c.status.in_(_MONEY)
    return or_(t.orders.c.paid_at > 0, _any(*mine))


def _refunding() -> ColumnElement[bool]:
    mine = t.refunds.c.attempt_id == t.attempts.c.id, t.attempts.c.order_id == t.orders.c.id
    return _any(*mine, t.refunds.c.status.in_(_OPEN_REFUNDS))


def _untold() -> ColumnElement[bool]:
    return _any(t.notices.c.order_id == t.orders.c.id, t.notices.c.told_at == literal_column("0", Integer))


def _any(*mine: ColumnElement[bool]) -> ColumnElement[bool]:
    """Whether the order has such a row, looked up order by order.

    Not EXISTS: PostgreSQL may turn that into a join and collect such rows of all orders there ever were, for the few
    that it is asked about.
    """
    return (
        select(literal_column("1", Integer))
        .where(*mine)
        .limit(1)
        .correlate(t.orders)
        .scalar_subquery()
        .is_not(None)
    )
