"""Scripts of many turns on one connection a server: one write takes along what all of them ask for.

redis-py gives each command a connection of its own from the pool, which costs more than the command (ADR 0023). Here
it still opens the connection (address, TLS, password, database) and knows a cluster's shards; then the connection is
spoken to directly. Whatever is out of the ordinary (a script the server has not seen, a slot that moved, a server that
loads or fails over, a lost connection) goes the ordinary way once more, through redis-py.
"""

import asyncio
import contextlib
import hashlib
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Final, cast

import hiredis
from redis.asyncio import Redis
from redis.asyncio.cluster import RedisCluster
from redis.crc import key_slot
from redis.exceptions import (
    AskError,
    ClusterDownError,
    ReadOnlyError,
    RedisError,
    ResponseError,
    TryAgainError,
)
from redis.exceptions import ConnectionError as Away
from redis.exceptions import TimeoutError as RedisTimeout

from bot.store.connect import TIMEOUT

Arg = str | bytes | int

_PACK: Final = cast("Callable[[tuple[Arg, ...]], bytes]", getattr(hiredis, "pack_command"))  # noqa: B009 - its annotations say a tuple of one

_ELSEWHERE: Final = (
    "NOSCRIPT",
    "MOVED",
    "ASK",
    "TRYAGAIN",
    "CLUSTERDOWN",
    "LOADING",
    "READONLY",
    "MASTERDOWN",
)
"""Errors whose cure redis-py knows."""


Command = tuple["str | Script", str, tuple[Arg, ...]]
"""A command's name or a script, its one key, and what else it is given."""

_SINGLE: Final = "return redis.call(ARGV[1], KEYS[1], unpack(ARGV, 2))"

_NONE: Final = object()

_AT_ONCE: Final = 16
"""Commands at once that go the ordinary way, of some hundred connections there."""


_NOWHERE: Final = (AskError, ClusterDownError, TryAgainError, ReadOnlyError)


class Broken(Exception):
    """The connection is gone; whether the server did what it was asked is not known."""


_LOST: Final = (Broken, OSError)


class Script:
    """A Lua script, run on the server that holds its keys.

    Args:
        pipes: the connections.
        text: the script.
    """

    def __init__(self, pipes: "Pipes", text: str) -> None:
        self._pipes = pipes
        self._sha = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
        self._slow: Any = pipes.redis.register_script(text)

    def called(self, keys: Sequence[str], args: Sequence[Arg]) -> tuple[Arg, ...]:
        """As it is asked of a server that has seen it."""
        return ("EVALSHA", self._sha, len(keys), *keys, *args)

    async def __call__(self, keys: Sequence[str], args: Sequence[Arg]) -> Any:
        """Run it; once more where a connection was lost in between: scripts here are safe to run again.

        Raises:
            RedisError: without the server's words, which may quote what it was given.
            OSError: the server cannot be reached.
        """
        command = self.called(keys, args)
        try:
            pipe = self._pipes.ready(keys[0]) or await self._pipes.opened(keys[0])
            answer = await pipe.run(command)
        except (Broken, OSError):
            answer = _NONE
        if answer is _NONE:
            return await self._otherwise(command, keys, args)
        if not isinstance(answer, hiredis.ReplyError):
            return answer
        if str(answer).startswith(_ELSEWHERE):
            return await self._otherwise(command, keys, args)
        raise RedisError(str(answer).partition(" ")[0])

    async def _otherwise(self, command: tuple[Arg, ...], keys: Sequence[str], args: Sequence[Arg]) -> Any:
        """Through the connection once more, then through redis-py; a few at a time, as each costs a connection there."""
        async with self._pipes.room:
            with contextlib.suppress(Broken, OSError):
                answer = await (await self._pipes.opened(keys[0])).run(command)
                if not isinstance(answer, hiredis.ReplyError):
                    return answer
            try:
                return await self._slow(keys=keys, args=args)
            except _NOWHERE as error:  # said by a server, and yet nobody took it
                raise Away(type(error).__name__) from None
            except ResponseError as error:
                said = str(error).partition(" ")[0]
            raise RedisError(said)


def _asked(command: Command) -> tuple[Arg, ...]:
    what, key, rest = command
    return what.called([key], rest) if isinstance(what, Script) else (what, key, *rest)


