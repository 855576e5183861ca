"""How long a residency may be renewed for. Whole years from its old last day, even if that is over.

No source says from which day an expired residency is renewed. The overstay fine covers the days in between, so the new
years begin where the old ones ended; a duration that would be over already is not offered.
"""

from collections.abc import Sequence
from datetime import date
from typing import TypeVar

import msgspec

from bot.residency.calendar import add_months, add_years
from bot.residency.facts import Permit
from bot.residency.verdict import Cap
from bot.rules import Rules, now
from bot.rules.tables import Kind

K = TypeVar("K", bound=Kind)


class Durations(msgspec.Struct, frozen=True):
    """What today allows.

    Attributes:
        possible: years by the law and the registry, shortest first.
        allowed: those of them that insurance and passport reach.
        cap: why the longest is the longest.
        cap_day: until when the insurance is paid or the passport is valid, where that is the cap.
    """

    possible: tuple[int, ...]
    allowed: tuple[int, ...]
    cap: Cap
    cap_day: date | None


def durations(permit: Permit, today: date, rules: Rules) -> Durations:
    """What today allows."""
    most = most_years(permit, today, rules)
    cap, cap_day = Cap.ARTICLE, None
    if permit.most_years is not None and permit.most_years < most:
        most, cap = permit.most_years, Cap.REGISTRY
    possible = tuple(years for years in range(1, most + 1) if add_years(permit.expires, years) > today)
    allowed = possible
    for limit, day in ((Cap.PASSPORT, passport_day(permit, today, rules)), (Cap.INSURANCE, insured(permit))):
        reached = tuple(years for years in allowed if add_years(permit.expires, years) <= day)
        if reached != allowed:
            allowed, cap, cap_day = reached, limit, day
    return Durations(possible, allowed, cap, None if cap_day == date.min else cap_day)


def first_end(permit: Permit, possible: Sequence[int]) -> date:
    """The new last day of the shortest renewal."""
    return add_years(permit.expires, possible[0] if possible else 1)


def insured(permit: Permit) -> date:
    """Until when insurance reaches: for ever for whoever needs none."""
    if permit.insurance_exempt:
        return date.max
    return permit.insured_until or date.min


def passport_day(permit: Permit, today: date, rules: Rules) -> date:
    """Until when the passport lets a residency reach."""
    return permit.passport_expires if now(rules.renewal.passport, today).caps else date.max


def most_years(permit: Permit, today: date, rules: Rules) -> int:
    """The law's limit for the person; of several the longest."""
    return max(now(one.period, today).years for one in of_person(rules.renewal.years, permit))


def back_by(permit: Permit, today: date, rules: Rules) -> date | None:
    """The last day somebody who is abroad may be so without losing the residency, None where nothing limits it."""
    if permit.abroad_since is None:
        return None
    days = [permit.absence_permit_until] if permit.absence_permit_until else []
    for kind in of_person(rules.renewal.abroad, permit):
        months = now(kind.period, today).months
        if months is None:
            return None
        days.append(add_months(permit.abroad_since, months))
    days += [
        waiver.last for waiver in rules.waivers.absence if waiver.last is not None and waiver.first <= today
    ]
    return max(days)


def of_person(kinds: Sequence[K], permit: Permit) -> list[K]:
    """Those that name the person, else the one for everybody else."""
    named = [kind for kind in kinds if kind.fits(permit.article, kuwaiti_mother=permit.kuwaiti_mother)]
    return named or [kind for kind in kinds if kind.rest]
