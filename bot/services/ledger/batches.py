"""The ledger's side of batches: files with many workers, in parts, and the prices quoted for them."""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Self

import msgspec
from sqlalchemy import Update, case, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from bot.services.ledger import tables as t
from bot.services.ledger.base import Connected, Taken, among, due_rows


class BatchStatus(StrEnum):
    """``checking → done``. One that is stopped is forgotten at once."""

    CHECKING = "checking"
    DONE = "done"


class NewBatch(msgspec.Struct, frozen=True, kw_only=True):
    """What `BatchWork.add_batch` stores; names as in `BatchRow`."""

    ref: str
    digest: str
    about: bytes
    chat_blind: str
    created: int
    due: int


class BatchRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row of ``batches``.

    Attributes:
        about: sealed.
        updated: when the last part of it was checked.
        due: when to take it up (again), None when there is nothing left to do.
        tries: failures in a row.
    """

    id: int
    ref: str
    digest: str
    about: bytes
    chat_blind: str
    status: BatchStatus
    created: int
    updated: int
    due: int | None
    tries: int


class PartCount(msgspec.Struct, frozen=True):
    """What became of the rows of a part; ``offers`` is JSON."""

    ready: int = 0
    blocked: int = 0
    unknown: int = 0
    repeated: int = 0
    offers: str = "[]"


class PartRow(PartCount, frozen=True, kw_only=True):
    """A row of ``batch_parts``; ``people`` and ``verdicts`` are sealed, ``checked`` is 0 while it is not."""

    id: int
    batch_id: int
    position: int
    people: bytes
    verdicts: bytes
    size: int
    checked: int


class Tally(msgspec.Struct, frozen=True):
    """How a batch stands: its parts together."""

    total: int = 0
    done: int = 0
    ready: int = 0
    blocked: int = 0
    unknown: int = 0
    repeated: int = 0


class BasketRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row of ``batch_baskets``."""

    id: int
    ref: str
    batch_id: int
    years: int
    fils: int
    fines: bool
    created: int
    until: int


class BatchReads(Connected):
    """Questions about batches."""

    @classmethod
    def of(cls, reads: Connected) -> Self:
        """The same connection, in the same transaction."""
        return cls(reads._on)  # noqa: SLF001 - on the connection of its own kind

    async def batch(self, batch_id: int) -> BatchRow | None:
        """The batch with the internal number ``batch_id``."""
        return await self._one(select(t.batches).where(t.batches.c.id == batch_id), BatchRow)

    async def batch_by_ref(self, ref: str) -> BatchRow | None:
        """The batch with the public reference ``ref``."""
        return await self._one(select(t.batches).where(t.batches.c.ref == ref), BatchRow)

    async def batch_by_digest(self, digest: str) -> BatchRow | None:
        """The batch of the same file, body, chat, actor and day."""
        return await self._one(select(t.batches).where(t.batches.c.digest == digest), BatchRow)

    async def batches_of(self, chat_blind: str) -> list[BatchRow]:
        """The chat's batches, oldest first."""
        mine = select(t.batches).where(t.batches.c.chat_blind == chat_blind)
        return await self._all(mine.order_by(t.batches.c.id), BatchRow)

    async def due_batches(self, now: int, limit: int) -> list[BatchRow]:
        """Batches to take up, the longest waiting first."""
        return await self._all(due_rows(t.batches, t.batches.c.due, now, limit), BatchRow)

    async def tally(self, batch_id: int) -> Tally:
        """How the batch stands."""
        parts = t.batch_parts.c
        checked = case((parts.checked > 0, parts.size), else_=0)
        sums = {
            "total": parts.size,
            "done": checked,
            **{name: parts[name] for name in ("ready", "blocked", "unknown", "repeated")},
        }
        query = select(*(func.coalesce(func.sum(column), 0).label(name) for name, column in sums.items()))
        row = (await self._on.execute(query.where(parts.batch_id == batch_id))).mappings().one()
        return Tally(**{str(name): int(value) for name, value in row.items()})

    async def offers(self, batch_id: int) -> list[str]:
        """What the parts say of durations."""
        query = select(t.batch_parts.c.offers).where(t.batch_parts.c.batch_id == batch_id)
        return [str(row) for row in (await self._on.execute(query)).scalars()]

    async def parts(
        self, batch_id: int, *, checked_before: int | None = None, ready: bool = False
    ) -> list[int]:
        """Numbers of the batch's parts in their sequence.

        Args:
            batch_id: of the batch.
            checked_before: only those last checked before that moment; those never checked are.
            ready: only those with somebody who can be renewed.
        """
        query = select(t.batch_parts.c.id).where(t.batch_parts.c.batch_id == batch_id)
        if checked_before is not None:
            query = query.where(t.batch_parts.c.checked < checked_before)
        if ready:
            query = query.where(t.batch_parts.c.ready > 0)
        return [
            int(row) for row in (await self._on.execute(query.order_by(t.batch_parts.c.position))).scalars()
        ]

    async def part(self, part_id: int) -> PartRow | None:
        """One part; None when the batch was let go meanwhile."""
        return await self._one(select(t.batch_parts).where(t.batch_parts.c.id == part_id), PartRow)

    async def oldest_check(self, batch_id: int) -> int:
        """When the first of the batch's parts with somebody ready was checked, 0 for none."""
        mine = t.batch_parts.c.batch_id == batch_id, t.batch_parts.c.ready > 0
        return await self._number(select(func.min(t.batch_parts.c.checked)).where(*mine))

    async def basket(self, ref: str) -> BasketRow | None:
        """The price quoted under ``ref``."""
        return await self._one(select(t.batch_baskets).where(t.batch_baskets.c.ref == ref), BasketRow)

    async def baskets(self, batch_id: int) -> list[BasketRow]:
        """The prices quoted for the batch, oldest first."""
        mine = select(t.batch_baskets).where(t.batch_baskets.c.batch_id == batch_id)
        return await self._all(mine.order_by(t.batch_baskets.c.id), BasketRow)


