"""Reminders over a real ledger, with made-up files at the registry and a clock that obeys."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.clock import KUWAIT
from bot.crypto import Keyring
from bot.dialogs.reminders import Dropped, DropReminders, Known, ListReminders, Remind, Wanted
from bot.dialogs.reminders.consent import CURRENT
from bot.errors import Unavailable
from bot.i18n.text import Local
from bot.model import Chat
from bot.ports import Asked
from bot.residency.facts import Kin, Permit
from bot.residency.reminding import Kind, schedule
from bot.services.ledger import Ledger
from bot.services.ledger.tables import reminders as table
from bot.services.reminders import Owed, Reminders
from tests.payments.world import HERE, FakeClock
from tests.residency.permits import permit

FATHER, WIFE, SON = "285011500029", "290063001017", "315090908042"
TODAY = date(2026, 11, 24)
RESIDENCY, PASSPORT, INSURANCE = Kind.RESIDENCY, Kind.PASSPORT, Kind.INSURANCE


HOUR = schedule(TODAY).hour


def at(day: date, hour: int = HOUR, minute: int = 0) -> int:
    """Epoch seconds of an hour in Kuwait."""
    return int(datetime(day.year, day.month, day.day, hour, minute, tzinfo=KUWAIT).timestamp())


def in_days(days: int) -> date:
    return TODAY + timedelta(days=days)


def father(**other: Any) -> Permit:
    given = {"number": "P-1", "civil_id": FATHER, "kin": Kin.SELF, "name": Local("أحمد", "Ahmad")}
    return permit(**{**given, "expires": in_days(100), **other})


def wife(**other: Any) -> Permit:
    return permit(**{"number": "P-2", "civil_id": WIFE, "expires": in_days(45), **other})


def son(**other: Any) -> Permit:
    given = {"number": "P-3", "civil_id": SON, "kin": Kin.SON, "insurance_exempt": True}
    return permit(**{**given, "expires": in_days(45), **other})


@dataclass
class FakeFiles:
    """Who is on whose file."""

    down: bool = False
    files: dict[str, tuple[Permit, ...]] = field(default_factory=dict[str, tuple[Permit, ...]])

    async def family(self, sponsor: str) -> tuple[Permit, ...]:
        if self.down:
            raise Unavailable("registry", "answered 503")
        return self.files.get(sponsor, ())


@dataclass
class Keeper:
    engine: AsyncEngine
    ledger: Ledger
    files: FakeFiles
    clock: FakeClock
    keyring: Keyring
    reminders: Reminders

    @classmethod
    def on(cls, engine: AsyncEngine) -> "Keeper":
        ledger, files, clock = Ledger(engine), FakeFiles(), FakeClock()
        files.files[FATHER] = (father(), wife(), son())
        keyring = Keyring.parse(Keyring.generate())
        reminders = Reminders(ledger=ledger, files=files, keyring=keyring, clock=clock)
        return cls(engine, ledger, files, clock, keyring, reminders)

    def another_process(self) -> Reminders:
        return Reminders(ledger=self.ledger, files=self.files, keyring=self.keyring, clock=self.clock)

    def asked(self, actor: str = FATHER, chat: Chat = HERE) -> Asked:
        return Asked("name:1:0", chat, "ar", actor)

    async def show(self, actor: str = FATHER, chat: Chat = HERE) -> Known:
        return await self.reminders.show(ListReminders(), self.asked(actor, chat))

    async def remember(
        self,
        *wanted: tuple[str, Kind],
        actor: str = FATHER,
        chat: Chat = HERE,
        version: int = CURRENT.version,
    ) -> Known:
        each = tuple(Wanted(civil_id, (kind,)) for civil_id, kind in wanted)
        return await self.reminders.remember(Remind(each, version), self.asked(actor, chat))

    async def drop(self, number: str = "", kind: Kind = RESIDENCY, chat: Chat = HERE) -> Dropped:
        return await self.reminders.drop(DropReminders(number, kind), self.asked("", chat))

    async def rows(self) -> list[dict[str, Any]]:
        async with self.engine.connect() as connection:
            found = await connection.execute(select(table).order_by(table.c.id))
            return [dict(row) for row in found.mappings()]

    async def due_moments(self) -> list[int | None]:
        return [row["due"] for row in await self.rows()]

    def go_to(self, moment: int) -> None:
        """Time passes."""
        assert moment >= self.clock.now()
        self.clock.advance(moment - self.clock.now())

    async def tell(self) -> list[Owed]:
        """Everything that is due is told."""
        owed = await self.reminders.due()
        for each in owed:
            await self.reminders.told(each)
        return owed


def on(known: Known) -> set[tuple[str, Kind]]:
    """What is reminded of, by permit."""
    return {(person.permit, ending.kind) for person in known.people for ending in person.endings if ending.on}


def ends(known: Known, number: str, kind: Kind) -> str:
    """The date of one of them."""
    [found] = [
        ending.day
        for person in known.people
        for ending in person.endings
        if (person.permit, ending.kind) == (number, kind)
    ]
    return found


def days_told(owed: list[Owed]) -> list[int]:
    return [msgspec.convert(each.woken.data["days"], int) for each in owed]
