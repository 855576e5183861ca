"""A connection on which a lane's requests come: they go past the HTTP server's protocol, and all else to it.

For the requests that nearly every turn begins with (docs/performance.md has the figures; ADR 0023).
"""

import asyncio
from functools import lru_cache
from http import HTTPStatus
from typing import Any, Final

from bot.tasks import Tasks
from bot.whole import Heads, Lane

_REASONS: Final = {status.value: status.phrase.encode() for status in HTTPStatus}


@lru_cache(maxsize=256)
def _head(status: int, length: int, last: bool) -> bytes:  # noqa: FBT001 - a key's part
    closing = b"connection: close\r\n" if last else b""
    kind = b"content-type: application/json\r\n" if length else b""
    head = b"HTTP/1.1 %d %s\r\ncontent-length: %d\r\n" % (status, _REASONS[status], length)
    return head + kind + closing + b"\r\n"


class Deadline:
    """Closes a connection on which something takes too long.

    One timer a connection, not three a request: it is armed while a deadline stands, and looks again.
    """

    def __init__(self, transport: Any) -> None:
        self._transport = transport
        self._loop = asyncio.get_running_loop()
        self._due = 0.0
        self._alarm: asyncio.TimerHandle | None = None
        self._alarm_at = 0.0

    def by(self, seconds: float) -> None:
        """Close it unless `rest` or another deadline comes within ``seconds``."""
        self._due = self._loop.time() + seconds
        if self._alarm is None or self._alarm_at > self._due:
            self._arm(seconds)

    def rest(self) -> None:
        """No deadline stands."""
        self._due = 0.0

    def end(self) -> None:
        """The connection is gone."""
        self._due = 0.0
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None

    def _arm(self, seconds: float) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm_at = self._loop.time() + seconds
        self._alarm = self._loop.call_later(seconds, self._look)

    def _look(self) -> None:
        self._alarm = None
        if not self._due:
            return
        left = self._due - self._loop.time()
        if left > 0:
            self._arm(left)
        else:
            self._transport.close()


class Lanes:
    """What the connections of a server with a lane share.

    Args:
        lane: answers what is admitted.
        keep_alive: seconds a connection may rest between two requests.
    """

    def __init__(self, lane: Lane, keep_alive: float) -> None:
        self.lane = lane
        self.keep_alive = keep_alive
        self.heads = Heads(lane)
        self.tasks = Tasks()


class Fork:
    """Where a connection's requests part. An `asyncio.Protocol` by its methods.

    Args:
        lanes: the server's.
        ordinary: the server's protocol of this connection (`bot.serve`).
        transport: the connection.
        deadline: of what is under way on it.

    Attributes:
        serving: a request is on the lane.
        last: the connection is closed after its answer.
    """

    def __init__(self, lanes: Lanes, ordinary: Any, transport: Any, deadline: Deadline) -> None:
        self.serving = self.last = False
        self._lanes = lanes
        self._ordinary = ordinary
        self._transport = transport
        self._deadline = deadline
        self._early: list[bytes] = []  # came before the answer to what is on the lane
        self._aside = False
        """Nothing has gone the ordinary way since it last stood aside."""

    @property
    def held(self) -> int:
        """Bytes that wait for an answer."""
        return sum(map(len, self._early))

    def lead(self, body: bytes, *, last: bool) -> None:
        """Have the lane answer ``body``."""
        self.serving, self.last = True, last
        self._lanes.tasks.do(self._serve(body), "lane")

    async def _serve(self, body: bytes) -> None:
        status, answer = await self._lanes.lane.serve(body)
        self.serving = False
        if self._transport.is_closing():
            return
        self._transport.write(_head(status, len(answer), self.last) + answer)
        if self.last:
            self._transport.close()
            return
        if self._aside or not self._ordinary.go_on():
            self._deadline.by(self._lanes.keep_alive)
        if self._early:
            early, self._early = b"".join(self._early), []
            self._ordinary.flow.resume_reading()
            self.data_received(early)

    # --- asyncio's ------------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        if self.serving:
            self._early.append(data)
            self._ordinary.flow.pause_reading()
            return
        if (self._aside or self._ordinary.idle()) and (body := self._lanes.heads.body(data)) is not None:
            if not self._aside:
                self._ordinary.stand_aside()
                self._aside = True
            self._deadline.rest()
            self.lead(body, last=False)
            return
        self._aside = False
        self._ordinary.data_received(data)

    def eof_received(self) -> None:
        self._ordinary.eof_received()

    def pause_writing(self) -> None:
        """The other side does not read."""
        self._ordinary.pause_writing()

    def resume_writing(self) -> None:
        """It does again."""
        self._ordinary.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        self._ordinary.connection_lost(exc)
