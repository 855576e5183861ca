"""Sliding windows in Redis: how many look-ups a chat, a person, a number, a network address had of late.

Every window is one sorted set with a time to live, asked and filled by one script, so of hundreds at once no
more get through than the limit says. Names are blind. Keys: ``u:{p}:name`` the look-ups of a chat and
``v:{p}:name`` how it stands (its verification, where it was last), both in the chat's slot;
``u:<blind>`` any other window.

One look-up is counted in up to three windows, which live in different slots of a cluster. Each lets it
through or not by itself, and it happens only once all have: there is no moment between a question and its
count. A look-up refused by a later window stays counted in the earlier ones, on the safe side; the same one
asked again costs them nothing.

The time is ours, not the server's: dialogs compare the end of a pause with the same clock. A window's time
to live is the server's and only clears up.
"""

from importlib.resources import files
from typing import Any, NamedTuple

from redis.asyncio import Redis
from redis.asyncio.cluster import RedisCluster

from bot.crypto import Keyring
from bot.model import Chat
from bot.store.away import away
from bot.store.keys import Keys, Place


class Counted(NamedTuple):
    """What a window said.

    Attributes:
        verdict: 0 go on, 1 a picture first, 2 not before ``until``.
        until: from when it would be let through without a picture (epoch seconds), 0 where it was.
        passed: the chat has passed a verification of late.
        origin: blind name of the address the chat was last at, where known.
    """

    verdict: int
    until: int
    passed: bool
    origin: str


class Quotas:
    """The windows.

    Args:
        redis: a client that returns bytes.
        keyring: gives the blind names.
        keys: where chats live.
    """

    def __init__(self, redis: Redis | RedisCluster, keyring: Keyring, keys: Keys | None = None) -> None:
        client: Any = redis  # redis-py's own annotations are incomplete under strict checking
        self._keyring = keyring
        self._keys = keys or Keys(keyring)
        script = (files("bot.store") / "lua" / "quota.lua").read_text("utf-8")
        self._count: Any = client.register_script(script)

    async def chat(
        self, chat: Chat, what: str, limit: tuple[int, int, int], now: int, origin: str
    ) -> Counted:
        """Count ``what`` against ``chat``, unless it is past its limit.

        Args:
            chat: who asks.
            what: names the look-up; the same one twice within the window counts once. Kept blind.
            limit: seconds of the window, how many without a picture, how many at most.
            now: epoch seconds.
            origin: blind name of the address, empty where not known; then the last known one is meant.

        Raises:
            StoreAway: Redis does not answer; the look-up must not happen.
        """
        place = self._keys.place(chat)
        keys = [f"u:{place.tag}:{place.name}", standing_key(place)]
        return await self._ask(keys, what, limit, now, passed=False, origin=origin)

    async def other(
        self, name: str, what: str, limit: tuple[int, int, int], now: int, *, passed: bool
    ) -> Counted:
        """Count ``what`` against anything else, named by ``name``; both are kept blind.

        Args:
            name: whose window.
            what: as for `chat`.
            limit: as for `chat`.
            now: epoch seconds.
            passed: a picture was passed or is not needed.

        Raises:
            StoreAway: Redis does not answer; the look-up must not happen.
        """
        keys = [f"u:{self._keyring.blind(f'quota:{name}')}"]
        return await self._ask(keys, what, limit, now, passed=passed, origin="")

    async def _ask(
        self, keys: list[str], what: str, limit: tuple[int, int, int], now: int, *, passed: bool, origin: str
    ) -> Counted:
        member = self._keyring.blind(f"quota:{what}")[:16]  # 64 bits among a few hundred
        with away():
            verdict, until, known, at = await self._count(
                keys=keys, args=[now, *limit, member, int(passed), origin]
            )
        return Counted(verdict, until, known == 1, at.decode())


def standing_key(place: Place) -> str:
    """Where it is kept how a chat stands."""
    return f"v:{place.tag}:{place.name}"
