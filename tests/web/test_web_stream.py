"""A page's stream: ends when the page goes, and lets nobody wait who is not needed any more."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.handlers.web.stream import EventStream, OpenPage
from bot.store.webears import Ear
from bot.tasks import Tasks

GONE = {"type": "http.disconnect"}
BODY = {"type": "http.request", "body": b"", "more_body": False}


class Line:
    """What a server gives an application: what comes, and what was sent."""

    def __init__(self, *coming: dict[str, Any] | Exception) -> None:
        self.coming: asyncio.Queue[dict[str, Any] | Exception] = asyncio.Queue()
        self.sent: list[bytes] = []
        for each in coming:
            self.coming.put_nowait(each)

    async def receive(self) -> dict[str, Any]:
        found = await self.coming.get()
        if isinstance(found, Exception):
            raise found
        return found

    async def send(self, message: Any) -> None:
        if message["type"] == "http.response.body":
            self.sent.append(message["body"])


async def news(page: OpenPage, ear: Ear) -> AsyncIterator[bytes]:
    yield b"hello"
    page.hears(ear)
    while (heard := await ear.next(60)) != "closed":
        yield heard.encode()


async def serve(line: Line, tasks: Tasks, ear: Ear) -> None:
    async with asyncio.timeout(30):
        await EventStream(lambda page: news(page, ear), tasks)({}, line.receive, line.send)
        await tasks.drain()


async def test_a_stream_ends_once_its_page_is_gone() -> None:
    line, ear = Line(BODY), Ear()
    tasks = Tasks()
    serving = Tasks()
    served = serving.spawn(serve(line, tasks, ear), "served")
    ear.ring(b"e")
    while len(line.sent) < 2:  # noqa: ASYNC110 - no event tells what was sent
        await asyncio.sleep(0)
    line.coming.put_nowait(GONE)
    await served

    assert line.sent == [b"hello", b"entry", b""]


@pytest.mark.parametrize("why", [GONE, RuntimeError("refused before us")])
async def test_a_page_gone_before_its_stream_listens_is_not_listened_for(
    why: dict[str, Any] | Exception,
) -> None:
    line, ear = Line(BODY, why), Ear()
    await serve(line, Tasks(), ear)

    assert line.sent[-1] == b""


async def test_who_waits_for_the_page_to_go_ends_with_the_stream() -> None:
    line, ear, tasks = Line(BODY), Ear(), Tasks()
    ear.close()
    await serve(line, tasks, ear)

    assert line.sent == [b"hello", b""]


async def test_a_stream_that_breaks_is_not_hidden_and_leaves_nobody_waiting() -> None:
    async def broken(_page: OpenPage) -> AsyncIterator[bytes]:
        yield b"hello"
        raise ValueError("broken")

    line, tasks = Line(BODY), Tasks()
    with pytest.raises(ValueError, match="broken"):
        await EventStream(broken, tasks)({}, line.receive, line.send)
    await tasks.drain()

    assert line.sent == [b"hello"]
