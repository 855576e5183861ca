"""Find reference: which is my MOI reference number? Called by others; returns the number."""

from enum import StrEnum

import msgspec

from bot.ports import Effect


class FindReference(Effect, frozen=True, tag="find_reference"):
    """Ask the registry for the MOI reference number. Result: `Reference`.

    Source of the three fields: the ministry's reference-number enquiry (civil ID, passport number,
    passport expiry date).
    """

    civil_id: str
    passport: str
    expiry: str  # ISO 8601 date


class Reference(msgspec.Struct, frozen=True):
    """The number found: 6 to 12 digits."""

    number: str


class FindReferenceRefused(StrEnum):
    """The registry's refusals."""

    NO_MATCH = "no_match"  # the three do not belong together, or nobody has them
