"""A resident on one walk: reads what the service says, presses and types, pays on the pages the links lead to.

Reacts to the question it is asked (the place a button's token names), as a person reacts to its words, so that a walk
goes on after whatever went wrong. It ends with one word, and that word is what the resident would tell of it.
"""

import asyncio
import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit

import aiohttp

from tests.chaos.doors import Door, Net
from tests.chaos.mail import Button, Message

PAID_TEXT: Final = "✓ Paid:"
LOST_TEXT: Final = "we begin it again"
_FAILURES: Final = (aiohttp.ClientError, OSError, TimeoutError, ValueError)
_CODE: Final = re.compile(r'class="digits"><bdi dir="ltr">(\d{3}) (\d{3})<')
_FORM: Final = {"Content-Type": "application/x-www-form-urlencoded"}

NUDGE: Final = 12.0
"""Seconds of silence after which a resident looks what became of a payment or a sign-in."""
PERSISTS: Final = 2
"""So many times these seconds, and a resident says everything else once more. The service has 8 s to notice a dead process,
and some more to go on for it."""


class Plan(StrEnum):
    """What the resident came for."""

    LOOK = "look"
    PAY = "pay"
    DECLINED = "declined"  # the first card is refused, the second is taken
    CANCEL = "cancel"
    RENEW = "renew"


