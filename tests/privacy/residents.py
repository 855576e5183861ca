"""Residents for the scan: the same acts on the web chat, in a terminal and on Telegram."""

import asyncio
import io
import json
import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Protocol

import httpx
from httpx_sse import aconnect_sse

from bot.handlers.terminal import Terminal
from bot.i18n.render import bare
from bot.process import Service
from bot.tasks import Tasks
from tests.telegram import bot_api

PATIENCE = 30
"""Real seconds after which a conversation that waits for nothing is stopped."""
TELEGRAM_USER = 8_120_009_996
TERMINAL_USER = "omar.96550001234"
_URL = r"https?://[^\s\"<>\u2066-\u2069]+"


class Talk(Protocol):
    """A resident's end of a channel."""

    async def says(self, text: str) -> None: ...
    async def presses(self, label: str) -> None: ...
    async def reads(self, pattern: str) -> str:
        """Wait for something said since the last act that matches; all of it."""
        ...

    def url(self, part: str) -> str:
        """The latest address with ``part`` in it."""
        ...


def latest(text: str, part: str) -> str:
    found = [url for url in re.findall(_URL, text) if part in url]
    assert found, f"no address with {part}"
    return str(found[-1])


@asynccontextmanager
async def web(service: Service) -> AsyncIterator[Talk]:
    entries: list[dict[str, Any]] = []
    came = asyncio.Condition()
    async with httpx.AsyncClient(base_url=service.settings.base_url, timeout=PATIENCE) as browser:
        await browser.get("/")

        async def listen() -> None:
            async with aconnect_sse(browser, "GET", "/chat/events", params={"lang": "en"}) as events:
                async for event in events.aiter_sse():
                    if event.event == "entry":
                        async with came:
                            entries.append(json.loads(event.data))
                            came.notify_all()

        class OnWeb:
            sent = 0
            since = 0

            async def _post(self, **body: str) -> None:
                self.sent += 1
                self.since = len(entries)
                answer = await browser.post(
                    "/chat/send",
                    params={"lang": "en"},
                    json={"client": f"client-{self.sent:04d}", **body},
                    headers={"X-Requested-With": "iqamati"},
                )
                assert answer.status_code == 202, answer.text

            def _said(self, since: int = 0) -> list[dict[str, Any]]:
                return [e for e in entries[since:] if e["type"] == "message" and e["from"] == "bot"]

            async def says(self, text: str) -> None:
                await self._post(text=text)

            async def presses(self, label: str) -> None:
                for entry in reversed(self._said()):
                    for row in entry["rows"]:
                        for text, token, _url in row:
                            if label in bare(text):
                                await self._post(press=token, source=entry["id"])
                                return
                raise AssertionError(f"no button {label!r}")

            async def reads(self, pattern: str) -> str:
                def text() -> str:
                    said = self._said(self.since)
                    return bare("\n".join("".join(span[0] for span in e["spans"]) for e in said))

                try:
                    async with asyncio.timeout(PATIENCE), came:
                        await came.wait_for(lambda: re.search(pattern, text()))
                except TimeoutError:
                    raise AssertionError(f"{pattern!r} not in {text()!r}") from None
                return text()

            def url(self, part: str) -> str:
                return latest(json.dumps(entries), part)

        tasks = Tasks()
        tasks.spawn(listen(), "page")
        try:
            yield OnWeb()
        finally:
            await tasks.close()


@asynccontextmanager
async def terminal(service: Service) -> AsyncIterator[Talk]:
    out = io.StringIO()
    end = Terminal(
        log=service.log,
        handle=service.runtime.handle,
        intake=service.intake,
        settled=service.runtime.deliveries.settled,
        user=TERMINAL_USER,
        language="en",
        timeout=PATIENCE,
        out=out,
    )

    class OnTerminal:
        since = 0

        async def says(self, text: str) -> None:
            self.since = len(out.getvalue())
            await self._line(text)

        async def _line(self, text: str) -> None:
            reading, writing = os.pipe()
            os.write(writing, f"{text}\n".encode())
            os.close(writing)
            with os.fdopen(reading, encoding="utf-8") as lines:
                await end.script(lines)

        async def presses(self, label: str) -> None:
            buttons = re.findall(r"\[(\d+)\] (.*)", out.getvalue())
            number = next(n for n, text in reversed(buttons) if label in text)
            await self.says(f"#{number}")

        async def reads(self, pattern: str) -> str:
            if not re.search(pattern, out.getvalue()[self.since :]):
                await self._line("!wait")
            said = out.getvalue()[self.since :]
            assert re.search(pattern, said), said
            return said

        def url(self, part: str) -> str:
            return latest(out.getvalue(), part)

    yield OnTerminal()


@asynccontextmanager
async def telegram(service: Service, api: bot_api.BotApi) -> AsyncIterator[Talk]:
    assert service.telegram is not None
    number = TELEGRAM_USER

    class OnTelegram:
        since = 0

        def _sent(self, since: int = 0) -> list[dict[str, Any]]:
            calls = [f for m, f in api.calls if m in {"sendMessage", "editMessageText"}]
            return [f for f in calls if str(f["chat_id"]) == str(number)][since:]

        def _texts(self, since: int = 0) -> str:
            return "\n".join(bare(re.sub(r"<[^>]+>", "", f["text"])) for f in self._sent(since))

        def _buttons(self) -> list[dict[str, Any]]:
            found: list[dict[str, Any]] = []
            for fields in self._sent():
                markup = fields.get("reply_markup")
                markup = json.loads(markup) if isinstance(markup, str) else markup
                found += [button for row in (markup or {}).get("inline_keyboard", []) for button in row]
            return found

        async def says(self, text: str) -> None:
            self.since = len(self._sent())
            user = bot_api.person(number, "en")
            chat = {"id": number, "type": "private", "first_name": "Fatima"}
            await api.push(message={"message_id": 1000, "date": 1, "chat": chat, "from": user, "text": text})

        async def presses(self, label: str) -> None:
            found = next(b for b in reversed(self._buttons()) if label in bare(b["text"]))
            message = max(message for chat, message in api.messages if chat == number)
            self.since = len(self._sent())
            await api.push(callback_query=bot_api.press(number, found["callback_data"], message))

        async def reads(self, pattern: str) -> str:
            await api.until(lambda: re.search(pattern, self._texts(self.since)) is not None)
            return self._texts(self.since)

        def url(self, part: str) -> str:
            # Telegram takes no loopback address in a button: there it stands in the text.
            return latest(self._texts() + json.dumps(self._buttons()), part)

    tasks = Tasks()
    tasks.spawn(service.telegram.run(service.runtime.handle), "telegram")
    try:
        yield OnTelegram()
    finally:
        await tasks.close()
