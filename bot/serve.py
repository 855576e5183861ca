"""HTTP servers inside one process: bound before anything starts, stopped without a traceback."""

import asyncio
import contextlib
import errno
import gc
import socket
from collections.abc import AsyncGenerator, Generator
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any, ClassVar, Final

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from bot.errors import ConfigError
from bot.lane import Deadline, Fork, Lanes
from bot.tasks import Tasks
from bot.whole import DIGITS, HEAD_LIMIT, LANE_LIMIT, Lane

_GRACE = 3
"""Seconds open requests have at the end."""

_KEEP_ALIVE: Final = 5
"""Seconds a connection may rest between two requests; uvicorn's own figure."""

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
    lanes: ClassVar[Lanes | None] = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._head = 0
        self._in_head = True
        self._deadline: Deadline
        self._fork: Fork | None = None
        self._parts: list[bytes] | None = None  # of the body of a request on the lane
        self._begun = False
        """The parser has begun a request and not seen its end."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's
        super().connection_made(transport)
        self._deadline = Deadline(transport)
        if self.lanes is not None:
            fork: Any = Fork(self.lanes, self, transport, self._deadline)
            self._fork = fork
            transport.set_protocol(fork)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._deadline.end()
        super().connection_lost(exc)
        self._fork = None  # else each would keep the other until the collector comes

    def data_received(self, data: bytes) -> None:
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
            self._deadline.by(BODY_TIME)
        else:
            if self._fork is not None and self._fork.serving:
                self.cycle = _UNANSWERED
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        if self._parts is None:
            super().on_body(body)
        else:
            self._parts.append(body)

    def on_message_complete(self) -> None:
        self._begun = False
        if self._parts is None or self._fork is None:
            super().on_message_complete()
            return
        self._rest()
        body, self._parts = b"".join(self._parts), None
        parser: Any = self.parser  # None only after the connection is lost
        self._fork.lead(body, last=not parser.should_keep_alive())

    def shutdown(self) -> None:
        if self._fork is not None and self._fork.serving:
            self._fork.last = True
        else:
            super().shutdown()

    # --- the fork's -----------------------------------------------------------------------------

    def idle(self) -> bool:
        """Whether the parser has nothing begun and nothing is being answered."""
        cycle: Any = self.cycle  # None before the first ordinary request
        return not self._begun and (cycle is None or cycle.response_complete) and not self.pipeline

    def stand_aside(self) -> None:
        """What comes now is the lane's."""
        self._unset_keepalive_if_required()

    def go_on(self) -> bool:
        """The lane has answered: take up what was sent behind it. False where that is nothing."""
        waits = bool(self.pipeline)
        if waits:
            self.on_response_complete()
        return waits

    def _admitted(self) -> bool:
        """Whether the request whose head is complete belongs on the lane."""
        parser: Any = self.parser
        if self.lanes is None or self._fork is None:
            return False
        lane = self.lanes.lane
        if self.url != lane.path or parser.get_method() != b"POST":
            return False
        cycle: Any = self.cycle  # None before the first ordinary request
        if self._fork.serving or (cycle is not None and not cycle.response_complete):
            return False  # sent before the last answer: in order, by the ordinary way
        if self.expect_100_continue or parser.get_http_version() != "1.1":
            return False
        length = next((value for name, value in self.headers if name == b"content-length"), b"")
        if not length.isdigit() or len(length) > DIGITS or int(length) > LANE_LIMIT:
            return False
        return lane.admits(self.headers)

    def _await_head(self) -> None:
        self._head, self._in_head = 0, True
        self._deadline.by(self.head_time)

    def _rest(self) -> None:
        self._in_head = False
        self._deadline.rest()


_UNANSWERED: Final[Any] = SimpleNamespace(response_complete=False)
"""Stands for a request on the lane: what was sent behind it waits its turn, as behind any other."""


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
    lanes = Lanes(lane, _KEEP_ALIVE) if lane else None
    of_this_server = {"head_time": head_time, "lanes": lanes}
    config = uvicorn.Config(
        app,
        log_level="error",  # not a line for every stranger who speaks no HTTP
        access_log=False,  # addresses hold payment tokens
        server_header=False,
        lifespan="off",
        timeout_keep_alive=_KEEP_ALIVE,
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
        ends = asyncio.get_running_loop().time() + _GRACE
        await running
        if lanes is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(ends):
                    await lanes.tasks.drain()
            await lanes.tasks.close()
