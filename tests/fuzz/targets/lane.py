"""Raw bytes at the server: the lane past the application, and the application's own way beside it."""

import asyncio
import re
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import httptools
import uvicorn
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from uvicorn.server import ServerState

from bot import serve
from bot.lane import Lanes
from bot.whole import Heads
from tests.fuzz.targets.base import LOOP, Target, cut, garbled, hold, settle
from tests.fuzz.targets.plug import Plug

PATH: Final = b"/telegram/webhook"
_ID: Final = re.compile(rb"id=(\d{1,4});(\d?)")
_BUFFERED: Final = 8 << 20
"""Bytes that one connection may make us hold."""


class Exchange(NamedTuple):
    """What is sent, piece by piece; ``ids`` of the requests in it where all of them are sound, else None."""

    pieces: tuple[bytes, ...]
    ids: tuple[bytes, ...] | None = None


class Echo:
    """A lane that answers with the request's id; implements `bot.whole.Lane`."""

    path = PATH

    def __init__(self) -> None:
        self.served: list[bytes] = []

    def admits(self, headers: list[tuple[bytes, bytes]]) -> bool:
        return next((value for name, value in headers if name == b"x-secret"), b"") == b"s"

    async def serve(self, body: bytes) -> tuple[int, bytes]:
        self.served.append(body)
        return 200, await _echo(body)


async def _echo(body: bytes) -> bytes:
    """The id in ``body``, after as many turns of the loop as it says."""
    found = _ID.search(body)
    for _ in range(int(found[2] or b"0") if found else 0):
        await asyncio.sleep(0)
    return b"id=" + found[1] if found else b"?"


