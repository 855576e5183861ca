"""Residents at their browsers: each holds a stream open, and K of them have a turn under way."""

import asyncio
import re
from collections import Counter, deque
from collections.abc import Callable
from functools import partial
from time import perf_counter
from typing import Any, Final

import msgspec

from bench.telegram.dialog import TEXTS

STEPS: Final = (
    ("text", "/start", "choose_language"),
    ("button", "lang", "choose_service"),
    ("button", "violations", "choose_method"),
    ("button", "by_civil_id", "ask_civil_id"),
    ("text", "12345", "bad_civil_id"),
    ("text", "civil_id", "fines"),
    ("button", "pay_all", "pay_link"),
    ("button", "done", "goodbye"),
)
"""What the resident does, and how the reply to it begins."""

SAFETY: Final = 30.0
"""Seconds until a turn without a reply counts as lost."""
_COOKIE: Final = re.compile(rb"(?i)set-cookie: ([^;\r]+)")
_LENGTH: Final = re.compile(rb"(?i)content-length: *(\d+)")


class Connection(asyncio.Protocol):
    """Requests one after the other on a kept connection."""

    def __init__(self) -> None:
        self._left = b""
        self._transport: Any = None
        self._waiting: asyncio.Future[bytes] | None = None
        self.closed = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed = True
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(exc or ConnectionResetError("closed"))

    def data_received(self, data: bytes) -> None:
        self._left += data
        head, end, body = self._left.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if end and (length is None or len(body) >= int(length[1])):
            self._left = b""
            if self._waiting is not None and not self._waiting.done():
                self._waiting.set_result(head)

    async def ask(self, request: bytes) -> bytes:
        """The head of the answer."""
        self._waiting = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._waiting

    def close(self) -> None:
        self._transport.close()


class Stream(asyncio.Protocol):
    """A stream of server-sent events; chunks' marks are passed over, as each event stands in one chunk."""

    def __init__(self, request: bytes, told: Callable[[dict[str, Any]], None]) -> None:
        self._request = request
        self._told = told
        self._left = b""
        self._transport: Any = None
        self.up = asyncio.get_running_loop().create_future()
        self.open = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        transport.write(self._request)  # type: ignore[attr-defined] # a TCP connection's can be written to

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self.open = False

    def data_received(self, data: bytes) -> None:
        if not self.open:
            self.open = True
            self.up.set_result(data.split(b" ", 2)[1])
        *events, self._left = (self._left + data).split(b"\n\n")
        for event in events:
            for line in event.split(b"\n"):
                if line.startswith(b"data: {") and b"\nevent: entry\n" in b"\n" + event:
                    self._told(msgspec.json.decode(line[6:]))

    def close(self) -> None:
        self._transport.close()


class Walk:
    """One resident."""

    def __init__(self, number: int, load: "Load") -> None:
        self.number = number
        self.lang = "ar" if number % 2 else "en"
        self.civil_id = f"{200000000000 + number}"
        self.expect = [TEXTS[key][self.lang].split("{")[0] for _, _, key in STEPS]
        self.step = 0
        self.first = 1 + number % len(
            STEPS
        )  # the first walk is cut short, so that chats are not all at one step
        self.sent = 0
        self.began = 0.0
        self.inflight = False
        self.cookie = b""
        self.stream: Stream | None = None
        self.last: dict[str, Any] = {}
        self._load = load

    def body(self) -> bytes:
        """The next message."""
        self.sent += 1
        client = f"client-{self.number}-{self.sent}"
        kind, what, _ = STEPS[self.step]
        if kind == "text":
            return msgspec.json.encode(
                {"client": client, "text": self.civil_id if what == "civil_id" else what}
            )
        label = TEXTS[f"lang_{self.lang}" if what == "lang" else what][self.lang]
        token = next(
            button[1] for row in self.last["rows"] for button in row if button[0] == label and button[1]
        )
        return msgspec.json.encode({"client": client, "press": token, "source": self.last.get("id", "")})

    def heard(self, entry: dict[str, Any]) -> None:
        """Something new in the chat."""
        if entry["type"] != "message" or entry["from"] != "bot":
            return
        text = "".join(span[0] for span in entry.get("spans", ()))
        if not self.inflight or not text.startswith(self.expect[self.step]):
            self._load.errors["unexpected reply"] += 1
            return
        self.last = entry
        self._load.replied(self)


