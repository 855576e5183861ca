"""What the violations dialog asks of the registry, and what comes back."""

from enum import StrEnum

import msgspec

from bot.domain import Fine, Subject
from bot.ports import Effect


class FindFines(Effect, frozen=True, tag="find_fines"):
    """Ask the registry what is owed. Result: `Owed`, or `bot.dialogs.verify.Held`.

    Unknown and clean numbers answer alike.

    Attributes:
        by: what ``number`` is.
        number: empty for the civil ID of whoever is signed in, which the dialog does not know.
    """

    by: Subject
    number: str


class Owed(msgspec.Struct, frozen=True):
    """What the registry answers, oldest fine first.

    Attributes:
        fines: what is owed.
        subject: the masked number that was looked up where the dialog did not name it, else empty.
    """

    fines: tuple[Fine, ...]
    subject: str = ""


class FindFinesRefused(StrEnum):
    """Refusals that have an answer of their own."""

    BUSY = "busy"  # the registry hears too many look-ups; try again in a while
    NOBODY = "nobody"  # one's own fines were asked for, and nobody is signed in (any more)
