"""For how long, and what it costs: durations that all chosen may have, a plan for each, the quoted price."""

from typing import Final

import msgspec

from bot.dialogs.renewal.effects import Quoted, QuoteRenewals, Wish
from bot.dialogs.renewal.file import Renewing, chosen, fines_of
from bot.domain import Bill
from bot.residency.verdict import Candidate, Cap

ALL: Final = "a"
EACH: Final = "e"
WHY: Final = "w"
MOST_EACH: Final = 20
"""So many may have durations of their own; a plan stands in a button, which holds 24 characters."""
ROOM: Final = 6
"""Durations and other choices on one page."""
_DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"


def digit(years: int) -> str:
    """Whole years as one character."""
    return _DIGITS[years]


def common(renewing: Renewing) -> tuple[tuple[int, int], ...]:
    """Years that everyone chosen may have, with the total in fils; shortest first."""
    people = chosen(renewing)
    if not people:
        return ()
    shared = set[int].intersection(*({offer.years for offer in one.offers} for one in people))
    return tuple(
        (years, sum(offer.fils for one in people if (offer := one.offer(years)) is not None))
        for years in sorted(shared)
    )


def longest(renewing: Renewing) -> int:
    """Most years offered to everyone chosen; 0 for none."""
    return max((years for years, _ in common(renewing)), default=0)


def may_differ(renewing: Renewing) -> bool:
    """Several are chosen and somebody has a choice, or nothing fits everyone."""
    people = chosen(renewing)
    if not 1 < len(people) <= MOST_EACH:
        return False
    return not common(renewing) or any(len(one.offers) > 1 for one in people)


def limiting(renewing: Renewing) -> tuple[Candidate, ...]:
    """Those because of whom no longer duration is offered."""
    most = longest(renewing)
    return tuple(one for one in chosen(renewing) if one.offers and one.offers[-1].years == most)


def may_ask_why(renewing: Renewing) -> bool:
    """The question has an answer, and room beside the durations."""
    return bool(limiting(renewing)) and len(common(renewing)) + may_differ(renewing) < ROOM


def insurance_limits(renewing: Renewing) -> bool:
    return any(one.cap is Cap.INSURANCE for one in limiting(renewing))


def asks_why(renewing: Renewing) -> bool:
    return renewing.plan == WHY


def planned(renewing: Renewing) -> bool:
    """Everyone chosen has a duration."""
    return renewing.plan[:1] == ALL or len(renewing.plan) > len(renewing.chosen)


def asked_for(renewing: Renewing) -> Candidate | None:
    """The one whose duration is asked for next."""
    people = chosen(renewing)
    index = max(0, len(renewing.plan) - 1)
    return people[index] if index < len(people) else None


def years_of(renewing: Renewing, index: int) -> int:
    """Years planned for the chosen one at ``index``; 0 for none."""
    plan = renewing.plan
    written = plan[1:2] if plan[:1] == ALL else plan[index + 1 : index + 2]
    return _DIGITS.index(written) if written else 0


def wishes(renewing: Renewing) -> tuple[Wish, ...]:
    """What is asked for, with the totals as they were shown."""
    found: list[Wish] = []
    for index, one in enumerate(chosen(renewing)):
        years = years_of(renewing, index)
        offer = one.offer(years)
        found.append(Wish(one.civil_id, years, offer.fils if offer is not None else 0))
    return tuple(found)


def fines_total(renewing: Renewing) -> int:
    """Fils of fines that are paid together with the renewals."""
    return sum(fines_of(one) for one in chosen(renewing))


# --- the price -----------------------------------------------------------------------------------


def quoting(renewing: Renewing) -> QuoteRenewals:
    return QuoteRenewals(wishes(renewing))


def take_quote(renewing: Renewing, quoted: Quoted) -> Renewing:
    """Keep the price, and how those stand whom it is for."""
    now = {one.permit: one for one in quoted.people}
    return msgspec.structs.replace(
        renewing,
        people=tuple(now.get(one.permit, one) for one in renewing.people),
        bill=quoted.bill,
        until=quoted.until,
        before=sum(wish.fils for wish in wishes(renewing)) if quoted.changed else 0,
        large=quoted.large,
    )


def price_ends(renewing: Renewing, _now: int) -> int:
    """When the price does not hold any more."""
    return renewing.until


def is_large(renewing: Renewing) -> bool:
    """A fresh sign-in is asked for."""
    return renewing.large


def bill(renewing: Renewing) -> Bill:
    """What `checkout` is given."""
    return renewing.bill or Bill("")


def total(renewing: Renewing) -> int:
    """Fils of the quoted price."""
    return sum(item.fils for item in bill(renewing).items)
