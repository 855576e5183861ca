"""Residents: each on one walk, some of whom look away at a question until a later chapter."""

import asyncio
from dataclasses import dataclass, field

from tests.chaos.mail import Message
from tests.chaos.walker import Walk
from tests.deploy.next.dialogs import RETIRED


@dataclass
class Chapters:
    """Which chapter of the rehearsal it is."""

    now: int = 0
    turned: asyncio.Event = field(default_factory=asyncio.Event)

    def turn(self) -> None:
        self.now += 1
        self.turned.set()
        self.turned = asyncio.Event()

    async def reach(self, chapter: int) -> None:
        """Return once it is ``chapter``, or a later one."""
        while self.now < chapter:
            await self.turned.wait()


@dataclass
class Resident(Walk):
    """A walk in chapters.

    Attributes:
        away_at: number of the question at which the resident looks away; 0 for never.
        back_in: the chapter in which they come back to it.
        away: whether they are away.
        led: see `tests.deploy.doors.Net`; whoever was away comes back from the old release to the new one, or anywhere.
    """

    chapters: Chapters = field(default_factory=Chapters)
    away_at: int = 0
    back_in: int = 0
    away: bool = False
    led: dict[str, str] = field(default_factory=dict[str, str])
    asked: int = 0

    async def _answer(self, message: Message) -> None:
        self.asked += 1
        if self.asked == self.away_at and self.chapters.now < self.back_in:
            self.away = True
            self.net.journal.note("away", self.door.chat, place=message.place)
            await self.chapters.reach(self.back_in)
            self.away = False
            if (
                self.led.pop(self.door.chat, "") == "old"
            ):  # what was begun there goes on here, whatever chance does
                self.led[self.door.chat] = "new"
            if not self.door.inbox.empty:  # something came meanwhile
                self.question = message
                return
        await super()._answer(message)

    async def _in_violations(self, message: Message, state: str) -> None:
        old, new = RETIRED
        await super()._in_violations(message, old if state == new else state)

    async def _in_news(self, message: Message, _state: str) -> None:
        await self._press(message, message.choices[0])
