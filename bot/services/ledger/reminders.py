"""The ledger's side of reminders: what a chat is told of before it ends, and when the next time is.

Dates are ISO 8601, moments epoch seconds. One row a chat, permit and kind.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from itertools import islice
from typing import Any, Final

import msgspec
from sqlalchemy import Delete, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from bot.residency.facts import Kin
from bot.residency.reminding import Kind, next_moment
from bot.services.ledger import tables as t
from bot.services.ledger.base import Connected, Taken, among

_MOST: Final = 500
"""Permits of one question: SQLite takes some thousand arguments, PostgreSQL 32,767."""


class NewReminder(msgspec.Struct, frozen=True, kw_only=True):
    """What `ReminderWork.add_reminder` stores; names as in `Reminder`."""

    chat: bytes
    chat_blind: str
    owner_blind: str
    consent_id: int
    permit: str
    subject: str
    kin: Kin
    kind: Kind
    last_day: date
    due: int | None
    at: int


class Reminder(NewReminder, frozen=True, kw_only=True):
    """A row of ``reminders``.

    Attributes:
        chat: sealed.
        owner_blind: keyed name of who asked for it.
        subject: the person's number, masked.
        due: when to write (again), None when no moment is left.
    """

    id: int


class ReminderReads(Connected):
    """Questions about reminders."""

    async def reminders_of(self, chat_blind: str) -> list[Reminder]:
        """The chat's, in the order they were asked for."""
        mine = select(t.reminders).where(t.reminders.c.chat_blind == chat_blind)
        return await self._all(mine.order_by(t.reminders.c.id), Reminder)

    async def due_reminders(self, version: int, now: int, limit: int) -> list[Reminder]:
        """Those whose moment has come, agreed to in ``version`` of the text, the longest waiting first."""
        query = select(t.reminders).join(t.consents, t.consents.c.id == t.reminders.c.consent_id)
        mine = t.reminders.c.due <= now, t.consents.c.version == version
        order = t.reminders.c.due, t.reminders.c.id
        return await self._all(query.where(*mine).order_by(*order).limit(limit), Reminder)


class ReminderWork(ReminderReads):
    """Changing reminders."""

    async def add_reminder(self, new: NewReminder) -> None:
        """Keep ``new``.

        Raises:
            Taken: the chat has one for this permit and kind. The transaction is lost.
        """
        try:
            await self._on.execute(insert(t.reminders).values(_plain(new)))
        except IntegrityError as error:
            raise Taken("the chat has this reminder") from error

    async def agree_again(self, row: Reminder, consent_id: int, last_day: date, due: int | None) -> None:
        """``row`` stands by a newer consent."""
        values = {"consent_id": consent_id, "last_day": last_day.isoformat(), "due": due}
        await self._on.execute(update(t.reminders).where(t.reminders.c.id == row.id).values(values))

    async def move_reminder(self, row: Reminder, last_day: date, due: int | None) -> None:
        """The date of ``row`` is another one."""
        values = {"last_day": last_day.isoformat(), "due": due}
        await self._on.execute(update(t.reminders).where(t.reminders.c.id == row.id).values(values))

    async def renewed(self, days: Mapping[str, date], now: int) -> int:
        """Residencies have other last days, by their permits: every chat's reminders move; how many did."""
        rows: list[Reminder] = []
        for some in _batched(days, _MOST):
            same = among(t.reminders.c.permit, some), t.reminders.c.kind == Kind.RESIDENCY.value
            rows += await self._all(select(t.reminders).where(*same).order_by(t.reminders.c.id), Reminder)
        moving = [row for row in rows if row.last_day != days[row.permit]]
        for row in moving:
            await self.move_reminder(row, days[row.permit], next_moment(days[row.permit], now))
        return len(moving)

    async def drop_reminder(self, row: Reminder) -> None:
        """Forget ``row``."""
        await self._on.execute(delete(t.reminders).where(t.reminders.c.id == row.id))

    async def drop_reminders(self, chat_blind: str, permit: str = "", kind: Kind = Kind.RESIDENCY) -> int:
        """Forget the chat's reminder of ``permit`` and ``kind``, all of the chat's without a permit; how many."""
        mine = [t.reminders.c.chat_blind == chat_blind]
        if permit:
            mine += [t.reminders.c.permit == permit, t.reminders.c.kind == kind.value]
        return await self._gone(delete(t.reminders).where(*mine))

    async def drop_past(self, before: date, limit: int) -> int:
        """Forget at most ``limit`` whose last day is before ``before``; how many."""
        old = select(t.reminders.c.id).where(t.reminders.c.last_day < before.isoformat()).limit(limit)
        return await self._gone(delete(t.reminders).where(t.reminders.c.id.in_(old)))

    async def claim_reminder(self, row: Reminder, until: int | None) -> bool:
        """Reserve a due row for this process until ``until``, for good without; false when another one was faster."""
        return await self._put_due(row, until)

    async def told_reminder(self, row: Reminder, claimed: int, due: int | None) -> None:
        """It was told: the next moment is ``due``, unless the row has changed since it was claimed."""
        await self._put_due(msgspec.structs.replace(row, due=claimed), due)

    async def _gone(self, statement: Delete) -> int:
        return len((await self._on.execute(statement.returning(t.reminders.c.id))).all())

    async def _put_due(self, row: Reminder, due: int | None) -> bool:
        mine = t.reminders.c.id == row.id, t.reminders.c.due == row.due
        change = update(t.reminders).where(*mine).values(due=due).returning(t.reminders.c.id)
        return (await self._on.execute(change)).scalar() is not None


def _plain(new: NewReminder) -> dict[str, Any]:
    values = msgspec.structs.asdict(new)
    return values | {"last_day": new.last_day.isoformat(), "kin": new.kin.value, "kind": new.kind.value}


def _batched(names: Iterable[str], size: int) -> Iterator[tuple[str, ...]]:
    """``names`` in portions of ``size``."""
    left = iter(names)
    while some := tuple(islice(left, size)):
        yield some
