"""What code says before a language is chosen: messages with typed arguments.

The English source is the message's id (gettext's way), so a message that a catalogue lacks falls back
to English by itself. Marks inside a text: ``*bold*`` and `` `code` `` (monospaced, copyable). Arguments
are never read for marks.
"""

from datetime import date
from typing import Final

import msgspec


class Msg(str):
    """A message id. Made by `N_` only, so that a bare string is a type error where a message is due."""

    __slots__ = ()


class Plural(msgspec.Struct, frozen=True):
    """A message whose form depends on ``{n}``. Made by `NP_`."""

    one: Msg
    other: Msg


def N_(message: str) -> Msg:  # noqa: N802 - gettext's name for the marker
    """Mark ``message`` for the catalogues."""
    return Msg(message)


def NP_(one: str, other: str) -> Plural:  # noqa: N802
    """Mark a message with a number. Arabic has six forms; the catalogue holds them all."""
    return Plural(Msg(one), Msg(other))


class Money(msgspec.Struct, frozen=True):
    """An amount of ``fils`` (1 KWD = 1000 fils), shown with three decimals."""

    fils: int


class Day(msgspec.Struct, frozen=True):
    """A calendar day, shown as ``21 نوفمبر 2026``."""

    day: date


class Hour(msgspec.Struct, frozen=True):
    """A moment (epoch seconds), shown as the Kuwaiti wall-clock ``14:35``."""

    at: int


class Code(msgspec.Struct, frozen=True):
    """An identifier: isolated, left to right, monospaced (references, masked numbers)."""

    text: str


class Ltr(msgspec.Struct, frozen=True):
    """A left-to-right run in the text's own style (a host name, a phone number)."""

    text: str


class Local(msgspec.Struct, frozen=True, array_like=True):
    """A text an outside system gives in both languages. An empty one falls back to the other."""

    ar: str
    en: str


class Text(msgspec.Struct, frozen=True):
    """A message with its arguments. ``n`` chooses the form of a `Plural`."""

    msg: Msg | Plural
    args: "dict[str, Arg]" = {}
    n: int = 0


class Lines(msgspec.Struct, frozen=True):
    """Several texts, one a line; the empty text is an empty line."""

    lines: "tuple[Arg, ...]"


Arg = str | int | Money | Day | Hour | Code | Ltr | Local | Text | Lines
"""What a placeholder may hold. A plain ``str`` is isolated as text of unknown direction."""

EMPTY: Final = Lines(())


def say(msg: Msg | Plural, *, n: int = 0, **args: Arg) -> Text:
    """A `Text`; with a `Plural`, ``n`` is also the argument ``{n}``."""
    if isinstance(msg, str):  # asked of a plain class: of a struct it costs as much as the rest
        return Text(msg, args, n)
    return Text(msg, {"n": n, **args}, n)


def lines(*parts: Arg) -> Lines:
    """Texts one below the other."""
    return Lines(parts)


_LONG: Final = 12


def masked(number: str) -> Code:
    """A number as it is shown once entered: ``2850****0029``; shorter ones show less: ``12******90``."""
    shown = 4 if len(number) >= _LONG else 2
    return Code(f"{number[:shown]}{'*' * max(0, len(number) - 2 * shown)}{number[-shown:]}")