async def _app(scope: Any, receive: Any, send: Any) -> None:
    """The application: reads the body, answers with its id."""
    hold(scope["type"] == "http", "no HTTP")
    body, more = b"", True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            return
        body, more = body + message.get("body", b""), message.get("more_body", False)
    answer = await _echo(body)
    headers = [(b"content-length", b"%d" % len(answer))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": answer})


def _request(number: int, *, lane: bool, slow: int, chunked: bool, last: bool) -> bytes:
    body = b"id=%d;%d" % (number, slow)
    lines = [b"POST %b HTTP/1.1" % (PATH if lane else b"/other"), b"Host: x"]
    lines += [b"X-Secret: s"] if lane else []
    if chunked:
        lines.append(b"Transfer-Encoding: chunked")
        body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    else:
        lines.append(b"Content-Length: %d" % len(body))
    lines += [b"Connection: close"] if last else []
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


@st.composite
def sound(draw: st.DrawFn) -> Exchange:
    """Requests that each deserve an answer, in pieces, some sent before the last answer."""
    count = draw(st.integers(1, 4))
    whole, ids = b"", []
    for number in range(count):
        last = number == count - 1 and draw(st.booleans())
        flags = {
            "lane": draw(st.booleans()),
            "chunked": draw(st.sampled_from([False, False, True])),
            "last": last,
        }
        whole += _request(number, slow=draw(st.sampled_from([0, 0, 3, 9])), **flags)
        ids.append(b"id=%d" % number)
    return Exchange(draw(cut(st.just(whole))), tuple(ids))


LINES: Final = (
    b"POST /telegram/webhook HTTP/1.1", b"POST /telegram/webhook HTTP/1.0", b"GET / HTTP/1.1", b"POST  / HTTP/1.1", b"PRI * HTTP/2.0",
    b"POST http://x/telegram/webhook HTTP/1.1", b"POST /telegram/webhook?x HTTP/1.1", b"CONNECT x:1 HTTP/1.1", b"\x16\x03\x01\x02",
    b"POST /telegram/webhook HTTP/9.9", b"post /telegram/webhook HTTP/1.1", b"", b" POST / HTTP/1.1", b"POST //[ HTTP/1.1",
)  # fmt: skip
FIELDS: Final = (
    b"X-Secret: s", b"X-Secret: s", b"X-Secret:s ", b"X-Secret: x", b"x-secret : s", b"Host: x", b"Content-Length: 6", b"Content-Length: 6",
    b"Content-Length: 006", b"Content-Length: +6", b"Content-Length: 6, 6", b"Content-Length: -1", b"Content-Length: 99999999999999999999",
    b"Content-Length: 1048577", b"Content-Length: ", b"Content-Length : 6", b"Content-Length: 0x6", b"Content-Length: 5", b"Content-Length: 7",
    b"Transfer-Encoding: chunked", b"Transfer-Encoding: gzip, chunked", b"Transfer-Encoding: identity", b"Transfer-Encoding:\x0bchunked",
    b"Connection: close", b"Connection: keep-alive", b"Connection: upgrade", b"Upgrade: websocket", b"Upgrade: h2c", b"Expect: 100-continue",
    b" folded", b"\x00: x", b"A: \xff\xfe", b"A:b\rC:d", b"A: b\nC: d", b"X-Long: " + b"a" * 70_000, b"Trailer: x", b"TE: trailers", b": x",
)  # fmt: skip
BODIES: Final = (
    b"id=1;0", b"id=1;9", b"6\r\nid=1;0\r\n0\r\n\r\n", b"ffffffffffffffff\r\nx", b"-1\r\n\r\n", b"6;x=y\r\nid=1;0\r\n0\r\nA: b\r\n\r\n", b"0\r\n\r\n",
    b"", b"POST /telegram/webhook HTTP/1.1\r\nX-Secret: s\r\nContent-Length: 6\r\n\r\nid=2;0", b"a" * 100_000, b"6\nid=1;0\n0\n\n",
)  # fmt: skip


@st.composite
def crooked(draw: st.DrawFn) -> bytes:
    """One request of odd parts."""
    end = draw(st.sampled_from([b"\r\n"] * 8 + [b"\n", b"\r", b"\r\n\r\n"]))
    lines = [
        draw(st.sampled_from(LINES[:1] * 6 + LINES)),
        *draw(st.lists(st.sampled_from(FIELDS), max_size=6)),
    ]
    return end.join(lines) + end + end + draw(st.sampled_from(BODIES))


class Server(Target[Exchange]):
    """The server's protocol, without a socket."""

    name = "lane"
    about = "raw HTTP in pieces: answered in order, below 500, or closed; what is told by its bytes is what the parser tells"
    modules = ("bot.serve", "bot.lane", "bot.whole")
    examples = 250

    def inputs(self) -> SearchStrategy[Exchange]:
        requests = st.lists(
            st.one_of(crooked(), sound().map(lambda one: b"".join(one.pieces))), min_size=1, max_size=3
        )
        odd = cut(garbled(requests.map(b"".join)))
        return st.one_of(sound(), odd.map(Exchange))

    def raw(self, data: bytes) -> Exchange:
        return Exchange(tuple(data.split(b"\xf5")[:8]))

    def feed(self, given: Exchange) -> None:
        LOOP.run(self._exchange(given))
        for piece in given.pieces:
            _alike(piece)

    async def _exchange(self, given: Exchange) -> None:
        lane, state, plug = Echo(), ServerState(), Plug()
        config = uvicorn.Config(
            _app,
            log_level="error",
            access_log=False,
            server_header=False,
            lifespan="off",
            proxy_headers=False,
        )
        config.load()
        lanes = Lanes(lane, 5)
        kind: Any = type("_Bounded", (serve._Bounded,), {"lanes": lanes})
        protocol = kind(config=config, server_state=state, app_state={})
        plug.connect(protocol)

        def at_work() -> bool:
            return bool(state.tasks or lanes.tasks._under_way)

        for piece in given.pieces:
            if piece and not plug.closed:
                plug.deliver(piece)
                await asyncio.sleep(0)
        await settle(lambda: plug.closed or (not plug.flush() and not at_work()), 60)
        held = protocol._fork.held + sum(map(len, protocol._parts or ()))
        hold(held <= _BUFFERED, f"{held} bytes held")
        answers = _answers(bytes(plug.out))
        if given.ids is not None:
            hold([body for _, body in answers] == list(given.ids), f"{given.ids} answered with {answers}")
        hold(all(status < 500 for status, _ in answers), f"answered {answers}")
        plug.end()
        hold(await settle(lambda: not at_work()), "still at work after the connection ended")
        hold(protocol not in state.connections, "a connection that is not forgotten")


class _Read:
    """Collects messages as the parser tells them."""

    def __init__(self) -> None:
        self.found: list[bytes] = []
        self.headers: list[tuple[bytes, bytes]] = []
        self.url = b""
        self.parser: Any = httptools.HttpRequestParser(self)
        self.lasting = False
        self._body = b""

    def on_message_begin(self) -> None:
        self._body, self.url, self.headers = b"", b"", []

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name.lower(), value))

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        self.found.append(self._body)
        self.lasting = self.parser.should_keep_alive()


def _answers(out: bytes) -> Sequence[tuple[int, bytes]]:
    """Status and body of each answer; insists that they are whole."""
    found: list[tuple[int, bytes]] = []
    while out:
        head, end, rest = out.partition(b"\r\n\r\n")
        hold(end and head.startswith(b"HTTP/1.1 "), f"no answer: {out[:80]!r}")
        status = int(head[9:12])
        length = re.search(rb"(?i)\r\ncontent-length: (\d+)", head)
        size = int(length[1]) if length else 0
        hold(len(rest) >= size, "half an answer")
        if status != 100:
            found.append((status, rest[:size]))
        out = rest[size:]
    return found


def _alike(data: bytes) -> None:
    """What is taken for a whole request by its bytes is exactly that for a parser, too."""
    taken = Heads(Echo()).body(data)
    if taken is None:
        return
    read = _Read()
    parser = read.parser
    try:
        parser.feed_data(data)
    except httptools.HttpParserError as error:
        hold(False, f"taken for a request, which a parser refuses: {type(error).__name__}")
    hold(read.found == [taken], f"{read.found} taken for {taken!r}")
    hold(parser.get_method() == b"POST" and read.url == PATH, "another request than the lane's")
    hold(parser.get_http_version() == "1.1" and read.lasting, "the connection ends after it")
    hold(Echo().admits(read.headers), "not admitted by its headers")
