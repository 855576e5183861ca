"""The two channels from the resident's side: Telegram's webhook and the web chat, each over HTTP alone."""

import asyncio
import contextlib
import json
import random
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import aiohttp

from tests.chaos.botapi import BotApi
from tests.chaos.journal import Journal
from tests.chaos.mail import Button, Inbox, Message
from tests.chaos.service import Fleet
from tests.chaos.surroundings import SECRET

_FAILURES: Final = (aiohttp.ClientError, OSError, TimeoutError, ValueError)


@dataclass
class Net:
    """What all doors share.

    Attributes:
        twice: share of updates that are brought a second time, at once or later than younger ones.
        behind: what is still brought in the background.
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

    def url(self, path: str) -> str:
        return self.fleet.any(self.chance).at(path)

    def later(self, work: Any) -> None:
        task = self.behind.create_task(work)
        self.pending.add(task)
        task.add_done_callback(self.pending.discard)


class Door(Protocol):
    """A resident's way in. Whatever is sent is brought until it is taken."""

    chat: str
    address: str
    inbox: Inbox

    async def open(self) -> None: ...
    async def type(self, text: str, *, hurried: bool = False) -> None:
        """Write; ``hurried`` returns before it is taken, so that what follows may overtake it."""
        ...

    async def press(self, message: Message, button: Button) -> None: ...
    async def tap_again(self, message: Message, button: Button) -> None:
        """The same press by an impatient finger, an update of its own; nobody answers it."""
        ...

    async def close(self) -> None:
        """Look no more."""
        ...


class TelegramDoor:
    """Updates as Telegram brings them: until 200, some twice, some later than younger ones."""

    def __init__(self, net: Net, number: int, address: str) -> None:
        self.chat = str(700_000_000 + number)
        self.address = address
        self.inbox = Inbox()
        self._net = net
        net.api.inboxes[int(self.chat)] = self.inbox

    async def open(self) -> None:
        """Nothing to open."""

    async def type(self, text: str, *, hurried: bool = False) -> None:
        work = self._bring({"message": {**self._message(self._net.updates % 100_000), "text": text}})
        if hurried:
            self._net.later(work)
        else:
            await work

    async def press(self, message: Message, button: Button) -> None:
        await self._bring(self._pressed(message, button), asked=message.asked, button=button.token)

    async def tap_again(self, message: Message, button: Button) -> None:
        pressed = self._pressed(message, button)
        await self._bring(pressed, asked=message.asked, button=button.token, answered=False)

    async def close(self) -> None:
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
        net = self._net
        net.updates += 1
        number = net.updates
        body = json.dumps({"update_id": number, **update}).encode()
        told = {"id": str(number), "asked": asked, "button": button, "answered": answered}
        note = net.journal.note("update", self.chat, **told)
        second = net.chance.random()
        if second < net.twice / 2:
            net.later(self._until_taken(body, number, again=True))  # at the same time, perhaps elsewhere
        note.data["tries"] = await self._until_taken(body, number)
        note.data["taken"] = net.journal.now()
        if net.twice / 2 <= second < net.twice:
            net.later(self._late(body, number))

    async def _late(self, body: bytes, number: int) -> None:
        await asyncio.sleep(self._net.chance.uniform(0.2, 6.0))
        await self._until_taken(body, number, again=True)

    async def _until_taken(self, body: bytes, number: int, *, again: bool = False) -> int:
        net, tries = self._net, 0
        headers = {"X-Telegram-Bot-Api-Secret-Token": SECRET, "Content-Type": "application/json"}
        if again:
            net.journal.note("brought twice", self.chat, id=str(number))
        while True:
            tries += 1
            status: int | str = 0
            try:
                process = net.fleet.any(net.chance)
                async with net.http.post(
                    process.at("/telegram/webhook"), data=body, headers=headers
                ) as answer:
                    status = answer.status
                    process.served += status == 200
                    await answer.read()
            except _FAILURES as error:
                status = type(error).__name__
            if status == 200:
                return tries
            net.journal.note("not taken", self.chat, id=str(number), status=status)
            await asyncio.sleep(min(0.3 * tries, 3.0) * net.chance.uniform(0.5, 1.5))


