"""Scripts and commands of many turns, on one connection a server (`bot.store.pipe`).

redis-py gives each command a connection of its own from the pool, which costs more than the command (ADR 0023). Here
it still opens the connection (address, TLS, password, database) and knows a cluster's shards; then the connection is
spoken to directly. Whatever is out of the ordinary (a script the server has not seen, a slot that moved, a server that
loads or fails over, a lost connection) goes the ordinary way once more, through redis-py.
"""

import asyncio
import contextlib
import hashlib
from collections.abc import Collection, Sequence
from typing import Any, Final

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

from bot.store.away import FAILURES
from bot.store.health import Health
from bot.store.pipe import Arg, Broken, Pipe, array, bulk, packed

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

_UNSEEN: Final = "NOSCRIPT"
"""Of them the one that says nothing of the server's health: it has been started anew, or took over from another."""

IN_TIME: Final = 2.0
"""Seconds for an answer, after which the server counts as away. Signs of life are given as often (`bot.runtime.deliver`)."""

_NONE: Final = object()

_AT_ONCE: Final = 16
"""Commands at once that go the ordinary way, of some hundred connections there."""

_NOWHERE: Final = (AskError, ClusterDownError, TryAgainError, ReadOnlyError)
_LOST: Final = (Broken, OSError)


class Names:
    """Keys of one slot, ready to be sent with a script.

    Attributes:
        keys: their names.
        packed: the same as part of a command.
    """

    def __init__(self, keys: tuple[str, ...]) -> None:
        self.keys = keys
        self.packed = bulk((len(keys), *keys))


class Script:
    """A Lua script, run on the server that holds its keys.

    Args:
        pipes: the connections.
        text: the script.
        always: the first of its arguments, which are always the same.
    """

    def __init__(self, pipes: "Pipes", text: str, always: tuple[Arg, ...] = ()) -> None:
        self.text = text
        self._pipes = pipes
        sha = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
        self._head = bulk(("EVALSHA", sha))
        self._always = always
        self._always_packed = bulk(always)
        self._slow: Any = pipes.redis.register_script(text)

    def called(self, names: Names, args: Sequence[Arg]) -> bytes:
        """As it is asked of a server that has seen it."""
        count = 3 + len(names.keys) + len(self._always) + len(args)
        return array(count, [self._head, names.packed, self._always_packed, bulk(args)])

    async def __call__(self, names: Names, args: Sequence[Arg]) -> Any:
        """Run it; once more where a connection was lost in between: scripts here are safe to run again.

        Raises:
            RedisError: without the server's words, which may quote what it was given.
            OSError: the server cannot be reached.
        """
        command, key = self.called(names, args), names.keys[0]
        try:
            pipe = self._pipes.ready(key) or await self._pipes.opened(key)
            answer = await pipe.run(command)
        except (Broken, OSError):
            answer = _NONE
        if answer is _NONE:
            return await self._otherwise(command, names, args)
        if not isinstance(answer, hiredis.ReplyError):
            return answer
        if str(answer).startswith(_ELSEWHERE):
            return await self._otherwise(command, names, args)
        raise RedisError(str(answer).partition(" ")[0])

    async def _otherwise(self, command: bytes, names: Names, args: Sequence[Arg]) -> Any:
        """Through the connection once more, then through redis-py; a few at a time, as each costs a connection there."""
        async with self._pipes.room:
            with contextlib.suppress(Broken, OSError):
                answer = await (await self._pipes.opened(names.keys[0])).run(command)
                if not isinstance(answer, hiredis.ReplyError):
                    return answer
            try:
                return await self._slow(keys=names.keys, args=(*self._always, *args))
            except _NOWHERE as error:  # said by a server, and yet nobody took it
                raise Away(type(error).__name__) from None
            except ResponseError as error:
                said = str(error).partition(" ")[0]
            raise RedisError(said)


def _is_odd(answer: Any) -> bool:
    return answer is _NONE or isinstance(answer, hiredis.ReplyError)


def _is_unseen(answer: Any) -> bool:
    return isinstance(answer, hiredis.ReplyError) and str(answer).startswith(_UNSEEN)


def _asked(command: Command) -> bytes:
    what, key, rest = command
    return what.called(Names((key,)), rest) if isinstance(what, Script) else packed((what, key, *rest))


