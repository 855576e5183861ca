"""The engine behind a channel: one session a chat, encoded between two turns, words made as the runtime makes them."""

from collections.abc import Callable
from typing import Any, Final

import msgspec

from bot.dialogs import book
from bot.dialogs.home import Operator
from bot.engine import step
from bot.handlers.telegram.calls import said
from bot.handlers.telegram.text import html, keyboard, pieces
from bot.i18n.catalog import Catalog
from bot.i18n.render import Renderer
from bot.i18n.speech import Keywords
from bot.i18n.text import Msg, say
from bot.model import Attached, Chat, Event, Outgoing, Pressed, Say, Session, Settle, Typed, plain
from bot.runtime.wording import word
from tests.fuzz.targets.base import hold

NOON: Final = 1_795_251_600
"""21 November 2026, 12:00 in Kuwait."""
RENDERER: Final = Renderer(Catalog())
SPEECH: Final = Keywords(RENDERER)
BOOK: Final = book(Operator(), SPEECH)
LARGEST_SESSION: Final = 16_384
"""Bytes of a session, whatever is sent; an ordinary one has some hundred."""


def translate(msg: Msg, language: str) -> str:
    """A text in a language."""
    return RENDERER.plain(say(msg), language)


class Clock:
    """Stands at noon."""

    def now(self) -> int:
        return NOON

    def monotonic(self) -> float:
        return float(NOON)

    async def sleep(self, seconds: float) -> None:
        hold(0 <= seconds < 1e9, f"asked to sleep {seconds} s")


class Residents:
    """Takes events as `bot.runtime.Runtime.handle` does, and insists that each is answered."""

    def __init__(self) -> None:
        self._sessions: dict[Chat, Session] = {}
        self.events: list[Event] = []

    def forget(self) -> None:
        """Begin anew."""
        self._sessions.clear()
        self.events.clear()

    def stand(self, chat: Chat, session: Session) -> None:
        """Have the resident of ``chat`` stand there."""
        self._sessions[chat] = session

    async def handle(self, event: Event) -> None:
        """One turn."""
        self.events.append(event)
        before = self._sessions.get(event.chat, Session())
        turn = step(BOOK, before, event, NOON)
        outgoing = [
            word(reply, f"{turn.session.rev}:{number}", turn.session.language, RENDERER)
            for number, reply in enumerate(turn.replies)
        ]
        stored = msgspec.msgpack.encode(turn.session)
        hold(len(stored) <= LARGEST_SESSION, f"a session of {len(stored)} bytes")
        self._sessions[event.chat] = msgspec.msgpack.decode(stored, type=Session, strict=True)
        for each in outgoing:
            sent(each)
        if turn.changed and isinstance(event, Typed | Attached):
            hold(any(isinstance(each, Say) for each in outgoing) or turn.works, "nothing was said")
        if turn.changed and isinstance(event, Pressed) and event.token != before.pressed:
            hold(outgoing or turn.works, "a press was not answered")

    async def awaits(self, chat: Chat) -> tuple[str, ...]:
        """As if every question asked for a file."""
        del chat
        return ("document",)


_ENCODE: Final[Callable[[Any], bytes]] = msgspec.json.Encoder().encode


def sent(outgoing: Outgoing) -> None:
    """Insist that both channels can say it: pieces that Telegram takes, JSON that a page reads."""
    _ENCODE(outgoing)
    match outgoing:
        case Say():
            markup = keyboard(outgoing.rows)
            for piece in pieces(outgoing.spans):
                hold(plain(piece).strip(), "an empty message")
                hold(len(plain(piece).encode("utf-16-le")) <= 2 * 4096, "a message that is too long")
                _ENCODE(said(1, html(piece), markup))
        case Settle():
            hold(plain(outgoing.spans).strip(), "an empty message")
            _ENCODE(said(1, html(pieces(outgoing.spans)[0]), None))
        case _:
            pass