class Load:
    """All residents.

    Args:
        port: the contender's.
        chats: streams that are open.
        inflight: turns at once.
    """

    def __init__(self, port: int, *, chats: int, inflight: int) -> None:
        self._port, self._limit = port, inflight
        self._host = b"Host: 127.0.0.1:%d\r\n" % port
        self.walks = [Walk(number, self) for number in range(chats)]
        self._ready = deque(self.walks)
        self._free: list[Connection] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self.inflight = self.turns = 0
        self.latencies: list[float] = []
        self.errors: Counter[str] = Counter()
        self._running = False
        self._parked: int | None = None
        self.taken = 0
        self._news = asyncio.Event()

    @property
    def streams(self) -> int:
        """How many are open."""
        return sum(walk.stream is not None and walk.stream.open for walk in self.walks)

    async def open(self) -> None:
        """Open every resident's page and stream."""
        loop = asyncio.get_running_loop()
        for _ in range(min(self._limit, 100)):
            self._free.append(await self._connected())
        for walk in self.walks:
            head = await self._free[0].ask(b"GET / HTTP/1.1\r\n%b\r\n" % self._host)
            found = _COOKIE.search(head)
            if found is None:
                raise RuntimeError("the page sets no cookie")
            walk.cookie = b"Cookie: %b\r\n" % found[1]
            request = b"GET /chat/events HTTP/1.1\r\n%b%b\r\n" % (self._host, walk.cookie)
            _, walk.stream = await loop.create_connection(
                partial(Stream, request, walk.heard), "127.0.0.1", self._port
            )
            status = await asyncio.wait_for(walk.stream.up, 10)
            if status != b"200":
                raise RuntimeError(f"a stream was answered {status.decode()}")

    def close(self) -> None:
        """Close everything."""
        self._running = False
        for walk in self.walks:
            if walk.stream is not None:
                walk.stream.close()
                walk.stream = None
        while self._free:
            self._free.pop().close()

    def replied(self, walk: Walk) -> None:
        """A turn is over."""
        self.latencies.append(perf_counter() - walk.began)
        walk.inflight = False
        self.inflight -= 1
        self.turns += 1
        walk.step += 1
        if walk.step >= walk.first:
            walk.step, walk.first = 0, len(STEPS)
        if walk.step != self._parked:
            self._ready.append(walk)
        self._news.set()
        self._pump()

    def _pump(self) -> None:
        while self._running and self._ready and self._free and self.inflight < self._limit:
            walk = self._ready.popleft()
            walk.inflight, walk.began = True, perf_counter()
            self.inflight += 1
            task = asyncio.get_running_loop().create_task(self._send(walk, self._free.pop()))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _send(self, walk: Walk, connection: Connection) -> None:
        body = walk.body()
        request = (
            b"POST /chat/send HTTP/1.1\r\n%b%bX-Requested-With: iqamati\r\nContent-Type: application/json\r\n"
            b"Content-Length: %d\r\n\r\n%b" % (self._host, walk.cookie, len(body), body)
        )
        while True:  # servers close connections that rest; a message that came twice is one, by its name
            if connection.closed:
                connection = await self._connected()
            try:
                head = await connection.ask(request)
            except ConnectionError:
                continue
            break
        if b" 202" not in head[:16]:
            self.errors[head[:12].decode()] += 1
        self._free.append(connection)
        self._pump()

    async def run(self, *, turns: int, seconds: float = 0.0) -> float:
        """At least that many turns and that long; returns how long it took. What is lost is counted as an error."""
        self.latencies.clear()
        self.turns, self._running = 0, True
        began = perf_counter()
        self._pump()
        while self.turns < turns or perf_counter() - began < seconds:
            self._news.clear()
            try:
                await asyncio.wait_for(self._news.wait(), SAFETY)
            except TimeoutError:
                self.errors["no reply"] += self.inflight
                break
        return perf_counter() - began

    async def park(self, step: int) -> None:
        """Walk every resident to ``step`` and leave them there."""
        self._running, self._parked = True, step
        self._pump()
        end = perf_counter() + 120
        while any(walk.step != step for walk in self.walks):
            if perf_counter() > end or self.errors:
                there = sum(walk.step == step for walk in self.walks)
                raise RuntimeError(
                    f"{there} of {len(self.walks)} came to step {step}, {self.inflight} under way: {dict(self.errors)}"
                )
            await asyncio.sleep(0.05)
        self._running = False

    def all_at_once(self, step: int) -> None:
        """Every resident of ``step`` sends a civil ID, each over a connection of their own."""
        for walk in self.walks:
            walk.step = step + 1  # past the number that is none
            walk.inflight, walk.began = True, perf_counter()
            self.inflight += 1
            task = asyncio.get_running_loop().create_task(self._alone(walk))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _alone(self, walk: Walk) -> None:
        await self._send(walk, await self._connected())
        self.taken += 1

    async def _connected(self) -> Connection:
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(Connection, "127.0.0.1", self._port)
        return connection

    async def drain(self) -> None:
        """Wait for the turns under way."""
        self._running = False
        end = perf_counter() + SAFETY
        while (self.inflight or self._tasks) and perf_counter() < end:
            await asyncio.sleep(0.02)
