"""Verifications in Redis: a link, the picture it shows, how often it was answered.

Everything lies in the chat's slot: ``v:{p}:name`` (see `bot.store.quotas`) holds the chat's one open
verification, ``c:{p}:ref`` leads from its link to the chat. The link's token is kept sealed, and the chat and
the picture too; the digits are not kept at all. A token begins with the number of the chat's partition, so
that its key can be found; one chat in 256 has the same.
"""

import re
import secrets
from importlib.resources import files
from typing import Any, Final, NamedTuple

import msgspec
from redis.asyncio import Redis
from redis.asyncio.cluster import RedisCluster

from bot.crypto import Keyring
from bot.errors import Unreadable
from bot.model import Chat
from bot.store.away import away
from bot.store.keys import Keys
from bot.store.quotas import standing_key

LIFE: Final = 3600
"""Seconds all of it is kept; a link closes earlier and can then still say so."""

_TOKEN: Final = re.compile(r"(\d{3})[A-Za-z0-9_-]{24}", re.ASCII)


class Open(NamedTuple):
    """A verification.

    Attributes:
        token: of its link.
        chat: whose.
        language: of the chat when the link was made.
        until: when it closes (epoch seconds).
        number: of the picture to be answered, from 1; 0 once one was answered rightly.
    """

    token: str
    chat: Chat
    language: str
    until: int
    number: int


class Verifications:
    """The store.

    Args:
        redis: a client that returns bytes.
        keyring: seals and gives blind names.
        keys: where chats live.
    """

    def __init__(self, redis: Redis | RedisCluster, keyring: Keyring, keys: Keys | None = None) -> None:
        self._redis: Any = redis  # redis-py's own annotations are incomplete under strict checking
        self._keyring = keyring
        self._keys = keys or Keys(keyring)
        scripts = files("bot.store") / "lua"
        self._begin, self._answer, self._picture = (
            self._redis.register_script((scripts / f"verify_{name}.lua").read_text("utf-8"))
            for name in ("begin", "answer", "picture")
        )

    def ref(self, token: str) -> str:
        """The verification's public name; no secret."""
        return self._keyring.blind(f"verification:{token}")

    async def begin(self, chat: Chat, language: str, now: int, closes: int) -> Open:
        """The chat's open verification, else a new one that closes at ``closes``.

        Raises:
            StoreAway: Redis does not answer.
        """
        place = self._keys.place(chat)
        key = standing_key(place)
        token = place.tag[2:5] + secrets.token_urlsafe(18)
        ref = self.ref(token)
        pointer = f"c:{place.tag}:{ref}"
        sealed_chat = self._keyring.seal(msgspec.msgpack.encode(chat), pointer.encode())
        sealed_token = self._keyring.seal(token.encode(), key.encode())
        with away():
            kept, until, number = await self._begin(
                keys=[key, pointer], args=[now, closes, sealed_token, ref, sealed_chat, language, LIFE]
            )
        return Open(self._keyring.open(kept, key.encode()).decode(), chat, language, int(until), int(number))

    async def find(self, token: str) -> Open | None:
        """The verification behind a link, also a closed one; None where it is not ours or a newer one is open.

        Raises:
            StoreAway: Redis does not answer.
        """
        known = _TOKEN.fullmatch(token)
        if known is None:
            return None
        pointer = f"c:{{p{known[1]}}}:{self.ref(token)}"
        with away():
            sealed = await self._redis.get(pointer)
        if sealed is None:
            return None
        try:
            chat = msgspec.msgpack.decode(self._keyring.open(sealed, pointer.encode()), type=Chat)
        except Unreadable:  # its key has left the ring
            return None
        with away():
            ref, until, number, language = await self._redis.hmget(
                standing_key(self._keys.place(chat)), "r", "x", "n", "l"
            )
        if ref is None or ref.decode() != self.ref(token):
            return None
        return Open(token, chat, language.decode(), int(until), int(number))

    async def picture(self, chat: Chat, token: str, number: int, made: bytes = b"") -> bytes | None:
        """The picture ``number`` of ``token``, the chat's; the first one ``made`` is kept and shown for good.

        Returns:
            Empty where none was made yet, None where another one is asked for by now.

        Raises:
            StoreAway: Redis does not answer.
        """
        key = standing_key(self._keys.place(chat))
        ref = self.ref(token)
        bound = f"{key}:{ref}:{number}".encode()
        sealed = self._keyring.seal(made, bound) if made else b""
        with away():
            kept = await self._picture(keys=[key], args=[ref, number, sealed])
        try:
            return self._keyring.open(kept, bound) if kept else kept
        except Unreadable:  # its key has left the ring
            return None

    async def answer(
        self, chat: Chat, token: str, number: int, *, right: bool, now: int, tries: int, excused: int
    ) -> str:
        """Count an answer.

        Args:
            chat: whose verification it is.
            token: of its link.
            number: of the picture that was answered.
            right: whether the digits were those of the picture.
            now: epoch seconds.
            tries: how many pictures there are in all.
            excused: until when the chat needs no picture any more (epoch seconds).

        Returns:
            ``passed`` (now or before), ``wrong``, ``stale`` (another picture is shown by now), ``spent`` (no
            picture is left) or ``over`` (too late).

        Raises:
            StoreAway: Redis does not answer.
        """
        key = standing_key(self._keys.place(chat))
        args: list[str | int] = [self.ref(token), number, int(right), now, tries, excused, LIFE]
        with away():
            said = await self._answer(keys=[key], args=args)
        return bytes(said).decode()
