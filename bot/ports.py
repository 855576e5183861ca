"""The protocols between layers. An implementation never imports another one: `bot.bootstrap` joins them."""

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import msgspec

from bot.model import Chat, Event, Outgoing, Woken


class Clock(Protocol):
    """Time, injected everywhere."""

    def now(self) -> int:
        """Epoch seconds, UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds that only go forward."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Return after ``seconds``."""
        ...


class Channel(Protocol):
    """A way to reach residents: Telegram, the web chat, a terminal."""

    @property
    def name(self) -> str:
        """The first half of every `Chat` on this channel."""
        ...

    async def deliver(self, chat: Chat, outgoing: Outgoing) -> None:
        """Do ``outgoing`` in ``chat``.

        Raises:
            Unreachable: the resident cannot be reached any more.
            RetryLater: the channel asks to wait.
            Rejected: this message can never be delivered.
            Unavailable: the channel does not answer now.
        """
        ...

    async def typing(self, chat: Chat) -> None:
        """Show that an answer is being prepared. Never raises for a failure of the channel."""
        ...


Handle = Callable[[Event], Awaitable[None]]
"""`bot.runtime.Runtime.handle`: takes one event through one turn.

Raises `bot.errors.StoreAway` when nothing could be saved: the channel must have the event redelivered.
"""


class Effect(msgspec.Struct, frozen=True):
    """Something to be done outside, as a value. Subclasses live in the dialog that asks for it."""


class Asked(msgspec.Struct, frozen=True):
    """Who asks for an effect, and under which key it must happen at most once."""

    key: str
    chat: Chat
    language: str


class Failed(Exception):
    """Raised by an executor for a refusal that the dialog has an answer to.

    Args:
        word: a member's value of the effect's `Refused` enumeration.
    """

    def __init__(self, word: str) -> None:
        super().__init__(word)
        self.word = word


Executor = Callable[[Any, Asked], Awaitable[Any]]
"""``await executor(effect, asked)``: does it, once for each ``asked.key``; returns the effect's result.

Raises `Failed` for a refusal the dialog knows, `bot.errors.OutsideError` otherwise.
"""

Wake = Callable[[Woken], Awaitable[None]]
"""Brings an outside happening into a chat. A repeated event id changes nothing."""
