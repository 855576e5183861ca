"""The two channels from the resident's side. Each request goes to one of the living processes, of whichever release."""

import asyncio
import contextlib
import json
import random
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import aiohttp

from tests.chaos.botapi import BotApi
from tests.chaos.doors import said
from tests.chaos.journal import Journal
from tests.chaos.mail import Button, Inbox, Message
from tests.chaos.surroundings import SECRET
from tests.deploy.fleet import Fleet

GIVEN_BACK: Final = 503
_FAILURES: Final = (aiohttp.ClientError, OSError, TimeoutError, ValueError)


@dataclass
class Net:
    """What all doors share.

    Attributes:
        behind: owns what goes on in the background; ``pending`` of it is still being brought.
        twice: share of updates that are brought a second time, at the same moment.
        given_back: chats whose last update was refused with 503 and not taken since.
        led: chats whose updates go to one release, as long as it is there; all others go anywhere.
    """

    fleet: Fleet
    api: BotApi
    http: aiohttp.ClientSession
    journal: Journal
    chance: random.Random
    behind: asyncio.TaskGroup
    twice: float
    updates: int = 5000
    pending: set["asyncio.Task[None]"] = field(default_factory=set["asyncio.Task[None]"])
    given_back: set[str] = field(default_factory=set[str])
    led: dict[str, str] = field(default_factory=dict[str, str])

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.fleet.any(self.chance).port}{path}"

    async def bring(self, update: "Update", *, answered: bool) -> None:
        """Bring it until it is taken; some twice."""
        pressed = {"asked": update.asked, "button": update.button}
        note = self.journal.note("update", update.chat, id=update.name, answered=answered, **pressed)
        if self.chance.random() < self.twice:
            self.journal.note("brought twice", update.chat, id=update.name)
            task = self.behind.create_task(self._again(update))
            self.pending.add(task)
            task.add_done_callback(self.pending.discard)
        note.data["tries"] = await self._until_taken(update)
        note.data["taken"] = self.journal.now()

    async def _again(self, update: "Update") -> None:
        await self._until_taken(update)

    async def _until_taken(self, update: "Update") -> int:
        tries = 0
        while True:
            tries += 1
            process = self.fleet.any(self.chance, self.led.get(update.chat, ""))
            status: int | str = 0
            later = ""
            try:
                url = f"http://127.0.0.1:{process.port}{update.path}"
                async with self.http.post(url, data=update.body, headers=update.headers) as answer:
                    status, later = answer.status, answer.headers.get("Retry-After", "")
                    await answer.read()
            except _FAILURES as error:
                status = type(error).__name__
            told = {"id": update.name, "by": process.release, "who": process.name, "status": status}
            if status == update.taken:
                self.given_back.discard(update.chat)
                self.journal.note("taken", update.chat, **told)
                return tries
            if status == GIVEN_BACK:
                self.given_back.add(update.chat)
            self.journal.note("not taken", update.chat, later=later, **told)
            await asyncio.sleep(min(0.1 * tries, 0.5) * self.chance.uniform(0.5, 1.5))


@dataclass(frozen=True)
class Update:
    """One request: ``taken`` is the status that says so, ``name`` by which a repeated one is recognised.

    ``asked`` and ``button`` of a press: the question it is on, and its token.
    """

    chat: str
    name: str
    path: str
    body: bytes
    headers: dict[str, str]
    taken: int
    asked: int = 0
    button: str = ""


class Door(Protocol):
    """A resident's way in."""

    chat: str
    address: str
    inbox: Inbox

    async def open(self) -> None: ...
    async def type(self, text: str, *, hurried: bool = False) -> None: ...
    async def press(self, message: Message, button: Button) -> None: ...
    async def tap_again(self, message: Message, button: Button) -> None:
        """The same press by an impatient finger, an update of its own; nobody answers it."""
        ...

    async def leave(self) -> None:
        """Look no more."""
        ...


