"""The web chat's log: what a page shows again after a reload or a lost connection.

One capped stream a chat, its entries sealed, beside a hash of the delivery keys already written. Both
carry the chat's hash tag, so that one script sees them in a cluster too. The entries' meaning belongs to
`bot.handlers.web`; here they are bytes.
"""

import contextlib
from collections.abc import Callable, Generator
from typing import Any

import structlog
from redis.asyncio import Redis
from redis.asyncio.cluster import RedisCluster
from redis.exceptions import RedisError

from bot.crypto import Keyring
from bot.errors import Unreadable
from bot.model import Chat
from bot.ports import Clock
from bot.store.away import away
from bot.store.pipe import Arg
from bot.store.pipes import Names, Pipes, Script
from bot.store.webears import ENTRY, TYPING, Ear, Ears, channel_name
from bot.tasks import Tasks

log = structlog.get_logger(__name__)

KEPT = 200
"""Entries kept of one chat."""

LIFE = 30 * 3600
"""Seconds a silent log is kept: a session can be carried on for 24 h, and then some."""

Place = Callable[[Chat], tuple[str, str]]
"""A chat's hash tag (``{p017}``) and blind name; `bot.store.keys.Keys.place`."""

# KEYS: the stream, the hash of delivery keys. ARGV: sealed entry, delivery key, id to drop or "",
# entries kept, life in seconds, channel, what is published. Returns the entry's id.
# Delivery keys leave the hash together with their entries, so it is bounded as the stream is.
_APPEND = """
local known = redis.call('HGET', KEYS[2], ARGV[2])
if known then return known end
if ARGV[3] ~= '' then redis.call('XDEL', KEYS[1], ARGV[3]) end
local id = redis.call('XADD', KEYS[1], '*', 'e', ARGV[1], 'k', ARGV[2])
redis.call('HSET', KEYS[2], ARGV[2], id)
if redis.call('XLEN', KEYS[1]) > tonumber(ARGV[4]) then
  local oldest = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)[1]
  redis.call('HDEL', KEYS[2], oldest[2][4])
  redis.call('XDEL', KEYS[1], oldest[1])
end
redis.call('EXPIRE', KEYS[1], ARGV[5])
redis.call('EXPIRE', KEYS[2], ARGV[5])
redis.call('PUBLISH', ARGV[6], ARGV[7])
return id
"""


class WebLog:
    """Logs of all web chats.

    Args:
        redis: a client that returns bytes (``decode_responses`` off).
        keyring: seals the entries, each bound to its stream's name.
        place: where a chat's keys live.
        tasks: owns the shared subscription's reader.
        clock: waits before a lost subscription is opened again.
    """

    def __init__(
        self, redis: Redis | RedisCluster, keyring: Keyring, place: Place, tasks: Tasks, clock: Clock
    ) -> None:
        # Connections of its own: whoever comes back reads 200 entries, which no turn should stand behind.
        self._pipes = Pipes(redis)
        self._append = Script(self._pipes, _APPEND)
        self._keyring = keyring
        self._place = place
        self._ears = Ears(redis, self._pipes, tasks, clock)

    async def append(self, chat: Chat, entry: bytes, *, key: str, drops: str = "") -> str:
        """Write ``entry`` and tell the open pages, in one round trip.

        Args:
            chat: whose log.
            entry: what to keep; sealed before it leaves this process.
            key: delivery key, without personal data. A second entry with one key is not written.
            drops: id of an entry to delete for good.

        Returns:
            The entry's id, the first one's when ``key`` was written before.

        Raises:
            StoreAway: Redis does not answer.
        """
        stream, channel = self._names(chat)
        sealed = self._keyring.seal(entry, stream.encode())
        with away():
            found = await self._append(
                Names((stream, f"{stream}:k")), (sealed, key, drops, KEPT, LIFE, channel, ENTRY)
            )
        return bytes(found).decode()

    async def read(self, chat: Chat, after: str = "") -> list[tuple[str, bytes]]:
        """Ids and entries younger than the id ``after`` (all when empty), oldest first.

        Raises:
            StoreAway: Redis does not answer.
        """
        stream, _ = self._names(chat)
        with away():
            rows = await self._ask("XRANGE", stream, f"({after}" if after else "-", "+")
        entries: list[tuple[str, bytes]] = []
        for entry_id, (_, sealed, *_) in rows:
            try:
                entries.append((entry_id.decode(), self._keyring.open(sealed, stream.encode())))
            except Unreadable:
                # Its key was taken out of the ring. The rest of the chat is still worth showing.
                log.warning("web chat entry unreadable")
        return entries

    @contextlib.contextmanager
    def listen(self, chat: Chat) -> Generator[Ear, None, None]:
        """An `Ear` for ``chat``. It may miss what happens in a Redis failure: read again now and then."""
        _, channel = self._names(chat)
        ear = self._ears.add(channel)
        try:
            yield ear
        finally:
            self._ears.drop(channel, ear)

    async def typing(self, chat: Chat) -> None:
        """Tell the open pages that an answer is being prepared.

        Raises:
            StoreAway: Redis does not answer.
        """
        _, channel = self._names(chat)
        with away():
            await self._ask("PUBLISH", channel, TYPING)

    def hang_up(self) -> None:
        """Close every ear: open streams end, so that a server can stop. Pages connect elsewhere."""
        self._ears.hang_up()

    async def close(self) -> None:
        """Hang up and end the subscription. The Redis client stays open: it was given to us."""
        await self._ears.close()

    async def _ask(self, name: str, key: str, *rest: Arg) -> Any:
        (answer,) = await self._pipes.all([(name, key, rest)])
        if isinstance(answer, RedisError):
            raise answer
        return answer

    def _names(self, chat: Chat) -> tuple[str, str]:
        tag, name = self._place(chat)
        return f"w:{tag}:{name}", channel_name(name)
