"""HTTP servers inside one process: bound before anything starts, stopped without a traceback."""

import asyncio
import contextlib
import errno
import gc
import socket
from collections.abc import AsyncGenerator, Generator
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from http import HTTPStatus
from types import SimpleNamespace
from typing import Any, ClassVar, Final

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from bot.errors import ConfigError
from bot.tasks import Tasks
from bot.whole import DIGITS, HEAD_LIMIT, LANE_LIMIT, Heads, Lane

_GRACE = 3
"""Seconds open requests have at the end."""

HEAD_TIME: Final = 10.0
"""Seconds for a request's line and headers to arrive, from the connection or from their first byte on."""

_TOO_LONG: Final = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
)


BODY_TIME: Final = 10.0
"""Seconds for a body on a lane to arrive."""

HANDS: Final = 2
"""Threads beside the loop. They take turns at the interpreter anyway, and each keeps the memory of the largest thing it
ever made to itself."""


class _Bounded(HttpToolsProtocol):
    """Takes no head that is endless in bytes or in time; leads what a lane admits past the application."""

    head_time: ClassVar = HEAD_TIME
    lane: ClassVar[Lane | None] = None
    heads: ClassVar[Heads]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._head = 0
        self._in_head = True
        # One timer a connection, not three a request: it is armed while a deadline stands, and looks again.
        self._due = 0.0
        self._alarm: asyncio.TimerHandle | None = None
        self._alarm_at = 0.0
        self._early: list[bytes] = []  # came before the answer to what is on the lane
        self._parts: list[bytes] | None = None  # of the body of a request on the lane
        self._serving = False
        self._last = False
        self._begun = False
        """The parser has begun a request and not seen its end."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._rest()
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._serving:
            self._early.append(data)
            self.flow.pause_reading()
            return
        lane = self.lane
        if lane is not None and self._idle() and (body := self.heads.body(data)) is not None:
            self._rest()
            self._unset_keepalive_if_required()
            self._lead(lane, body, last=False)
            return
        super().data_received(data)
        if self._in_head:
            self._head += len(data)
            if self._head > HEAD_LIMIT and not self.transport.is_closing():
                self.transport.write(_TOO_LONG)
                self.transport.close()

    def on_message_begin(self) -> None:
        self._begun = True
        self._await_head()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._rest()
        if self._admitted():
            self._parts = []
            self._by(BODY_TIME)
        else:
            if self._serving:
                self.cycle = _UNANSWERED
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        if self._parts is None:
            super().on_body(body)
        else:
            self._parts.append(body)

    def on_message_complete(self) -> None:
        self._begun = False
        if self._parts is None or self.lane is None:
            super().on_message_complete()
            return
        self._rest()
        body, self._parts = b"".join(self._parts), None
        parser: Any = self.parser  # None only after the connection is lost
        self._lead(self.lane, body, last=not parser.should_keep_alive())

    def shutdown(self) -> None:
        if self._serving:
            self._last = True
        else:
            super().shutdown()

    def _idle(self) -> bool:
        """Whether the parser has nothing begun and nothing is being answered."""
        cycle: Any = self.cycle  # None before the first ordinary request
        return not self._begun and (cycle is None or cycle.response_complete) and not self.pipeline

    def _lead(self, lane: Lane, body: bytes, *, last: bool) -> None:
        """Have ``lane`` answer ``body``."""
        self._last, self._serving = last, True
        task = asyncio.Task(self._serve(lane, body), loop=self.loop, name="lane")  # as in `bot.tasks`
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def _admitted(self) -> bool:
        """Whether the request whose head is complete belongs on the lane."""
        lane = self.lane
        parser: Any = self.parser
        if lane is None or self.url != lane.path or parser.get_method() != b"POST":
            return False
        cycle: Any = self.cycle  # None before the first ordinary request
        if self._serving or (cycle is not None and not cycle.response_complete):
            return False  # sent before the last answer: in order, by the ordinary way
        if self.expect_100_continue or parser.get_http_version() != "1.1":
            return False
        length = next((value for name, value in self.headers if name == b"content-length"), b"")
        if not length.isdigit() or len(length) > DIGITS or int(length) > LANE_LIMIT:
            return False
        return lane.admits(self.headers)

    async def _serve(self, lane: Lane, body: bytes) -> None:
        status, answer = await lane.serve(body)
        self._serving = False
        if self.transport.is_closing():
            return
        self.transport.write(_head(status, len(answer), self._last) + answer)
        if self._last:
            self.transport.close()
            return
        if self.pipeline:
            self.on_response_complete()
        else:
            self._by(self.timeout_keep_alive)
        if self._early:
            early, self._early = b"".join(self._early), []
            self.flow.resume_reading()
            self.data_received(early)

    def _await_head(self) -> None:
        self._head, self._in_head = 0, True
        self._by(self.head_time)

    def _rest(self) -> None:
        self._in_head = False
        self._due = 0.0

    def _by(self, seconds: float) -> None:
        """Close the connection unless `_rest` or another deadline comes within ``seconds``."""
        self._due = self.loop.time() + seconds
        if self._alarm is None or self._alarm_at > self._due:
            self._arm(seconds)

    def _arm(self, seconds: float) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm_at = self.loop.time() + seconds
        self._alarm = self.loop.call_later(seconds, self._look)

    def _look(self) -> None:
        self._alarm = None
        if not self._due:
            return
        left = self._due - self.loop.time()
        if left > 0:
            self._arm(left)
        else:
            self.transport.close()


_UNANSWERED: Final[Any] = SimpleNamespace(response_complete=False)
"""Stands for a request on the lane: what was sent behind it waits its turn, as behind any other."""


@lru_cache(maxsize=256)
def _head(status: int, length: int, last: bool) -> bytes:  # noqa: FBT001 - a key's part
    closing = b"connection: close\r\n" if last else b""
    kind = b"content-type: application/json\r\n" if length else b""
    head = b"HTTP/1.1 %d %s\r\ncontent-length: %d\r\n" % (status, _REASONS[status], length)
    return head + kind + closing + b"\r\n"


_REASONS: Final = {status.value: status.phrase.encode() for status in HTTPStatus}


def spare_collector() -> None:
    """Have the garbage collector leave alone what lives as long as the process: to be called once all of it is loaded.

    A turn leaves next to no cycles behind: reference counts free what it made. By Python's own figures the collector
    would walk through all modules, dialogs and catalogues time and again to find that nothing has changed.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def few_hands() -> None:
    """Have PDFs, pictures and lists drawn and read in `HANDS` threads; to be called in the running loop."""
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(HANDS, "hands"))


