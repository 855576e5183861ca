"""What a step gives back: the new session, what to say (not yet in a language's words), what to do."""

import msgspec

from bot.i18n.text import Arg
from bot.model import Session
from bot.ports import Effect


class Key(msgspec.Struct, frozen=True):
    """A button: ``token`` comes back when pressed, or ``url`` opens."""

    label: Arg
    token: str = ""
    url: str = ""


class Said(msgspec.Struct, frozen=True):
    """A message; ``edits`` names the message of ours it replaces, ``awaits`` the kinds of files that answer it."""

    text: Arg
    rows: tuple[tuple[Key, ...], ...] = ()
    edits: str = ""
    awaits: tuple[str, ...] = ()


class Answered(msgspec.Struct, frozen=True):
    """The question ``source`` has been answered: ``text`` stands there now, without buttons."""

    source: str
    text: Arg


class Disarmed(msgspec.Struct, frozen=True):
    """The message ``source`` loses its buttons."""

    source: str


class Erased(msgspec.Struct, frozen=True):
    """The resident's message ``source`` is to be deleted from the chat."""

    source: str


Reply = Said | Answered | Disarmed | Erased


class Work(msgspec.Struct, frozen=True):
    """An effect to run. ``key`` (``rev:n``) is unique in the chat; ``timeout`` is in seconds."""

    key: str
    effect: Effect
    timeout: float
    slow: bool


class Turn(msgspec.Struct, frozen=True):
    """The result of a step. ``changed`` is False where the event changed nothing and nothing is said."""

    session: Session
    replies: tuple[Reply, ...] = ()
    works: tuple[Work, ...] = ()
    changed: bool = True