class BatchWork(BatchReads):
    """Changing batches."""

    async def add_batch(self, new: NewBatch) -> int:
        """Store a batch that is to be checked; its number.

        Raises:
            Taken: there is one of the same file, or of the same reference. The transaction is lost.
        """
        values = msgspec.structs.asdict(new)
        values |= {"status": BatchStatus.CHECKING, "updated": new.created, "tries": 0}
        try:
            made = await self._on.execute(insert(t.batches).values(values).returning(t.batches.c.id))
        except IntegrityError as error:
            raise Taken("the file is known") from error
        return int(made.scalar_one())

    async def add_parts(self, batch_id: int, parts: Iterable[tuple[bytes, int]]) -> None:
        """Store the parts of a batch: sealed rows, and how many they are."""
        nothing = {"verdicts": b"", "checked": 0, **msgspec.structs.asdict(PartCount())}
        values = [
            {"batch_id": batch_id, "position": position, "people": people, "size": size, **nothing}
            for position, (people, size) in enumerate(parts)
        ]
        await self._on.execute(insert(t.batch_parts), values)

    async def claim_batch(self, row: BatchRow, until: int) -> bool:
        """Reserve a due batch for this process until ``until``; false when another one was faster."""
        mine = t.batches.c.id == row.id, t.batches.c.due == row.due
        return await self._changed_batch(update(t.batches).where(*mine).values(due=until))

    async def going_on(self, batch_id: int, now: int, due: int) -> bool:
        """A part of it is being saved: hold it until ``due``. False when it is not being checked any more.

        The row stays locked until the transaction ends, so that parts are counted one after the other.
        """
        mine = t.batches.c.id == batch_id, t.batches.c.status == BatchStatus.CHECKING
        change = update(t.batches).where(*mine).values(updated=now, due=due, tries=0)
        return await self._changed_batch(change)

    async def put_off(self, row: BatchRow, due: int, tries: int) -> bool:
        """Try it again at ``due``, unless it is not being checked any more."""
        mine = t.batches.c.id == row.id, t.batches.c.status == BatchStatus.CHECKING
        return await self._changed_batch(update(t.batches).where(*mine).values(due=due, tries=tries))

    async def finish(self, batch_id: int) -> bool:
        """It is checked; false where that was so before."""
        mine = t.batches.c.id == batch_id, t.batches.c.status == BatchStatus.CHECKING
        change = update(t.batches).where(*mine).values(status=BatchStatus.DONE, due=None)
        return await self._changed_batch(change)

    async def save_part(self, part_id: int, verdicts: bytes, count: PartCount, at: int) -> None:
        """Keep what the registry says of a part, in place of what it said before."""
        values = {"verdicts": verdicts, "checked": at, **msgspec.structs.asdict(count)}
        await self._on.execute(update(t.batch_parts).where(t.batch_parts.c.id == part_id).values(values))

    async def add_basket(
        self, batch_id: int, ref: str, years: int, fils: int, at: int, until: int, *, fines: bool
    ) -> None:
        """Keep a price."""
        values = {"ref": ref, "batch_id": batch_id, "years": years, "fils": fils, "fines": fines}
        values |= {"created": at}
        await self._on.execute(insert(t.batch_baskets).values(**values, until=until))

    async def drop_batches(self, ids: Sequence[int]) -> int:
        """Forget batches with all that belongs to them; how many."""
        for table in (t.batch_baskets, t.batch_parts):
            await self._on.execute(delete(table).where(among(table.c.batch_id, ids)))
        gone = delete(t.batches).where(among(t.batches.c.id, ids)).returning(t.batches.c.id)
        return len((await self._on.execute(gone)).all())

    async def drop_batches_before(self, before: int, limit: int) -> int:
        """Forget at most ``limit`` batches sent before ``before``; how many."""
        old = select(t.batches.c.id).where(t.batches.c.created < before).limit(limit)
        return await self.drop_batches([int(row) for row in (await self._on.execute(old)).scalars()])

    async def drop_batches_of(self, chat_blind: str) -> int:
        """Forget the chat's batches; how many."""
        mine = select(t.batches.c.id).where(t.batches.c.chat_blind == chat_blind)
        return await self.drop_batches([int(row) for row in (await self._on.execute(mine)).scalars()])

    async def _changed_batch(self, change: Update) -> bool:
        return (await self._on.execute(change.returning(t.batches.c.id))).first() is not None
