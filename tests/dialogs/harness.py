"""Conversations as tests: a chat over the pure step, with made-up outside systems and a clock that obeys.

The session is encoded and decoded between every two turns, every text goes through the real renderer and
the real catalogues, and every Arabic line is held against the bidi gate as it is said.
"""

import itertools
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

import msgspec

from bot.dialogs import book
from bot.dialogs.home import Operator
from bot.engine import Answered, Disarmed, Erased, Said, Turn, Work, step
from bot.i18n.catalog import Catalog
from bot.i18n.render import Renderer, bare
from bot.i18n.speech import Keywords
from bot.i18n.text import Arg, Msg, Plural, Text
from bot.model import (
    Attached,
    Button,
    Elapsed,
    Event,
    Frame,
    Outcome,
    Pressed,
    Session,
    Slow,
    Span,
    Typed,
    Woken,
    plain,
)
from bot.model import Chat as Address
from bot.ports import Effect
from tests.dialogs.bidi_gate import shown_wrong
from tools.catalogs import extract

CATALOG: Final = Catalog()
RENDERER: Final = Renderer(CATALOG)
SPEECH: Final = Keywords(RENDERER)
BOOK: Final = book(Operator(), SPEECH)
NOON: Final = 1_795_251_600
"""21 November 2026, 12:00 in Kuwait."""
CIVIL_ID: Final = "285011500029"
MASKED: Final = "2850****0029"
MESSAGES: Final = {found.key: found.texts for found in extract()}

HOLD: Final = "hold"
"""An outside system's answer that does not come by itself; see `Chat.lets_go`."""

Answer = Any
"""A result, a word of failure (a `StrEnum` member), or `HOLD`."""


@dataclass
class Message:
    """A message in the chat, as it stands on the screen."""

    id: str
    spans: tuple[Span, ...] = ()
    rows: tuple[tuple[Button, ...], ...] = ()
    mine: bool = False
    erased: bool = False
    awaits: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        return bare(plain(self.spans))

    @property
    def buttons(self) -> list[Button]:
        return [button for row in self.rows for button in row]

    @property
    def labels(self) -> list[str]:
        return [bare(button.label) for button in self.buttons]


def message_id(start: str) -> Msg | Plural:
    """The one message of the code whose English text is ``start`` or begins with it."""
    if start in MESSAGES:
        found = [start]
    else:
        found = [key for key, texts in MESSAGES.items() if any(text.startswith(start) for text in texts)]
    assert len(found) == 1, f"{start!r} begins {len(found)} messages"
    texts = MESSAGES[found[0]]
    return Msg(texts[0]) if len(texts) == 1 else Plural(Msg(texts[0]), Msg(texts[1]))


def pattern(start: str, language: str, known: dict[str, Arg]) -> str:
    """What a message looks like in ``language``; placeholders not in ``known`` match anything."""
    msg = message_id(start)
    numbers = (0, 1, 2, 3, 11, 100) if isinstance(msg, Plural) else (0,)
    if isinstance(msg, Plural) and isinstance(n := known.get("n"), int):
        numbers = (n,)
    forms: list[str] = []
    for number in numbers:
        form = ""
        for piece in CATALOG.template(msg, language, number):
            if not piece.name:
                form += re.escape(piece.text)
            elif piece.name in known:
                form += re.escape(bare(RENDERER.plain(known[piece.name], language)))
            else:
                form += r"[\s\S]+?"
        forms.append(form)
    return "|".join(f"(?:{form})" for form in dict.fromkeys(forms))


