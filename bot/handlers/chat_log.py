"""The chat log as a channel: what stands in it, and the writing of it.

`LogChannel` writes into a chat's log; a web page or a terminal reads it from where it stopped. It therefore
shows after a reload, or a lost connection, what it would have shown without.
"""

import re
from contextlib import AbstractContextManager, suppress
from typing import Final, Protocol

import msgspec

from bot.errors import StoreAway, Unavailable
from bot.model import Button, Chat, Disarm, Erase, Outgoing, Say, Settle, Span
from bot.ports import Clock

NAME: Final = "web"

ENTRY_ID: Final = re.compile(r"\d{1,18}-\d{1,18}", re.ASCII)
"""An id of the log: a Redis stream's, short enough to fit its 64-bit halves."""


class Shown(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="message"):
    """A message, the service's or the resident's own.

    Attributes:
        sender: ``bot`` or ``me``.
        key: delivery key; a page drops repeats.
        client: the name the resident's page gave the message, to know its own echo by.
        at: epoch seconds.
        kind: of something that is not text: ``photo``, ``voice``, ``video``, ``document``.
        name: of a file, as the resident has it.
        edits: id of the entry whose bubble this rewrites.
        awaits: kinds of files that answer it.
    """

    sender: str = msgspec.field(name="from")
    key: str
    at: int
    language: str = ""
    spans: tuple[Span, ...] = ()
    rows: tuple[tuple[Button, ...], ...] = ()
    client: str = ""
    kind: str = ""
    name: str = ""
    edits: str = ""
    awaits: tuple[str, ...] = ()


class Settled(msgspec.Struct, frozen=True, tag_field="type", tag="settle"):
    """The question ``target`` was answered."""

    key: str
    target: str
    language: str
    spans: tuple[Span, ...]


class Disarmed(msgspec.Struct, frozen=True, tag_field="type", tag="disarm"):
    """The buttons of ``target`` are gone."""

    key: str
    target: str


class Erased(msgspec.Struct, frozen=True, tag_field="type", tag="erase"):
    """The entry ``target`` is gone from the log and from the pages that show it."""

    key: str
    target: str


class Ear(Protocol):
    """Hears what happens to one chat's log."""

    async def next(self, seconds: float) -> str:
        """``entry``, ``typing``, ``closed``, or ``idle`` after ``seconds`` without either."""
        ...

    def close(self) -> None:
        """Every further `next` returns ``closed`` at once."""
        ...


class ChatLog(Protocol):
    """The log of every web chat; `bot.store.weblog.WebLog`."""

    async def append(self, chat: Chat, entry: bytes, *, key: str, drops: str = "") -> str:
        """Write an entry once for each ``key``, delete the entry ``drops``; return the entry's id."""
        ...

    async def read(self, chat: Chat, after: str = "") -> list[tuple[str, bytes]]:
        """Ids and entries younger than ``after``."""
        ...

    def listen(self, chat: Chat) -> AbstractContextManager[Ear]:
        """Hear of changes."""
        ...

    async def typing(self, chat: Chat) -> None:
        """Tell the open pages that an answer is being prepared."""
        ...


class LogChannel:
    """Implements `bot.ports.Channel` on the chats' logs.

    Args:
        log: where the pages read.
        clock: dates the messages.
        name: of the channel whose chats are shown from the log.
    """

    def __init__(self, log: ChatLog, clock: Clock, name: str = NAME) -> None:
        self.name = name
        self._log = log
        self._clock = clock

    async def deliver(self, chat: Chat, outgoing: Outgoing) -> None:
        """Write ``outgoing`` into the chat's log.

        Raises:
            Unavailable: the log cannot be written now.
        """
        drops = outgoing.source if isinstance(outgoing, Erase) else ""
        entry = msgspec.json.encode(self._entry(outgoing))
        try:
            await self._log.append(
                chat, entry, key=outgoing.key, drops=drops if ENTRY_ID.fullmatch(drops) else ""
            )
        except StoreAway:
            raise Unavailable(NAME, "the log's store does not answer") from None

    async def typing(self, chat: Chat) -> None:
        """Show the typing dots on the chat's open pages."""
        with suppress(StoreAway):
            await self._log.typing(chat)

    def _entry(self, outgoing: Outgoing) -> Shown | Settled | Disarmed | Erased:
        match outgoing:
            case Say():
                return Shown(
                    sender="bot",
                    key=outgoing.key,
                    at=self._clock.now(),
                    language=outgoing.language,
                    spans=outgoing.spans,
                    rows=outgoing.rows,
                    edits=outgoing.edits,
                    awaits=outgoing.awaits,
                )
            case Settle():
                return Settled(outgoing.key, outgoing.source, outgoing.language, outgoing.spans)
            case Disarm():
                return Disarmed(outgoing.key, outgoing.source)
            case Erase():
                return Erased(outgoing.key, outgoing.source)