class Pipes:
    """One connection to each server that holds slots.

    Args:
        redis: a client that returns bytes; opens connections and takes what is out of the ordinary.
    """

    def __init__(self, redis: Redis | RedisCluster) -> None:
        self.redis: Any = redis  # redis-py's own annotations are incomplete under strict checking
        self.room = asyncio.Semaphore(_AT_ONCE)
        self._cluster = isinstance(redis, RedisCluster)
        self._pipes: dict[str, _Pipe] = {}
        self._opening: dict[str, asyncio.Lock] = {}
        self._single = Script(self, _SINGLE)

    def ready(self, key: str) -> "_Pipe | None":
        """The connection to the server that holds ``key``, None where there is none now."""
        pipe = self._pipes.get(self._server(key))
        return None if pipe is None or pipe.gone else pipe

    async def opened(self, key: str) -> "_Pipe":
        """The same, opened where there is none.

        Raises:
            Broken: the server cannot be reached.
            OSError: likewise.
        """
        node = self._node(key) if self._cluster else None
        return self.ready(key) or await self._open(node.name if node else "", node)

    async def all(self, commands: Sequence[Command]) -> list[Any]:
        """Run commands of one key each: one round trip to each server.

        Returns:
            Their answers as the server gave them, or a `RedisError` each.

        Raises:
            RedisError: a server cannot be reached.
            OSError: likewise.
        """
        answers: list[Any] = [_NONE] * len(commands)
        servers: dict[str, list[int]] = {}
        for number, (_, key, _) in enumerate(commands):
            servers.setdefault(self._server(key), []).append(number)
        # Beside one another: entries in hand on the others need signs of life while one is being looked for.
        asked = [self._batch([commands[number] for number in numbers]) for numbers in servers.values()]
        failed: BaseException | None = None
        for numbers, found in zip(
            servers.values(), await asyncio.gather(*asked, return_exceptions=True), strict=True
        ):
            if isinstance(found, _LOST):
                continue
            if isinstance(found, BaseException):
                failed = found
                continue
            for number, answer in zip(numbers, found, strict=True):
                answers[number] = answer
        if failed is not None:
            raise failed
        return [await self._sound(answer, command) for answer, command in zip(answers, commands, strict=True)]

    async def _batch(self, commands: Sequence[Command]) -> list[Any]:
        """The answers of one server, which holds the keys of all ``commands``."""
        pipe = self.ready(commands[0][1]) or await self.opened(commands[0][1])
        return await pipe.run_all([_asked(command) for command in commands])

    async def _sound(self, answer: Any, command: Command) -> Any:
        """``answer``, got the ordinary way where it is missing or another server has it."""
        if answer is not _NONE and not isinstance(answer, hiredis.ReplyError):
            return answer
        if answer is _NONE or str(answer).startswith(_ELSEWHERE):
            what, key, rest = command
            try:
                if isinstance(what, Script):
                    return await what([key], rest)
                return await self._single([key], [what, *rest])
            except RedisError as error:
                if type(error) is RedisError:  # the server's word
                    return error
                raise  # it cannot be reached: the others would wait for it one after the other
        return RedisError(str(answer).partition(" ")[0])

    def _server(self, key: str) -> str:
        return str(self._node(key).name) if self._cluster else ""

    def _node(self, key: str) -> Any:
        return self.redis.nodes_manager.get_node_from_slot(key_slot(key.encode()))

    async def _open(self, name: str, node: Any) -> "_Pipe":
        async with self._opening.setdefault(name, asyncio.Lock()):
            pipe = self._pipes.get(name)
            if pipe is not None and not pipe.gone:
                return pipe
            try:
                if pipe is not None:
                    del self._pipes[name]
                    await self._give_back(pipe.connection, node)
                pipe = self._pipes[name] = _Pipe(await self._connected(node))
            except RedisError as error:
                raise Broken(type(error).__name__) from None
            return pipe

    async def _connected(self, node: Any) -> Any:
        """A connection that its client counts as taken, so that closing the client closes it."""
        if node is None:
            return await self.redis.connection_pool.get_connection()
        connection = node.connection_class(**node.connection_kwargs)
        await connection.connect()
        node._connections.append(connection)  # noqa: SLF001 - a cluster's node hands out none that is surely new
        return connection

    async def _give_back(self, connection: Any, node: Any) -> None:
        if node is None:
            connection.mark_for_reconnect()
            await self.redis.connection_pool.release(connection)
            return
        await connection.disconnect(nowait=True)
        with contextlib.suppress(ValueError):  # of a node that the cluster knew before
            node._connections.remove(connection)  # noqa: SLF001 - as above


class _Pipe:
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

    def run(self, command: tuple[Arg, ...]) -> "asyncio.Future[Any]":
        """Send ``command`` with whatever else this round of the loop sends.

        Its answer, or its `hiredis.ReplyError`. Fails with `Broken` where the connection is lost, with
        `redis.exceptions.TimeoutError` where there is no answer in `TIMEOUT`.
        """
        return self._send(_PACK(command), None, 1)

    def run_all(self, commands: Sequence[tuple[Arg, ...]]) -> "asyncio.Future[list[Any]]":
        """The same of several commands: the list of their answers."""
        return self._send(b"".join([_PACK(command) for command in commands]), [], len(commands))

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
