"""Sessions, outbox and timers in Redis: a turn is one load and one commit.

Keys of a chat, all in the slot of its partition: ``s:{p}:name`` the session (`bot.store.parcel`), ``k:{p}:name`` what
outlives it (language). Keys of a partition: ``o:{p}`` the outbox stream with its group ``out``, ``t:{p}`` the timers.
"""

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from typing import Final, NamedTuple

import msgspec
import structlog
from redis.asyncio import Redis
from redis.asyncio.cluster import RedisCluster
from redis.exceptions import RedisError

from bot.crypto import Keyring
from bot.errors import UNDECODABLE, Conflict, FromNewer, Unreadable
from bot.model import SESSION_SCHEMA, Chat, Frame, Head, Session
from bot.ports import Loaded
from bot.store.away import away
from bot.store.keys import KNOWN, PARTITIONS, Keys, Place
from bot.store.outbox import Outboxes, script_text
from bot.store.parcel import parted
from bot.store.pipes import Names, Script

log = structlog.get_logger(__name__)

LIFE: Final = 24 * 3600
"""Seconds the answers are kept after the last turn (design, section 6)."""
KEPT_LIFE: Final = 400 * 24 * 3600
"""Seconds the language is kept."""
QUARANTINE_LIFE: Final = 30 * 24 * 3600
"""Seconds an unreadable session is put aside for the operator."""
_DIGITS: Final = 15
"""Of a revision, at most."""
LOST: Final = Frame("?", 0, "?")
"""Stands for a session that could not be read: the engine tells the resident that we begin again."""


class _Stream(NamedTuple):
    """A partition's outbox, its timers, and what entries are sealed for."""

    name: str
    timers: str
    bound: bytes


class _Where(NamedTuple):
    """The names of a chat's keys, and what is sealed for two of them: made once, needed in every turn.

    ``names``: session, kept, stream, timers.
    """

    tag: str
    name: str
    names: Names
    bound: bytes
    stream_bound: bytes


_HEAD: Final = msgspec.msgpack.Decoder(Head)
_SESSION: Final = msgspec.msgpack.Decoder(Session)
_ENCODE: Final = msgspec.msgpack.Encoder().encode