class WebDoor:
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
        while True:
            with contextlib.suppress(*_FAILURES):
                async with self._net.http.get(self._net.url("/?lang=en"), headers=self._headers) as answer:
                    if answer.status == 200:
                        cookie = answer.headers["Set-Cookie"].partition(";")[0]
                        self._headers["Cookie"] = cookie
                        break
            await asyncio.sleep(0.5)
        self._stream = self._net.behind.create_task(self._read())

    async def type(self, text: str, *, hurried: bool = False) -> None:
        work = self._post({"text": text})
        if hurried:
            self._net.later(work)
        else:
            await work

    async def press(self, message: Message, button: Button, *, answered: bool = True) -> None:
        body = {"press": button.token, "source": message.ref}
        await self._post(body, asked=message.asked, button=button.token, answered=answered)

    async def tap_again(self, message: Message, button: Button) -> None:
        await self.press(message, button, answered=False)

    async def close(self) -> None:
        if self._stream is not None:
            self._stream.cancel()

    async def log(self) -> list[dict[str, Any]]:
        """The whole log as a page sees it that is opened anew; what came after its resident left is noted."""
        for _ in range(20):
            entries: list[dict[str, Any]] = []
            with contextlib.suppress(*_FAILURES):
                async for event, data in self._events(""):
                    if event == "synced":
                        self._late_entries(entries)
                        return entries
                    if event == "entry":
                        entries.append(json.loads(data))
            await asyncio.sleep(0.5)
        raise AssertionError(f"the log of {self.chat} cannot be read")

    def _late_entries(self, entries: list[dict[str, Any]]) -> None:
        for entry in entries:
            if _place(entry["id"]) > _place(self._after):
                self._entry(entry)

    async def _post(
        self, body: dict[str, str], *, asked: int = 0, button: str = "", answered: bool = True
    ) -> None:
        net = self._net
        self._sent += 1
        name = f"{self.chat}-{self._sent}".ljust(8, "0")
        told = {"id": name, "asked": asked, "button": button, "answered": answered}
        note = net.journal.note("update", self.chat, **told)
        second = net.chance.random()
        if second < net.twice / 2:
            net.later(self._until_taken(body, name, again=True))
        note.data["tries"] = await self._until_taken(body, name)
        note.data["taken"] = net.journal.now()
        if net.twice / 2 <= second < net.twice:
            net.later(self._late(body, name))

    async def _late(self, body: dict[str, str], name: str) -> None:
        await asyncio.sleep(self._net.chance.uniform(0.2, 6.0))
        await self._until_taken(body, name, again=True)

    async def _until_taken(self, body: dict[str, str], name: str, *, again: bool = False) -> int:
        net, tries = self._net, 0
        headers = {**self._headers, "X-Requested-With": "iqamati"}
        if again:
            net.journal.note("brought twice", self.chat, id=name)
        while True:
            tries += 1
            status: int | str = 0
            try:
                process = net.fleet.any(net.chance)
                async with net.http.post(
                    process.at("/chat/send?lang=en"), json={"client": name, **body}, headers=headers
                ) as answer:
                    status = answer.status
                    process.served += status == 202
                    await answer.read()
            except _FAILURES as error:
                status = type(error).__name__
            if status == 202:
                return tries
            net.journal.note("not taken", self.chat, id=name, status=status)
            await asyncio.sleep(min(0.3 * tries, 3.0) * net.chance.uniform(0.5, 1.5))

    async def _read(self) -> None:
        while True:
            with contextlib.suppress(*_FAILURES):
                async for event, data in self._events(self._after):
                    if event == "entry":
                        self._entry(json.loads(data))
            await asyncio.sleep(0.3)

    def _entry(self, entry: dict[str, Any]) -> None:
        self._after = entry["id"]
        if (message := said(entry)) is not None:
            self._net.journal.note("say", self.chat, who="", message=message)
            self.inbox.put(message)
        elif entry.get("type") == "settle":
            message = Message(entry["target"], _text(entry), key=entry["key"])
            self._net.journal.note("settled", self.chat, message=message)

    async def _events(self, after: str) -> Any:
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


def _place(entry_id: str) -> tuple[int, int]:
    at, _, number = (entry_id or "0-0").partition("-")
    return int(at), int(number)


def said(entry: dict[str, Any]) -> Message | None:
    """What the service said in an entry of the log; None for the resident's own and for changes of the page."""
    if entry.get("type") != "message" or entry.get("from") != "bot":
        return None
    buttons = tuple(Button(*[*each, "", ""][:3]) for row in entry.get("rows", []) for each in row)
    return Message(entry["id"], _text(entry), buttons, entry["key"])


def _text(entry: dict[str, Any]) -> str:
    return "".join(span[0] for span in entry.get("spans", []))
