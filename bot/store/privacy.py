"""What Redis keeps of one chat: shown, forgotten, and under which keys values are sealed.

All keys of a chat carry its partition's tag and its blind name (``x:{p017}:name``), whoever wrote them. What is shown
is asked for by `KINDS`, however many chats there are. Forgetting leaves nothing that nobody listed, so it walks through
the server's keys: seldom done, a few thousand keys a millisecond-long call, never inside a turn.

``f:{p}``: chats whose last words are said, by the time at which the rest of them goes.
"""

import contextlib
from collections.abc import AsyncGenerator
from importlib.resources import files
from typing import Any, Final, cast

import msgspec
from redis.asyncio import Redis
from redis.asyncio.cluster import RedisCluster

from bot.crypto import Keyring, key_of
from bot.errors import Conflict, Unreadable
from bot.model import Chat, Session
from bot.ports import Clock
from bot.store.away import away
from bot.store.keys import PARTITIONS, Place
from bot.store.parcel import parted
from bot.store.sessions import Sessions
from bot.store.weblog import WebLog

GOODBYE: Final = 30
"""Seconds the last words have to be delivered, and read on an open page."""
KINDS: Final = ("d", "k", "q", "s", "u", "v", "w")
"""Kinds of keys ``x:{p017}:name`` that a chat may have; ``docs/privacy.md`` has what is in them."""
STAYS: Final = frozenset({"s", "u"})
"""Kinds of keys that forgetting leaves: the session, which has the last words to say and goes after them; and the
count of look-ups, which would start afresh for whoever forgets."""
_PARCELS: Final = (b"s:", b"q:")
"""A session, and one that was put aside."""
_ABSENT: Final = -2
"""Redis's time to live of a key that is not there."""
_TRIES: Final = 20
_SCAN: Final = 1000
_PAGE: Final = 500


class HeldKey(msgspec.Struct, frozen=True):
    """A key of a chat: ``kind`` is its first part, ``seconds`` its time to live, -1 without one."""

    kind: str
    seconds: int


