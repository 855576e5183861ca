"""Reminders: what a chat is told of before it ends. Kept here, and told by whichever process finds one `due`.

Dates come from the registry whenever the list is opened, from an order that was recorded
(`bot.services.orders.posting`), and from `Reminders.moved` for whoever else learns a new one.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Final, Protocol

import msgspec
import structlog

from bot.crypto import Keyring
from bot.dialogs.reminders import (
    Dropped,
    DropReminders,
    Ending,
    Known,
    ListReminders,
    Person,
    Remind,
    RemindRefused,
)
from bot.dialogs.reminders.consent import CURRENT, REMINDERS
from bot.errors import Unreadable
from bot.i18n.text import masked
from bot.model import Chat, Woken
from bot.ports import Asked, Clock, Effect, Executor, Failed, Wake
from bot.residency.facts import Permit
from bot.residency.reminding import Kind, days_left, last_day, next_moment, stage
from bot.services.ledger import Ledger, Taken
from bot.services.ledger.privacy import Held, Letting
from bot.services.ledger.reminders import NewReminder, Reminder
from bot.services.orders.parts import LEASE, chat_blind

log = structlog.get_logger(__name__)

DIALOG: Final = "reminders"


class Files(Protocol):
    """Whose residencies somebody stands for; `bot.services.registry.Registry`."""

    async def family(self, sponsor: str) -> tuple[Permit, ...]:
        """Residencies on the file of ``sponsor``, their own first.

        Raises:
            OutsideError: the registry does not answer.
        """
        ...


class Owed(msgspec.Struct, frozen=True):
    """A reminder that is to be told now.

    Attributes:
        woken: what the chat is woken with; the same for the same date and moment, so that a chat hears it once.
        row: it, as it was claimed.
        until: until when this process has it.
    """

    woken: Woken
    row: Reminder
    until: int


class Reminders:
    """Keeps reminders.

    Args:
        ledger: migrated.
        files: who is on whose file.
        keyring: seals chats, names them and their owners.
        clock: the time.

    Every method raises `Unavailable` while the ledger does not answer.
    """

    def __init__(self, *, ledger: Ledger, files: Files, keyring: Keyring, clock: Clock) -> None:
        self._ledger = ledger
        self._files = files
        self._keyring = keyring
        self._clock = clock

    # --- for residents ---------------------------------------------------------------------------

    async def show(self, _effect: ListReminders, asked: Asked) -> Known:
        """Execute `ListReminders`: dates that moved are moved, and who left the file is forgotten."""
        permits = await self._files.family(asked.actor)
        async with self._ledger.write() as work:
            return await self._known(Letting.of(work), asked, permits)

    async def remember(self, effect: Remind, asked: Asked) -> Known:
        """Execute `Remind`: the consent and what is kept by it in one transaction; what is kept already once.

        Raises:
            Failed: a value of `RemindRefused`.
        """
        if effect.version != CURRENT.version:
            raise Failed(RemindRefused.OUTDATED)
        permits = await self._files.family(asked.actor)
        wanted = {(each.civil_id, kind) for each in effect.wanted for kind in each.kinds}
        dates = {
            (permit.civil_id, kind): (permit, kind, ends)
            for permit in permits
            for kind in Kind
            if (ends := self._coming(permit, kind)) is not None
        }
        if wanted - dates.keys():
            raise Failed(RemindRefused.GONE)
        new = [dates[each] for each in dates if each in wanted]
        try:
            return await self._keep(asked, permits, new)
        except Taken:  # another process kept the same at this moment
            return await self._keep(asked, permits, new)

    async def drop(self, effect: DropReminders, asked: Asked) -> Dropped:
        """Execute `DropReminders`; with the last one the consent is withdrawn."""
        blind = chat_blind(self._keyring, asked.chat)
        async with self._ledger.write() as work:
            letting = Letting.of(work)
            gone = await letting.drop_reminders(blind, effect.permit, effect.kind)
            left = len(await letting.reminders_of(blind))
            if gone and not left:
                now = self._clock.now()
                await letting.add_consent(blind, REMINDERS, CURRENT.version, now, withdrawn=True)
        return Dropped(left)

    # --- for whoever learns of a date, and telling -----------------------------------------------

    async def moved(self, permit: str, ends: date) -> int:
        """The residency ``permit`` now ends on ``ends``; how many reminders moved."""
        async with self._ledger.write() as work:
            return await Letting.of(work).renewed({permit: ends}, self._clock.now())

    async def due(self, limit: int = 100) -> list[Owed]:
        """What is to be told now, claimed for `LEASE` seconds; what is not `told` by then comes again.

        Nobody is reminded under a text that has changed since they agreed.
        """
        now = self._clock.now()
        async with self._ledger.read() as read:
            rows = await Held.of(read).due_reminders(CURRENT.version, now, limit)
        owed: list[Owed] = []
        for row in rows:
            chat = self._opened(row)
            until = now + LEASE if chat is not None else None
            async with self._ledger.write() as work:
                claimed = await Letting.of(work).claim_reminder(row, until)
            if claimed and chat is not None and until is not None:
                owed.append(Owed(_woken(row, chat, now), row, until))
        return owed

    async def told(self, owed: Owed) -> None:
        """The chat has it: the next moment is due, unless the date has moved meanwhile."""
        after = next_moment(owed.row.last_day, self._clock.now())
        async with self._ledger.write() as work:
            await Letting.of(work).told_reminder(owed.row, owed.until, after)

    async def tell(self, wake: Wake) -> int:
        """Tell what is due; how many were. Any number of processes may do so at once.

        Raises:
            StoreAway: a chat could not be woken; it is told later.
        """
        owed = await self.due()
        for each in owed:
            await wake(each.woken)
            await self.told(each)
        return len(owed)

    # --- inside ----------------------------------------------------------------------------------

    async def _known(self, letting: Letting, asked: Asked, permits: Sequence[Permit]) -> Known:
        """What is kept brought up to date with ``permits``, and shown."""
        mine, others = await self._rows(letting, asked, permits)
        kept: dict[tuple[str, Kind], Reminder] = {}
        there = {permit.number: permit for permit in permits}
        for row in mine:
            if row.permit not in there:
                await letting.drop_reminder(row)
                continue
            ends = last_day(there[row.permit], row.kind) or row.last_day
            if ends != row.last_day:
                await letting.move_reminder(row, ends, next_moment(ends, self._clock.now()))
            kept[row.permit, row.kind] = msgspec.structs.replace(row, last_day=ends)
        by = {consent.id: consent.version for consent in await letting.consents(self._blind(asked))}
        return Known(
            people=tuple(person for permit in permits if (person := self._person(permit, kept)).endings),
            others=len(others),
            renew=any(by.get(row.consent_id) != CURRENT.version for row in kept.values()),
        )

    async def _keep(
        self, asked: Asked, permits: Sequence[Permit], wanted: Iterable[tuple[Permit, Kind, date]]
    ) -> Known:
        async with self._ledger.write() as work:
            letting = Letting.of(work)
            known = await self._known(letting, asked, permits)
            mine, _ = await self._rows(letting, asked, permits)
            taken = {(row.permit, row.kind) for row in mine}
            new = [each for each in wanted if (each[0].number, each[1]) not in taken]
            if not new and not known.renew:
                return known  # the same effect again
            await self._agree(letting, asked, mine, new)
            return await self._known(letting, asked, permits)

    async def _agree(
        self,
        letting: Letting,
        asked: Asked,
        mine: Iterable[Reminder],
        new: Iterable[tuple[Permit, Kind, date]],
    ) -> None:
        """Write the consent down; whatever this person is reminded of stands by it from now on."""
        now, blind = self._clock.now(), self._blind(asked)
        consent = await letting.add_consent(blind, REMINDERS, CURRENT.version, now, withdrawn=False)
        for row in mine:
            await letting.agree_again(row, consent, row.last_day, next_moment(row.last_day, now))
        for permit, kind, ends in new:
            await letting.add_reminder(
                NewReminder(
                    chat=self._keyring.seal(
                        msgspec.msgpack.encode(asked.chat), _place(blind, permit.number, kind)
                    ),
                    chat_blind=blind,
                    owner_blind=self._owner(asked),
                    consent_id=consent,
                    permit=permit.number,
                    subject=masked(permit.civil_id).text,
                    kin=permit.kin,
                    kind=kind,
                    last_day=ends,
                    due=next_moment(ends, now),
                    at=now,
                )
            )

    async def _rows(
        self, held: Held, asked: Asked, permits: Sequence[Permit]
    ) -> tuple[list[Reminder], list[Reminder]]:
        """The chat's reminders: those of whoever is signed in or about whom they stand for, and others'."""
        owner, there = self._owner(asked), {permit.number for permit in permits}
        mine: list[Reminder] = []
        others: list[Reminder] = []
        for row in await held.reminders_of(self._blind(asked)):
            (mine if row.owner_blind == owner or row.permit in there else others).append(row)
        return mine, others

    def _person(self, permit: Permit, kept: dict[tuple[str, Kind], Reminder]) -> Person:
        endings: list[Ending] = []
        for kind in Kind:
            row = kept.get((permit.number, kind))
            ends = row.last_day if row else self._coming(permit, kind)
            if ends is not None:
                endings.append(Ending(kind, ends.isoformat(), on=row is not None))
        return Person(permit.number, permit.civil_id, permit.kin, permit.name, tuple(endings))

    def _coming(self, permit: Permit, kind: Kind) -> date | None:
        """The date where there is still a moment to remind of it."""
        ends = last_day(permit, kind)
        return ends if ends is not None and next_moment(ends, self._clock.now()) is not None else None

    def _opened(self, row: Reminder) -> Chat | None:
        try:
            opened = self._keyring.open(row.chat, _place(row.chat_blind, row.permit, row.kind))
        except Unreadable:
            log.error("chat of a reminder unreadable")  # noqa: TRY400 - its text says no more
            return None
        return msgspec.msgpack.decode(opened, type=Chat)

    def _blind(self, asked: Asked) -> str:
        return chat_blind(self._keyring, asked.chat)

    def _owner(self, asked: Asked) -> str:
        return self._keyring.blind(f"owner:{asked.actor}")


def executors(reminders: Reminders) -> dict[type[Effect], Executor]:
    """Who executes which effect."""
    return {
        ListReminders: reminders.show,
        Remind: reminders.remember,
        DropReminders: reminders.drop,
    }


def _woken(row: Reminder, chat: Chat, now: int) -> Woken:
    ends = row.last_day.isoformat()
    return Woken(
        id=f"reminder:{row.id}:{ends}:{stage(row.last_day, now)}",
        chat=chat,
        dialog=DIALOG,
        kind="due",
        ref=row.permit,
        data={
            "kind": row.kind.value,
            "kin": row.kin.value,
            "subject": row.subject,
            "day": ends,
            "days": days_left(row.last_day, now),
        },
    )


def _place(blind: str, permit: str, kind: Kind) -> bytes:
    return f"reminder:{blind}:{permit}:{kind.value}".encode()
