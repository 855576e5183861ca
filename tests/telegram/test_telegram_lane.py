"""The webhook's way past the application: what proves itself goes by it, all else is refused as ever."""

import asyncio
import gc
import socket
from collections.abc import AsyncIterator, Callable
from typing import Any

import msgspec
import pytest
import pytest_asyncio
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.handlers.telegram import Telegram, telegram_secret
from bot.handlers.telegram.lane import HEADER, PATH
from bot.lane import Fork
from bot.model import Event, Typed
from bot.serve import bind, serving
from bot.tasks import Tasks
from bot.whole import LANE_LIMIT
from tests.telegram.bot_api import PATIENCE, message
from tests.telegram.kit import Turns, settings

SECRET = telegram_secret(settings("http://127.0.0.1:1"))


class Wire:
    """A connection on which a test writes what it likes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self.writer = writer

    async def answer(self) -> tuple[int, dict[str, str], bytes]:
        async with asyncio.timeout(PATIENCE):
            head = (await self._reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
            body = await self._reader.readexactly(int(headers.get("content-length", 0)))
        return int(head[0].split()[1]), headers, body

    async def over(self) -> bool:
        async with asyncio.timeout(PATIENCE):
            return await self._reader.read(1) == b""


def update(number: int, text: str = "hello") -> bytes:
    return msgspec.json.encode({"update_id": number, "message": message(5, text=text)})


def post(body: bytes, *extra: str, secret: str = SECRET, version: str = "1.1", path: str = PATH) -> bytes:
    lines = [f"POST {path} HTTP/{version}", "Host: x", f"{HEADER}: {secret}", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, *extra, "", ""]).encode() + body


ORDINARY: list[str] = []
BEGUN = asyncio.Event()


async def ordinary(request: Request) -> Response:
    """The application, which only notes that it was asked."""
    ORDINARY.append(request.url.path)
    BEGUN.set()
    await request.body()
    return Response(status_code=418)


@pytest_asyncio.fixture
async def wire(hooked: Telegram, turns: Turns) -> AsyncIterator[Wire]:
    ORDINARY.clear()
    BEGUN.clear()
    listener = bind("127.0.0.1", 0, "PORT")
    app = Starlette(routes=[Route("/{rest:path}", ordinary, methods=["POST"])])
    async with serving(app, listener, lane=hooked.lane(turns)):
        reader, writer = await asyncio.open_connection(*listener.getsockname())
        yield Wire(reader, writer)
        writer.close()


@pytest.mark.parametrize(
    "fields",
    [(), ("TE: trailers",), ("Connection: keep-alive",)],
    ids=["told by its bytes", "read by the parser", "told to go on"],
)
async def test_it_goes_past_the_application(wire: Wire, turns: Turns, fields: tuple[str, ...]) -> None:
    for number in (1, 2, 3):
        wire.writer.write(post(update(number), *fields))
        assert await wire.answer() == (200, {"content-length": "0"}, b"")
    assert [event.id for event in turns.saved] == ["tg:1", "tg:2", "tg:3"]
    assert ORDINARY == []


async def test_what_is_whole_waits_for_what_was_begun(wire: Wire, turns: Turns) -> None:
    first, second, third = (post(update(number)) for number in (1, 2, 3))
    wire.writer.write(first + second[:40])  # the parser has the rest of it when the first is answered
    assert (await wire.answer())[0] == 200
    wire.writer.write(second[40:])
    assert (await wire.answer())[0] == 200
    wire.writer.write(third)
    assert (await wire.answer())[0] == 200
    assert [event.id for event in turns.saved] == ["tg:1", "tg:2", "tg:3"]


async def test_a_body_that_looks_like_a_request_is_none(wire: Wire, turns: Turns) -> None:
    inner = post(update(1))
    wire.writer.write(post(inner, path="/elsewhere").removesuffix(inner))
    async with asyncio.timeout(PATIENCE):
        await BEGUN.wait()  # its head has arrived
    wire.writer.write(inner)
    assert (await wire.answer())[0] == 418
    assert turns.saved == []


async def test_whole_requests_and_ordinary_ones_take_turns(wire: Wire, turns: Turns) -> None:
    for number in (1, 2):
        wire.writer.write(post(update(number), path="/elsewhere"))
        assert (await wire.answer())[0] == 418
        wire.writer.write(post(update(number)))
        assert (await wire.answer())[0] == 200
    assert [event.id for event in turns.saved] == ["tg:1", "tg:2"]
    assert ORDINARY == ["/elsewhere", "/elsewhere"]


async def test_a_body_in_pieces(wire: Wire, turns: Turns) -> None:
    whole = post(update(1, "مخالفات" * 50))
    for start in range(0, len(whole), 100):
        wire.writer.write(whole[start : start + 100])
        await wire.writer.drain()
        await asyncio.sleep(0)
    assert (await wire.answer())[0] == 200
    [event] = turns.saved
    assert isinstance(event, Typed)
    assert event.text == "مخالفات" * 50


@pytest.mark.parametrize(
    "asked",
    [
        post(update(1), secret="wrong"),
        post(update(1), secret=""),
        post(update(1), path="/other"),
        post(update(1), version="1.0"),
        post(update(1), "Expect: 100-continue"),
        post(b"x" * (LANE_LIMIT + 1)),
    ],
    ids=["wrong secret", "no secret", "another path", "HTTP/1.0", "100-continue", "too long"],
)
async def test_what_goes_the_ordinary_way(wire: Wire, turns: Turns, asked: bytes) -> None:
    wire.writer.write(asked)
    status, _, _ = await wire.answer()
    if status == 100:
        status, _, _ = await wire.answer()
    assert status == 418
    assert len(ORDINARY) == 1
    assert turns.tried == []


async def test_a_chunked_body_goes_the_ordinary_way(wire: Wire, turns: Turns) -> None:
    head = f"POST {PATH} HTTP/1.1\r\nHost: x\r\n{HEADER}: {SECRET}\r\nTransfer-Encoding: chunked\r\n\r\n"
    wire.writer.write(head.encode() + b"2\r\n{}\r\n0\r\n\r\n")
    assert (await wire.answer())[0] == 418
    assert turns.tried == []


async def test_requests_sent_before_the_answer_are_answered_in_order(wire: Wire, turns: Turns) -> None:
    wire.writer.write(post(update(1)) + post(update(2)))
    statuses = [(await wire.answer())[0] for _ in range(2)]
    assert statuses == [200, 418]
    assert [event.id for event in turns.saved] == ["tg:1"]


async def test_what_comes_during_a_turn_waits_for_its_answer(wire: Wire, turns: Turns) -> None:
    go_on = asyncio.Event()

    async def until_then(_event: Event) -> None:
        await go_on.wait()

    turns.before = until_then
    wire.writer.write(post(update(1)))
    await turns.until_tried(1)
    wire.writer.write(post(update(2)))
    wire.writer.write(post(update(3), secret="wrong"))
    await wire.writer.drain()
    await asyncio.sleep(0)
    assert len(turns.tried) == 1
    go_on.set()
    assert [(await wire.answer())[0] for _ in range(3)] == [200, 200, 418]
    assert [event.id for event in turns.saved] == ["tg:1", "tg:2"]


async def test_who_wants_the_connection_closed_gets_it_closed(wire: Wire) -> None:
    wire.writer.write(post(update(1), "Connection: close"))
    status, headers, _ = await wire.answer()
    assert (status, headers["connection"]) == (200, "close")
    assert await wire.over()


async def test_after_the_lane_the_application_is_still_there(wire: Wire, turns: Turns) -> None:
    wire.writer.write(post(update(1)))
    assert (await wire.answer())[0] == 200
    wire.writer.write(post(b"{}", path="/other"))
    assert (await wire.answer())[0] == 418
    wire.writer.write(post(update(2)))
    assert (await wire.answer())[0] == 200
    assert len(turns.saved) == 2


async def _serve(hooked: Telegram, turns: Turns, listener: socket.socket, end: asyncio.Event) -> None:
    async with serving(Starlette(), listener, lane=hooked.lane(turns)):
        await end.wait()


async def _told_to_end(listener: socket.socket) -> None:
    async with asyncio.timeout(PATIENCE):
        while listener.fileno() != -1:  # noqa: ASYNC110 - uvicorn tells nobody
            await asyncio.sleep(0)


async def _http_server_over() -> None:
    async with asyncio.timeout(PATIENCE):
        while "http server" in {task.get_name() for task in asyncio.all_tasks()}:  # noqa: ASYNC110 - uvicorn tells nobody
            await asyncio.sleep(0)


@pytest.mark.parametrize("gone", [False, True], ids=["who waits", "who has gone"])
async def test_the_server_ends_after_what_is_under_way(hooked: Telegram, turns: Turns, *, gone: bool) -> None:
    go_on, end = asyncio.Event(), asyncio.Event()

    async def until_then(_event: Event) -> None:
        await go_on.wait()

    turns.before = until_then
    listener = bind("127.0.0.1", 0, "PORT")
    server = Tasks().spawn(_serve(hooked, turns, listener, end), "server")
    reader, writer = await asyncio.open_connection(*listener.getsockname())
    writer.write(post(update(1)))
    await turns.until_tried(1)
    if gone:
        writer.close()
        await writer.wait_closed()
    end.set()
    await (_http_server_over() if gone else _told_to_end(listener))
    assert not server.done()
    go_on.set()
    if not gone:
        waits = Wire(reader, writer)
        assert (await waits.answer())[0] == 200
        assert await waits.over()
    async with asyncio.timeout(PATIENCE):
        await server
    assert [event.id for event in turns.saved] == ["tg:1"]
    writer.close()


def _kept_timers(monkeypatch: pytest.MonkeyPatch) -> list[asyncio.TimerHandle]:
    """What the server would do later; it only happens when a test says so."""
    loop = asyncio.get_running_loop()
    kept: list[asyncio.TimerHandle] = []
    ordinarily = loop.call_later

    def call_later(delay: float, callback: Callable[..., object], *args: Any) -> asyncio.TimerHandle:
        if str(callback.__module__).startswith("asyncio"):  # its own sleep
            return ordinarily(delay, callback, *args)
        kept.append(asyncio.TimerHandle(loop.time() + delay, callback, args, loop))
        return kept[-1]

    monkeypatch.setattr(loop, "call_later", call_later)
    return kept


@pytest.mark.parametrize("before", [(), ("/elsewhere",)], ids=["of a head", "of a connection at rest"])
async def test_no_deadline_of_before_ends_a_turn(
    hooked: Telegram, turns: Turns, monkeypatch: pytest.MonkeyPatch, before: tuple[str, ...]
) -> None:
    go_on = asyncio.Event()

    async def until_then(_event: Event) -> None:
        await go_on.wait()

    turns.before = until_then
    listener = bind("127.0.0.1", 0, "PORT")
    app = Starlette(routes=[Route("/{rest:path}", ordinary, methods=["POST"])])
    async with serving(app, listener, head_time=0.0, lane=hooked.lane(turns)):
        timers = _kept_timers(monkeypatch)
        waits = Wire(*await asyncio.open_connection(*listener.getsockname()))
        for path in before:
            waits.writer.write(post(update(1), path=path))
            assert (await waits.answer())[0] == 418
        waits.writer.write(post(update(2)))
        await turns.until_tried(1)
        assert timers
        for timer in timers:
            if not timer.cancelled():
                timer._run()
        go_on.set()
        assert (await waits.answer())[0] == 200
        waits.writer.close()
        monkeypatch.undo()


async def test_a_closed_connection_leaves_nothing_to_the_collector(hooked: Telegram, turns: Turns) -> None:
    listener = bind("127.0.0.1", 0, "PORT")
    gc.collect()
    gc.disable()
    try:
        async with serving(Starlette(), listener, lane=hooked.lane(turns)):
            waits = Wire(*await asyncio.open_connection(*listener.getsockname()))
            waits.writer.write(post(update(1), "Connection: close"))
            assert (await waits.answer())[0] == 200
            assert await waits.over()
            waits.writer.close()
        gc.set_debug(gc.DEBUG_SAVEALL)
        gc.collect()
        assert [found for found in gc.garbage if isinstance(found, Fork)] == []
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()
