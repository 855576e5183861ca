"""Who listens to which chat's log: one Redis subscription a process, shared by every open page.

Only the reader task touches the subscription's connection. redis-py reconnects inside reads and inside
writes, so two tasks using one connection can open it twice; whoever wants another channel therefore
knocks on the reader's own channel instead.
"""

import asyncio
import contextlib
import secrets
from typing import Any, Literal

import structlog
from redis.asyncio import Redis
from redis.asyncio.cluster import RedisCluster

from bot.ports import Clock
from bot.store.away import FAILURES
from bot.store.pipes import Pipes
from bot.tasks import Tasks

log = structlog.get_logger(__name__)

Signal = Literal["entry", "typing", "idle", "closed"]

ENTRY, TYPING = b"e", b"t"
"""What is published on a chat's channel: its log grew; an answer is being prepared."""

_PREFIX = "wl:"
_PAUSE = 1.0
"""Seconds before the subscription is opened again after a failure."""
_SILENCE = 10.0
"""Seconds without a message after which the connection is asked whether it still lives."""


def channel_name(name: str) -> str:
    """The Redis channel of the chat with the blind name ``name``."""
    return _PREFIX + name


class Ear:
    """One open page. Signals that come while nobody waits are merged: the log itself is the queue."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()
        self._grew = False
        self._typing = False
        self._closed = False

    async def next(self, seconds: float) -> Signal:
        """What happened since the last call; ``idle`` when nothing did for ``seconds``."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._rung.wait()
        self._rung.clear()
        if self._closed:
            return "closed"
        if self._grew:
            self._grew = False
            if self._typing:  # it came after the entry: told by the next call
                self._rung.set()
            return "entry"
        typing, self._typing = self._typing, False
        return "typing" if typing else "idle"

    def ring(self, published: bytes) -> None:
        """Note what was published. An entry ends the typing that announced it."""
        self._grew = self._grew or published != TYPING
        self._typing = published == TYPING
        self._rung.set()

    def close(self) -> None:
        """Every further `next` returns ``closed`` at once."""
        self._closed = True
        self._rung.set()


class Ears:
    """All open pages of this process.

    Args:
        redis: a client that returns bytes.
        pipes: its shared connections; a page that comes or goes tells the reader by them.
        tasks: owns the reader.
        clock: waits between attempts.
    """

    def __init__(self, redis: Redis | RedisCluster, pipes: Pipes, tasks: Tasks, clock: Clock) -> None:
        self._redis: Any = redis  # redis-py's own annotations of pub/sub are incomplete
        self._pipes = pipes
        self._tasks = tasks
        self._clock = clock
        self._ears: dict[str, set[Ear]] = {}
        self._reader: asyncio.Task[None] | None = None
        self._own = _PREFIX + secrets.token_hex(12)
        self._knocking = False
        self._closed = False

    def add(self, channel: str) -> Ear:
        """Begin to listen. The ear rings once when the subscription stands: read the log again then."""
        ear = Ear()
        if self._closed:
            ear.close()
            return ear
        known = channel in self._ears
        self._ears.setdefault(channel, set()).add(ear)
        if self._reader is None or self._reader.done():
            self._reader = self._tasks.spawn(self._read(), "web chat subscription")
        elif not known:
            self._knock()
        return ear

    def drop(self, channel: str, ear: Ear) -> None:
        """Stop listening."""
        ears = self._ears.get(channel, set())
        ears.discard(ear)
        if not ears and self._ears.pop(channel, None) is not None and not self._closed:
            self._knock()

    def hang_up(self) -> None:
        """Close every ear and take no new one."""
        self._closed = True
        for ears in self._ears.values():
            for ear in ears:
                ear.close()

    async def close(self) -> None:
        """Hang up and give the connection back."""
        self.hang_up()
        while self._reader is not None and not self._reader.done():
            # Again if need be: before Python 3.12 `asyncio.wait_for`, which redis-py writes with, loses a
            # cancellation that comes together with its result.
            self._reader.cancel()
            await asyncio.wait({self._reader}, timeout=0.1)

    def _knock(self) -> None:
        if not self._knocking:
            self._knocking = True
            self._tasks.spawn(self._wake(), "web chat subscription change")

    async def _wake(self) -> None:
        self._knocking = False
        # Not heard is not lost: the reader looks by itself after `_SILENCE` and after every failure.
        with contextlib.suppress(*FAILURES):
            await self._pipes.all([("PUBLISH", self._own, (b"",))])

    async def _read(self) -> None:
        while not self._closed:
            subscription = self._redis.pubsub()
            try:
                await self._serve(subscription)
            except FAILURES as error:
                log.warning("web chat subscription lost", error=type(error).__name__)
            finally:
                with contextlib.suppress(*FAILURES):
                    await subscription.aclose()
            await self._clock.sleep(_PAUSE)

    async def _serve(self, subscription: Any) -> None:
        await self._redis.initialize()  # a cluster's client learns its nodes with its first command only
        # Our own channel first: it keeps the subscription alive while no page is open.
        await subscription.subscribe(self._own)
        taken: set[str] = set()
        while not self._closed:
            wanted = set(self._ears)
            if new := wanted - taken:
                await subscription.subscribe(*new)
            if gone := taken - wanted:
                await subscription.unsubscribe(*gone)
            taken = wanted
            message = await subscription.get_message(timeout=_SILENCE)
            if message is None:
                await subscription.ping()
            # A confirmed subscription counts as news: what was published while there was none is lost.
            elif message["type"] in {"message", "subscribe"}:
                self._ring(message["channel"].decode(), message["data"])

    def _ring(self, channel: str, data: bytes | int) -> None:
        for ear in self._ears.get(channel, ()):
            ear.ring(data if isinstance(data, bytes) else ENTRY)
