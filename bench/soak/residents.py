"""Residents of a steady day: the walks of the fault run in fair weather, and what else people do.

They pay and fetch the paper, look, cancel, renew; switch the language, paste a link, send a photo nobody asked for, open
the page twice, leave in the middle of a question and come back days later; a company sends its list.
"""

# ruff: noqa: SLF001 - the doors of the fault run are led from here to do what nobody does there
# pyright: reportPrivateUsage=false

import asyncio
import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from typing import Final
from urllib.parse import urlsplit

import aiohttp

from bot.sandbox.cast_bodies import WAHA
from bot.sandbox.relations import workers
from tests.chaos.doors import TelegramDoor, WebDoor
from tests.chaos.mail import Message
from tests.chaos.walker import Plan, Walk

AUTHORISED: Final = "274090908407"
"""Of the cast: an authorised user of one company."""
LIST: Final = "Empty list"
"""In the button under the question for a list."""
PAPER: Final = re.compile(r"/receipts/[^/]+\.pdf")
_PASTED: Final = "Is this real? https://moi-kuwait-fines.example/pay?id=7"
_FAILURES: Final = (aiohttp.ClientError, OSError, TimeoutError)
_ROWS: Final = 12


@dataclass(frozen=True)
class Habits:
    """Shares of the residents who do it.

    Attributes:
        leaves: goes away in the middle, for good or for days.
        paper: of those who paid, fetches the PDF.
        languages: reads a moment in the other language.
        pastes: asks whether a link is real.
        photo: sends a photo.
        reloads: of the answers on the web, those after which the page is opened anew.
        lingers: seconds a web page stays open after the last word, at most.
    """

    leaves: float = 0.2
    paper: float = 0.15
    languages: float = 0.15
    pastes: float = 0.1
    photo: float = 0.1
    reloads: float = 0.1
    lingers: float = 30.0


HABITS: Final = Habits()
FILLING: Final = Habits(leaves=0.0, paper=1.0)
"""Of the first round, which fills what is bounded: memory grows with the first forty receipts that are printed."""


@dataclass
class Resident(Walk):
    """One walk of a steady day.

    Attributes:
        habits: what else people do.
        leaving: answers after which the resident goes away; 0 for never.
        known: has been here before.
        company: came with a list of workers.
        papers: PDFs that were fetched.
    """

    habits: Habits = HABITS
    leaving: int = 0
    known: bool = False
    company: bool = False
    papers: int = 0
    answers: int = 0

    async def _begin(self) -> None:
        chance, habits = self.net.chance, self.habits
        if chance.random() < habits.leaves:
            self.leaving = chance.randint(1, 5)
        if self.known:
            await self._aside("/menu")
        if chance.random() < habits.languages:
            await self._aside("/language ar")
            await self._aside("/language en")
        if chance.random() < habits.photo:
            await self._photo()
        if self.company:
            await self.door.type("/company")
        else:
            await super()._begin()
        if chance.random() < habits.pastes:
            await self.door.type(_PASTED)

    async def _aside(self, text: str) -> None:
        """Write something and read what is said to it."""
        await self.door.type(text)
        await self.door.inbox.next(5.0)
        self.door.inbox.rest()

    async def _photo(self) -> None:
        door = self.door
        if isinstance(door, TelegramDoor):
            photo = [{"file_id": "p1", "file_unique_id": "p1", "width": 90, "height": 90}]
            await door._bring({"message": {**door._message(self.net.updates % 100_000), "photo": photo}})
        elif isinstance(door, WebDoor):
            await door._post({"sent": "photo"})
        await self.door.inbox.next(5.0)

    async def _answer(self, message: Message) -> None:
        self.answers += 1
        if self.company and not message.place:
            await self._send_list()
            return
        if self.leaving and self.answers > self.leaving:
            self.end = "left"
            return
        if isinstance(self.door, WebDoor) and self.net.chance.random() < self.habits.reloads:
            await self._reload(self.door)
        await super()._answer(message)

    async def _in_home(self, message: Message, state: str) -> None:
        self.stray = True  # home is where somebody is who asked for the menu
        if self.company and self.asked_again < 6:
            self.asked_again += 1
            await self.door.type("/company")
        else:
            await super()._in_home(message, state)

    async def _reload(self, door: WebDoor) -> None:
        """Close the page and open it again in the same chat: its stream goes on where it stopped."""
        shut(door)
        with suppress(*_FAILURES):
            async with self.net.http.get(self.net.url("/?lang=en"), headers=door._headers) as answer:
                await answer.read()
        door._stream = self.net.behind.create_task(door._read())

    def _hear(self, message: Message) -> None:
        super()._hear(message)
        if self.company and any(LIST in each.label for each in message.buttons):
            self.question = message  # its buttons are links, so it names no place
        if self.end != "paid" or self.net.chance.random() >= self.habits.paper:
            return
        link = next((each.url for each in message.buttons if PAPER.search(each.url)), "")
        if link:
            self.net.later(self._fetch(link))

    async def _fetch(self, link: str) -> None:
        with suppress(*_FAILURES):
            async with self.net.http.get(self.net.url(urlsplit(link).path), headers=self._browser()) as paper:
                self.papers += (await paper.read()).startswith(b"%PDF")

    # --- a company's list ---------------------------------------------------------------------------

    async def _in_company(self, message: Message, state: str) -> None:
        by_file = [each for each in message.choices if each.label == "A list as a file"]
        if state == "bodies":
            await self._press(message, message.choices[0])
        elif by_file:
            await self._press(message, by_file[0])
        else:
            await asyncio.sleep(1.0)
            await self._press(message, message.choices[0])

    async def _in_batch(self, message: Message, state: str) -> None:
        if state == "summary":
            self.end = "list checked"
        elif state not in {"running", "quiet"}:
            await self._press(message, message.choices[0])

    async def _send_list(self) -> None:
        door = self.door
        if not isinstance(door, WebDoor):
            self.end = "left"
            return
        rows = [each.civil_id for each in workers(WAHA.number, date(2026, 11, 22))][:_ROWS]
        self.net.journal.note("update", door.chat)
        door._sent += 1
        headers = {
            **door._headers,
            "X-Requested-With": "iqamati",
            "X-Client": f"{door.chat}-{door._sent}".ljust(8, "0"),
            "X-File-Name": "workers.csv",
        }
        url = self.net.url("/chat/upload?lang=en")
        content = "\r\n".join(["civil id", *rows]).encode()
        async with self.net.http.post(url, data=content, headers=headers) as answer:
            await answer.read()

    async def _elsewhere(self, message: Message, state: str) -> None:
        if message.place.startswith("real_link/"):
            await self.door.type("/back")
            self.pressed["back"] = self.pressed.get("back", 0) + 1
            if self.pressed["back"] < 5:
                return
        await super()._elsewhere(message, state)


def shut(door: WebDoor) -> None:
    """Close the page."""
    if door._stream is not None:
        door._stream.cancel()


GOOD: Final = ("nothing to pay", "nothing to renew", "looked up", "cancelled", "paid", "left", "list checked")
"""Ends that are as they should be; what begins with ``refused`` is counted by its place."""

PLANS: Final = {Plan.LOOK: 60, Plan.PAY: 17, Plan.RENEW: 14, Plan.CANCEL: 5, Plan.DECLINED: 4}
"""Of a hundred who do not come for a company."""
FILLERS: Final = {Plan.PAY: 3, Plan.RENEW: 1}
"""Likewise, in the first round."""
