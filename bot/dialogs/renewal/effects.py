"""What the renewal dialogs ask of the registry and the price list, and what comes back."""

from enum import StrEnum

import msgspec

from bot.domain import Bill
from bot.ports import Effect
from bot.residency.verdict import Candidate


class ListFile(Effect, frozen=True, tag="list_file"):
    """Everyone on the file of whoever is signed in, themselves first. Result: `File`."""


class File(msgspec.Struct, frozen=True):
    """A sponsor's file.

    Attributes:
        people: themselves first, then by the day their residency ends.
    """

    people: tuple[Candidate, ...]


class Wish(msgspec.Struct, frozen=True, array_like=True):
    """Renew one person's residency for ``years``.

    Attributes:
        civil_id: whose.
        years: whole years.
        fils: the total that was shown for it.
    """

    civil_id: str
    years: int
    fils: int


class QuoteRenewals(Effect, frozen=True, tag="quote_renewals"):
    """What the wishes cost now, asked anew of the registry and the rules. Result: `Quoted`.

    Attributes:
        wishes: of persons on the file of whoever is signed in, or of themselves; at least one.
    """

    wishes: tuple[Wish, ...]


class Quoted(msgspec.Struct, frozen=True):
    """A price that holds for a while.

    Attributes:
        bill: what `checkout` is given; one part a person, in the order of the wishes.
        people: the same persons as they stand now.
        until: until when it holds (epoch seconds).
        changed: the total differs from what was shown.
        large: above the sum for which a fresh sign-in is asked for.
    """

    bill: Bill
    people: tuple[Candidate, ...]
    until: int
    changed: bool = False
    large: bool = False


class QuoteRefused(StrEnum):
    """Refusals that have an answer of their own."""

    BLOCKED = "blocked"  # something blocks one of the persons now; look at the file again
    NOT_OFFERED = "not_offered"  # one of the durations is not offered any more
