"""Reading the ledger. Everything comes back as values of `bot.services.ledger.rows`."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import and_, exists, func, select

from bot.domain import Item
from bot.services.ledger import tables as t
from bot.services.ledger.base import among, due_rows
from bot.services.ledger.lookups import Lookups
from bot.services.ledger.postings import PostingReads, line
from bot.services.ledger.refunds import RefundReads
from bot.services.ledger.rows import Attempt, Link, Notice, Order, OrderStatus


class Reads(RefundReads, PostingReads, Lookups):
    """Queries on one connection, inside whatever transaction it is in."""

    async def order(self, ref: str) -> Order | None:
        """The order with the public reference ``ref``."""
        return await self._one(select(t.orders).where(t.orders.c.ref == ref), Order)

    async def order_by_id(self, order_id: int) -> Order | None:
        """The order with the internal number ``order_id``."""
        return await self._one(select(t.orders).where(t.orders.c.id == order_id), Order)

    async def order_by_key(self, key: str) -> Order | None:
        """The order made under the blind idempotency key ``key``."""
        return await self._one(select(t.orders).where(t.orders.c.key == key), Order)

    async def lock(self, order_id: int) -> Order:
        """The order, locked until the transaction ends.

        Others may have written while this waited: what is written now has the time after it, so that a history goes forward.

        Raises:
            LookupError: there is none.
        """
        # FOR NO KEY UPDATE: a row that refers to the order takes a share of its key, and two of those that
        # both wanted FOR UPDATE afterwards would wait for each other.
        query = select(t.orders).where(t.orders.c.id == order_id).with_for_update(key_share=True)
        if (found := await self._one(query, Order)) is None:
            raise LookupError("no such order")
        return found

    async def items(self, order_id: int) -> tuple[Item, ...]:
        """The order's lines, in the order they were chosen."""
        query = (
            select(t.order_items)
            .where(t.order_items.c.order_id == order_id)
            .order_by(t.order_items.c.position)
        )
        rows = (await self._on.execute(query)).mappings().all()
        return tuple(line(row) for row in rows)

    async def holders(self, numbers: Sequence[str]) -> list[Order]:
        """Orders in which a line with one of ``numbers`` is live."""
        held = exists().where(
            and_(
                t.order_items.c.order_id == t.orders.c.id,
                t.order_items.c.live,
                among(t.order_items.c.number, numbers),
            )
        )
        return await self._all(select(t.orders).where(held).order_by(t.orders.c.id), Order)

    async def attempts(self, order_id: int) -> list[Attempt]:
        """The order's attempts, oldest first."""
        query = select(t.attempts).where(t.attempts.c.order_id == order_id).order_by(t.attempts.c.id)
        return await self._all(query, Attempt)

    async def attempt(self, attempt_id: int) -> Attempt:
        """The attempt with the internal number ``attempt_id``.

        Raises:
            LookupError: there is none.
        """
        found = await self._one(select(t.attempts).where(t.attempts.c.id == attempt_id), Attempt)
        if found is None:
            raise LookupError("no such attempt")
        return found

    async def find_attempt(self, provider: str, *, track: str = "", provider_ref: str = "") -> Attempt | None:
        """The provider's attempt that ``track``, or else ``provider_ref``, names."""
        by = t.attempts.c.track == track if track else t.attempts.c.provider_ref == provider_ref
        query = select(t.attempts).where(t.attempts.c.provider == provider, by)
        return await self._one(query, Attempt) if track or provider_ref else None

    async def link(self, token_hash: str) -> Link | None:
        """The link whose token hashes to ``token_hash``."""
        return await self._one(select(t.links).where(t.links.c.token_hash == token_hash), Link)

    async def link_until(self, order_id: int) -> int:
        """When the last of the order's links expires (epoch seconds), 0 without any."""
        query = select(func.max(t.links.c.expires_at)).where(t.links.c.order_id == order_id)
        return (await self._on.execute(query)).scalar() or 0

    async def history(self, order_id: int) -> list[dict[str, Any]]:
        """The order's history and that of its attempts, oldest first: at, who, what, status."""
        mine = select(t.order_history).where(t.order_history.c.order_id == order_id)
        theirs = select(t.attempt_history).join(t.attempts).where(t.attempts.c.order_id == order_id)
        rows = [dict(row) for query in (mine, theirs) for row in (await self._on.execute(query)).mappings()]
        return sorted(rows, key=lambda row: int(row["at"]))

    # --- what is due -----------------------------------------------------------------------------

    async def due_attempts(self, now: int, limit: int) -> list[Attempt]:
        """Attempts to ask the gateway about, the longest waiting first."""
        return await self._all(due_rows(t.attempts, t.attempts.c.due, now, limit), Attempt)

    async def due_posts(self, now: int, limit: int) -> list[Order]:
        """Paid orders to record at the registry."""
        return await self._all(due_rows(t.orders, t.orders.c.post_due, now, limit), Order)

    async def due_notices(self, now: int, limit: int) -> list[Notice]:
        """Notices not yet told."""
        return await self._all(due_rows(t.notices, t.notices.c.due, now, limit), Notice)

    async def stale_orders(self, now: int, limit: int) -> list[Order]:
        """Open orders without a live link and without an open attempt."""
        linked = exists().where(t.links.c.order_id == t.orders.c.id, t.links.c.expires_at > now)
        trying = exists().where(
            t.attempts.c.order_id == t.orders.c.id, t.attempts.c.status.in_(t.OPEN_ATTEMPTS)
        )
        query = select(t.orders).where(t.orders.c.status == OrderStatus.OPEN, ~linked, ~trying).limit(limit)
        return await self._all(query, Order)

    async def notice(self, name: str) -> Notice | None:
        """The notice of that name."""
        return await self._one(select(t.notices).where(t.notices.c.name == name), Notice)
