"""What staying without a valid residency costs by the rules: an estimate. What is owed is the registry's to say."""

from datetime import date, timedelta
from enum import StrEnum

import msgspec

from bot.residency.calendar import add_months
from bot.rules import RULES, Case, Rules, now
from bot.rules.tables import Daily

__all__ = ["Assumes", "Case", "Estimate", "Week", "case_of", "estimate", "newborn_due", "since"]


class Assumes(StrEnum):
    """What no source says, and an estimate takes for granted."""

    FIRST_MONTH = "first_month"  # it has `Estimate.month_days` days
    NEXT_DAY = "next_day"  # the day after the last valid one is the first late one, without grace
    ONE_SCHEDULE = "one_schedule"  # the stay began under an earlier schedule; today's is taken for all of it
    WAIVED = "waived"  # days that the ministry waived are not counted


class Week(msgspec.Struct, frozen=True, array_like=True):
    """A day some weeks from today, and what it would have come to.

    Attributes:
        day: ISO 8601.
        fils: all of it.
        more: what the week before that day added.
    """

    day: str
    fils: int
    more: int


class Estimate(msgspec.Struct, frozen=True):
    """What it comes to by the rules. No more than that: show it as an estimate.

    Attributes:
        case: which schedule.
        expired: the last valid day, ISO 8601.
        day: the day it is reckoned for, ISO 8601.
        days: late days that are charged, 0 for nobody late.
        waived: late days that the ministry waived.
        fils: what they come to.
        cap: the most it can come to.
        capped: whether it has.
        capped_on: the day on which it does or did if nothing changes, ISO 8601.
        tomorrow: what one more day adds.
        weeks: what the next weeks add.
        month_days: how long the first month is taken to be.
        assumes: what is taken for granted.
    """

    case: Case
    expired: str
    day: str
    days: int
    waived: int
    fils: int
    cap: int
    capped: bool
    capped_on: str
    tomorrow: int
    weeks: tuple[Week, ...]
    month_days: int
    assumes: tuple[Assumes, ...]


def estimate(case: Case, expired: date, today: date, rules: Rules = RULES) -> Estimate:
    """What ``case`` costs on ``today``, and what waiting adds.

    Args:
        case: why the stay is not valid.
        expired: the last valid day; of a newborn the day by which to register (`newborn_due`).
        today: the day in Kuwait; it decides which schedule holds.
        rules: amounts and limits.
    """
    days, waived = _late(case, expired, today, rules)
    daily = _daily(case, today, rules)
    fils = _sum(daily, days)
    weeks: list[Week] = []
    before = fils
    for week in range(1, now(rules.overstay.weeks, today).count + 1):
        day = today + timedelta(weeks=week)
        total = _on(case, expired, day, rules)
        weeks.append(Week(day.isoformat(), total, total - before))
        before = total
    assumes = [Assumes.FIRST_MONTH, Assumes.NEXT_DAY]
    if expired < daily.first <= today:
        assumes.append(Assumes.ONE_SCHEDULE)
    if waived:
        assumes.append(Assumes.WAIVED)
    return Estimate(
        case=case,
        expired=expired.isoformat(),
        day=today.isoformat(),
        days=days,
        waived=waived,
        fils=fils,
        cap=daily.cap,
        capped=fils == daily.cap,
        capped_on=_capped_on(case, expired, _days_to_cap(daily), rules).isoformat(),
        tomorrow=_on(case, expired, today + timedelta(days=1), rules) - fils,
        weeks=tuple(weeks),
        month_days=daily.month_days,
        assumes=tuple(assumes),
    )


def since(days: int, today: date) -> date:
    """The last valid day of whoever is ``days`` late on ``today``."""
    return today - timedelta(days=days)


def case_of(article: int, rules: Rules = RULES) -> Case:
    """Which schedule an expired residency of ``article`` falls under."""
    named = (one.case for one in rules.overstay.overstay if article in one.articles)
    return next(named, Case.EXPIRED)


def newborn_due(born: date, today: date, rules: Rules = RULES) -> date:
    """The last day to register the residency of a child born on ``born``."""
    return add_months(born, now(rules.overstay.newborn, today).months)


def _daily(case: Case, day: date, rules: Rules) -> Daily:
    return now(rules.overstay.of(case).period, day)


def _on(case: Case, expired: date, day: date, rules: Rules) -> int:
    days, _ = _late(case, expired, day, rules)
    return _sum(_daily(case, day, rules), days)


def _late(case: Case, expired: date, day: date, rules: Rules) -> tuple[int, int]:
    """Late days that are charged, and late days that are not."""
    late = range(expired.toordinal() + 1, day.toordinal() + 1)
    waived: set[int] = set()
    for waiver in rules.waivers.fines(case):
        last = day if waiver.last is None else min(day, waiver.last)
        waived.update(range(waiver.first.toordinal(), last.toordinal() + 1))
    spared = len(waived.intersection(late))
    return len(late) - spared, spared


def _sum(daily: Daily, days: int) -> int:
    early = min(days, daily.month_days)
    return min(daily.cap, early * daily.first_month + (days - early) * daily.after)


def _capped_on(case: Case, expired: date, days: int, rules: Rules) -> date:
    """The day on which so many late days are charged; days that were waived put it off."""
    day = expired + timedelta(days=days)
    while True:
        charged, _ = _late(case, expired, day, rules)
        if charged >= days:
            return day
        day += timedelta(days=days - charged)


def _days_to_cap(daily: Daily) -> int:
    """On which charged day the cap is reached."""
    early = daily.month_days * daily.first_month
    if daily.cap <= early:
        return -(-daily.cap // daily.first_month)
    return daily.month_days - (early - daily.cap) // daily.after
