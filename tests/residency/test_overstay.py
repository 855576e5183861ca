"""What overstaying comes to: the tables day by day, both schedules, caps, weeks ahead and what was waived."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.residency.overstay import Assumes, Case, Week, case_of, estimate, newborn_due, since
from bot.rules import RULES, load
from tests.residency.permits import TODAY, changed

ORDINARY = (Case.EXPIRED, Case.TEMPORARY, Case.WORK_CANCELLED)
BEFORE, AFTER = date(2025, 1, 4), date(2025, 1, 5)


def dinars(case: Case, days: int, today: date = TODAY) -> int:
    return estimate(case, since(days, today), today).fils // 1000


@pytest.mark.parametrize("case", ORDINARY)
@pytest.mark.parametrize(
    ("days", "amount"),
    [
        (0, 0),
        (1, 2),
        (10, 20),
        (30, 60),
        (31, 64),
        (45, 120),
        (60, 180),
        (90, 300),
        (200, 740),
        (314, 1196),
        (315, 1200),
        (316, 1200),
        (5000, 1200),
    ],
)
def test_ordinary_cases_day_by_day(case: Case, days: int, amount: int) -> None:
    assert dinars(case, days) == amount


@pytest.mark.parametrize(
    ("case", "days", "amount"),
    [
        (Case.DOMESTIC, 30, 60),
        (Case.DOMESTIC, 45, 90),
        (Case.DOMESTIC, 299, 598),
        (Case.DOMESTIC, 300, 600),
        (Case.DOMESTIC, 301, 600),
        (Case.VISIT, 1, 10),
        (Case.VISIT, 45, 450),
        (Case.VISIT, 199, 1990),
        (Case.VISIT, 200, 2000),
        (Case.VISIT, 201, 2000),
        (Case.NEWBORN, 30, 60),
        (Case.NEWBORN, 31, 64),
        (Case.NEWBORN, 514, 1996),
        (Case.NEWBORN, 515, 2000),
        (Case.NEWBORN, 900, 2000),
    ],
)
def test_the_other_cases(case: Case, days: int, amount: int) -> None:
    assert dinars(case, days) == amount


@pytest.mark.parametrize("case", list(Case))
def test_until_4_january_2025_two_a_day_and_600_at_most(case: Case) -> None:
    assert [dinars(case, days, BEFORE) for days in (1, 30, 31, 299, 300, 301, 4000)] == [
        2,
        60,
        62,
        598,
        600,
        600,
        600,
    ]


def test_the_day_of_settlement_decides_the_schedule() -> None:
    expired = date(2024, 11, 5)
    before, after = estimate(Case.EXPIRED, expired, BEFORE), estimate(Case.EXPIRED, expired, AFTER)
    assert (before.days, before.fils, before.cap) == (60, 120_000, 600_000)
    assert (after.days, after.fils, after.cap) == (61, 184_000, 1_200_000)
    assert Assumes.ONE_SCHEDULE not in before.assumes
    assert Assumes.ONE_SCHEDULE in after.assumes
    assert Assumes.ONE_SCHEDULE not in estimate(Case.EXPIRED, AFTER, TODAY).assumes
    assert before.weeks[0] == Week("2025-01-11", 208_000, 88_000)
    assert before.tomorrow == 64_000


def test_weeks_ahead() -> None:
    found = estimate(Case.EXPIRED, date(2026, 10, 25), TODAY)
    assert (found.days, found.fils, found.capped, found.tomorrow) == (28, 56_000, False, 2_000)
    assert found.weeks == (
        Week("2026-11-29", 80_000, 24_000),
        Week("2026-12-06", 108_000, 28_000),
        Week("2026-12-13", 136_000, 28_000),
        Week("2026-12-20", 164_000, 28_000),
    )
    assert (found.month_days, found.assumes) == (30, (Assumes.FIRST_MONTH, Assumes.NEXT_DAY))


def test_a_cap_that_is_near_and_one_that_is_reached() -> None:
    near = estimate(Case.EXPIRED, since(310, TODAY), TODAY)
    assert not near.capped
    assert [week.more for week in near.weeks] == [20_000, 0, 0, 0]
    assert date.fromisoformat(near.capped_on) == TODAY + timedelta(days=5)
    on_it = estimate(Case.EXPIRED, since(315, TODAY), TODAY)
    assert on_it.capped
    assert date.fromisoformat(on_it.capped_on) == TODAY
    assert (on_it.tomorrow, on_it.weeks[-1].fils) == (0, 1_200_000)


def test_nobody_is_late_on_the_last_day() -> None:
    last = estimate(Case.EXPIRED, TODAY, TODAY)
    assert (last.days, last.fils, last.tomorrow, last.weeks[0].fils) == (0, 0, 2_000, 14_000)
    ahead = estimate(Case.EXPIRED, TODAY + timedelta(days=5), TODAY)
    assert (ahead.days, ahead.fils, ahead.tomorrow) == (0, 0, 0)
    assert [week.more for week in ahead.weeks] == [4_000, 14_000, 14_000, 14_000]


def test_visits_were_free_of_fines_from_28_february_to_27_march_2026() -> None:
    expired = date(2026, 2, 20)
    assert estimate(Case.VISIT, expired, date(2026, 2, 27)).fils == 70_000
    inside = estimate(Case.VISIT, expired, date(2026, 3, 27))
    assert (inside.days, inside.waived, inside.fils) == (7, 28, 70_000)
    assert Assumes.WAIVED in inside.assumes
    after = estimate(Case.VISIT, expired, date(2026, 3, 28))
    assert (after.days, after.waived, after.fils) == (8, 28, 80_000)
    assert estimate(Case.VISIT, date(2026, 3, 10), date(2026, 3, 30)).fils == 30_000
    assert estimate(Case.VISIT, date(2026, 2, 27), date(2026, 3, 27)).fils == 0
    assert estimate(Case.EXPIRED, expired, date(2026, 3, 27)).waived == 0


def test_waived_days_put_the_cap_off() -> None:
    through = estimate(Case.VISIT, date(2026, 2, 20), TODAY)
    assert date.fromisoformat(through.capped_on) == date(2026, 2, 20) + timedelta(days=228)
    earlier = estimate(Case.VISIT, date(2025, 6, 1), TODAY)
    assert date.fromisoformat(earlier.capped_on) == date(2025, 6, 1) + timedelta(days=200)
    assert through.capped
    assert earlier.capped


@pytest.mark.parametrize(
    ("article", "case"),
    [(14, Case.TEMPORARY), (17, Case.EXPIRED), (18, Case.EXPIRED), (20, Case.DOMESTIC), (22, Case.EXPIRED)],
)
def test_the_case_of_an_expired_residency(article: int, case: Case) -> None:
    assert case_of(article) is case


@pytest.mark.parametrize(
    ("born", "due"),
    [
        (date(2026, 3, 1), date(2026, 7, 1)),
        (date(2026, 10, 31), date(2027, 2, 28)),
        (date(2027, 10, 31), date(2028, 2, 29)),
    ],
)
def test_a_newborn_is_registered_within_four_months(born: date, due: date) -> None:
    assert newborn_due(born, TODAY) == due
    assert estimate(Case.NEWBORN, due, due).fils == 0
    assert estimate(Case.NEWBORN, due, due + timedelta(days=1)).fils == 2_000


def test_amounts_and_weeks_are_rules(tmp_path: Path) -> None:
    folder = changed(
        tmp_path, "overstay.toml", "after = 4_000\ncap = 1_200_000", "after = 5_000\ncap = 63_000"
    )
    text = (folder / "overstay.toml").read_text("utf-8").replace("count = 4", "count = 2")
    (folder / "overstay.toml").write_text(text, "utf-8")
    found = estimate(Case.EXPIRED, since(31, TODAY), TODAY, load(folder))
    assert (found.fils, found.capped, len(found.weeks)) == (63_000, True, 2)


@given(
    st.sampled_from(Case),
    st.dates(date(2022, 1, 1), date(2029, 1, 1)),
    st.dates(date(2022, 1, 1), date(2029, 1, 1)),
)
def test_it_is_the_sum_of_its_days_and_only_grows(case: Case, expired: date, today: date) -> None:
    found = estimate(case, expired, today)
    daily = RULES.overstay.of(case).period[-1 if today >= AFTER else 0]
    total = sum(daily.first_month if day <= 30 else daily.after for day in range(1, found.days + 1))
    assert found.fils == min(daily.cap, total)
    assert found.days + found.waived == max(0, (today - expired).days)
    assert found.capped is (found.fils == found.cap)
    amounts = [found.fils, *(week.fils for week in found.weeks)]
    assert amounts == sorted(amounts)
    assert all(week.more == amounts[index + 1] - amounts[index] for index, week in enumerate(found.weeks))


@given(st.sampled_from(Case), st.integers(0, 800))
def test_the_cap_is_reached_on_the_day_that_is_said(case: Case, days: int) -> None:
    found = estimate(case, since(days, TODAY), TODAY)
    day = date.fromisoformat(found.capped_on)
    assert estimate(case, since(days, TODAY), day).capped
    assert not estimate(case, since(days, TODAY), day - timedelta(days=1)).capped
