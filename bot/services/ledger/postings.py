"""The parts of a paid order: which of them the registry has recorded, and what is told of them."""

from collections.abc import Mapping
from typing import Any, Final, cast

import msgspec
from sqlalchemy import (
    RowMapping,
    Select,
    and_,
    bindparam,
    case,
    exists,
    func,
    insert,
    literal,
    select,
    update,
)

from bot.domain import Item, ItemKind
from bot.i18n.text import Local
from bot.services.ledger import tables as t
from bot.services.ledger.base import Connected
from bot.services.ledger.rows import Order, OrderStatus, Posting, PostingStatus

_OF_PART: Final = and_(
    t.postings.c.order_id == t.order_items.c.order_id, t.postings.c.part == t.order_items.c.part
)


class Share(msgspec.Struct, frozen=True):
    """One part of an order.

    Attributes:
        lead: its renewal, or its first line.
        others: how many more lines it has.
        status: None while nobody has paid.
    """

    lead: Item
    others: int
    status: PostingStatus | None


class Tally(msgspec.Struct, frozen=True):
    """How many lines an order has: fines, renewals, and how many of those are recorded and refused."""

    fines: int = 0
    renewals: int = 0
    recorded: int = 0
    refused: int = 0


class PostingReads(Connected):
    """What is known of the parts of orders."""

    async def postings(self, order_id: int) -> list[Posting]:
        """How the order's parts stand at the registry, in their sequence; none before it is paid."""
        query = select(t.postings).where(t.postings.c.order_id == order_id).order_by(t.postings.c.part)
        return await self._all(query, Posting)

    async def waiting_parts(self, order_id: int) -> list[int]:
        """The order's parts that wait to be recorded, in their sequence."""
        mine = t.postings.c.order_id == order_id, t.postings.c.status == PostingStatus.PENDING
        query = select(t.postings.c.part).where(*mine).order_by(t.postings.c.part)
        return [int(part) for part in (await self._on.execute(query)).scalars()]

    async def shares(self, order_id: int, limit: int) -> list[Share]:
        """The order's parts: those refused first, then those that wait; at most ``limit``."""
        inner = _leads(order_id)
        leads = inner.subquery()
        urgency = case(
            (leads.c.posting == PostingStatus.REFUSED, 0),
            (leads.c.posting == PostingStatus.POSTED, 2),
            else_=1,
        )
        query = select(leads).where(leads.c.rank == 1).order_by(urgency, leads.c.position).limit(limit)
        rows = (await self._on.execute(query)).mappings().all()
        return [
            Share(line(row), row["size"] - 1, PostingStatus(row["posting"]) if row["posting"] else None)
            for row in rows
        ]

    async def tally(self, order_id: int) -> Tally:
        """How many lines of which kind the order has, and what became of the renewals."""
        renews = case((t.order_items.c.kind == ItemKind.RENEWAL, 1), else_=0)
        counted = select(renews.label("renews"), t.postings.c.status, func.count().label("lines"))
        query = (
            counted.select_from(t.order_items.outerjoin(t.postings, _OF_PART))
            .where(t.order_items.c.order_id == order_id)
            .group_by(renews, t.postings.c.status)
        )
        rows = await self._rows(cast("Select[Any]", query))
        renewals = [row for row in rows if row["renews"]]

        def count(status: PostingStatus) -> int:
            return sum(row["lines"] for row in renewals if row["status"] == status)

        return Tally(
            fines=sum(row["lines"] for row in rows if not row["renews"]),
            renewals=sum(row["lines"] for row in renewals),
            recorded=count(PostingStatus.POSTED),
            refused=count(PostingStatus.REFUSED),
        )

    async def refused_parts(self, order_id: int) -> frozenset[int]:
        """The order's parts that the registry refused for good."""
        mine = t.postings.c.order_id == order_id, t.postings.c.status == PostingStatus.REFUSED
        parts = (await self._on.execute(select(t.postings.c.part).where(*mine))).scalars()
        return frozenset(int(part) for part in parts)

    async def refused_fils(self, order_id: int) -> int:
        """What was paid for parts that the registry refused."""
        refused = t.order_items.c.order_id == order_id, t.postings.c.status == PostingStatus.REFUSED
        joined = t.order_items.join(t.postings, _OF_PART)
        return await self._number(select(func.sum(t.order_items.c.fils)).select_from(joined).where(*refused))


class PostingWork(Connected):
    """Changing them. The order's row is locked first, as for everything that hangs on it."""

    async def add_postings(self, order_id: int, at: int) -> None:
        """The order is paid: each of its parts waits to be recorded. Those known already are left alone."""
        known = exists().where(_OF_PART)
        columns = t.order_items.c.order_id, t.order_items.c.part
        parts = (
            select(
                *columns, literal(PostingStatus.PENDING.value), literal(""), literal(at, t.postings.c.at.type)
            )
            .where(t.order_items.c.order_id == order_id, ~known)
            .distinct()
            .order_by(t.order_items.c.part)
        )
        await self._on.execute(
            insert(t.postings).from_select(["order_id", "part", "status", "reason", "at"], parts)
        )

    async def set_postings(self, order_id: int, words: Mapping[int, str], at: int) -> None:
        """What the registry said of pending parts: empty for recorded, else why not."""
        if not words:
            return
        row = t.postings.c.order_id == order_id, t.postings.c.part == bindparam("of_part")
        pending = t.postings.c.status == PostingStatus.PENDING
        change = update(t.postings).where(*row, pending)
        values = [
            {
                "of_part": part,
                "said": PostingStatus.REFUSED if why else PostingStatus.POSTED,
                "why": why[:40],
            }
            for part, why in words.items()
        ]
        # No RETURNING: sent as one batch.
        await self._on.execute(
            change.values(status=bindparam("said"), reason=bindparam("why"), at=at), values
        )

    async def post_again(self, order_id: int, at: int) -> None:
        """Have refused parts recorded again; what is recorded stays so."""
        refused = t.postings.c.order_id == order_id, t.postings.c.status == PostingStatus.REFUSED
        again = update(t.postings).where(*refused)
        await self._on.execute(again.values(status=PostingStatus.PENDING, reason="", at=at))

    async def release_refused(self, order_id: int) -> None:
        """Let the lines of refused parts go: another order may hold them."""
        refused = exists().where(_OF_PART, t.postings.c.status == PostingStatus.REFUSED)
        change = update(t.order_items).where(t.order_items.c.order_id == order_id, refused)
        await self._on.execute(change.values(live=False))

    async def defer_post(self, order: Order, due: int) -> None:
        """Go on recording the order at ``due``; not an event worth history."""
        mine = t.orders.c.id == order.id, t.orders.c.status == OrderStatus.PAID
        await self._on.execute(update(t.orders).where(*mine).values(post_due=due))


def line(row: RowMapping) -> Item:
    """A row of ``order_items`` as a line of an order."""
    title = Local(row["title_ar"], row["title_en"])
    kind = ItemKind(row["kind"])
    return Item(row["number"], kind, title, row["fils"], row["years"], row["until"], row["part"])


def _leads(order_id: int) -> Select[Any]:
    """The order's lines, ranked inside their parts, with the part's size and state."""
    items = t.order_items
    first = case((items.c.kind == ItemKind.RENEWAL, 0), else_=1), items.c.position
    return (
        select(
            items,
            t.postings.c.status.label("posting"),
            func.row_number().over(partition_by=items.c.part, order_by=first).label("rank"),
            func.count().over(partition_by=items.c.part).label("size"),
        )
        .select_from(items.outerjoin(t.postings, _OF_PART))
        .where(items.c.order_id == order_id)
    )
