"""What Redis keeps of one chat: shown, forgotten, and under which keys values are sealed.

All keys of a chat carry its partition's tag and its blind name (``x:{p017}:name``), whoever wrote them. They are asked for
by `KINDS`, `PARTS` and `LISTS`, so that showing and forgetting cost the same however many chats there are: anybody may ask for
either. Tests hold the three against `bot/services/privacy/kept.toml`, and that against what a whole run leaves in Redis. What
nobody listed in spite of that is looked for among all keys, once an hour for all who were forgotten within it.

``f:{p}``: ``name:revision`` of chats whose last words are said, by the time at which the rest of them goes; ``name`` of
those that are gone, by the time at which keys are looked for that stayed.
"""

import contextlib
from collections.abc import AsyncGenerator
from importlib.resources import files
from typing import Any, Final

import msgspec
import structlog
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

log = structlog.get_logger(__name__)

GOODBYE: Final = 30
"""Seconds the last words have to be delivered, and read on an open page."""
HOUR: Final = 3600
"""Seconds between two walks through all keys."""
KINDS: Final = ("d", "k", "q", "s", "u", "v", "w")
"""Kinds of keys ``x:{p017}:name`` that a chat may have; ``docs/privacy.md`` has what is in them."""
PARTS: Final = {"w": "k"}
"""Kinds that have another key beside them: ``w:{p017}:name:k``."""
LISTS: Final = ("d", "q")
"""Kinds that are lists (sorted sets) of further keys: ``d:{p017}:name:member`` for each member."""
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
            await self._redis.unlink(*await self._of(place))
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
        ended: list[Place] = []
        with away():
            for tag, members in zip(tags, due, strict=True):
                for member in members:
                    name, _, revision = member.decode().partition(":")
                    if revision:
                        gone += await self._finish(Place(tag, name), revision)
                    else:
                        ended.append(Place(tag, name))
            await self._look_for_more(ended)
        return gone

    async def _finish(self, place: Place, revision: str) -> int:
        tag, name = place
        keys = [f"f:{tag}", f"s:{tag}:{name}", f"t:{tag}", *await self._of(place)]
        now = self._clock.now()
        return int(await self._forget(keys=keys, args=[name, revision, now - now % HOUR + HOUR]))

    async def _look_for_more(self, ended: list[Place]) -> None:
        """Drop what is left of chats that are gone: keys of kinds that nobody listed. Who began anew is left alone."""
        later = self._clock.now() + HOUR
        # Taken by one process; another one sees them an hour later, if this one dies.
        taking = [("ZADD", f"f:{place.tag}", ("XX", "GT", "CH", later, place.name)) for place in ended]
        taken = await self._sessions.ask(taking)
        mine = [place for place, changed in zip(ended, taken, strict=True) if changed]
        anew = await self._sessions.ask([("EXISTS", f"s:{place.tag}:{place.name}", ()) for place in mine])
        gone = {f"{tag}:{name}".encode() for (tag, name), there in zip(mine, anew, strict=True) if not there}
        if gone:
            async for key in self._redis.scan_iter(count=_SCAN):
                kind, *parts = key.split(b":")
                if b":".join(parts[:2]) in gone and kind.decode() not in KINDS:
                    log.error("a key of a forgotten chat that nobody listed", kind=kind.decode())
                    await self._redis.unlink(key)
        await self._sessions.ask([("ZREM", f"f:{place.tag}", (place.name,)) for place in mine])

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
            async for key in self._redis.scan_iter(count=_SCAN):
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

    async def _of(self, place: Place) -> list[str]:
        """Every key that goes when the chat is forgotten, whether it is there or not."""
        own = {kind: f"{kind}:{place.tag}:{place.name}" for kind in KINDS}
        listed = await self._sessions.ask([("ZRANGE", own[kind], (0, -1)) for kind in LISTS])
        return [
            *(key for kind, key in own.items() if kind not in STAYS),
            *(f"{own[kind]}:{part}" for kind, part in PARTS.items()),
            *(
                f"{own[kind]}:{member.decode()}"
                for kind, found in zip(LISTS, listed, strict=True)
                for member in found
            ),
        ]


def _sealed(key: bytes, value: bytes) -> tuple[bytes, ...]:
    """What is sealed in the string under ``key``."""
    if key.startswith(_PARCELS):
        with contextlib.suppress(Unreadable):
            parcel = parted(value)
            return parcel.chat, parcel.session
    return (value,)