class Sessions(Outboxes):
    """The store.

    Args:
        redis: a client that returns bytes.
        keyring: seals everything.
        consumer: this process's name in the outbox's group.
        partitions: number of partitions.
    """

    def __init__(
        self,
        redis: Redis | RedisCluster,
        keyring: Keyring,
        consumer: str,
        partitions: int = PARTITIONS,
    ) -> None:
        super().__init__(redis, keyring, consumer, partitions)
        self.keys = Keys(keyring, partitions)
        # What all chats of a partition share.
        self._streams = {tag: _Stream(f"o:{tag}", f"t:{tag}", f"o:{tag}".encode()) for tag in self._tags}
        self._where = lru_cache(maxsize=KNOWN)(self._found)
        self._load, self._commit = (
            Script(self._pipes, script_text("load")),
            Script(self._pipes, script_text("commit"), (LIFE, KEPT_LIFE, consumer)),
        )
        self._quarantine = self._redis.register_script(script_text("quarantine"))

    def place(self, chat: Chat) -> Place:
        """Where the chat's keys live."""
        return self.keys.place(chat)

    def _found(self, chat: Chat) -> _Where:
        tag, name = self.keys.place(chat)
        session, stream = f"s:{tag}:{name}", self._streams[tag]
        names = Names((session, f"k:{tag}:{name}", stream.name, stream.timers))
        return _Where(tag, name, names, session.encode(), stream.bound)

    async def load(self, chat: Chat) -> Loaded:
        """One round trip.

        Raises:
            StoreAway: Redis does not answer.
            FromNewer: a newer release wrote the session.
        """
        at = self._where(chat)
        with away():
            rev, sealed, language, chosen, unreachable, waiting = await self._load(at.names, ())
        session = None if sealed is None else self._read(at.bound, sealed)
        if session is None:
            session = Session(language="en" if language == b"en" else "ar", chosen=chosen == b"1")
            if sealed is not None:
                session = await self._put_aside(
                    at.names.keys[0], f"q:{at.tag}:{at.name}", rev or b"", sealed, session
                )
        if waiting:
            noted = self._delivered.get(at.tag, ())
            waiting = (i for entry_id in waiting if (i := entry_id.decode()) not in noted)
        return Loaded(session, tuple(waiting), unreachable == b"1")

    def _read(self, bound: bytes, sealed: bytes) -> Session | None:
        """The session; None for one that cannot be read.

        Raises:
            FromNewer: a newer release wrote it.
        """
        try:
            data = self._unsealed(sealed, bound)
            try:
                session = _SESSION.decode(data)
            except UNDECODABLE:
                session = None
            # What follows the schema may have another layout in a newer release: then it is read alone.
            schema = _HEAD.decode(data).schema if session is None else session.schema
        except (Unreadable, *UNDECODABLE):
            return None
        if schema > SESSION_SCHEMA:
            raise FromNewer(f"session schema {schema}")
        return session if session is not None and session.rev else None  # all that was saved has a revision

    async def _put_aside(
        self, key: str, quarantine: str, rev: bytes | None, sealed: bytes, kept: Session
    ) -> Session:
        # Its own bytes in the name: two of one chat may have one revision, and both are kept.
        number = int(rev) if rev and rev.isdigit() and len(rev) <= _DIGITS else 0
        part = f"{number}:{hashlib.sha256(sealed).hexdigest()[:12]}"
        aside = f"{quarantine}:{part}"
        with away():
            await self._quarantine(keys=[key, quarantine, aside], args=[rev or b"", QUARANTINE_LIFE, part])
        log.error("session unreadable, put aside", key=aside)
        # The revision began as a time: the nearest that is known of when the resident was last here.
        return msgspec.structs.replace(kept, frames=(LOST,), touched=number)

    async def commit(
        self,
        chat: Chat,
        before: int,
        session: Session,
        replies: Sequence[bytes],
        jobs: Sequence[bytes] = (),
    ) -> tuple[str, ...]:
        """Save a turn: one round trip, all or nothing.

        Args:
            chat: whose.
            before: the revision the turn began with, 0 for none.
            session: the new session.
            replies: what is said, in order; what later turns say waits for it.
            jobs: effects to run, beside the replies.

        Returns:
            The outbox ids of the replies, then of the jobs.

        Raises:
            Conflict: another turn was saved first.
            StoreAway: Redis does not answer; whether the turn was saved is not known, and its event
                will come again.
        """
        at = self._where(chat)
        ring = self._keyring
        delivered = tuple(self._delivered.get(at.tag, ()))
        entries = [ring.seal(entry, at.stream_bound) for entry in (*replies, *jobs)]
        with away():
            ids = await self._commit(
                at.names,
                (
                    before or "",
                    session.rev,
                    ring.seal(_ENCODE(session), at.bound),
                    ring.seal(_ENCODE(chat), at.bound) if session.due else b"",
                    at.name,
                    session.due,
                    session.language,
                    int(session.chosen),
                    len(entries),
                    len(replies),
                    *entries,
                    *delivered,
                ),
            )
        if ids is None:
            raise Conflict("another turn of this chat was first")
        if delivered:
            self._noted(at.tag, delivered)
        return tuple([i.decode() for i in ids])

    # --- timers ---------------------------------------------------------------------------------

    async def due(self, now: int) -> list[Chat]:
        """Chats whose timer has run out, on every server that is there. They stay listed until a turn sets or clears the timer.

        Raises:
            StoreAway: no server could be asked.
        """
        tags = self._tags
        rows = await self._some(
            [("ZRANGEBYSCORE", f"t:{tag}", ("-inf", now, "LIMIT", 0, 100)) for tag in tags]
        )
        due = [
            (tag, name.decode())
            for tag, names in zip(tags, rows, strict=True)
            if not isinstance(names, RedisError)
            for name in names
        ]
        values = await self._some([("GET", f"s:{tag}:{name}", ()) for tag, name in due])
        chats: list[Chat] = []
        lost: list[tuple[str, str]] = []
        for (tag, name), value in zip(due, values, strict=True):
            if isinstance(value, RedisError):
                continue
            if (chat := self._chat(f"s:{tag}:{name}", value)) is None:
                lost.append((tag, name))
            else:
                chats.append(chat)
        await self._some([("ZREM", f"t:{tag}", (name,)) for tag, name in lost])
        return chats

    def _chat(self, key: str, value: bytes | None) -> Chat | None:
        """Whose session it is; None where it expired before its timer, or cannot be read."""
        try:
            return msgspec.msgpack.decode(self._unsealed(parted(value or b"").chat, key.encode()), type=Chat)
        except (Unreadable, *UNDECODABLE):
            return None

    # --- reachability ---------------------------------------------------------------------------

    async def mark(self, chat: Chat, *, unreachable: bool) -> None:
        """Remember that the resident blocked us, or wrote again."""
        tag, name = self.place(chat)
        key = f"k:{tag}:{name}"
        with away():
            pipe = self._redis.pipeline(transaction=False)
            pipe.hset(key, "u", int(unreachable))
            pipe.expire(key, KEPT_LIFE)
            await pipe.execute()
