"""What residents send as files: sealed, for an hour, a few of each chat. Implements `bot.ports.Files`.

``d:{p}:name`` the references of a chat's files by when they came, ``d:{p}:name:ref`` a file. All keys of a chat are
in its slot and carry its blind name: they go when the chat is forgotten.

A reference is a keyed name of what was sent: the same file sent again has the same one, so that a repeated event
leaves nothing behind. It is looked up under the chat that asks, so another chat's leads nowhere.
"""

import hashlib
import re
from importlib.resources import files
from typing import Any, Final

import structlog
from redis.asyncio import Redis
from redis.asyncio.cluster import RedisCluster

from bot.crypto import Keyring
from bot.errors import TooLarge, Unreadable
from bot.model import Chat
from bot.store.away import away
from bot.store.keys import Keys

log = structlog.get_logger(__name__)

LIFE: Final = 3600
"""Seconds a file is kept: time to look through what was found in it and to send it to be paid."""

KEPT: Final = 3
"""Files of one chat; a further one takes the oldest one's place."""

MEGABYTE: Final = 1_000_000

_REF: Final = re.compile(r"[0-9a-f]{24}", re.ASCII)


class FileStore:
    """The store.

    Args:
        redis: a client that returns bytes.
        keyring: seals the content and names it.
        keys: where chats live.
        limit: bytes of a file.
    """

    def __init__(
        self,
        redis: Redis | RedisCluster,
        keyring: Keyring,
        keys: Keys | None = None,
        limit: int = 5 * MEGABYTE,
    ) -> None:
        self._redis: Any = redis  # redis-py's own annotations are incomplete under strict checking
        self._keyring = keyring
        self._keys = keys or Keys(keyring)
        self.limit = limit
        script = (files("bot.store") / "lua" / "file_put.lua").read_text("utf-8")
        self._put: Any = self._redis.register_script(script)

    async def put(self, chat: Chat, content: bytes, name: str) -> str:
        """Keep ``content``; returns its reference, the same one for the same content under the same name.

        Raises:
            StoreAway: Redis does not answer.
            TooLarge: more than a file may have.
        """
        if len(content) > self.limit:
            raise TooLarge(f"more than {self.limit} bytes")
        place = self._place(chat)
        digest = hashlib.sha256(content).hexdigest()
        ref = self._keyring.blind(f"file:{chat.channel}:{chat.id}:{digest}:{name}")
        key = f"{place}:{ref}"
        sealed = self._keyring.seal(content, key.encode())
        with away():
            await self._put(keys=[place, key], args=[ref, sealed, LIFE, KEPT, f"{place}:"])
        return ref

    async def get(self, chat: Chat, ref: str) -> bytes | None:
        """The content; None when it is not kept any more, or is another chat's.

        Raises:
            StoreAway: Redis does not answer.
        """
        if _REF.fullmatch(ref) is None:
            return None
        key = f"{self._place(chat)}:{ref}"
        with away():
            sealed = await self._redis.get(key)
        if sealed is None:
            return None
        try:
            return self._keyring.open(sealed, key.encode())
        except Unreadable:  # its key has left the ring within the hour: it is asked for again
            log.warning("a file is unreadable")
            return None

    def _place(self, chat: Chat) -> str:
        tag, name = self._keys.place(chat)
        return f"d:{tag}:{name}"