class Pipes:
    """One connection to each server that holds slots.

    Args:
        redis: a client that returns bytes; opens connections and takes what is out of the ordinary.
    """

    def __init__(self, redis: Redis | RedisCluster) -> None:
        self.redis: Any = redis  # redis-py's own annotations are incomplete under strict checking
        self.room = asyncio.Semaphore(_AT_ONCE)
        self._cluster = isinstance(redis, RedisCluster)
        self._pipes: dict[str, Pipe] = {}
        self._opening: dict[str, asyncio.Lock] = {}
        self._single = Script(self, _SINGLE)
        self._health = Health()

    def ready(self, key: str) -> "Pipe | None":
        """The connection to the server that holds ``key``, None where there is none now."""
        pipe = self._pipes.get(self._server(key))
        return None if pipe is None or pipe.gone else pipe

    async def opened(self, key: str) -> "Pipe":
        """The same, opened where there is none.

        Raises:
            Broken: the server cannot be reached.
            OSError: likewise.
        """
        node = self._node(key) if self._cluster else None
        return self.ready(key) or await self._open(node.name if node else "", node)

    def poorly(self, key: str, seconds: float) -> bool:
        """Whether the server of ``key`` is away, or was in the last ``seconds``, as far as `each` and `all` know."""
        return self._health.poorly(self._slot(key), self._now() - seconds)

    async def all(self, commands: Sequence[Command]) -> list[Any]:
        """`each`, of servers that all are there.

        Raises:
            RedisError: a server cannot be reached.
        """
        answers = await self.each(commands)
        for answer in answers:
            if isinstance(answer, Away):
                raise answer
        return answers

    async def each(self, commands: Sequence[Command], *, again: bool = True) -> list[Any]:
        """Run commands of one key each: one round trip to each server.

        Args:
            commands: what is asked.
            again: ask once more, the ordinary way, where a connection was lost. Who asks by what was known before must not:
                that way may wait until a cluster has failed over.

        Returns:
            Their answers as the servers gave them, or a `RedisError` each: `redis.exceptions.ConnectionError` where the
            server cannot be reached, else in the server's words.
        """
        servers: dict[str, list[int]] = {}
        for number, (_, key, _) in enumerate(commands):
            servers.setdefault(self._server(key), []).append(number)
        # Beside one another: entries in hand on the others need signs of life while one is being looked for.
        asked = [
            self._answers([commands[number] for number in numbers], again=again)
            for numbers in servers.values()
        ]
        answers: list[Any] = [_NONE] * len(commands)
        for numbers, found in zip(servers.values(), await asyncio.gather(*asked), strict=True):
            for number, answer in zip(numbers, found, strict=True):
                answers[number] = answer
        return answers

    async def _answers(self, commands: Sequence[Command], *, again: bool) -> list[Any]:
        """`each` of one server, with a note of how it was."""
        slots = {self._slot(key) for _, key, _ in commands}
        begun = self._now()
        well = False
        try:
            found = await self._asked_of(commands, slots, again=again)
            well = self._now() - begun <= IN_TIME and not any(isinstance(each, Away) for each in found)
            return found
        finally:  # told to end, too: it took too long
            if not well:
                self._health.unwell(slots, self._now())

    async def _asked_of(
        self, commands: Sequence[Command], slots: Collection[int], *, again: bool
    ) -> list[Any]:
        try:
            answers = await self._batch(commands)
        except _LOST as error:
            answers = [_NONE if again else Away(type(error).__name__)] * len(commands)
        except FAILURES as error:
            answers = [Away(type(error).__name__)] * len(commands)
        odd = [number for number, answer in enumerate(answers) if _is_odd(answer)]
        if not odd:
            return answers
        self._health.ailing(slots)
        try:
            for number in odd:
                answers[number] = await self._sound(answers[number], commands[number], again=again)
                if isinstance(answers[number], Away):  # the others would wait for it one after the other
                    return [answers[number] if _is_odd(answer) else answer for answer in answers]
        finally:
            self._health.recovered(slots)
        return answers

    async def _batch(self, commands: Sequence[Command]) -> list[Any]:
        """The answers of one server, which holds the keys of all ``commands``. What it has not seen it is given."""
        pipe = self.ready(commands[0][1]) or await self.opened(commands[0][1])
        answers = await pipe.run_all([_asked(command) for command in commands])
        unseen = [number for number, answer in enumerate(answers) if _is_unseen(answer)]
        if unseen:
            whats = [commands[number][0] for number in unseen]
            texts = {what.text for what in whats if isinstance(what, Script)}
            given = [packed(("SCRIPT", "LOAD", text)) for text in texts]
            found = await pipe.run_all([*given, *(_asked(commands[number]) for number in unseen)])
            for number, answer in zip(unseen, found[len(given) :], strict=True):
                answers[number] = answer
        return answers

    async def _sound(self, answer: Any, command: Command, *, again: bool) -> Any:
        """What stands for ``answer``, which is odd: got the ordinary way where it is missing or another server has it."""
        said = "" if answer is _NONE else str(answer)
        if said and not said.startswith(_ELSEWHERE):
            return RedisError(said.partition(" ")[0])
        if said and not again:
            return Away(said.partition(" ")[0])
        what, key, rest = command
        try:
            if isinstance(what, Script):
                return await what(Names((key,)), rest)
            return await self._single(Names((key,)), [what, *rest])
        except RedisError as error:
            # The server's word, or none.
            return error if type(error) is RedisError else Away(type(error).__name__)
        except FAILURES as error:
            return Away(type(error).__name__)

    def _slot(self, key: str) -> int:
        return int(key_slot(key.encode())) if self._cluster else 0

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    def _server(self, key: str) -> str:
        return str(self._node(key).name) if self._cluster else ""

    def _node(self, key: str) -> Any:
        return self.redis.nodes_manager.get_node_from_slot(key_slot(key.encode()))

    async def _open(self, name: str, node: Any) -> "Pipe":
        async with self._opening.setdefault(name, asyncio.Lock()):
            pipe = self._pipes.get(name)
            if pipe is not None and not pipe.gone:
                return pipe
            try:
                if pipe is not None:
                    del self._pipes[name]
                    await self._give_back(pipe.connection, node)
                pipe = self._pipes[name] = Pipe(await self._connected(node))
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
