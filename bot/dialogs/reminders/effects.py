"""What is asked of the keeper of reminders, and what comes back."""

from enum import StrEnum

import msgspec

from bot.i18n.text import Local
from bot.ports import Effect
from bot.residency.facts import Kin
from bot.residency.reminding import Kind


class ListReminders(Effect, frozen=True, tag="list_reminders"):
    """Whoever is signed in and everyone on their file, with what ends and what is reminded of. Result: `Known`.

    Dates that have moved at the registry are moved in what is kept.
    """


class Wanted(msgspec.Struct, frozen=True, array_like=True):
    """Remind of one person's ``kinds``."""

    civil_id: str
    kinds: tuple[Kind, ...]


class Remind(Effect, frozen=True, tag="remind"):
    """Remind this chat, because the resident agreed. Result: `Known`.

    Attributes:
        wanted: persons on the file of whoever is signed in, or themselves; none to agree to a newer text alone.
        version: of the text agreed to.
    """

    wanted: tuple[Wanted, ...]
    version: int


class DropReminders(Effect, frozen=True, tag="drop_reminders"):
    """Take reminders of this chat back: they are deleted. Result: `Dropped`.

    Attributes:
        permit: number of the permit whose person it is about; empty for all of the chat's.
        kind: which of that person's.
    """

    permit: str = ""
    kind: Kind = Kind.RESIDENCY


class Ending(msgspec.Struct, frozen=True, array_like=True):
    """A date that ends.

    Attributes:
        kind: of what.
        day: its last day, ISO 8601.
        on: this chat is reminded of it.
    """

    kind: Kind
    day: str
    on: bool = False


class Person(msgspec.Struct, frozen=True, array_like=True):
    """Somebody on the file; only dates that are not over, or that are reminded of."""

    permit: str
    civil_id: str
    kin: Kin
    name: Local
    endings: tuple[Ending, ...]


class Known(msgspec.Struct, frozen=True):
    """What this chat is reminded of, and what it could be.

    Attributes:
        people: whoever is signed in first.
        others: reminders of this chat that somebody else asked for.
        renew: the text has changed since they agreed; until they do again nobody is reminded.
    """

    people: tuple[Person, ...] = ()
    others: int = 0
    renew: bool = False


class RemindRefused(StrEnum):
    """Why nothing is remembered."""

    OUTDATED = "outdated"  # the text changed while it was read
    GONE = "gone"  # somebody is not on the file any more, or has no such date


class Dropped(msgspec.Struct, frozen=True):
    """How many reminders the chat has left."""

    left: int = 0
