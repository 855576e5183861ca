"""A lean HTTP/1.1 client: one request and its answer, over connections that are kept.

For the few calls that every turn makes (docs/performance.md has the figures; ADR 0023). Anything seldom goes through
httpx or aiogram. No redirects, no cookies, no decoding, no proxies: a caller gets status, media type and bytes.
"""

import asyncio
import ssl
from collections import deque
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import httptools

from bot.whole import HEAD_LIMIT, Answers, media_type

IDLE: Final = 30.0
"""Seconds a kept connection may rest; servers commonly close theirs after 60 or more."""

LIMIT: Final = 1024 * 1024
"""Bytes of an answer that are read at most."""

CONNECT: Final = 3.0
"""Seconds to connect, TLS included; a peer that does not accept by then is not there."""


_FINAL: Final = 200


class Late(Exception):
    """No answer within the time given; whether the request arrived is not known."""


class NotSent(Exception):
    """No connection: the request certainly did not arrive."""


class Lost(Exception):
    """The connection ended before the answer did; whether the request arrived is not known."""


class Unfit(Exception):
    """What came is no HTTP answer we take: malformed, encoded, or too large."""


class Answer:
    """An answer. ``media_type`` without parameters, lower case."""

    def __init__(self, status: int, body: bytes, media_type: str) -> None:
        self.status = status
        self.body = body
        self.media_type = media_type

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Answer) and self._all() == other._all()

    def __hash__(self) -> int:
        return hash(self._all())

    def _all(self) -> tuple[int, bytes, str]:
        return self.status, self.body, self.media_type