class _Server(uvicorn.Server):
    """Signals are the process's business: it may run several servers."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


def bind(host: str, port: int, setting: str) -> socket.socket:
    """A listening socket.

    Raises:
        ConfigError: the port is taken or not ours to use; names ``setting``, or HOST where that is no
            address of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=1024)
    except OSError as error:
        if error.errno in {errno.EADDRNOTAVAIL, socket.EAI_NONAME, socket.EAI_AGAIN}:
            raise ConfigError(f"HOST: {host} is no address of this machine") from None
        # Its text names the address once more after the reason.
        why = (error.strerror or "").partition(" (")[0]
        raise ConfigError(f"{setting}: cannot listen on {host}:{port} ({why})") from None
    # Inherited by every connection. uvloop sets it itself, asyncio not for a socket made without a protocol
    # number: then each answer's body waits 40 ms for the client's word that its head arrived.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


@contextlib.asynccontextmanager
async def serving(
    app: ASGIApp, listener: socket.socket, head_time: float = HEAD_TIME, lane: Lane | None = None
) -> AsyncGenerator[None, None]:
    """Serve ``app`` on ``listener`` while the block runs; ``head_time`` as `HEAD_TIME`."""
    tasks = Tasks()
    of_this_server = {"head_time": head_time, "lane": lane} | ({"heads": Heads(lane)} if lane else {})
    config = uvicorn.Config(
        app,
        log_level="error",  # not a line for every stranger who speaks no HTTP
        access_log=False,  # addresses hold payment tokens
        server_header=False,
        lifespan="off",
        timeout_graceful_shutdown=_GRACE,
        http=type(_Bounded.__name__, (_Bounded,), of_this_server),
        proxy_headers=False,  # `bot.handlers.guard` reads them, by the settings
    )
    server = _Server(config)
    running = tasks.spawn(server.serve(sockets=[listener]), "http server")
    try:
        yield
    finally:
        server.should_exit = True
        await running
