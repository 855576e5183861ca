"""The protocols between layers. An implementation never imports another one: `bot.bootstrap` joins them."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, Protocol

import msgspec

from bot.model import Chat, Event, Outgoing, Session, Woken


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
    """Who asks for an effect, and under which key it must happen at most once.

    Attributes:
        actor: civil ID of whoever is signed in, empty for nobody.
        origin: blind name of the network address, empty where the channel hides it.
    """

    key: str
    chat: Chat
    language: str
    actor: str = ""
    origin: str = ""


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


class Loaded(msgspec.Struct, frozen=True):
    """A chat as found in the store.

    Attributes:
        session: fresh when there was none.
        waiting: ids of outbox entries that may not have been delivered yet.
        unreachable: the resident blocked us earlier.
    """

    session: Session
    waiting: tuple[str, ...] = ()
    unreachable: bool = False


class Files(Protocol):
    """What residents send as files, sealed and for a short time; `bot.store.files.FileStore`."""

    async def put(self, chat: Chat, content: bytes, name: str) -> str:
        """Keep ``content``; returns its reference, which only this chat can use.

        Raises:
            StoreAway: the store does not answer.
            TooLarge: more than a file may have.
        """
        ...

    async def get(self, chat: Chat, ref: str) -> bytes | None:
        """The content; None when it is not kept any more, or is another chat's."""
        ...


class Outbox(Protocol):
    """Sessions, outbox and timers; `bot.store.sessions.Sessions`, whose docstrings hold."""

    def place(self, chat: Chat) -> tuple[str, str]:
        """The chat's partition tag and blind name."""
        ...

    async def load(self, chat: Chat) -> Loaded:
        """The chat's session."""
        ...

    async def commit(
        self,
        chat: Chat,
        before: int,
        session: Session,
        replies: Sequence[bytes],
        jobs: Sequence[bytes] = (),
    ) -> tuple[str, ...]:
        """Save a turn; the outbox ids of its replies, then of its jobs."""
        ...

    def delivered(self, tag: str, entry_id: str) -> None:
        """Note a delivery."""
        ...

    async def flush(self) -> None:
        """Send the notes of deliveries."""
        ...

    async def hold(self, held: Iterable[tuple[str, str]]) -> None:
        """Sign of life for entries (tag, id)."""
        ...

    async def let_go(self, left: Iterable[tuple[str, str]], idle: float) -> None:
        """Give entries (tag, id) that are for another process away, as if nobody had worked on them for ``idle`` seconds."""
        ...

    async def claim(
        self, tag: str, ids: Sequence[str], idle: float
    ) -> tuple[set[str], list[tuple[str, bytes]]]:
        """Take over idle ones of ``ids``: (gone, taken)."""
        ...

    async def abandoned(self, idle: float) -> list[tuple[str, str, bytes]]:
        """Take over idle entries of every partition: (tag, id, entry)."""
        ...

    async def tidy(self) -> int:
        """Forget what long-gone processes left: their names."""
        ...

    async def due(self, now: int) -> list[Chat]:
        """Chats whose timer has run out."""
        ...

    async def mark(self, chat: Chat, *, unreachable: bool) -> None:
        """Remember that the resident blocked us, or wrote again."""
        ...