class Telegram:
    """Updates as Telegram brings them."""

    def __init__(self, net: Net, number: int, address: str) -> None:
        self.chat = str(700_000_000 + number)
        self.address = address
        self.inbox = Inbox()
        self._net = net
        net.api.inboxes[int(self.chat)] = self.inbox

    async def open(self) -> None:
        """Nothing to open."""

    async def type(self, text: str, *, hurried: bool = False) -> None:
        assert not hurried, "nobody hurries here"
        await self._bring({"message": {**self._message(self._net.updates % 100_000), "text": text}})

    async def press(self, message: Message, button: Button) -> None:
        await self._bring(self._pressed(message, button), asked=message.asked, button=button.token)

    async def tap_again(self, message: Message, button: Button) -> None:
        pressed = self._pressed(message, button)
        await self._bring(pressed, asked=message.asked, button=button.token, answered=False)

    async def leave(self) -> None:
        """Nothing to close."""

    def _message(self, number: int) -> dict[str, Any]:
        person = {"id": int(self.chat), "is_bot": False, "first_name": "Someone", "language_code": "en"}
        place = {"id": int(self.chat), "type": "private", "first_name": "Someone"}
        return {"message_id": number, "date": 1_760_000_000, "chat": place, "from": person}

    def _pressed(self, message: Message, button: Button) -> dict[str, Any]:
        shown = self._message(int(message.ref))
        asked = {"id": f"{self.chat}-{self._net.updates}", "from": shown["from"], "chat_instance": "1"}
        return {"callback_query": {**asked, "message": {**shown, "text": "?"}, "data": button.token}}

    async def _bring(
        self, update: dict[str, Any], *, asked: int = 0, button: str = "", answered: bool = True
    ) -> None:
        self._net.updates += 1
        number = self._net.updates
        body = json.dumps({"update_id": number, **update}).encode()
        headers = {"X-Telegram-Bot-Api-Secret-Token": SECRET, "Content-Type": "application/json"}
        path = "/telegram/webhook"
        sent = Update(self.chat, str(number), path, body, headers, 200, asked, button)
        await self._net.bring(sent, answered=answered)


class Web:
    """A page of the web chat: the stream of its log, and posts that are sent again under the same name."""

    def __init__(self, net: Net, number: int, address: str) -> None:
        self.chat = f"web-{number}"
        self.address = address
        self.inbox = Inbox()
        self._net = net
        self._headers = {"X-Forwarded-For": address, "X-Forwarded-Proto": "https"}
        self._sent = 0
        self._after = ""
        self._stream: asyncio.Task[None] | None = None

    async def open(self) -> None:
        while "Cookie" not in self._headers:
            with contextlib.suppress(*_FAILURES):
                async with self._net.http.get(self._net.url("/?lang=en"), headers=self._headers) as answer:
                    cookie = answer.headers["Set-Cookie"].partition(";")[0]
                    self._headers["Cookie"] = cookie
        self._stream = self._net.behind.create_task(self._read())

    async def type(self, text: str, *, hurried: bool = False) -> None:
        assert not hurried, "nobody hurries here"
        await self._post({"text": text})

    async def press(self, message: Message, button: Button) -> None:
        await self._post({"press": button.token, "source": message.ref})

    async def tap_again(self, message: Message, button: Button) -> None:
        await self._post({"press": button.token, "source": message.ref}, answered=False)

    async def leave(self) -> None:
        if self._stream is not None:
            self._stream.cancel()

    async def log(self) -> list[dict[str, Any]]:
        """The whole log as a page sees it that is opened anew."""
        async with contextlib.aclosing(self._events("")) as events:
            entries: list[dict[str, Any]] = []
            async for event, data in events:
                if event == "synced":
                    break
                if event == "entry":
                    entries.append(json.loads(data))
            return entries

    async def _post(self, body: dict[str, str], *, answered: bool = True) -> None:
        self._sent += 1
        name = f"{self.chat}-{self._sent}".ljust(8, "0")
        headers = {**self._headers, "X-Requested-With": "iqamati", "Content-Type": "application/json"}
        sent = json.dumps({"client": name, **body}).encode()
        await self._net.bring(
            Update(self.chat, name, "/chat/send?lang=en", sent, headers, 202), answered=answered
        )

    async def _read(self) -> None:
        while True:
            with contextlib.suppress(*_FAILURES):
                async with contextlib.aclosing(self._events(self._after)) as events:
                    async for event, data in events:
                        if event == "entry":
                            self._entry(json.loads(data))
            await asyncio.sleep(0.1)  # the page comes back by itself, to another process

    def _entry(self, entry: dict[str, Any]) -> None:
        self._after = entry["id"]
        if (message := said(entry)) is not None:
            self._net.journal.note("say", self.chat, who="", message=message)
            self.inbox.put(message)

    async def _events(self, after: str) -> AsyncGenerator[tuple[str, str], None]:
        """(event, data) of the stream, from the entry ``after`` on."""
        headers = {**self._headers, **({"Last-Event-ID": after} if after else {})}
        timeout = aiohttp.ClientTimeout(total=None, sock_read=25)  # the service shows each 15 s that it lives
        url = self._net.url("/chat/events?lang=en")
        async with self._net.http.get(url, headers=headers, timeout=timeout) as answer:
            event = ""
            async for line in answer.content:
                told = line.decode().rstrip("\n")
                if told.startswith("event: "):
                    event = told.removeprefix("event: ")
                elif told.startswith("data: "):
                    yield event, told.removeprefix("data: ")
