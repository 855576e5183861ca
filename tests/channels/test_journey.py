"""The main job, unchanged on every channel: a civil ID, the list, pay, the gateway's page, the receipt.

The whole service runs as ``iqamati run`` composes it; Telegram is a counterpart of its Bot API on loopback.
"""

import asyncio
import io
import json
import os
import re
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Protocol

import httpx
import pytest
from httpx_sse import aconnect_sse

from bot.__main__ import running
from bot.config import Settings
from bot.handlers.terminal import Terminal
from bot.i18n.render import bare
from bot.process import Service
from bot.tasks import Tasks
from tests.telegram import bot_api

PATIENCE = 30  # real seconds after which a test that waits for nothing is stopped
FORM = {"content-type": "application/x-www-form-urlencoded"}


class Talk(Protocol):
    """A resident's end of a channel."""

    async def says(self, text: str) -> None: ...

    async def presses(self, label: str) -> None: ...

    async def reads(self, pattern: str) -> str:
        """Wait for a message that matches; its text."""
        ...

    async def link(self) -> str:
        """The payment link of the latest message that has one."""
        ...


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


@asynccontextmanager
async def telegram(service: Service, api: bot_api.BotApi, language: str) -> AsyncIterator[Talk]:
    assert service.telegram is not None
    number = 4242 if language == "ar" else 4343

    class OnTelegram:
        def _sent(self) -> list[dict[str, Any]]:
            calls = [f for m, f in api.calls if m in {"sendMessage", "editMessageText"}]
            return [f for f in calls if str(f["chat_id"]) == str(number)]

        def _texts(self) -> list[str]:
            return [bare(re.sub(r"<[^>]+>", "", f["text"])) for f in self._sent()]

        def _buttons(self) -> list[dict[str, Any]]:
            for fields in reversed(self._sent()):
                markup = fields.get("reply_markup")
                markup = json.loads(markup) if isinstance(markup, str) else markup
                if markup:
                    return [button for row in markup["inline_keyboard"] for button in row]
            return []

        async def says(self, text: str) -> None:
            user = bot_api.person(number, language)
            chat = {"id": number, "type": "private", "first_name": "R"}
            await api.push(message={"message_id": 1000, "date": 1, "chat": chat, "from": user, "text": text})

        async def presses(self, label: str) -> None:
            found = next(b for b in self._buttons() if label in bare(b["text"]))
            latest = max(message for chat, message in api.messages if chat == number)
            await api.push(callback_query=bot_api.press(number, found["callback_data"], latest))

        async def reads(self, pattern: str) -> str:
            await api.until(lambda: any(re.search(pattern, text) for text in self._texts()))
            return next(text for text in self._texts() if re.search(pattern, text))

        async def link(self) -> str:
            # Telegram takes no loopback address in a button: there it stands in the text.
            places = [str(b.get("url", "")) for b in self._buttons()] + self._texts()
            return next(
                m[0] for place in reversed(places) if (m := re.search(r"https?://\S+/p/[\w-]+", place))
            )

    tasks = Tasks()
    tasks.spawn(service.telegram.run(service.runtime.handle), "telegram")
    try:
        yield OnTelegram()
    finally:
        await tasks.close()


