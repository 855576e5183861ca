"""Sessions, outbox and timers in Redis: a turn is one load and one commit.

Keys of a chat, all in the slot of its partition: ``s:{p}:name`` the session (`bot.store.parcel`), ``k:{p}:name`` what
outlives it (language). Keys of a partition: ``o:{p}`` the outbox stream with its group ``out``, ``t:{p}`` the timers.
"""

import hashlib
from collections.abc import Iterable, Sequence
from functools import lru_cache
from importlib.resources import files
from typing import Any, Final, NamedTuple

import msgspec
import structlog
from redis.asyncio import Redis
from redis.asyncio.cluster import RedisCluster
from redis.exceptions import RedisError

from bot.crypto import Keyring
from bot.errors import UNDECODABLE, Conflict, FromNewer, StoreAway, Unreadable
from bot.model import SESSION_SCHEMA, Chat, Frame, Head, Session
from bot.ports import Loaded
from bot.store.away import away
from bot.store.keys import KNOWN, PARTITIONS, Keys, Place
from bot.store.parcel import parted
from bot.store.pipe import Command, Pipes, Script

log = structlog.get_logger(__name__)

LIFE: Final = 24 * 3600
"""Seconds the answers are kept after the last turn (design, section 6)."""
KEPT_LIFE: Final = 400 * 24 * 3600
"""Seconds the language is kept."""
QUARANTINE_LIFE: Final = 30 * 24 * 3600
"""Seconds an unreadable session is put aside for the operator."""
FORGOTTEN: Final = 24 * 3600
"""Seconds after which the name of a silent process is forgotten."""
_DIGITS: Final = 15
"""Of a revision, at most."""
GROUP: Final = "out"
_NO_GROUP: Final = "NOGROUP"
LOST: Final = Frame("?", 0, "?")
"""Stands for a session that could not be read: the engine tells the resident that we begin again."""


class _Where(NamedTuple):
    """The names of a chat's keys, and what is sealed for two of them: made once, needed in every turn."""

    tag: str
    name: str
    session: str
    kept: str
    stream: str
    timers: str
    bound: bytes
    stream_bound: bytes

    @classmethod
    def of(cls, place: Place) -> "_Where":
        """The names at ``place``."""
        tag, name = place
        session, stream = f"s:{tag}:{name}", f"o:{tag}"
        return cls(
            tag,
            name,
            session,
            f"k:{tag}:{name}",
            stream,
            f"t:{tag}",
            session.encode(),
            stream.encode(),
        )


_HEAD = msgspec.msgpack.Decoder(Head)
_SESSION = msgspec.msgpack.Decoder(Session)
_ENCODE = msgspec.msgpack.Encoder().encode


