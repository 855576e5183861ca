"""Days, months and years as the law counts them, in Kuwait."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.residency.calendar import add_months, add_years, day_of

days = st.dates(date(1930, 1, 1), date(2120, 12, 31))


@pytest.mark.parametrize(
    ("day", "months", "then"),
    [
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2028, 1, 31), 1, date(2028, 2, 29)),
        (date(2026, 8, 31), 6, date(2027, 2, 28)),
        (date(2026, 10, 31), 1, date(2026, 11, 30)),
        (date(2026, 11, 22), 6, date(2027, 5, 22)),
        (date(2026, 12, 1), 12, date(2027, 12, 1)),
        (date(2026, 12, 31), 0, date(2026, 12, 31)),
    ],
)
def test_months_end_with_the_month(day: date, months: int, then: date) -> None:
    assert add_months(day, months) == then


@pytest.mark.parametrize(
    ("day", "years", "then"),
    [
        (date(2028, 2, 29), 1, date(2029, 2, 28)),
        (date(2028, 2, 29), 4, date(2032, 2, 29)),
        (date(2027, 2, 28), 1, date(2028, 2, 28)),
        (date(2096, 2, 29), 4, date(2100, 2, 28)),
    ],
)
def test_29_february_is_the_28th_where_there_is_none(day: date, years: int, then: date) -> None:
    assert add_years(day, years) == then


@given(days, st.integers(0, 40))
def test_the_day_of_the_month_is_kept_or_is_the_months_last(day: date, months: int) -> None:
    then = add_months(day, months)
    assert (then.year * 12 + then.month) - (day.year * 12 + day.month) == months
    assert then.day == day.day or (then.day < day.day and (then + timedelta(days=1)).day == 1)


@pytest.mark.parametrize(
    ("utc", "day"),
    [
        (datetime(2025, 12, 22, 20, 59, 59, tzinfo=UTC), date(2025, 12, 22)),
        (datetime(2025, 12, 22, 21, 0, 0, tzinfo=UTC), date(2025, 12, 23)),
        (datetime(2025, 1, 4, 21, 0, 0, tzinfo=UTC), date(2025, 1, 5)),
        (datetime(2026, 7, 31, 21, 0, 0, tzinfo=UTC), date(2026, 8, 1)),
    ],
)
def test_the_day_begins_in_kuwait_three_hours_before_utc(utc: datetime, day: date) -> None:
    assert day_of(int(utc.timestamp())) == day
