"""What lies in Redis, looked at while the rehearsal runs: each chat's session, opened with the run's own keys."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
from redis.asyncio import Redis

from bot.crypto import Keyring, key_of
from bot.errors import Unreadable
from bot.store.parcel import parted
from tests.deploy.next.dialogs import CARRIED, RETIRED

EVERY: Final = 0.1
"""Seconds between looks."""
ABSENT: Final = 30 * 3600
"""Seconds after which nothing is left in Redis of a chat that nobody wrote in (ARCHITECTURE.md, "Redis")."""

_SESSION: Final = msgspec.msgpack.Decoder(list[Any])
_FRAMES: Final = 4
"""Where a session has its frames; each is ``[dialog, version, state, asked, answers, …]``."""


@dataclass
class Seen:
    """What was ever seen of one session."""

    revision: int = 0
    keys: list[bytes] = field(default_factory=list[bytes])
    carried: set[str] = field(default_factory=set[str])
    retired: bool = False


@dataclass
class Watch:
    """The looks.

    Attributes:
        ring: the keys' text as it is now.
        faults: what must not be: sessions that vanished, went back, or cannot be opened.
    """

    redis: Redis
    ring: Callable[[], str]
    sessions: dict[bytes, Seen] = field(default_factory=dict[bytes, Seen])
    faults: list[str] = field(default_factory=list[str])

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(EVERY)

    async def look(self) -> None:
        """All sessions, once."""
        redis: Any = self.redis
        names: list[bytes] = [name async for name in redis.scan_iter(match="s:*", count=1000)]
        keyring = Keyring.parse(self.ring())
        for name in set(self.sessions) - set(names):
            self.faults.append(f"session vanished: {name.decode()}")
            del self.sessions[name]
        for name in names:
            value = await redis.get(name)
            if value is not None:
                found = parted(value)
                self._see(name, int(found.line.partition(b" ")[0]), found.session, keyring)

    def _see(self, name: bytes, revision: int, sealed: bytes, keyring: Keyring) -> None:
        seen = self.sessions.setdefault(name, Seen())
        if revision < seen.revision:
            self.faults.append(f"session went back: {name.decode()}")
        if revision == seen.revision:
            return
        seen.revision = revision
        try:
            session = _SESSION.decode(keyring.open(sealed, name))
        except (Unreadable, msgspec.DecodeError):
            self.faults.append(f"session cannot be opened: {name.decode()}")
            return
        if not seen.keys or seen.keys[-1] != key_of(sealed):
            seen.keys.append(key_of(sealed))
        for dialog, _version, state, _asked, answers, *_rest in session[_FRAMES]:
            seen.retired |= (dialog, state) == ("violations", RETIRED[0])
            if answers.get("release") == CARRIED:
                seen.carried.add(dialog)

    async def thirty_hours_later(self) -> int:
        """Let go of what would have ended in the meantime; how many keys."""
        redis: Any = self.redis
        ending = [name async for name in redis.scan_iter(count=1000) if 0 < await redis.ttl(name) <= ABSENT]
        if ending:
            await redis.delete(*ending)
        self.sessions.clear()
        return len(ending)