class Sessions:
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
        self._redis: Any = redis  # redis-py's own annotations are incomplete under strict checking
        self._keyring = keyring
        self._consumer = consumer
        self._tags = [f"{{p{number:03d}}}" for number in range(partitions)]
        self.keys = Keys(keyring, partitions)
        self._where = lru_cache(maxsize=KNOWN)(self._found)
        # Notes by partition. They stay until Redis has confirmed them: sending one twice does no harm.
        self._delivered: dict[str, set[str]] = {}
        scripts = files("bot.store") / "lua"
        self._looked: list[str | bytes] = ["0-0"] * partitions
        """How far recovery has looked through each outbox; `0-0` again at its end."""
        self._pipes = Pipes(redis)
        self._load, self._commit, self._done = (
            Script(self._pipes, (scripts / f"{name}.lua").read_text("utf-8"))
            for name in ("load", "commit", "done")
        )
        self._quarantine, self._claim, self._tidy = (
            self._redis.register_script((scripts / f"{name}.lua").read_text("utf-8"))
            for name in ("quarantine", "claim", "tidy")
        )

    def place(self, chat: Chat) -> Place:
        """Where the chat's keys live."""
        return self.keys.place(chat)

    def _found(self, chat: Chat) -> _Where:
        return _Where.of(self.keys.place(chat))

    async def load(self, chat: Chat) -> Loaded:
        """One round trip.

        Raises:
            StoreAway: Redis does not answer.
            FromNewer: a newer release wrote the session.
        """
        at = self._where(chat)
        with away():
            rev, sealed, language, chosen, unreachable, waiting = await self._load(
                keys=(at.session, at.kept, at.stream), args=()
            )
        session = None if sealed is None else self._read(at.bound, sealed)
        if session is None:
            session = Session(language="en" if language == b"en" else "ar", chosen=chosen == b"1")
            if sealed is not None:
                session = await self._put_aside(
                    at.session, f"q:{at.tag}:{at.name}", rev or b"", sealed, session
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
        aside = f"{quarantine}:{number}:{hashlib.sha256(sealed).hexdigest()[:12]}"
        with away():
            await self._quarantine(keys=[key, aside], args=[rev or b"", QUARANTINE_LIFE])
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
        seal = self._keyring.seal
        delivered = tuple(self._delivered.get(at.tag, ()))
        entries = [seal(entry, at.stream_bound) for entry in (*replies, *jobs)]
        with away():
            ids = await self._commit(
                keys=(at.session, at.kept, at.stream, at.timers),
                args=(
                    before or "",
                    session.rev,
                    seal(_ENCODE(session), at.bound),
                    LIFE,
                    seal(_ENCODE(chat), at.bound) if session.due else b"",
                    at.name,
                    session.due,
                    self._consumer,
                    session.language,
                    int(session.chosen),
                    KEPT_LIFE,
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

    # --- outbox ---------------------------------------------------------------------------------

    def delivered(self, tag: str, entry_id: str) -> None:
        """Note a delivery; the note rides along with the partition's next commit or `flush`."""
        self._delivered.setdefault(tag, set()).add(entry_id)

    async def flush(self) -> None:
        """Send the notes of deliveries that no commit took along, in one batch."""
        notes = {tag: tuple(ids) for tag, ids in self._delivered.items()}
        if not notes:
            return
        # In one piece: half a note, kept by a primary's successor, would leave an entry that is there and nobody's.
        await self.ask([(self._done, f"o:{tag}", ids) for tag, ids in notes.items()])
        for tag, ids in notes.items():
            self._noted(tag, ids)

    def _noted(self, tag: str, ids: Iterable[str]) -> None:
        rest = self._delivered.get(tag, set()).difference(ids)
        if rest:
            self._delivered[tag] = rest
        else:
            self._delivered.pop(tag, None)

    async def hold(self, held: Iterable[tuple[str, str]]) -> None:
        """Tell other processes that the entries (tag, id) are still being worked on here."""
        await self._mine(held, "JUSTID")

    async def let_go(self, left: Iterable[tuple[str, str]], idle: float) -> None:
        """Give the entries (tag, id) away: whoever looks next finds them idle for ``idle`` seconds."""
        await self._mine(left, "IDLE", int(idle * 1000), "JUSTID")

    async def _mine(self, entries: Iterable[tuple[str, str]], *how: str | int) -> None:
        by_tag: dict[str, list[str]] = {}
        for tag, entry_id in entries:
            by_tag.setdefault(tag, []).append(entry_id)
        if not by_tag:
            return
        commands: list[Command] = []
        for tag, ids in by_tag.items():
            commands.append(("XCLAIM", f"o:{tag}", (GROUP, self._consumer, 0, *ids, *how)))
        await self.ask(commands)

    async def claim(
        self, tag: str, ids: Sequence[str], idle: float
    ) -> tuple[set[str], list[tuple[str, bytes]]]:
        """Take over those of ``ids`` that nobody has worked on for ``idle`` seconds.

        Returns:
            The ids that are gone (delivered meanwhile), and the entries taken, opened.
        """
        with away():
            gone, taken = await self._claim(keys=[f"o:{tag}"], args=[self._consumer, int(idle * 1000), *ids])
        noted = self._delivered.get(tag, ())  # delivered here: only the note is still under way
        opened = self._opened(tag, taken)
        delivered = {entry_id for entry_id, _ in opened if entry_id in noted}
        return {i.decode() for i in gone} | delivered, [row for row in opened if row[0] not in delivered]

    async def abandoned(self, idle: float) -> list[tuple[str, str, bytes]]:
        """Take over entries of every partition that nobody has worked on for ``idle`` seconds.

        Returns:
            (tag, id, entry), oldest first within a partition.
        """
        tags, least = self._tags, int(idle * 1000)
        with away():
            # Each round goes on where the last one stopped looking: behind many entries that others hold, too.
            answers = await self._pipes.all(
                [
                    ("XAUTOCLAIM", f"o:{tag}", (GROUP, self._consumer, least, since, "COUNT", 100))
                    for tag, since in zip(tags, self._looked, strict=True)
                ]
            )
        found: list[tuple[str, str, bytes]] = []
        for number, (tag, answer) in enumerate(zip(tags, answers, strict=True)):
            if isinstance(answer, RedisError):
                if str(answer) != _NO_GROUP:
                    raise StoreAway(str(answer))
                continue  # the partition has no outbox yet
            self._looked[number] = answer[0]
            rows = [(entry_id, fields[1]) for entry_id, fields in answer[1] if fields]
            noted = self._delivered.get(tag, ())  # delivered here: only the note is still under way
            found += [
                (tag, entry_id, data) for entry_id, data in self._opened(tag, rows) if entry_id not in noted
            ]
        return found

    def _opened(self, tag: str, rows: Iterable[Sequence[bytes]]) -> list[tuple[str, bytes]]:
        opened: list[tuple[str, bytes]] = []
        for entry_id, sealed in rows:
            try:
                opened.append((entry_id.decode(), self._unsealed(sealed, f"o:{tag}".encode())))
            except Unreadable:
                log.error("outbox entry unreadable", stream=f"o:{tag}", id=entry_id.decode())  # noqa: TRY400 - its text says no more
        return opened

    def _unsealed(self, sealed: bytes, bound: bytes) -> bytes:
        try:
            return self._keyring.open(sealed, bound)
        except ValueError:  # cut within its nonce
            raise Unreadable("too short to be sealed") from None

    async def tidy(self, idle: float = FORGOTTEN) -> int:
        """Forget processes' names in the outboxes' groups that were silent for ``idle`` seconds."""
        gone = 0
        with away():
            for tag in self._tags:
                gone += await self._tidy(keys=[f"o:{tag}"], args=[int(idle * 1000)])
        return gone

    # --- timers ---------------------------------------------------------------------------------

    async def due(self, now: int) -> list[Chat]:
        """Chats whose timer has run out. They stay listed until a turn sets or clears the timer."""
        tags = self._tags
        rows = await self.ask([("ZRANGEBYSCORE", f"t:{tag}", ("-inf", now, "LIMIT", 0, 100)) for tag in tags])
        due = [(tag, name.decode()) for tag, names in zip(tags, rows, strict=True) for name in names]
        values = await self.ask([("GET", f"s:{tag}:{name}", ()) for tag, name in due])
        chats = [self._chat(f"s:{tag}:{name}", value) for (tag, name), value in zip(due, values, strict=True)]
        lost = [place for place, chat in zip(due, chats, strict=True) if chat is None]
        await self.ask([("ZREM", f"t:{tag}", (name,)) for tag, name in lost])
        return [chat for chat in chats if chat is not None]

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

    async def ask(self, commands: Sequence[Command]) -> list[Any]:
        """Answers of ``commands``, all of them sound.

        Raises:
            StoreAway: one of them failed.
        """
        with away():
            answers = await self._pipes.all(commands)
            for answer in answers:
                if isinstance(answer, RedisError):
                    raise answer
        return answers
