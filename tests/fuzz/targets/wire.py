"""What servers answer our own calls: raw bytes at the lean client, and what Telegram's answers say."""

import asyncio
import json
import math
from typing import Any, Final, NamedTuple

import httptools
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from bot.errors import DeliveryError, RetryLater, Unavailable
from bot.handlers.telegram.calls import Calls
from bot.handlers.telegram.send import TelegramChannel
from bot.model import Button, Chat, Disarm, Erase, Outgoing, Say, Settle, Span
from bot.whole import Answers
from bot.wire import LIMIT, Answer, Late, Lost, NotSent, Unfit, _Connection
from tests.fuzz.targets.base import (
    LOOP,
    PERSONAL,
    Target,
    cut,
    ended,
    garbled,
    hold,
    settle,
    spotless,
    texts,
    values,
)
from tests.fuzz.targets.plug import Plug
from tests.fuzz.targets.residents import Clock

OK: Final = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 4\r\n\r\n"OK"'
HEADS: Final = 256 * 1024
"""Bytes of a head that come to nothing before they are refused."""


class Told(NamedTuple):
    """A server's answer: pieces of bytes, and whether it hangs up after them; or a status with a body for `Calls`."""

    pieces: tuple[bytes, ...]
    status: int = 0


LINES: Final = (
    b"HTTP/1.1 200 OK", b"HTTP/1.1 429 Too Many Requests", b"HTTP/1.0 200 OK", b"HTTP/1.1 204 No Content", b"HTTP/1.1 304 Not Modified",
    b"HTTP/1.1 100 Continue", b"HTTP/1.1 103 Early Hints", b"HTTP/1.1 101 Switching Protocols", b"HTTP/1.1 999 x", b"HTTP/1.1 20 x",
    b"HTTP/2 200", b"ICY 200 OK", b"", b"HTTP/1.1 200", b"HTTP/1.1  200 OK", b"HTTP/1.1 500 \xff", b"<html>",
)  # fmt: skip
FIELDS: Final = (
    b"Content-Type: application/json", b"Content-Type: \xff", b"Content-Length: 4", b"Content-Length: 4", b"Content-Length: 2", b"Content-Length: 6",
    b"Content-Length: 4, 4", b"Content-Length: -4", b"Content-Length: 99999999999999999999", b"Content-Length: 104857600", b"Content-Length: +4",
    b"Content-Encoding: gzip", b"Content-Encoding: ", b"Transfer-Encoding: chunked", b"Transfer-Encoding: gzip", b"Transfer-Encoding: identity",
    b"Connection: close", b"Connection: keep-alive", b"Connection: upgrade", b"Upgrade: h2c", b"A: " + b"a" * 65_536, b" folded", b"\x00: x",
    b"A:b\rC:d", b"Content-Length : 4", b"Trailer: x", b": x",
)  # fmt: skip
BODIES: Final = (
    b'"OK"', b'"OK"', b'4\r\n"OK"\r\n0\r\n\r\n', b"ffffffffffffffff\r\nx", b"", b'"OK"HTTP/1.1 2', b'"OK"' + OK, b"x" * (LIMIT + 1), b'"OK"\r\n',
)  # fmt: skip


@st.composite
def crooked(draw: st.DrawFn) -> bytes:
    """An answer of odd parts."""
    end = draw(st.sampled_from([b"\r\n"] * 8 + [b"\n", b"\r"]))
    lines = [
        draw(st.sampled_from(LINES[:1] * 8 + LINES)),
        *draw(st.lists(st.sampled_from(FIELDS), max_size=5)),
    ]
    return end.join(lines) + end + end + draw(st.sampled_from(BODIES))


def bodies() -> SearchStrategy[bytes]:
    """Bodies of the Bot API, give or take."""
    description = st.one_of(
        st.sampled_from(
            ["Bad Request: message is not modified", "Bad Request: BUTTON_URL_INVALID", "Forbidden: bot was blocked by the user",
             "Bad Request: chat not found", "Too Many Requests: retry after 5", *(f"Bad Request: can't parse {each}" for each in PERSONAL)]
        ),
        texts(40),
    )  # fmt: skip
    seconds = st.one_of(st.sampled_from([0, 1, -5, 1e308, 2**70, 0.5]), values(2))
    whole = st.fixed_dictionaries(
        {"ok": st.one_of(st.booleans(), values(2))},
        optional={
            "error_code": st.one_of(
                st.sampled_from([400, 401, 403, 404, 409, 413, 429, 500, 502, 0, -1]), values(2)
            ),
            "description": st.one_of(description, values(2)),
            "parameters": st.one_of(st.fixed_dictionaries({"retry_after": seconds}), values(3)),
            "result": values(6),
        },
    )
    return garbled(whole.map(lambda told: json.dumps(told, ensure_ascii=False).encode("utf-8", "replace")))


