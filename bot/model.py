"""The values every layer speaks in: chats, events, sessions, outgoing messages.

Frozen, free of channels, of Redis and of wall clocks. Times are whole epoch seconds, UTC.
"""

from typing import Any

import msgspec

SESSION_SCHEMA = 1
"""Raised when the layout of `Session` itself changes, not when a dialog does."""


class Chat(msgspec.Struct, frozen=True, array_like=True):
    """One conversation on one channel: ``Chat("telegram", "812…")``.

    ``id`` may be a phone number (WhatsApp): it is never logged and never part of a Redis key.
    """

    channel: str
    id: str


# --- what comes in -----------------------------------------------------------------------------


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Something happened in a chat.

    Attributes:
        id: unique among the chat's events for as long as the channel may redeliver.
        chat: where.
        language: BCP 47 tag the channel names for the resident, empty when it names none.
        origin: blind name of the network address it came from, empty where the channel hides it.
    """

    id: str
    chat: Chat
    language: str = ""
    origin: str = ""


class Typed(Event, frozen=True, kw_only=True):
    """The resident wrote text; commands (``/menu``) included. ``source`` is the channel's message ref."""

    text: str
    source: str = ""


class Pressed(Event, frozen=True, kw_only=True):
    """The resident pressed a button carrying ``token``, on the message ``source``."""

    token: str
    source: str = ""


class Attached(Event, frozen=True, kw_only=True):
    """The resident sent something that is not text: a ``photo``, ``voice``, ``sticker``, ``location``, ``document``.

    Attributes:
        kind: of what was sent.
        file: reference under which the channel put the content (`bot.ports.Files`), empty where it kept none.
        missing: why it kept none where a file was asked for: ``large``, ``kind`` (the content is not what can be
            read), else it did not arrive.
        name: the file's name as the resident has it, without a folder; may be empty.
        source: the channel's message ref.
    """

    kind: str
    file: str = ""
    missing: str = ""
    name: str = ""
    source: str = ""


class Outcome(Event, frozen=True, kw_only=True):
    """An effect came back. Exactly one of ``value`` and ``failure`` is meaningful.

    Attributes:
        key: the effect's idempotency key (``chat:rev:n``).
        value: what the executor returned, of the effect's result type.
        failure: a word of the effect's `Refused` enumeration or of `bot.spec.Fault`; empty on success.
    """

    key: str
    value: Any = None
    failure: str = ""


class Slow(Event, frozen=True, kw_only=True):
    """The effect ``key`` is still running after the time a resident waits without a word."""

    key: str


class Woken(Event, frozen=True, kw_only=True):
    """Something outside concerns this chat: a payment settled.

    Attributes:
        dialog: id of the dialog that knows what to say.
        kind: which of that dialog's notices.
        ref: what it is about (an order reference); a waiting state compares it with its answers.
        data: plain values for the text.
    """

    dialog: str
    kind: str
    ref: str
    data: dict[str, Any] = {}


class Elapsed(Event, frozen=True, kw_only=True):
    """The timer set by a waiting state ran out. ``asked`` is that state's question number."""

    asked: int


# --- what is kept ------------------------------------------------------------------------------


class Frame(msgspec.Struct, frozen=True, array_like=True):
    """Where the resident stands in one dialog.

    Attributes:
        dialog: id of the dialog.
        version: version of the dialog that wrote ``answers``.
        state: name of the state.
        asked: number of the question; part of every button token, so an old button is recognised.
        answers: the dialog's answers as plain values.
        trail: states to go back to, oldest first.
        misses: answers in a row that were not understood.
        page: page shown, for paged choices.
        picked: values picked so far, for several-of-many choices.
        pending: key of the effect being waited for, empty when none.
    """

    dialog: str
    version: int
    state: str
    asked: int = 0
    answers: dict[str, Any] = {}
    trail: tuple[str, ...] = ()
    misses: int = 0
    page: int = 0
    picked: tuple[str, ...] = ()
    pending: str = ""


class Signed(msgspec.Struct, frozen=True, array_like=True):
    """Who is signed in.

    Attributes:
        civil_id: 12 digits, as the identity provider vouched for it.
        at: when they signed in (epoch seconds).
        until: when it ends unless they go on (epoch seconds).
    """

    civil_id: str
    at: int
    until: int


class Head(msgspec.Struct, frozen=True, array_like=True):
    """What a session of any layout begins with."""

    schema: int


class Session(msgspec.Struct, frozen=True, array_like=True):
    """All that is remembered of one chat. Encoded with msgspec, encrypted by the store.

    Attributes:
        schema: `SESSION_SCHEMA` of the release that wrote it.
        rev: counts commits, from the epoch second of the first one, so that it never repeats after
            a session expired; the store refuses to save over another revision.
        language: ``ar`` or ``en``.
        chosen: whether the resident chose the language (else it is guessed anew).
        frames: the dialog stack, root first; empty before the first event.
        seen: short hashes of the latest events' ids, oldest first.
        pressed: the last button token that was acted upon, to recognise a double tap.
        touched: when the resident last did something (epoch seconds).
        due: when the waiting state's timer runs out (epoch seconds), 0 for never.
        signed: who is signed in, None for nobody.
    """

    schema: int = SESSION_SCHEMA
    rev: int = 0
    language: str = "ar"
    chosen: bool = False
    frames: tuple[Frame, ...] = ()
    seen: tuple[int, ...] = ()
    pressed: str = ""
    touched: int = 0
    due: int = 0
    signed: Signed | None = None


# --- what goes out, rendered --------------------------------------------------------------------


class Span(msgspec.Struct, frozen=True, array_like=True):
    """A run of final text. ``style`` is empty, ``b`` (bold) or ``code`` (monospaced, copyable)."""

    text: str
    style: str = ""


class Button(msgspec.Struct, frozen=True, array_like=True):
    """A choice (``token`` comes back in `Pressed`) or a link (``url`` opens)."""

    label: str
    token: str = ""
    url: str = ""


class Say(msgspec.Struct, frozen=True, tag="say"):
    """Send a message; ``edits`` names a message of ours to rewrite in place of sending a new one.

    ``awaits`` are the kinds of files that answer it (`Attached.kind`), for channels that offer to send one.
    """

    key: str
    language: str
    spans: tuple[Span, ...]
    rows: tuple[tuple[Button, ...], ...] = ()
    edits: str = ""
    awaits: tuple[str, ...] = ()


class Settle(msgspec.Struct, frozen=True, tag="settle"):
    """Rewrite the question ``source`` as answered: ``spans`` instead of its text, no buttons."""

    key: str
    language: str
    source: str
    spans: tuple[Span, ...]


class Disarm(msgspec.Struct, frozen=True, tag="disarm"):
    """Take the buttons off the message ``source``; its text stays."""

    key: str
    source: str


class Erase(msgspec.Struct, frozen=True, tag="erase"):
    """Delete the resident's own message ``source`` where the channel can (it carried a passport number)."""

    key: str
    source: str


Outgoing = Say | Settle | Disarm | Erase
"""One thing to do in a chat. ``key`` (``rev:n``) is unique in the chat: a client may drop repeats."""


def plain(spans: tuple[Span, ...]) -> str:
    """The text without its styles."""
    return "".join(span.text for span in spans)
