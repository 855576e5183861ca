"""What the overstay dialog asks of the registry and the rules, and what comes back."""

from datetime import date
from enum import StrEnum

import msgspec

from bot.domain import Fine
from bot.ports import Effect
from bot.residency.overstay import Case, Estimate
from bot.residency.travel import Found


class CheckOverstay(Effect, frozen=True, tag="check_overstay"):
    """How late the residency of whoever is signed in is, and what is recorded for it. Result: `Stay`."""


class EstimateOverstay(Effect, frozen=True, tag="est_overstay"):
    """What a stay would cost by the rules alone. Result: `Stay`.

    Attributes:
        case: why somebody stays without a residency.
        last: the last day that was allowed; of `Case.NEWBORN` the day of birth. ISO 8601.
    """

    case: Case
    last: str


class Rates(msgspec.Struct, frozen=True, array_like=True):
    """What a late day costs by the rules, in fils.

    Attributes:
        since: the day from which they hold, ISO 8601.
        first: each day of the first month.
        after: each day after it.
    """

    since: str
    first: int
    after: int


class Stay(msgspec.Struct, frozen=True):
    """A stay as it stands.

    Attributes:
        case: why it is or would be unlawful.
        last: the last allowed day, ISO 8601.
        on: the day this was found out, ISO 8601.
        subject: the masked number of whoever is signed in, empty for an estimate by a date.
        fines: residency fines the registry holds, oldest first.
        estimate: of the settlement amount, None where nothing is late. What is due is the registry's to say.
        rates: what the estimate was made with.
        waived: first and last day, ISO 8601, of the window in which the ministry waives such fines, where it covers
            today or days that are late; else empty.
    """

    case: Case
    last: str
    on: str
    subject: str = ""
    fines: tuple[Fine, ...] = ()
    estimate: Estimate | None = None
    rates: Rates = Rates("", 0, 0)
    waived: tuple[str, ...] = ()

    @property
    def late(self) -> int:
        """Days since the last allowed one; negative: so many are left."""
        return (date.fromisoformat(self.on) - date.fromisoformat(self.last)).days


class NoPermit(StrEnum):
    """Refusals that have an answer of their own."""

    NO_PERMIT = "no_permit"  # the registry holds no residency of whoever is signed in


class CheckTravel(Effect, frozen=True, tag="check_travel"):
    """What stands between whoever is signed in and leaving Kuwait. Result: `Clearance`."""


class Clearance(msgspec.Struct, frozen=True):
    """How somebody stands before a journey.

    Attributes:
        subject: the masked number of whoever is signed in.
        on: the day it was looked at, ISO 8601.
        expires: last day of the residency, ISO 8601.
        found: every hurdle at once; none means that nothing is recorded.
        fines: those that can be paid here, oldest first.
        settling: how many fines were paid a moment ago and are still in the records.
        abroad_since: first day of a stay abroad that lasts, ISO 8601; empty when in Kuwait.
        back_by: the last day to be back without losing the residency, ISO 8601; empty for no limit.
    """

    subject: str
    on: str
    expires: str
    found: tuple[Found, ...] = ()
    fines: tuple[Fine, ...] = ()
    settling: int = 0
    abroad_since: str = ""
    back_by: str = ""
