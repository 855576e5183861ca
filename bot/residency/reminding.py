"""When to remind of a date that ends. Pure; days and hour are data (``bot/rules/reminders.toml``)."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from importlib.resources import files
from typing import Annotated, Final

import msgspec

from bot.clock import KUWAIT, local
from bot.residency.facts import Permit


class Kind(StrEnum):
    """What ends."""

    RESIDENCY = "residency"
    PASSPORT = "passport"
    INSURANCE = "insurance"  # الضمان الصحي


class Schedule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"since": "from"}):
    """An entry of the rules.

    Attributes:
        since: the day from which it holds.
        days: before the last day, longest first.
        hour: of those days, Kuwait's time.
        source: where the figures are from.
    """

    since: date
    days: Annotated[tuple[Annotated[int, msgspec.Meta(ge=1, le=365)], ...], msgspec.Meta(min_length=1)]
    hour: Annotated[int, msgspec.Meta(ge=0, le=23)]
    source: str


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    schedule: Annotated[tuple[Schedule, ...], msgspec.Meta(min_length=1)]


SCHEDULES: Final = msgspec.toml.decode(
    (files("bot") / "rules" / "reminders.toml").read_bytes(), type=_File
).schedule
"""Every entry there was, oldest first."""


def schedule(today: date) -> Schedule:
    """The entry that holds on ``today``; before the first one, the first one."""
    return next((each for each in reversed(SCHEDULES) if each.since <= today), SCHEDULES[0])


def last_day(permit: Permit, kind: Kind) -> date | None:
    """The last day of ``kind``, None where there is nothing to be reminded of."""
    match kind:
        case Kind.RESIDENCY:
            return permit.expires
        case Kind.PASSPORT:
            return permit.passport_expires
        case Kind.INSURANCE:
            return None if permit.insurance_exempt else permit.insured_until


def days_left(last: date, now: int) -> int:
    """Days in Kuwait from ``now`` (epoch seconds) to ``last``; negative once it is over."""
    return (last - local(now).date()).days


def next_moment(last: date, now: int) -> int | None:
    """When to remind next after ``now`` (both epoch seconds), None when no moment is left."""
    return next((at for _, at in _moments(last, now) if at > now), None)


def stage(last: date, now: int) -> int:
    """Which reminder ``now`` belongs to: the days of the latest moment that has come, 0 before the first."""
    return min((days for days, at in _moments(last, now) if at <= now), default=0)


def _moments(last: date, now: int) -> Iterator[tuple[int, int]]:
    """Every moment for ``last`` with its days before, earliest first."""
    rule = schedule(local(now).date())
    for days in sorted(rule.days, reverse=True):
        day = last - timedelta(days=days)
        yield days, int(datetime.combine(day, time(rule.hour), KUWAIT).timestamp())
