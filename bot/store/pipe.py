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
from redis.exceptions import RedisError, ResponseError
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


_AT_ONCE: Final = 16
"""Commands at once that go the ordinary way, of some hundred connections there."""


class Broken(Exception):
    """The connection is gone; whether the server did what it was asked is not known."""


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

    async def __call__(self, keys: Sequence[str], args: Sequence[Arg]) -> Any:
        """Run it; once more where a connection was lost in between: scripts here are safe to run again.

        Raises:
            RedisError: without the server's words, which may quote what it was given.
            OSError: the server cannot be reached.
        """
        command = ("EVALSHA", self._sha, len(keys), *keys, *args)
        try:
            answer = await self._pipes.run(keys[0], command)
        except (Broken, OSError):
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
                answer = await self._pipes.run(keys[0], command)
                if not isinstance(answer, hiredis.ReplyError):
                    return answer
            try:
                return await self._slow(keys=keys, args=args)
            except ResponseError as error:
                said = str(error).partition(" ")[0]
            raise RedisError(said)


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

    async def run(self, key: str, command: tuple[Arg, ...]) -> Any:
        """Run ``command`` on the server that holds ``key``; its answer, or its `hiredis.ReplyError`.

        Raises:
            Broken: the connection was lost.
            OSError: the server cannot be reached.
            redis.exceptions.TimeoutError: no answer in `TIMEOUT`.
        """
        node = self.redis.nodes_manager.get_node_from_slot(key_slot(key.encode())) if self._cluster else None
        name = node.name if node else ""
        pipe = self._pipes.get(name)
        if pipe is None or pipe.gone:
            pipe = await self._open(name, node)
        return await pipe.run(command)

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


class _Pipe(asyncio.Protocol):
    """A connection, taken over from redis-py once it has said hello."""

    def __init__(self, connection: Any) -> None:
        self.gone = False
        self.connection = connection
        self._transport: Any = connection._writer.transport  # noqa: SLF001 - redis-py has no public way to it
        self._before = self._transport.get_protocol()  # waits for the end when redis-py closes the connection
        self._transport.set_protocol(self)
        self._reader = hiredis.Reader()
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[tuple[float, asyncio.Future[Any]]] = deque()
        self._out: list[bytes] = []
        self._watching = False

    def run(self, command: tuple[Arg, ...]) -> "asyncio.Future[Any]":
        """Send ``command`` with whatever else this round of the loop sends."""
        future: asyncio.Future[Any] = self._loop.create_future()
        self._waiting.append((self._loop.time(), future))
        if not self._out:
            self._loop.call_soon(self._flush)
        self._out.append(_PACK(command))
        if not self._watching:
            self._watching = True
            self._loop.call_later(TIMEOUT, self._watch)
        return future

    def _flush(self) -> None:
        out, self._out = self._out, []
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
                _, future = self._waiting.popleft()
                if not future.done():  # its turn was given up
                    future.set_result(answer)
        except (hiredis.ProtocolError, IndexError):
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self.gone = True
        self._fail(Broken(type(exc).__name__))
        self._before.connection_lost(exc)

    def _fail(self, error: Exception) -> None:
        while self._waiting:
            _, future = self._waiting.popleft()
            if not future.done():
                future.set_exception(error)
