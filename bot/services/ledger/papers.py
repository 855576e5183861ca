"""What receipts are made from: the payment behind an order, the money given back, a chat's paid orders."""

from typing import Any, Final

import msgspec
from sqlalchemy import ColumnElement, ScalarSelect, and_, func, or_, select

from bot.services.ledger import tables as t
from bot.services.ledger.queries import Reads
from bot.services.ledger.rows import Attempt, AttemptStatus, Order, RefundRow, RefundStatus

_TAKEN: Final = (AttemptStatus.PAID, AttemptStatus.REFUNDED)


class PaidOrder(msgspec.Struct, frozen=True):
    """A paid order with the fils of it that were given back."""

    order: Order
    refunded: int


class Papers(Reads):
    """`Reads` with the receipts' own questions."""

    @classmethod
    def of(cls, reads: Reads) -> "Papers":
        """The same connection, in the same transaction."""
        return cls(reads._on)  # noqa: SLF001 - a subclass, on the connection of its own kind

    async def paying_attempt(self, order: Order) -> Attempt | None:
        """The attempt that paid the order; None while it is unpaid.

        A second capture of one order is another attempt with another reference: it is given back, and no
        receipt speaks of it.
        """
        query = select(t.attempts).where(t.attempts.c.order_id == order.id, _taken(order.bank))
        return next(iter(await self._all(query.order_by(t.attempts.c.id).limit(1), Attempt)), None)

    async def done_refunds(self, attempt_id: int) -> list[RefundRow]:
        """The attempt's refunds that were carried out, oldest first."""
        done = t.refunds.c.attempt_id == attempt_id, t.refunds.c.status == RefundStatus.DONE
        return await self._all(select(t.refunds).where(*done).order_by(t.refunds.c.id), RefundRow)

    async def paid_orders(self, chat_blind: str, before: str, limit: int) -> list[PaidOrder]:
        """The chat's paid orders, newest first.

        Args:
            chat_blind: blind name of the chat.
            before: only those older than this order of the same chat; empty for all of them.
            limit: how many at most.
        """
        mine = and_(t.orders.c.chat_blind == chat_blind, t.orders.c.paid_at > 0)
        query = select(t.orders, _given_back().label("refunded")).where(mine)
        if before:
            last = await self._one(select(t.orders).where(mine, t.orders.c.ref == before), Order)
            if last is None:
                return []
            older = t.orders.c.paid_at < last.paid_at
            same = and_(t.orders.c.paid_at == last.paid_at, t.orders.c.id < last.id)
            query = query.where(or_(older, same))
        query = query.order_by(t.orders.c.paid_at.desc(), t.orders.c.id.desc()).limit(limit)
        rows = [dict(row) for row in (await self._on.execute(query)).mappings()]
        return [PaidOrder(refunded=int(row.pop("refunded")), order=_order(row)) for row in rows]


def _taken(bank: Any) -> ColumnElement[bool]:
    """Attempts whose money was taken under the order's own reference."""
    return and_(t.attempts.c.status.in_(_TAKEN), t.attempts.c.bank == bank)


def _given_back() -> ScalarSelect[int]:
    return (
        select(func.coalesce(func.sum(t.refunds.c.fils), 0))
        .join(t.attempts, t.attempts.c.id == t.refunds.c.attempt_id)
        .where(
            t.attempts.c.order_id == t.orders.c.id,
            _taken(t.orders.c.bank),
            t.refunds.c.status == RefundStatus.DONE,
        )
        .correlate(t.orders)
        .scalar_subquery()
    )


def _order(row: dict[Any, Any]) -> Order:
    # Names that SQL must quote come as a subclass of str, which msgspec does not take.
    return msgspec.convert({str(name): value for name, value in row.items()}, Order)