class Wires(Target[Told]):
    """The client's connection without a socket; Telegram's channel on made-up answers."""

    name = "wire"
    about = "servers' answers: one of the errors that calls know, bounded memory, and no answer taken for the next one's"
    modules = (
        "bot.wire",
        "bot.whole",
        "bot.handlers.telegram.calls",
        "bot.handlers.telegram.send",
        "bot.handlers.telegram.errors",
    )
    examples = 250

    def inputs(self) -> SearchStrategy[Told]:
        endless = st.builds(
            lambda size: (b"HTTP/1.1 200 OK\r\nA: ", *(b"a" * 65_536,) * size), st.integers(1, 40)
        )
        bytes_ = st.one_of(cut(garbled(crooked())), cut(garbled(crooked())), cut(st.just(OK)), endless)
        statuses = st.sampled_from([200, 400, 403, 404, 413, 429, 500, 302])
        return st.one_of(
            bytes_.map(Told), st.builds(lambda body, status: Told((body,), status), bodies(), statuses)
        )

    def raw(self, data: bytes) -> Told:
        if data[:1] == b"{":
            return Told((data,), 400)
        return Told(tuple(data.split(b"\xf5")[:8]))

    def feed(self, given: Told) -> None:
        if given.status:
            LOOP.run(_spoken(given.status, given.pieces[0]))
        else:
            LOOP.run(_exchanged(given.pieces))
            for piece in given.pieces:
                _alike(piece)


async def _exchanged(pieces: tuple[bytes, ...]) -> None:
    connection, plug = _Connection(set(), Answers()), Plug()
    plug.connect(connection)
    asking = asyncio.get_running_loop().create_task(connection.exchange(b"GET / HTTP/1.1\r\n\r\n", 0))
    await asyncio.sleep(0)
    taken = 0
    for piece in pieces:
        if piece and not plug.closed:
            taken += len(piece)
            plug.deliver(piece)
            await asyncio.sleep(0)
    hold(asking.done() or taken <= LIMIT + HEADS, f"{taken} bytes and no word of it")
    if not asking.done():
        plug.end()
    try:
        answer = await ended(asking)
    except (Late, NotSent, Lost, Unfit) as error:
        spotless(error)
    else:
        hold(len(answer.body) <= LIMIT, "more than the limit")
        hold(200 <= answer.status < 1000, f"status {answer.status} for an answer")
    if connection.usable:
        await _again(connection, plug)
    connection.close()


async def _again(connection: _Connection, plug: Plug) -> None:
    """The next request on the same connection gets the answer to itself."""
    asking = asyncio.get_running_loop().create_task(connection.exchange(b"GET / HTTP/1.1\r\n\r\n", 0))
    await asyncio.sleep(0)
    plug.deliver(OK)
    hold(await settle(asking.done, 20), "a kept connection does not answer")
    hold(asking.exception() is None, f"a kept connection is spoilt: {asking.exception()!r}")
    hold(asking.result() == Answer(200, b'"OK"', "application/json"), "another answer than to this request")


class _Head:
    def __init__(self) -> None:
        self.found: list[bytes] = []
        self.parser: Any = httptools.HttpResponseParser(self)
        self.lasting = False
        self._body = b""

    def on_message_begin(self) -> None:
        self._body = b""

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        self.found.append(self._body)
        self.lasting = self.parser.should_keep_alive()


def _alike(data: bytes) -> None:
    """What is taken for a whole answer by its bytes is exactly that for a parser, too."""
    taken = Answers().read(data)
    if taken is None:
        return
    read = _Head()
    try:
        read.parser.feed_data(data)
    except httptools.HttpParserError as error:
        hold(False, f"taken for an answer, which a parser refuses: {type(error).__name__}")
    hold(read.found == [taken[1]], f"{read.found} taken for {taken[1]!r}")
    hold(read.parser.get_status_code() == taken[0] and read.lasting, "another answer")


class _Server(Plug):
    """Answers every request alike."""

    def __init__(self, status: int, body: bytes) -> None:
        super().__init__()
        head = b"HTTP/1.1 %d x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
        self._answer = head % (status, len(body)) + body

    def write(self, data: bytes | bytearray | memoryview) -> None:
        super().write(data)
        asyncio.get_running_loop().call_soon(self.deliver, self._answer)


CHAT: Final = Chat("telegram", "5")
SPANS: Final = (Span("x"),)
SAID: Final[tuple[Outgoing, ...]] = (
    Say("1:0", "ar", SPANS, ((Button("a", token="b"),), (Button("c", url="https://x.example/"),))),
    Say("1:1", "ar", SPANS, edits="7"),
    Settle("1:2", "ar", "7", SPANS),
    Disarm("1:3", "7"),
    Erase("1:4", "7"),
)


async def _spoken(status: int, body: bytes) -> None:
    """Everything a channel says, answered so."""
    calls = Calls("http://127.0.0.1:1", "1:x", 1.0)
    wire: Any = calls._wire
    channel = TelegramChannel(calls, Clock())
    for outgoing in SAID:
        connection = _Connection(wire._open, wire._answers)
        _Server(status, body).connect(connection)
        connection.rest()
        wire._free[:] = [connection]
        try:
            await ended(channel.deliver(CHAT, outgoing))
        except RetryLater as error:
            hold(math.isfinite(error.after) and error.after > 0, f"asked to wait {error.after} s")
            hold(error.after <= 86_400, f"asked to wait {error.after} s")
        except (DeliveryError, Unavailable) as error:
            spotless(error)
    await ended(channel.typing(CHAT))
    await calls.close()