class Wire:
    """Calls to one server.

    Args:
        base_url: ``http(s)://host[:port][/prefix]``.
        headers: sent with every request.
        limit: connections open at once; further calls wait.

    Raises:
        ValueError: not such an address.
    """

    def __init__(self, base_url: str, headers: Mapping[str, str] | None = None, limit: int = 100) -> None:
        parts = urlsplit(base_url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("expected an address that begins with https:// or http://")
        self._host = parts.hostname
        self._port = parts.port or (443 if parts.scheme == "https" else 80)
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self._prefix = parts.path.rstrip("/")
        given = {"Host": parts.netloc.rpartition("@")[2], **(headers or {})}
        self._head = "".join(f"{name}: {value}\r\n" for name, value in given.items())
        self._free: list[_Connection] = []
        self._open: set[_Connection] = set()
        self._limit = limit
        self._busy = 0
        self._queue: deque[asyncio.Future[None]] = deque()
        self._answers = Answers()

    async def ask(
        self,
        method: str,
        path: str,
        content: bytes = b"",
        headers: Mapping[str, str] | None = None,
        within: float = 0.0,
    ) -> Answer:
        """Send one request, JSON where it has a body.

        Args:
            method: HTTP method.
            path: under the base's.
            content: the body.
            headers: besides those of every request.
            within: seconds from sending to the answer, 0 where the caller bounds the time.

        Raises:
            Late: no answer ``within`` the time.
            NotSent: no connection could be made, or a kept one was closed before anything of the answer came and
                a new one cannot be made.
            Lost: the connection ended before the answer did.
            Unfit: not an answer we take.
        """
        given = "".join(f"{name}: {value}\r\n" for name, value in headers.items()) if headers else ""
        kind = "Content-Type: application/json\r\n" if content else ""
        head = (
            f"{method} {self._prefix}/{path.lstrip('/')} HTTP/1.1\r\n{self._head}{given}{kind}"
            f"Content-Length: {len(content)}\r\n\r\n"
        )
        request = head.encode("latin-1") + content
        if self._busy >= self._limit:
            await self._turn()
        else:
            self._busy += 1
        try:
            connection = self._kept() or await self._new()
            try:
                return await connection.exchange(request, within)
            finally:
                self._back(connection)
        finally:
            self._leave()

    async def _turn(self) -> None:
        """Wait to be handed somebody's place, first come first served."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():  # the place it was handed is another's
                self._leave()
            raise

    def _leave(self) -> None:
        """Hand the place over, or give it up: whoever comes now must not get before those who wait."""
        while self._queue:
            turn = self._queue.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._busy -= 1

    async def close(self) -> None:
        """Close every connection."""
        for connection in tuple(self._open):
            connection.close()
        self._free.clear()

    def _kept(self) -> "_Connection | None":
        while self._free:
            connection = self._free.pop()
            if connection.rested():
                return connection
            connection.close()
        return None

    async def _new(self) -> "_Connection":
        loop = asyncio.get_running_loop()
        connection = _Connection(self._open, self._answers)
        protocol: Any = connection
        try:
            async with asyncio.timeout(CONNECT):
                await loop.create_connection(
                    lambda: protocol,
                    self._host,
                    self._port,
                    ssl=self._tls,
                    server_hostname=self._host if self._tls else None,
                )
        except (OSError, TimeoutError) as error:  # an SSLError is an OSError
            raise NotSent(type(error).__name__) from None
        return connection

    def _back(self, connection: "_Connection") -> None:
        if connection.usable:
            connection.rest()
            self._free.append(connection)
        else:
            connection.close()


class _Connection:
    """One connection: one exchange at a time. An `asyncio.Protocol` by its methods."""

    def __init__(self, among: "set[_Connection]", answers: Answers) -> None:
        self._among = among
        self._answers = answers
        self._transport: Any = None
        self._waiting: asyncio.Future[Answer] | None = None
        self._parser: Any = None
        self._begun = False  # the parser has the beginning of the answer
        self._taken = 0  # bytes of the answer, its head and the marks of its chunks included
        self._body: list[bytes] = []
        self._size = 0
        self._media_type = ""
        self._encoded = False
        self._closing = False
        self._loop = asyncio.get_running_loop()
        self._rests_since = 0.0
        # One timer a connection, not one a request: it is armed while there is somebody to wait for, and looks again.
        self._due = 0.0
        self._alarm: asyncio.TimerHandle | None = None

    @property
    def usable(self) -> bool:
        """Whether another exchange may follow."""
        return not self._closing and self._waiting is None and not self._transport.is_closing()

    def rest(self) -> None:
        """Nobody needs it now."""
        self._rests_since = self._loop.time()

    def rested(self) -> bool:
        """Whether it may be used again, at once."""
        return self.usable and self._loop.time() - self._rests_since < IDLE

    async def exchange(self, request: bytes, within: float) -> Answer:
        """Send ``request`` and wait for its answer, ``within`` seconds where that is not 0."""
        self._begun = False
        self._waiting = self._loop.create_future()
        self._transport.write(request)
        if within:
            self._due = self._loop.time() + within
            if self._alarm is None or self._alarm.when() > self._due:
                self._arm(within)
        try:
            return await self._waiting
        except asyncio.CancelledError:  # given up by the caller: what still comes belongs to nobody
            self._waiting = None
            self.close()
            raise
        finally:
            self._due = 0.0

    def _arm(self, seconds: float) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm = self._loop.call_later(seconds, self._look)

    def _look(self) -> None:
        """Whether the answer is late; nobody may be waiting any more, or somebody who came later."""
        self._alarm = None
        if self._due:
            left = self._due - self._loop.time()
            if left > 0:
                self._arm(left)
            else:
                self._fail(Late("no answer"))

    def close(self) -> None:
        """Close the connection."""
        self._closing = True
        self._among.discard(self)
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        if self._transport is not None:
            self._transport.close()

    # --- asyncio's ------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._among.add(self)

    def data_received(self, data: bytes) -> None:
        if self._waiting is None:  # nobody asked for it
            self.close()
            return
        if not self._begun:
            if len(data) <= LIMIT and (whole := self._answers.read(data)) is not None:
                status, body, kind = whole
                self._told(Answer(status, body, kind))
                return
            self._parse_anew()
        self._taken += len(data)
        if self._taken > LIMIT + HEAD_LIMIT:
            self._fail(Unfit("too large"))
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self._fail(Unfit("malformed"))

    def _told(self, answer: Answer) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None and not waiting.done():
            waiting.set_result(answer)

    def _parse_anew(self) -> None:
        if self._parser is None:
            self._parser = httptools.HttpResponseParser(self)
        self._taken, self._begun = 0, True

    def eof_received(self) -> None:
        self._closing = True

    def pause_writing(self) -> None:
        """Requests are small, and one at a time."""

    def resume_writing(self) -> None:
        """See `pause_writing`."""

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._fail(Lost("closed"))

    # --- the parser's ---------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        self._closing = self._closing or self._waiting is None  # an answer that nobody asked for
        self._body.clear()
        self._size, self._media_type, self._encoded = 0, "", False

    def on_header(self, name: bytes, value: bytes) -> None:
        match name.lower():
            case b"content-type":
                self._media_type = media_type(value)
            case b"content-encoding":
                self._encoded = True
            case _:
                pass

    def on_body(self, body: bytes) -> None:
        self._size += len(body)
        if self._size > LIMIT:
            self._fail(Unfit("too large"))
        else:
            self._body.append(body)

    def on_message_complete(self) -> None:
        if self._parser.get_status_code() < _FINAL:
            return  # word of an answer that is still to come (RFC 9110, section 15.2)
        waiting, self._waiting = self._waiting, None
        if waiting is None or waiting.done():
            return
        self._closing = self._closing or not self._parser.should_keep_alive()
        if self._encoded:
            waiting.set_exception(Unfit("wrong content encoding"))
            return
        body = self._body[0] if len(self._body) == 1 else b"".join(self._body)
        waiting.set_result(Answer(self._parser.get_status_code(), body, self._media_type))

    def _fail(self, error: Exception) -> None:
        waiting, self._waiting = self._waiting, None
        self.close()
        if waiting is not None and not waiting.done():
            waiting.set_exception(error)
