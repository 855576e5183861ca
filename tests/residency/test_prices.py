"""A year of residency and of insurance, both schedules, on both sides of 23 December 2025."""

from datetime import date, timedelta

import pytest

from bot.residency import RULES, assess
from bot.residency.facts import Kin, Permit
from bot.residency.prices import fee_year, insurance_year
from bot.residency.verdict import Block
from tests.residency.permits import NEW, OLD, TODAY, permit, worker

Dinars = tuple[int | None, int | None]
"""By the old and by the new schedule."""


def dinars(fils: int | None) -> int | None:
    return None if fils is None else fils // 1000


def fees(one: Permit) -> Dinars:
    return dinars(fee_year(one, OLD, RULES)), dinars(fee_year(one, NEW, RULES))


def insurance(one: Permit) -> Dinars:
    return dinars(insurance_year(one, OLD, RULES)), dinars(insurance_year(one, NEW, RULES))


@pytest.mark.parametrize(
    ("article", "old", "new"),
    [
        (17, 10, 20),
        (18, 10, 20),
        (23, 10, 20),
        (30, 10, 20),
        (31, 10, 20),
        (19, 10, 50),
        (21, 10, 50),
        (25, 10, 50),
        (24, 10, 500),
        (14, None, None),
        (29, None, None),
    ],
)
@pytest.mark.parametrize("kin", [Kin.WORKER, Kin.SELF])
def test_fee_in_ones_own_right(article: int, old: int | None, new: int | None, kin: Kin) -> None:
    assert fees(permit(kin=kin, article=article, sponsor_article=0)) == (old, new)


@pytest.mark.parametrize(("kuwaiti", "old", "new"), [(True, 10, 10), (False, None, 50)])
def test_fee_of_domestic_workers(*, kuwaiti: bool, old: int | None, new: int) -> None:
    one = permit(kin=Kin.DOMESTIC, article=20, sponsor_article=0, kuwaiti_sponsor=kuwaiti)
    assert fees(one) == (old, new)


@pytest.mark.parametrize("kin", [Kin.WIFE, Kin.HUSBAND, Kin.SON, Kin.DAUGHTER])
@pytest.mark.parametrize(
    ("sponsor", "old", "new"),
    [
        (17, 10, 20),
        (18, 10, 20),
        (23, 10, 20),
        (19, 10, 40),
        (21, 10, 40),
        (25, 10, 40),
        (31, 10, 40),
        (24, 10, 100),
        (20, None, None),
        (22, None, None),
        (0, None, None),
    ],
)
def test_fee_of_spouse_and_children(kin: Kin, sponsor: int, old: int | None, new: int | None) -> None:
    assert fees(permit(kin=kin, sponsor_article=sponsor)) == (old, new)


@pytest.mark.parametrize("kin", [Kin.MOTHER, Kin.FATHER, Kin.BROTHER, Kin.SISTER, Kin.OTHER])
@pytest.mark.parametrize("sponsor", [17, 18, 19, 24])
def test_fee_of_other_relatives(kin: Kin, sponsor: int) -> None:
    assert fees(permit(kin=kin, sponsor_article=sponsor)) == (200, 300)


@pytest.mark.parametrize("article", [22, 24, 15])
def test_fee_of_a_kuwaitis_widow_whatever_her_article(article: int) -> None:
    one = permit(kin=Kin.SELF, article=article, sponsor_article=0, kuwaiti_widow=True)
    assert fee_year(one, NEW, RULES) == 10_000


def test_a_dependant_alone_is_priced_by_what_they_are_to_their_sponsor() -> None:
    assert fees(permit(kin=Kin.SELF)) == (None, None)
    assert fees(permit(kin=Kin.SELF, sponsor_kin=Kin.WIFE)) == (10, 20)
    assert fees(permit(kin=Kin.SELF, sponsor_kin=Kin.MOTHER)) == (200, 300)


def test_a_kuwaitis_dependants_have_no_known_fee() -> None:
    for kin in (Kin.WIFE, Kin.MOTHER):
        one = permit(kin=kin, sponsor_article=0, kuwaiti_sponsor=True)
        assert fees(one) == (None, None)
        assert [barrier.block for barrier in assess(one, TODAY).barriers] == [Block.FEE]


def test_the_day_of_renewal_decides_the_schedule_not_the_day_of_expiry() -> None:
    one = permit(expires=date(2026, 1, 10))
    assert assess(one, OLD).offers[0].fee == 10_000
    assert assess(one, NEW).offers[0].fee == 20_000
    late = permit(expires=date(2025, 12, 1))
    assert assess(late, OLD).offers[0].fee == 10_000
    assert assess(late, NEW).offers[0].fee == 20_000


@pytest.mark.parametrize("article", [17, 18, 19, 21, 24])
def test_insurance_in_ones_own_right(article: int) -> None:
    assert insurance(worker(article=article)) == (50, 100)


def test_insurance_of_the_family() -> None:
    assert insurance(permit(kin=Kin.WIFE)) == (40, 100)
    assert insurance(permit(kin=Kin.HUSBAND)) == (40, 100)
    assert insurance(permit(kin=Kin.MOTHER)) == (50, 100)
    assert insurance(permit(kin=Kin.SELF, sponsor_kin=Kin.WIFE)) == (40, 100)
    assert insurance(permit(kin=Kin.SELF)) == (None, None)


def test_a_child_is_grown_on_the_eighteenth_birthday() -> None:
    for kin in (Kin.SON, Kin.DAUGHTER):
        eighteen = permit(kin=kin, born=OLD.replace(year=OLD.year - 18))
        younger = permit(kin=kin, born=OLD.replace(year=OLD.year - 18) + timedelta(days=1))
        assert insurance_year(eighteen, OLD, RULES) == 50_000
        assert insurance_year(younger, OLD, RULES) == 30_000


def test_insurance_of_farm_and_domestic_workers() -> None:
    assert insurance(worker(farm_work=True))[1] == 10
    assert insurance(permit(kin=Kin.DOMESTIC, article=20, kuwaiti_sponsor=True))[1] == 10
    assert insurance(permit(kin=Kin.DOMESTIC, article=20)) == (None, 100)
    assert insurance(permit(kin=Kin.SELF, article=25)) == (None, None)


def test_a_worker_pays_120_a_year_and_240_for_two() -> None:
    """The worked example: 20 residency and 100 insurance; a private-sector wife the same."""
    for one in (worker(), permit()):
        year, two = assess(one, TODAY).offers[:2]
        cost = insurance_year(one, TODAY, RULES)
        assert cost is not None
        assert (year.fee + cost, two.fee + 2 * cost) == (120_000, 240_000)