@dataclass
class Walk:
    """One walk.

    Attributes:
        patience: seconds after which it is given up.
        think: seconds spent over a question, at most.
        stray: begins with a greeting that may arrive late.
        end: how it ended; ``lost`` when the service fell silent, ``late`` when time ran out while it spoke.
    """

    net: Net
    door: Door
    plan: Plan
    civil_id: str
    patience: float
    think: float
    stray: bool = False
    end: str = ""
    place: str = ""
    pressed: dict[str, int] = field(default_factory=dict[str, int])
    paid_on_page: bool = False
    declined: bool = False
    asked_again: int = 0
    code: str = ""
    question: Message | None = None
    last: Message | None = None
    silent: float = 0.0

    async def go(self) -> None:
        """Walk to the end."""
        self.net.journal.note("begin", self.door.chat, plan=self.plan.value)
        try:
            async with asyncio.timeout(self.patience):
                await self.door.open()
                await self._begin()
                await self._on()
        except TimeoutError:
            self.end = "lost" if self.silent > PERSISTS * NUDGE else "late"
        self.net.journal.note("end", self.door.chat, end=self.end, place=self.place, plan=self.plan.value)

    async def _begin(self) -> None:
        if self.stray:  # a greeting that may arrive after what was written next
            await self.door.type("/start", hurried=True)
        await self.door.type("/renewal" if self.plan is Plan.RENEW else self.civil_id)

    async def _on(self) -> None:
        while not self.end:
            question = await self._read()
            if question is None or self.end:
                continue
            await asyncio.sleep(self.net.chance.uniform(0.0, self.think))
            if self.door.inbox.empty:
                await self._answer(question)
            else:
                self.question = question  # unless what came is a newer one

    async def _read(self) -> Message | None:
        """The question that is to be answered, after what came or the silence of `NUDGE` seconds."""
        if self.question is None or not self.door.inbox.empty:
            await self._listen()
        question, self.question = self.question, None
        return question

    async def _listen(self) -> None:
        message = await self.door.inbox.next(NUDGE)
        if message is None:
            self.silent += NUDGE
            self.net.journal.note("silence", self.door.chat, place=self.place, seconds=self.silent)
            await self._nudge()
            return
        self.silent = 0.0
        for each in (message, *self.door.inbox.rest()):
            self._hear(each)
            if each.place:
                self.question = each

    def _hear(self, message: Message) -> None:
        if LOST_TEXT in message.text:
            self.net.journal.note("session lost", self.door.chat, place=self.place)
        if PAID_TEXT in message.text:
            self.end = "paid"

    async def _nudge(self) -> None:
        """Nothing came for a while: look for what was paid, enter the code; else say or press it once more."""
        waits = self.place.startswith("checkout/") or (self.place == "identify/link" and self.code)
        if not waits and self.silent < PERSISTS * NUDGE:
            return
        if not waits:
            self.net.journal.note("asked again", self.door.chat, place=self.place)
        if self.last is None:
            await self.door.type("/renewal" if self.plan is Plan.RENEW else self.civil_id)
        else:
            await self._press(self.last, self.last.choices[0])

    async def _answer(self, message: Message) -> None:
        self.place, self.last = message.place, message
        dialog, _, state = message.place.partition("/")
        await getattr(self, f"_in_{dialog}", self._elsewhere)(message, state)

    async def _press(self, message: Message, button: Button, *, most: int = 25) -> None:
        """Press; somebody who pressed the same so often gives up, honestly refused."""
        name = "/".join(button.token.split("/")[:3])
        self.pressed[name] = self.pressed.get(name, 0) + 1
        if self.pressed[name] > most:
            self.end = f"refused: {message.place}"
            return
        await self.door.press(message, button)
        if self.net.chance.random() < 0.15:
            await self.door.tap_again(message, button)

    # --- what is answered to which dialog -----------------------------------------------------------

    async def _in_violations(self, message: Message, state: str) -> None:
        if state in {"clean", "unpayable"}:
            self.end = "nothing to pay"
        elif state == "owed" and self.plan in {Plan.LOOK, Plan.RENEW}:
            self.end = "looked up"
        elif state == "owed" and self.pressed.get("checkout/paying/cancelled"):
            self.end = "cancelled"
        elif state in {"down", "still_down"}:
            await asyncio.sleep(self.net.chance.uniform(0.5, 3.0))
            await self._press(message, message.choices[0])
        elif state == "busy":
            self.end = "refused: violations/busy"
        else:
            await self._press(message, message.choices[0])

    async def _in_checkout(self, message: Message, state: str) -> None:
        if state in {"paid", "review", "elsewhere", "already"}:
            self.end = "paid" if state == "paid" else f"refused: {message.place}"
        elif state in {"paying", "not_yet"} and self.plan is Plan.CANCEL:
            self.pressed["checkout/paying/cancelled"] = 1
            await self._press(message, message.choices[-1])
        elif state in {"paying", "not_yet"}:
            await self._pay(message)
        elif state in {"silent", "pending", "gateway_down"}:
            await asyncio.sleep(self.net.chance.uniform(1.0, 4.0))
            await self._press(message, message.choices[0], most=40 if self.paid_on_page else 12)
        else:
            await self._press(message, message.choices[0])

    async def _in_renewal(self, message: Message, state: str) -> None:
        first = message.choices[0]
        if state == "empty" or (state == "file" and not first.label.startswith("Renew")):
            self.end = "nothing to renew"
        elif state in {"person", "why", "some", "blocked"}:
            self.end = f"refused: {message.place}"
        elif state == "paid":
            self.end = "paid"
        else:
            if state in {"down", "still_down", "quote_down"}:
                await asyncio.sleep(self.net.chance.uniform(0.5, 3.0))
            await self._press(message, first)

    async def _in_identify(self, message: Message, state: str) -> None:
        if state == "link":
            self.code = await self._sign_in(message.link)
            if not self.code:
                await asyncio.sleep(1.0)
                await self._press(message, message.choices[-1])
        elif state in {"code", "wrong"} and self.code:
            code, self.code = self.code, ""
            await self.door.type(code)
        else:
            await asyncio.sleep(self.net.chance.uniform(0.5, 2.0))
            await self._press(message, message.choices[-1])

    async def _in_home(self, message: Message, _state: str) -> None:
        if not self.stray and self.pressed:
            self.net.journal.note("session lost", self.door.chat, place=message.place)
        self.asked_again += 1
        if self.asked_again > 6:
            self.end = "refused: home"
            return
        await self.door.type("/renewal" if self.plan is Plan.RENEW else self.civil_id)

    async def _elsewhere(self, message: Message, _state: str) -> None:
        self.end = f"refused: {message.place}"

    # --- on pages -----------------------------------------------------------------------------------

    async def _pay(self, message: Message) -> None:
        """Follow the link, press what the plan says; an impatient finger presses our button twice."""
        if self.paid_on_page or not message.link:
            await asyncio.sleep(self.net.chance.uniform(1.0, 3.0))
            if not self.door.inbox.empty:
                return
            await self._press(message, message.choices[0], most=40)
            return
        decline = self.plan is Plan.DECLINED and not self.declined
        page = ""
        for attempt in range(6):
            tabs = self.net.chance.choice((1, 1, 2))
            pages = await asyncio.gather(*(self._onward(message.link, look=not attempt) for _ in range(tabs)))
            page = next((each for each in pages if each), "")
            if page:
                break
            await asyncio.sleep(self.net.chance.uniform(1.0, 4.0) * (1 + attempt))
            if not self.door.inbox.empty:
                return
        if not page:
            await self._press(message, message.choices[0], most=40)
            return
        if await self._at_gateway(page, "funds" if decline else "approved"):
            self.declined = self.declined or decline
            self.paid_on_page = not decline

    async def _onward(self, link: str, *, look: bool) -> str:
        """Our page, unless it is open already, then its button; the gateway's page, empty while it is not to be had."""
        url = self._here(link)
        try:
            if look:
                async with self.net.http.get(url, headers=self._browser()) as shown:
                    await shown.read()
            async with self.net.http.post(
                url, data=b"go=1", headers={**self._browser(), **_FORM}, allow_redirects=False
            ) as onward:
                page = onward.headers.get("Location", "")
                return page if "/gateway/pay/" in page else ""
        except _FAILURES:
            return ""

    async def _at_gateway(self, page: str, button: str) -> bool:
        """Press a button there and go the way back, of which the browser may see nothing."""
        self.net.journal.note("at gateway", self.door.chat, page=page.rpartition("/")[2], button=button)
        try:
            async with self.net.http.post(
                page, data=f"button={button}".encode(), headers=_FORM, allow_redirects=False
            ) as pressed:
                back = pressed.headers.get("Location", "")
        except _FAILURES:
            return True  # not known: ask in the chat
        if back and self.net.chance.random() < 0.7:  # the others close the window
            try:
                async with self.net.http.get(self._here(back), headers=self._browser()) as shown:
                    await shown.read()
            except _FAILURES:
                pass
        return bool(back)

    async def _sign_in(self, link: str) -> str:
        """What a browser does up to the six digits; empty while it cannot be done."""
        try:
            async with self.net.http.post(
                self._here(link), data=b"go=1", headers={**self._browser(), **_FORM}, allow_redirects=False
            ) as onward:
                page = onward.headers.get("Location", "")
                cookie = onward.headers.get("Set-Cookie", "").partition(";")[0]
            if not page:
                return ""
            form = f"civil_id={self.civil_id}&knob=".encode()
            async with self.net.http.post(page, data=form, headers=_FORM, allow_redirects=False) as answer:
                back = answer.headers.get("Location", "")
            headers = {**self._browser(), "Cookie": cookie}
            async with self.net.http.get(self._here(back), headers=headers, allow_redirects=False) as answer:
                shown = answer.headers.get("Location", "")
            if not shown:
                return ""
            async with self.net.http.get(self._here(shown), headers=headers) as answer:
                found = _CODE.search(await answer.text())
        except _FAILURES:
            return ""
        return found[1] + found[2] if found else ""

    def _here(self, link: str) -> str:
        """``link`` at a process of the service, behind the address residents know."""
        parts = urlsplit(link)
        return self.net.url(parts.path + (f"?{parts.query}" if parts.query else ""))

    def _browser(self) -> dict[str, str]:
        return {"X-Forwarded-For": self.door.address, "X-Forwarded-Proto": "https"}