@asynccontextmanager
async def web(service: Service, _api: bot_api.BotApi, language: str) -> AsyncIterator[Talk]:
    base = service.settings.base_url
    entries: list[dict[str, Any]] = []
    came = asyncio.Condition()

    async with httpx.AsyncClient(base_url=base, timeout=PATIENCE) as browser:
        await browser.get("/")

        async def listen() -> None:
            async with aconnect_sse(
                browser, "GET", "/chat/events", params={"lang": language if language == "en" else ""}
            ) as events:
                async for event in events.aiter_sse():
                    if event.event == "entry":
                        async with came:
                            entries.append(json.loads(event.data))
                            came.notify_all()

        class OnWeb:
            sent = 0

            async def _post(self, **body: str) -> None:
                OnWeb.sent += 1
                answer = await browser.post(
                    "/chat/send",
                    params={"lang": language if language == "en" else ""},
                    json={"client": f"client-{OnWeb.sent:04d}", **body},
                    headers={"X-Requested-With": "iqamati"},
                )
                assert answer.status_code == 202, answer.text

            def _said(self) -> list[dict[str, Any]]:
                return [e for e in entries if e["type"] == "message" and e["from"] == "bot"]

            @staticmethod
            def _text(entry: dict[str, Any]) -> str:
                return bare("".join(span[0] for span in entry["spans"]))

            async def says(self, text: str) -> None:
                await self._post(text=text)

            async def presses(self, label: str) -> None:
                for entry in reversed(self._said()):
                    for row in entry["rows"]:
                        for button in row:
                            text, token = (
                                (*button, "", "")[:2]
                                if isinstance(button, list)
                                else (button["label"], button.get("token", ""))
                            )
                            if label in bare(text):
                                await self._post(press=token, source=entry["id"])
                                return
                raise AssertionError(f"no button {label!r}")

            async def reads(self, pattern: str) -> str:
                async with asyncio.timeout(PATIENCE), came:
                    await came.wait_for(lambda: any(re.search(pattern, self._text(e)) for e in self._said()))
                return next(t for e in self._said() if re.search(pattern, t := self._text(e)))

            async def link(self) -> str:
                found = re.findall(r"https?://[^\"\s]+/p/[\w-]+", json.dumps(entries))
                return str(found[-1])

        tasks = Tasks()
        tasks.spawn(listen(), "page")
        try:
            yield OnWeb()
        finally:
            await tasks.close()


@asynccontextmanager
async def terminal(service: Service, _api: bot_api.BotApi, language: str) -> AsyncIterator[Talk]:
    out = io.StringIO()
    end = Terminal(
        log=service.log,
        handle=service.runtime.handle,
        intake=service.intake,
        settled=service.runtime.deliveries.settled,
        user=f"tester-{language}",
        language=language,
        timeout=PATIENCE,
        out=out,
    )

    class OnTerminal:
        async def says(self, text: str) -> None:
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
            if not re.search(pattern, out.getvalue()):
                await self.says("!wait")
            assert re.search(pattern, out.getvalue()), out.getvalue()
            return out.getvalue()

        async def link(self) -> str:
            return str(re.findall(r"https?://\S+/p/[\w-]+", out.getvalue())[-1])

    yield OnTerminal()


@asynccontextmanager
async def service(folder: Path) -> AsyncIterator[tuple[Service, bot_api.BotApi]]:
    async with AsyncExitStack() as stack:
        api = await stack.enter_async_context(bot_api.serve())
        settings = Settings(
            _env_file=None,
            data_dir=folder,
            port=free_port(),
            sandbox_port=free_port(),
            telegram_token=bot_api.TOKEN,
            telegram_api_base=api.base,
        )
        yield await stack.enter_async_context(running(settings)), api


WORDS = {
    "ar": (r"عليه 3 مخالفات.*45\.000", "دفع الكل", r"وصل المبلغ: 45\.000"),
    "en": (r"3 violations.*45\.000", "Pay all", r"Paid: 45\.000"),
}


@pytest.mark.parametrize("language", ["ar", "en"])
@pytest.mark.parametrize("channel", [web, terminal, telegram])
async def test_from_a_civil_id_to_the_receipt(channel: Any, language: str, tmp_path: Path) -> None:
    owed, pay_all, paid = WORDS[language]
    async with service(tmp_path) as (running_service, api), channel(running_service, api, language) as talk:
        # One message …
        await talk.says("٢٨٥٠١١٥٠٠٠٢٩" if language == "ar" else "do I have fines 285011500029")
        await talk.reads(owed)
        # … and two taps: pay all, and the link.
        await talk.presses(pay_all)
        await talk.reads(r"IQ-[0-9A-Z]{4}-[0-9A-Z]{4}")
        link = await talk.link()
        async with httpx.AsyncClient(timeout=PATIENCE) as browser:
            assert (await browser.get(link)).status_code == 200
            onward = await browser.post(link, headers=FORM)
            assert onward.status_code == 303
            await browser.post(onward.headers["location"], data={"button": "approved"})
        receipt = await talk.reads(paid)
        assert re.search(r"IQ-[0-9A-Z]{4}-[0-9A-Z]{4}", receipt)
