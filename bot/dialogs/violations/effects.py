"""What the violations dialog asks of the registry, and what comes back."""

from enum import StrEnum

import msgspec

from bot.domain import Fine, Subject
from bot.ports import Effect


class FindFines(Effect, frozen=True, tag="find_fines"):
    """Ask the registry what is owed. Result: `Owed`. Unknown and clean numbers answer alike."""

    by: Subject
    number: str


class Owed(msgspec.Struct, frozen=True):
    """What the registry answers, oldest fine first."""

    fines: tuple[Fine, ...]


class FindFinesRefused(StrEnum):
    """The registry's refusals that have an answer of their own."""

    BUSY = "busy"  # too many look-ups; try again in a while
