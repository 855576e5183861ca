"""A connection to one server of Redis that many turns share: one write takes along what all of them ask for."""

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Any, Final

import hiredis
from redis.exceptions import TimeoutError as RedisTimeout

from bot.store.connect import TIMEOUT

Arg = str | bytes | int

_LENGTHS: Final = tuple([b"\r\n$%d\r\n" % length for length in range(2048)])
"""What stands between two of a command's arguments: the end of one, and the length of the next."""
_COUNTS: Final = tuple([b"*%d" % count for count in range(128)])


class Broken(Exception):
    """The connection is gone; whether the server did what it was asked is not known."""


# hiredis packs commands, too, but has the C library print each length: a tenth of a turn (docs/performance.md).


def bulk(args: Sequence[Arg]) -> bytes:
    """``args`` as part of a command: bulk strings (https://redis.io/docs/latest/develop/reference/protocol-spec)."""
    parts: list[bytes] = []
    for arg in args:
        data = arg if isinstance(arg, bytes) else arg.encode() if isinstance(arg, str) else str(arg).encode()
        length = len(data)
        parts.append(_LENGTHS[length] if length < len(_LENGTHS) else b"\r\n$%d\r\n" % length)
        parts.append(data)
    return b"".join(parts)


def array(count: int, parts: list[bytes]) -> bytes:
    """A command of ``count`` arguments, which are in ``parts`` as `bulk` makes them."""
    head = _COUNTS[count] if count < len(_COUNTS) else b"*%d" % count
    return b"".join([head, *parts, b"\r\n"])


def packed(command: Sequence[Arg]) -> bytes:
    """``command`` as Redis reads it."""
    return array(len(command), [bulk(command)])


class Pipe:
    """A connection, taken over from redis-py once it has said hello. An `asyncio.Protocol` by its methods."""

    def __init__(self, connection: Any) -> None:
        self.gone = False
        self.connection = connection
        self._transport: Any = connection._writer.transport  # noqa: SLF001 - redis-py has no public way to it
        self._before = self._transport.get_protocol()  # waits for the end when redis-py closes the connection
        self._transport.set_protocol(self)
        self._reader = hiredis.Reader()
        self._loop = asyncio.get_running_loop()
        # When it was asked, whom to tell, and the answers so far where several are told at once.
        self._waiting: deque[tuple[float, asyncio.Future[Any], list[Any] | None, int]] = deque()
        self._out: list[bytes] = []
        self._watching = False

    def run(self, command: bytes) -> "asyncio.Future[Any]":
        """Send ``command`` (`packed`) with whatever else this round of the loop sends.

        Its answer, or its `hiredis.ReplyError`. Fails with `Broken` where the connection is lost, with
        `redis.exceptions.TimeoutError` where there is no answer in `TIMEOUT`.
        """
        return self._send(command, None, 1)

    def run_all(self, commands: Sequence[bytes]) -> "asyncio.Future[list[Any]]":
        """The same of several commands: the list of their answers."""
        return self._send(b"".join(commands), [], len(commands))

    def _send(self, packed: bytes, answers: list[Any] | None, count: int) -> "asyncio.Future[Any]":
        future: asyncio.Future[Any] = self._loop.create_future()
        if self.gone:  # since it was chosen: nobody would answer
            future.set_exception(Broken("closed"))
            return future
        self._waiting.append((self._loop.time(), future, answers, count))
        if not self._out:
            self._loop.call_soon(self._flush)
        self._out.append(packed)
        if not self._watching:
            self._watching = True
            self._loop.call_later(TIMEOUT, self._watch)
        return future

    def _flush(self) -> None:
        out, self._out = self._out, []
        if self.gone:  # since it was asked: whoever asked knows
            return
        self._transport.write(out[0] if len(out) == 1 else b"".join(out))

    def _watch(self) -> None:
        """Give up a connection whose oldest command waits too long."""
        if self.gone or not self._waiting:
            self._watching = False
            return
        left = self._waiting[0][0] + TIMEOUT - self._loop.time()
        if left > 0:
            self._loop.call_later(left, self._watch)
            return
        self.gone = True
        self._fail(RedisTimeout("no answer in time"))
        self._transport.abort()

    # --- asyncio's ------------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        self._reader.feed(data)
        try:
            while (answer := self._reader.gets()) is not False:
                if isinstance(answer, hiredis.PushNotification):
                    continue
                _, future, answers, count = self._waiting[0]
                if answers is not None:
                    answers.append(answer)
                    if len(answers) < count:
                        continue
                self._waiting.popleft()
                if not future.done():  # its turn was given up
                    future.set_result(answer if answers is None else answers)
        except (hiredis.ProtocolError, IndexError):
            self._transport.abort()

    def eof_received(self) -> None:
        """The server closes: so do we."""

    def pause_writing(self) -> None:
        """What waits for an answer is bounded by who asks."""

    def resume_writing(self) -> None:
        """See `pause_writing`."""

    def connection_lost(self, exc: Exception | None) -> None:
        self.gone = True
        self._fail(Broken(type(exc).__name__))
        self._before.connection_lost(exc)

    def _fail(self, error: Exception) -> None:
        while self._waiting:
            _, future, *_ = self._waiting.popleft()
            if not future.done():
                future.set_exception(error)
