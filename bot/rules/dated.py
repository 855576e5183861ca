"""Rules that hold from a day on, and what follows what."""

from collections.abc import Sequence
from datetime import date, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import Annotated, Final, TypeVar

import msgspec

Count = Annotated[int, msgspec.Meta(ge=0)]
"""Days, months, years and fils: never below nothing."""

Positive = Annotated[int, msgspec.Meta(gt=0)]

Words = Annotated[str, msgspec.Meta(min_length=1)]

_DAY: Final = timedelta(days=1)


class Mark(StrEnum):
    """How sure a rule is."""

    HIGH = "H"  # several independent or official texts agree
    MEDIUM = "M"  # one good source, or several weak ones
    LOW = "L"  # one weak source, old, or contradicted


class Period(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a rule stands for a while.

    Attributes:
        first: the first day it holds, in Asia/Kuwait; ``from`` in the files.
        last: the last one, None while it lasts; ``to`` in the files.
        mark: how sure it is.
        source: where it was read.
    """

    first: date = msgspec.field(name="from")
    last: date | None = msgspec.field(name="to", default=None)
    mark: Mark
    source: Words


P = TypeVar("P", bound=Period)


def at(periods: Sequence[P], day: date) -> P | None:
    """What holds on ``day``, None where nothing is known."""
    return next((one for one in periods if one.first <= day and (one.last is None or day <= one.last)), None)


def now(periods: Sequence[P], day: date) -> P:
    """What holds on ``day``.

    Raises:
        LookupError: the day is before all that is known.
    """
    found = at(periods, day)
    if found is None:
        raise LookupError(f"no rule holds on {day.isoformat()}")
    return found


def fault(periods: Sequence[Period]) -> str:
    """What is wrong with periods that should follow one another and last, empty for nothing."""
    if not periods:
        return "has no period"
    for one in periods:
        if one.last is not None and one.last < one.first:
            return f"ends on {one.last} before it begins on {one.first}"
    for one, following in pairwise(periods):
        if one.last is None or following.first <= one.last:
            return f"two periods overlap on {following.first}"
        if following.first != one.last + _DAY:
            return f"nothing holds from {one.last + _DAY} to {following.first - _DAY}"
    if periods[-1].last is not None:
        return f"nothing holds from {periods[-1].last + _DAY} on"
    return ""
