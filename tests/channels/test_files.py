"""A file through every channel of the whole service: asked for, kept for its chat alone, forgotten with it."""

import io
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from bot.engine import Book
from bot.handlers.terminal import Terminal
from bot.i18n.text import N_, say
from bot.model import Chat
from bot.process import Service
from bot.tasks import Tasks
from tests.channels.test_journey import service
from tests.dialogs.harness import SPEECH
from tests.hardening.world import status
from tests.telegram import bot_api
from tests.unit.test_upload import FILES, HOME, H

PATIENCE = 30  # real seconds after which a test that waits for nothing is stopped
CSV = b"285011500029,Fatima\r\n"
PDF = b"%PDF-1.7\n285011500029"

Act = Callable[[str], Awaitable[None]]


class End:
    """A resident's end of a channel: says something, sends a file, knows its chat."""

    def __init__(self, chat: Chat, says: Act, sends: Callable[[bytes], Awaitable[None]]) -> None:
        self.chat = chat
        self.says = says
        self.sends = sends


@asynccontextmanager
async def web(running: Service, _api: bot_api.BotApi, _folder: Path) -> AsyncIterator[End]:
    headers = {"X-Requested-With": "iqamati"}
    base = running.settings.base_url
    async with httpx.AsyncClient(base_url=base, headers=headers, timeout=PATIENCE) as browser:
        await browser.get("/")
        sent = 0

        async def says(text: str) -> None:
            nonlocal sent
            sent += 1
            answer = await browser.post("/chat/send", json={"client": f"client-{sent:04d}", "text": text})
            assert answer.status_code == 202

        async def sends(content: bytes) -> None:
            nonlocal sent
            sent += 1
            named = {"X-Client": f"f-client-{sent:04d}", "X-File-Name": "workers.csv"}
            kind = {"Content-Type": "application/octet-stream"}
            answer = await browser.post("/chat/upload", content=content, headers=named | kind)
            assert answer.status_code == 202

        yield End(Chat("web", browser.cookies["iq_chat"].rpartition(".")[0]), says, sends)


@asynccontextmanager
async def telegram(running: Service, api: bot_api.BotApi, _folder: Path) -> AsyncIterator[End]:
    assert running.telegram is not None
    tasks = Tasks()
    tasks.spawn(running.telegram.run(running.runtime.handle, running.intake), "telegram")

    async def says(text: str) -> None:
        await api.push(message=bot_api.message(4242, text=text))
        await api.until_confirmed()

    async def sends(content: bytes) -> None:
        name = f"file{len(api.files)}"
        api.files[name] = content
        document = {"file_id": name, "file_unique_id": name, "file_name": "workers.csv"}
        await api.push(message=bot_api.message(4242, document=document | {"file_size": len(content)}))
        await api.until_confirmed()

    try:
        yield End(Chat("telegram", "4242"), says, sends)
    finally:
        await tasks.close()


@asynccontextmanager
async def terminal(running: Service, _api: bot_api.BotApi, folder: Path) -> AsyncIterator[End]:
    out = io.StringIO()
    end = Terminal(
        log=running.log,
        handle=running.runtime.handle,
        intake=running.intake,
        settled=running.runtime.deliveries.settled,
        user="tester",
        language="ar",
        timeout=PATIENCE,
        out=out,
    )

    async def says(text: str, code: int = 0) -> None:
        reading, writing = os.pipe()
        os.write(writing, f"{text}\n".encode())
        os.close(writing)
        with os.fdopen(reading, encoding="utf-8") as lines:
            assert await end.script(lines) == code, out.getvalue()

    async def sends(content: bytes) -> None:
        path = folder / "workers of ours.csv"
        path.write_bytes(content)
        assert "[!file PATH]" in out.getvalue()
        await says(f"!file {path}")

    made = End(Chat("terminal", "tester"), says, sends)
    yield made
    if await running.intake.awaits(made.chat):
        await says(f"!file {folder / 'nowhere.csv'}", code=1)
        assert "! cannot read" in out.getvalue()
        assert "No such file" in out.getvalue()


def asking(running: Service) -> None:
    """Replace the dialogs by one that asks for a file."""
    running.runtime._book = Book((HOME, FILES), "home", H.MENU, SPEECH, say(N_("Menu")), megabytes=5)


async def standing(running: Service, chat: Chat) -> tuple[str, Any]:
    frame = (await running.store.load(chat)).session.frames[-1]
    return frame.state, frame.answers.get("file")


@pytest.mark.parametrize("channel", [web, telegram, terminal])
async def test_a_file_goes_into_the_answers_and_is_forgotten_with_the_chat(
    channel: Any, tmp_path: Path
) -> None:
    async with service(tmp_path) as (running, api):
        asking(running)
        async with channel(running, api, tmp_path) as end:
            files = running.intake._files
            await end.says("/files")
            assert await running.intake.awaits(end.chat) == ("document",)
            await end.sends(PDF)
            assert await standing(running, end.chat) == ("list", "")
            await end.sends(b"1" * 5_000_000)
            state, largest = await standing(running, end.chat)
            assert state == "kept"
            await end.says("/files")
            await end.sends(CSV)
            state, ref = await standing(running, end.chat)
            assert state == "kept"
            assert ref != largest
            assert await files.get(end.chat, ref) == CSV
            assert await files.get(Chat(end.chat.channel, "another"), ref) is None
            memory = running.personal.upkeep._memory
            await memory.forget(end.chat)
            assert await files.get(end.chat, ref) is None
            assert {key.kind for key in await memory.keys(end.chat)} <= {"s", "u"}


async def test_files_come_in_at_one_address(tmp_path: Path) -> None:
    async with service(tmp_path) as (running, _):
        file = {"X-Requested-With": "iqamati", "Content-Type": "application/octet-stream"}
        base = running.settings.base_url
        async with httpx.AsyncClient(base_url=base, headers=file, timeout=PATIENCE) as browser:
            assert (await browser.post("/chat/send", content=CSV)).status_code == 415
            named = {"X-Client": "f-client-0009"}
            assert (await browser.post("/chat/upload", content=CSV, headers=named)).status_code == 401
            # What is still being sent is not read: the answer, or a closed connection.
            assert await status(browser, "/chat/upload", bytes(5_000_001)) in {413, 0}
            cross = named | {"Sec-Fetch-Site": "cross-site"}
            assert (await browser.post("/chat/upload", content=CSV, headers=cross)).status_code == 403
