"""Refunds in the ledger: rows, their history, and how much of a payment went back."""

from typing import Any

import msgspec
from sqlalchemy import exists, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from bot.services.ledger import tables as t
from bot.services.ledger.base import Connected, Taken, due_rows
from bot.services.ledger.rows import Attempt, OrderStatus, PostingStatus, RefundRow, RefundStatus


class RefundReads(Connected):
    """What is known of refunds."""

    async def refund(self, key: str) -> RefundRow | None:
        """The refund with the idempotency key ``key``."""
        return await self._one(select(t.refunds).where(t.refunds.c.key == key), RefundRow)

    async def refunds(self, attempt_id: int) -> list[RefundRow]:
        """The attempt's refunds, oldest first."""
        query = select(t.refunds).where(t.refunds.c.attempt_id == attempt_id).order_by(t.refunds.c.id)
        return await self._all(query, RefundRow)

    async def order_refunds(self, order_id: int) -> list[RefundRow]:
        """The refunds of all the order's attempts, oldest first."""
        query = select(t.refunds).join(t.attempts).where(t.attempts.c.order_id == order_id)
        return await self._all(query.order_by(t.refunds.c.id), RefundRow)

    async def due_refunds(self, now: int, limit: int) -> list[RefundRow]:
        """Refunds to ask the gateway about, the longest waiting first."""
        return await self._all(due_rows(t.refunds, t.refunds.c.due, now, limit), RefundRow)

    async def given_back(self, attempt_id: int) -> int:
        """Fils of the attempt that surely went back."""
        return await self._sum(attempt_id, (RefundStatus.DONE,))

    async def spoken_for(self, attempt_id: int) -> int:
        """Fils of the attempt that went back or are on their way, the gateway not having refused."""
        return await self._sum(attempt_id, (*t.OPEN_REFUNDS, RefundStatus.DONE))

    async def refund_history(self, order_id: int) -> list[dict[str, Any]]:
        """The history of the order's refunds, oldest first: at, who, what, status."""
        query = (
            select(t.refund_history)
            .select_from(t.refund_history.join(t.refunds).join(t.attempts))
            .where(t.attempts.c.order_id == order_id)
            .order_by(t.refund_history.c.id)
        )
        return await self._rows(query)

    async def was_posted(self, order_id: int) -> bool:
        """Whether the registry recorded the order's payment, or a part of it, at any time."""
        recorded = exists().where(
            t.order_history.c.order_id == order_id, t.order_history.c.status == OrderStatus.POSTED
        )
        some = exists().where(t.postings.c.order_id == order_id, t.postings.c.status == PostingStatus.POSTED)
        return bool((await self._on.execute(select(or_(recorded, some)))).scalar())

    async def _sum(self, attempt_id: int, statuses: tuple[str, ...]) -> int:
        mine = t.refunds.c.attempt_id == attempt_id, t.refunds.c.status.in_(statuses)
        return await self._number(select(func.sum(t.refunds.c.fils)).where(*mine))


class RefundWork(Connected):
    """Changing refunds. The order's row is locked first, as for everything that hangs on it."""

    async def add_refund(
        self, attempt: Attempt, key: str, fils: int, *, why: str, who: str, at: int, due: int | None
    ) -> RefundRow:
        """Store a refund that the gateway is about to be asked for.

        Args:
            attempt: whose money goes back.
            key: fresh idempotency key.
            fils: how much.
            why: the operator's reason, without personal data; its first 60 characters are kept.
            who: the operator.
            at: now.
            due: when somebody else should take it up if this process does not come back; None for never.

        Raises:
            Taken: another refund of the attempt is under way. The transaction is lost.
        """
        values: dict[str, Any] = {"attempt_id": attempt.id, "key": key, "fils": fils, "reference": ""}
        values |= {"status": RefundStatus.ASKED, "why": why[:60], "who": who[:32]}
        values |= {"created": at, "updated": at, "due": due}
        try:
            made = await self._on.execute(insert(t.refunds).values(values).returning(t.refunds.c.id))
        except IntegrityError as error:
            raise Taken("another refund of this payment is under way") from error
        row = msgspec.convert({**values, "id": int(made.scalar_one())}, RefundRow)
        await self.note_refund(row, at, who, "asked for")
        return row

    async def set_refund(self, refund: RefundRow, at: int, who: str, what: str, **changes: Any) -> RefundRow:
        """Change the refund and write down who did what."""
        values = {"updated": at, **changes}
        await self._on.execute(update(t.refunds).where(t.refunds.c.id == refund.id).values(values))
        changed = msgspec.structs.replace(refund, **values)
        await self.note_refund(changed, at, who, what)
        return changed

    async def defer_refund(self, refund: RefundRow, due: int | None) -> None:
        """Ask about the refund again at ``due``; not an event worth history."""
        await self._on.execute(update(t.refunds).where(t.refunds.c.id == refund.id).values(due=due))

    async def note_refund(self, refund: RefundRow, at: int, who: str, what: str) -> None:
        """Write down something about the refund that changed nothing."""
        values = {"refund_id": refund.id, "at": at, "who": who[:32], "what": what[:60]}
        await self._on.execute(insert(t.refund_history).values(**values, status=refund.status))
