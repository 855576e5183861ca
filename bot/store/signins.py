"""Sign-ins under way: one hash each, gone after its life, every step of it one script.

``i:{name}``, where the name is a blind one of the sign-in's public reference. Of token, state, browser, code and
chat it keeps keyed names only, of the rest sealed bytes whose meaning belongs to `bot.services.identity`. A script
compares names, never the secrets: how long that takes tells nothing about a secret.
"""

import hmac
from importlib.resources import files
from typing import Any, Final

from redis.asyncio import Redis
from redis.asyncio.cluster import RedisCluster

from bot.crypto import Keyring
from bot.errors import Unreadable
from bot.model import Chat
from bot.store.away import away

TRIES: Final = 3
"""Wrong codes after which a sign-in is over: 3 in 1,000,000 to guess one."""

_STEPS: Final = ("begin", "start", "take", "settle", "confirm")


class SignInStore:
    """Sign-ins under way. Everything raises `bot.errors.StoreAway` when Redis does not answer.

    Args:
        redis: a client that returns bytes.
        keyring: seals and names everything.
    """

    def __init__(self, redis: Redis | RedisCluster, keyring: Keyring) -> None:
        self._redis: Any = redis  # redis-py's own annotations are incomplete under strict checking
        self._keyring = keyring
        folder = files("bot.store") / "lua"
        self._begin, self._start, self._take, self._settle, self._confirm = (
            self._redis.register_script((folder / f"signin_{step}.lua").read_text("utf-8")) for step in _STEPS
        )

    async def begin(
        self, ref: str, *, key: str, chat: Chat, token: str, record: bytes, life: int
    ) -> bytes | None:
        """Keep ``record`` for ``life`` seconds.

        Returns:
            The record that the effect ``key`` has begun, now or earlier; None when another one has this reference.
        """
        place = self._place(ref)
        args: list[str | bytes | int] = [
            self._named("effect", ref, key),
            self._chat(ref, chat),
            self._named("token", ref, token),
            self._keyring.seal(record, place.encode()),
            life,
        ]
        with away():
            found = await self._begin(keys=[place], args=args)
        return None if found is None else self._opened(place, found)

    async def open(self, ref: str, token: str) -> tuple[bytes, bool] | None:
        """The record and whether somebody has signed in through it, for whoever knows the token; changes nothing."""
        place = self._place(ref)
        with away():
            known, record, code = await self._redis.hmget(place, ["t", "b", "k"])
        if not self._same(known, "token", ref, token):
            return None
        opened = self._opened(place, record)
        return None if opened is None else (opened, code is not None)

    async def start(self, ref: str, token: str, *, state: str, browser: str, secrets: bytes) -> bool:
        """Keep ``secrets`` for whoever comes back with ``state`` in ``browser``; replaces an earlier start."""
        place = self._place(ref)
        args: list[str | bytes | int] = [
            self._named("token", ref, token),
            self._named("state", ref, state),
            self._named("browser", ref, browser),
            self._keyring.seal(secrets, place.encode()),
        ]
        with away():
            return bool(await self._start(keys=[place], args=args))

    async def take(self, ref: str, *, state: str, browser: str) -> tuple[bytes, bytes] | None:
        """The record and the secrets of `start`, once."""
        place = self._place(ref)
        args: list[str | bytes | int] = [
            self._named("state", ref, state),
            self._named("browser", ref, browser),
        ]
        with away():
            found = await self._take(keys=[place], args=args)
        if found is None:
            return None
        record, secrets = (self._opened(place, each) for each in found)
        return None if record is None or secrets is None else (record, secrets)

    async def settle(self, ref: str, *, state: str, code: str, result: bytes) -> bool:
        """Keep ``result`` for the chat that gives ``code``; False when the sign-in went another way meanwhile."""
        place = self._place(ref)
        args: list[str | bytes | int] = [
            self._named("state", ref, state),
            self._named("code", ref, code),
            self._keyring.seal(result, place.encode()),
        ]
        with away():
            return bool(await self._settle(keys=[place], args=args))

    async def result(self, ref: str, browser: str) -> tuple[bytes, bytes] | None:
        """The record and the result, for the browser that signed in; changes nothing."""
        place = self._place(ref)
        with away():
            known, record, result = await self._redis.hmget(place, ["w", "b", "c"])
        if result is None or not self._same(known, "browser", ref, browser):
            return None
        opened = self._opened(place, record), self._opened(place, result)
        return None if opened[0] is None or opened[1] is None else (opened[0], opened[1])

    async def confirm(self, ref: str, *, chat: Chat, key: str, code: str) -> tuple[str, bytes]:
        """Compare ``code``; the right one ends the sign-in.

        Returns:
            ``right`` and the result, or ``wrong`` or ``spent`` and nothing. The effect ``key`` is answered alike
            however often it comes.
        """
        place = self._place(ref)
        args: list[str | bytes | int] = [
            self._chat(ref, chat),
            self._named("effect", ref, key),
            self._named("code", ref, code),
            TRIES,
        ]
        with away():
            said, *sealed = await self._confirm(keys=[place], args=args)
        word = bytes(said).decode()
        result = self._opened(place, sealed[0]) if word == "right" else b""
        return ("spent", b"") if result is None else (word, result)

    def _place(self, ref: str) -> str:
        return f"i:{{{self._keyring.blind(f'sign-in:{ref}')}}}"

    def _chat(self, ref: str, chat: Chat) -> str:
        return self._named("chat", ref, f"{chat.channel}:{chat.id}")

    def _named(self, what: str, ref: str, secret: str) -> str:
        return self._keyring.blind(f"sign-in {what}:{ref}:{secret}")

    def _same(self, known: bytes | None, what: str, ref: str, secret: str) -> bool:
        return known is not None and hmac.compare_digest(known, self._named(what, ref, secret).encode())

    def _opened(self, place: str, sealed: bytes | None) -> bytes | None:
        if sealed is None:
            return None
        try:
            return self._keyring.open(sealed, place.encode())
        except Unreadable:  # its key has left the ring within five minutes: the resident asks for a new link
            return None