@dataclass
class Chat:
    """One resident's chat.

    Args:
        language: what the channel names as theirs.
        operator: who runs the service.
    """

    language: str = "ar"
    operator: Operator = field(default_factory=Operator)
    session: Session = field(default_factory=Session)
    now: int = NOON
    screen: list[Message] = field(default_factory=list[Message])
    world: dict[type[Effect], Callable[[Any], Answer]] = field(default_factory=dict)
    effects: list[Effect] = field(default_factory=list)
    held: list[Work] = field(default_factory=list)
    said: list[Message] = field(default_factory=list[Message])
    turns: int = 0

    def __post_init__(self) -> None:
        self.book = book(self.operator, SPEECH)
        self.address = Address("test", "1")
        self._ids = itertools.count(1)

    # --- what the resident does -----------------------------------------------------------------

    def says(self, text: str) -> "Chat":
        """Write ``text``."""
        mine = Message(f"r{next(self._ids)}", (Span(text),), mine=True)
        self.screen.append(mine)
        return self.act(Typed(text=text, source=mine.id, **self._event()))

    def presses(self, start: str, **known: Arg) -> "Chat":
        """Press the button called so, on the last message that has it."""
        wanted = pattern(start, self.language, known)
        for message in reversed(self.screen):
            for button in message.buttons:
                if re.fullmatch(wanted, bare(button.label)):
                    return self.press_token(button.token, message.id)
        raise AssertionError(f"no button {start!r}: {[m.labels for m in self.screen]}")

    def picks(self, label: str) -> "Chat":
        """Press the button whose label ends with ``label``, a text of the data."""
        for message in reversed(self.screen):
            for button in message.buttons:
                if bare(button.label).endswith(label):
                    return self.press_token(button.token, message.id)
        raise AssertionError(f"no button {label!r}: {[m.labels for m in self.screen]}")

    def press_token(self, token: str, source: str = "") -> "Chat":
        """Press a button by what it carries."""
        return self.act(Pressed(token=token, source=source, **self._event()))

    def attaches(self, kind: str) -> "Chat":
        """Send something that is no text."""
        return self.sends(kind)

    def sends(self, kind: str = "document", *, file: str = "", name: str = "", missing: str = "") -> "Chat":
        """Send a file that the channel kept as ``file``, or could not keep because of ``missing``."""
        source = f"r{next(self._ids)}"
        return self.act(
            Attached(kind=kind, file=file, name=name, missing=missing, source=source, **self._event())
        )

    def wait(self, *, seconds: int = 0, minutes: int = 0, hours: int = 0) -> "Chat":
        """Let time pass; timers that run out do what they do."""
        until = self.now + seconds + 60 * minutes + 3600 * hours
        self.said = []
        while self.session.due and self.session.due <= until:
            self.now = max(self.now, self.session.due)
            before = self.session.due
            self.turn(Elapsed(asked=self.top.asked, **self._event()))
            assert self.session.due != before or self.session.due > self.now, "the timer did nothing"
        self.now = until
        return self

    # --- what happens outside -------------------------------------------------------------------

    def answers(self, effect: type[Effect], *answers: Answer) -> "Chat":
        """Script an outside system: its next answers to ``effect``; the last one stays."""
        queue = list(answers)

        def answer(_effect: Any) -> Answer:
            return queue.pop(0) if len(queue) > 1 else queue[0]

        self.world[effect] = answer
        return self

    def slow(self) -> "Chat":
        """The held effect takes longer than a resident waits without a word."""
        return self.act(Slow(key=self.held[0].key, **self._event()))

    def lets_go(self, answer: Answer) -> "Chat":
        """The held effect comes back."""
        return self.act(self._outcome(self.held.pop(0), answer))

    def returned(self, ref: str) -> "Chat":
        """Somebody came back from the identity provider's page."""
        return self.act(Woken(dialog="identify", kind="returned", ref=ref, **self._event()))

    def wakes(self, kind: str, ref: str, **data: Any) -> "Chat":
        """Something happened to the order ``ref``."""
        return self.act(Woken(dialog="checkout", kind=kind, ref=ref, data=data, **self._event()))

    # --- what is expected -----------------------------------------------------------------------

    def hears(self, start: str, **known: Arg) -> "Chat":
        """The last act was answered with this message."""
        assert self.heard(start, **known), f"{start!r} not in {[m.text for m in self.said]}"
        return self

    def hears_not(self, start: str, **known: Arg) -> "Chat":
        """The last act was not answered with this message."""
        assert not self.heard(start, **known), f"{start!r} in {[m.text for m in self.said]}"
        return self

    def heard(self, start: str, **known: Arg) -> bool:
        wanted = pattern(start, self.language, known)
        return any(re.search(wanted, message.text) for message in self.said)

    def hears_text(self, text: str) -> "Chat":
        """The last act was answered with ``text``, which is data (a masked number, an amount)."""
        assert any(text in message.text for message in self.said), [m.text for m in self.said]
        return self

    def hears_nothing(self) -> "Chat":
        """The last act was answered with silence."""
        assert not self.said, [m.text for m in self.said]
        return self

    def offers(self, *starts: str) -> "Chat":
        """Exactly these buttons are under the last message, in this order."""
        labels = self.last.labels
        assert len(labels) == len(starts), f"{labels} instead of {list(starts)}"
        for label, start in zip(labels, starts, strict=True):
            assert re.fullmatch(pattern(start, self.language, {}), label), f"{label!r} is not {start!r}"
        return self

    def stands(self, *states: str) -> "Chat":
        """The stack: ``dialog.state``, root first, home left out."""
        stack = tuple(f"{frame.dialog}.{frame.state}" for frame in self.session.frames[1:])
        assert stack == states, stack
        return self

    def did(self, *effects: Effect) -> "Chat":
        """Exactly these effects were asked for since the last look."""
        assert self.effects == list(effects), self.effects
        self.effects = []
        return self

    @property
    def last(self) -> Message:
        """The last message said."""
        return next(message for message in reversed(self.screen) if not message.mine)

    @property
    def top(self) -> Frame:
        return self.session.frames[-1]

    def message(self, name: str) -> Message:
        """A message on the screen."""
        return next(message for message in self.screen if message.id == name)

    # --- the machinery --------------------------------------------------------------------------

    def _event(self) -> dict[str, Any]:
        return {"id": f"e{next(self._ids)}", "chat": self.address, "language": self.language}

    def act(self, event: Event) -> "Chat":
        """One act of the resident or of the world, with all that follows from it."""
        self.said = []
        self.turn(event)
        return self

    def turn(self, event: Event) -> None:
        """One turn and, after it, its effects."""
        result = step(self.book, self.session, event, self.now)
        self._commit(result)
        for reply in result.replies:
            self._reply(reply)
        for work in result.works:
            self._run(work)

    def _commit(self, result: Turn) -> None:
        self.turns += 1
        if result.changed:
            assert result.session.rev > self.session.rev
            assert result.session.language in ("ar", "en")
            self.language = result.session.language
        stored = msgspec.msgpack.encode(result.session)
        self.session = msgspec.msgpack.decode(stored, type=Session, strict=True)
        assert msgspec.msgpack.encode(self.session) == stored

    def _run(self, work: Work) -> None:
        self.effects.append(work.effect)
        stored = msgspec.msgpack.encode(work.effect)
        assert msgspec.msgpack.decode(stored, type=type(work.effect)) == work.effect
        answer = self.world[type(work.effect)](work.effect) if type(work.effect) in self.world else HOLD
        if answer == HOLD:
            self.held.append(work)
        else:
            self.turn(self._outcome(work, answer))

    def _outcome(self, work: Work, answer: Answer) -> Outcome:
        if isinstance(answer, StrEnum):
            return Outcome(key=work.key, failure=answer.value, **self._event())
        return Outcome(key=work.key, value=answer, **self._event())

    def _reply(self, reply: Said | Answered | Disarmed | Erased) -> None:
        match reply:
            case Said(text, rows, edits, awaits):
                name = edits or f"m{next(self._ids)}"
                message = Message(name, self._render(text), self._rows(rows), awaits=awaits)
                if edits:
                    self.screen[self.screen.index(self.message(edits))] = message
                else:
                    self.screen.append(message)
                self.said.append(message)
            case Answered(source, text):
                answered = self.message(source)
                answered.spans, answered.rows = self._render(text), ()
            case Disarmed(source):
                self.message(source).rows = ()
            case Erased(source):
                self.message(source).erased = True

    def _render(self, text: Arg) -> tuple[Span, ...]:
        spans = RENDERER.render(text, self.language)
        assert plain(spans).strip(), "an empty message"
        assert not shown_wrong(spans, self.language)
        return spans

    def _rows(self, rows: tuple[tuple[Any, ...], ...]) -> tuple[tuple[Button, ...], ...]:
        out: list[tuple[Button, ...]] = []
        for row in rows:
            buttons = tuple(
                Button(RENDERER.plain(key.label, self.language), key.token, key.url) for key in row
            )
            for button in buttons:
                assert button.label
                assert len(button.token.encode()) <= 64, "Telegram takes 64 bytes in a button"
                assert not shown_wrong((Span(button.label),), self.language)
            out.append(buttons)
        return tuple(out)


def word(start: str, language: str) -> str:
    """A message without arguments, in ``language``."""
    msg = message_id(start)
    assert isinstance(msg, Msg)
    return bare(RENDERER.plain(Text(msg), language))