class ChatMemory:
    """What Redis keeps of chats. Everything raises `bot.errors.StoreAway` when Redis does not answer.

    Args:
        redis: a client that returns bytes.
        sessions: loads and saves a chat's session.
        log: the web chats' logs.
        clock: the time.
        keyring: tells keys apart.
        partitions: number of partitions.
    """

    def __init__(
        self,
        redis: Redis | RedisCluster,
        sessions: Sessions,
        log: WebLog,
        clock: Clock,
        keyring: Keyring,
        partitions: int = PARTITIONS,
    ) -> None:
        self._redis: Any = redis  # redis-py's own annotations are incomplete under strict checking
        self._sessions = sessions
        self._log = log
        self._clock = clock
        self._keyring = keyring
        self._partitions = partitions
        script = (files("bot.store") / "lua" / "forget.lua").read_text("utf-8")
        self._forget: Any = self._redis.register_script(script)

    # --- what is there ---------------------------------------------------------------------------

    async def session(self, chat: Chat) -> Session:
        """The chat's session as it stands."""
        return (await self._sessions.load(chat)).session

    async def log(self, chat: Chat) -> list[bytes]:
        """Entries of the chat's log, oldest first; none for a channel that keeps its own."""
        return [entry for _, entry in await self._log.read(chat)]

    async def keys(self, chat: Chat) -> tuple[HeldKey, ...]:
        """Which of `KINDS` the chat has; one round trip."""
        place = self._sessions.place(chat)
        lives = await self._sessions.ask([("TTL", f"{kind}:{place.tag}:{place.name}", ()) for kind in KINDS])
        return tuple(HeldKey(kind, life) for kind, life in zip(KINDS, lives, strict=True) if life != _ABSENT)

    # --- letting go ------------------------------------------------------------------------------

    async def forget(self, chat: Chat) -> None:
        """Empty the chat: all its keys go, its session keeps only where it stands, until the last words are said.

        Safe to repeat. `round` does the rest.

        Raises:
            Conflict: the chat is too busy.
        """
        place = self._sessions.place(chat)
        revision = await self._empty(chat)
        with away():
            for key in await self._of(place):
                if key.decode().partition(":")[0] not in STAYS:
                    await self._redis.delete(key)
            member = f"{place.name}:{revision}"
            await self._redis.zadd(f"f:{place.tag}", {member: self._clock.now() + GOODBYE})

    async def _empty(self, chat: Chat) -> int:
        """Take out of the session what is not needed to say the last words; its new revision."""
        for _ in range(_TRIES):
            session = (await self._sessions.load(chat)).session
            if not session.rev:  # it expired while we were asked: the next one begins at the present second
                return self._clock.now()
            bare = msgspec.structs.replace(
                session,
                rev=session.rev + 1,
                frames=tuple(msgspec.structs.replace(frame, answers={}) for frame in session.frames),
                pressed="",
                due=0,
                signed=None,
            )
            try:
                await self._sessions.commit(chat, session.rev, bare, [])
            except Conflict:
                continue
            return bare.rev
        raise Conflict("the chat is too busy to be forgotten")

    async def round(self) -> int:
        """Let go of the chats whose last words were said; how many."""
        now, tags = self._clock.now(), [f"{{p{number:03d}}}" for number in range(self._partitions)]
        due = await self._sessions.ask(
            [("ZRANGEBYSCORE", f"f:{tag}", ("-inf", now, "LIMIT", 0, 100)) for tag in tags]
        )
        gone = 0
        with away():
            for tag, members in zip(tags, due, strict=True):
                for member in members:
                    gone += await self._finish(tag, member.decode())
        return gone

    async def _finish(self, tag: str, member: str) -> int:
        name, _, revision = member.partition(":")
        place = Place(tag, name)
        others = [key for key in await self._of(place) if key.decode().partition(":")[0] not in STAYS]
        keys = [f"f:{tag}", f"s:{tag}:{name}", f"t:{tag}", *others]
        return int(await self._forget(keys=keys, args=[member, name, revision]))

    async def drop_undelivered(self, seconds: int) -> int:
        """Drop what the outbox has held for ``seconds``: no process has the channel any more. How many entries."""
        gone = 0
        oldest = (self._clock.now() - seconds) * 1000
        for number in range(self._partitions):
            with away():
                gone += await self._redis.xtrim(f"o:{{p{number:03d}}}", minid=oldest, approximate=False)
        return gone

    # --- keys of the ring ------------------------------------------------------------------------

    async def sealed(self) -> dict[bytes, int]:
        """How many values of all Redis are sealed under each key of the ring."""
        counts = dict.fromkeys(self._keyring.ids, 0)
        with away():
            async for key in self._all("*"):
                async for value in self._values(key):
                    found = key_of(value)
                    if found in counts:
                        counts[found] += 1
        return counts

    async def _values(self, key: bytes) -> AsyncGenerator[bytes, None]:
        """Every value under ``key``, whatever its type."""
        match (await self._redis.type(key)).decode():
            case "hash":
                for value in (await self._redis.hgetall(key)).values():
                    yield value
            case "stream":
                after = "-"
                while rows := await self._redis.xrange(key, min=after, count=_PAGE):
                    for _, fields in rows:
                        for value in fields.values():
                            yield value
                    after = f"({rows[-1][0].decode()}"
            case "string":
                for value in _sealed(key, await self._redis.get(key) or b""):
                    yield value
            case _:
                return  # sets and sorted sets of ours hold names

    async def _of(self, place: Place) -> list[bytes]:
        return [key async for key in self._all(f"*:{place.tag}:{place.name}*")]

    async def _all(self, pattern: str) -> AsyncGenerator[bytes, None]:
        """Keys that match, on all servers."""
        async for key in self._redis.scan_iter(match=pattern, count=_SCAN):
            yield cast("bytes", key)


def _sealed(key: bytes, value: bytes) -> tuple[bytes, ...]:
    """What is sealed in the string under ``key``."""
    if key.startswith(_PARCELS):
        with contextlib.suppress(Unreadable):
            parcel = parted(value)
            return parcel.chat, parcel.session
    return (value,)
