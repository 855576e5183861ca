"""When to remind: the rules, and the edges of days in Kuwait."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.clock import KUWAIT
from bot.residency.reminding import SCHEDULES, Kind, days_left, last_day, next_moment, schedule, stage
from tests.reminders.keeper import HOUR, at, father, in_days
from tests.reminders.keeper import TODAY as DAY
from tests.residency.permits import permit

LAST = date(2027, 3, 1)


def moments(last: date, now: int) -> list[date]:
    """The days on which there is something to say, from ``now`` on."""
    found: list[date] = []
    while (moment := next_moment(last, now)) is not None:
        assert moment > now
        told = datetime.fromtimestamp(moment, KUWAIT)
        assert (told.hour, told.minute, told.second) == (HOUR, 0, 0)
        found.append(told.date())
        now = moment
    return found


def test_far_ahead_all_four_come() -> None:
    assert moments(LAST, at(DAY)) == [
        date(2026, 12, 31),
        date(2027, 1, 30),
        date(2027, 2, 22),
        date(2027, 2, 28),
    ]


@pytest.mark.parametrize(
    ("left", "coming"),
    [(61, 4), (60, 3), (59, 3), (31, 3), (30, 2), (8, 2), (7, 1), (2, 1), (1, 0), (0, 0), (-1, 0), (-400, 0)],
)
def test_only_what_is_still_to_come_is_kept(left: int, coming: int) -> None:
    """Asked for at noon: what was due in the morning is past."""
    assert len(moments(LAST, at(LAST - timedelta(days=left), 12))) == coming


@pytest.mark.parametrize(
    ("hour", "minute", "coming"), [(0, 0, 4), (HOUR - 1, 59, 4), (HOUR, 0, 3), (HOUR, 1, 3), (23, 59, 3)]
)
def test_the_hour_itself_is_the_edge(hour: int, minute: int, coming: int) -> None:
    assert len(moments(LAST, at(LAST - timedelta(days=60), hour, minute))) == coming


def test_days_are_kuwaits() -> None:
    """21:30 in UTC is the next day in Kuwait, all year: there is no summer time."""
    late = int(datetime(2027, 2, 28, 21, 30, tzinfo=ZoneInfo("UTC")).timestamp())
    assert days_left(LAST, late) == 0
    assert days_left(LAST, late - 3600) == 1
    for month in range(1, 13):
        noon = datetime(2027, month, 15, 12, tzinfo=KUWAIT)
        assert noon.utcoffset() == timedelta(hours=3)


def test_leap_days_and_long_months_are_counted() -> None:
    assert moments(date(2028, 3, 1), at(DAY))[-1] == date(2028, 2, 29)
    assert moments(date(2028, 2, 29), at(DAY))[0] == date(2027, 12, 31)


@given(st.dates(date(2026, 1, 1), date(2032, 12, 31)), st.integers(-400, 400), st.integers(0, 86_399))
def test_any_day(last: date, offset: int, second: int) -> None:
    now = at(last + timedelta(days=offset), 0) + second
    left = [(last - day).days for day in moments(last, now)]
    assert left == sorted(left, reverse=True)
    assert set(left) <= {60, 30, 7, 1}
    assert all(days <= days_left(last, now) for days in left)


def test_the_stage_is_the_latest_that_has_come() -> None:
    def on(days: int, hour: int = HOUR) -> int:
        return stage(LAST, at(LAST - timedelta(days=days), hour))

    assert [on(61), on(60, HOUR - 1), on(60), on(31), on(30), on(7), on(2), on(1), on(0), on(-5)] == [
        0, 0, 60, 60, 30, 7, 7, 1, 1, 1,
    ]  # fmt: skip


def test_the_rules_are_dated_and_tell_their_source() -> None:
    assert [each.since for each in SCHEDULES] == sorted(each.since for each in SCHEDULES)
    assert all(each.source for each in SCHEDULES)
    assert schedule(date(2026, 11, 22)).days == (60, 30, 7, 1)
    assert schedule(date(2026, 11, 22)).hour == 9
    assert schedule(date(2020, 1, 1)) == SCHEDULES[0]
    assert schedule(date(2090, 1, 1)) == SCHEDULES[-1]


def test_what_has_no_end_is_not_reminded_of() -> None:
    one = father(insured_until=in_days(20))
    assert last_day(one, Kind.RESIDENCY) == in_days(100)
    assert last_day(one, Kind.PASSPORT) == date(2030, 1, 1)
    assert last_day(one, Kind.INSURANCE) == in_days(20)
    assert last_day(permit(insured_until=None), Kind.INSURANCE) is None
    assert last_day(permit(insurance_exempt=True), Kind.INSURANCE) is None
