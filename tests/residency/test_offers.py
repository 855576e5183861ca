"""Durations and their totals: worked examples, and what must be so for any residency on any day."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain import Item, ItemKind
from bot.i18n.text import Local
from bot.residency import assess, lines
from bot.residency.facts import Kin
from bot.residency.verdict import Block, Cap
from bot.rules import load
from tests.residency.permits import TODAY, changed, fine, permit, worker
from tests.residency.strategies import permits, todays

DAY = timedelta(days=1)


def years(today: date = TODAY, **other: Any) -> tuple[int, ...]:
    return tuple(offer.years for offer in assess(permit(**other), today).offers)


def test_offers_with_their_totals() -> None:
    candidate = assess(permit(fines=(fine("F2", 7_500, on="2026-11-01"), fine("F1", 6_000))), TODAY)
    assert [(one.years, one.until, one.fee, one.fils) for one in candidate.offers] == [
        (1, "2027-12-20", 20_000, 33_500),
        (2, "2028-12-20", 40_000, 53_500),
        (3, "2029-12-20", 60_000, 73_500),
        (4, "2030-12-20", 80_000, 93_500),
        (5, "2031-12-20", 100_000, 113_500),
    ]
    assert [one.id for one in candidate.fines] == ["F1", "F2"]
    assert (candidate.cap, candidate.cap_day) == (Cap.ARTICLE, "")


@pytest.mark.parametrize(
    ("other", "most"),
    [
        ({}, 5),
        ({"kin": Kin.WORKER, "article": 18}, 5),
        ({"kin": Kin.SELF, "article": 25}, 10),
        ({"kin": Kin.SELF, "article": 21}, 15),
        ({"kuwaiti_mother": True, "kin": Kin.SELF, "sponsor_kin": Kin.SON}, 10),
        ({"kuwaiti_mother": True, "kin": Kin.SELF, "article": 21}, 15),
    ],
)
def test_the_laws_longest_renewal(other: dict[str, Any], most: int) -> None:
    given_ = {"insurance_exempt": True, **other}
    assert years(**given_) == tuple(range(1, most + 1))
    assert (
        years(date(2025, 1, 4), expires=date(2025, 2, 1), passport_expires=date(2060, 1, 1), **given_)[-1]
        == 5
    )
    assert (
        years(date(2025, 1, 5), expires=date(2025, 2, 1), passport_expires=date(2060, 1, 1), **given_)[-1]
        == most
    )


@pytest.mark.parametrize(
    ("insured", "longest", "cap", "cap_day"),
    [
        ("2027-12-20", 1, Cap.INSURANCE, "2027-12-20"),
        ("2028-12-19", 1, Cap.INSURANCE, "2028-12-19"),
        ("2028-12-20", 2, Cap.INSURANCE, "2028-12-20"),
        ("2031-12-19", 4, Cap.INSURANCE, "2031-12-19"),
        ("2031-12-20", 5, Cap.ARTICLE, ""),
    ],
)
def test_insurance_caps_the_years(insured: str, longest: int, cap: Cap, cap_day: str) -> None:
    candidate = assess(permit(insured_until=date.fromisoformat(insured)), TODAY)
    assert [one.years for one in candidate.offers] == list(range(1, longest + 1))
    assert (candidate.cap, candidate.cap_day) == (cap, cap_day)


@pytest.mark.parametrize(
    ("most", "insured", "longest", "cap"),
    [
        (2, date(2040, 1, 1), 2, Cap.REGISTRY),
        (2, date(2028, 12, 20), 2, Cap.REGISTRY),
        (3, date(2028, 12, 20), 2, Cap.INSURANCE),
        (5, date(2040, 1, 1), 5, Cap.ARTICLE),
        (9, date(2040, 1, 1), 5, Cap.ARTICLE),
    ],
)
def test_the_registrys_own_limit(most: int, insured: date, longest: int, cap: Cap) -> None:
    candidate = assess(permit(most_years=most, insured_until=insured), TODAY)
    assert candidate.offers[-1].years == longest
    assert candidate.cap is cap


def test_the_passport_caps_until_22_december_2025() -> None:
    one = permit(
        expires=date(2025, 12, 31), passport_expires=date(2028, 6, 1), insured_until=date(2040, 1, 1)
    )
    old, new = assess(one, date(2025, 12, 22)), assess(one, date(2025, 12, 23))
    assert (old.offers[-1].years, old.cap, old.cap_day) == (2, Cap.PASSPORT, "2028-06-01")
    assert (new.offers[-1].years, new.cap) == (5, Cap.ARTICLE)


def test_29_february() -> None:
    one = permit(expires=date(2028, 2, 29), insured_until=date(2029, 2, 28))
    candidate = assess(one, date(2028, 2, 29))
    assert [(offer.years, offer.until) for offer in candidate.offers] == [(1, "2029-02-28")]
    longer = msgspec.structs.replace(one, insured_until=date(2032, 2, 28))
    assert [offer.until for offer in assess(longer, date(2028, 2, 29)).offers] == [
        "2029-02-28",
        "2030-02-28",
        "2031-02-28",
    ]
    enough = msgspec.structs.replace(one, insured_until=date(2032, 2, 29))
    assert assess(enough, date(2028, 2, 29)).offers[-1].until == "2032-02-29"


@pytest.mark.parametrize(
    ("expired", "first"),
    [
        (TODAY, 1),
        (TODAY - DAY, 1),
        (date(2025, 11, 23), 1),
        (date(2025, 11, 22), 2),  # a year from then is today
        (date(2025, 11, 21), 2),
        (date(2024, 2, 29), 3),
        (date(2021, 11, 23), 5),
    ],
)
def test_an_expired_residency_is_renewed_from_its_old_last_day(expired: date, first: int) -> None:
    candidate = assess(permit(expires=expired), TODAY)
    assert candidate.offers[0].years == first
    assert date.fromisoformat(candidate.offers[0].until) > TODAY
    assert candidate.offers[0].fee == first * 20_000
    assert candidate.offers[-1].years == 5
    assert candidate.days == (expired - TODAY).days


def test_insurance_of_an_expired_residency_must_reach_what_is_offered() -> None:
    one = permit(expires=date(2025, 6, 1), insured_until=date(2027, 5, 31))
    barrier = assess(one, TODAY).barriers[0]
    assert (barrier.block, barrier.until) == (Block.INSURANCE, "2027-06-01")
    assert years(expires=date(2025, 6, 1), insured_until=date(2027, 6, 1)) == (2,)


def test_lines_are_the_fines_then_the_renewal() -> None:
    held = fine("S", 1_000, barrier="settling")
    one = permit(fines=(fine("F2", 7_500, on="2026-11-01"), held, fine("F1", 6_000)))
    title = Local("مخالفة إقامة", "Residency violation")
    assert lines(one, 2, TODAY, part=3) == (
        Item("F1", ItemKind.RESIDENCY, title, 6_000, part=3),
        Item("F2", ItemKind.RESIDENCY, title, 7_500, part=3),
        Item("P-1001", ItemKind.RENEWAL, Local("الزوجة", "Wife"), 40_000, 2, "2028-12-20", 3),
    )


def test_no_lines_for_what_is_not_offered() -> None:
    assert lines(permit(), 0, TODAY) == ()
    assert lines(permit(), 6, TODAY) == ()
    assert lines(permit(insured_until=date(2028, 1, 1)), 2, TODAY) == ()
    assert lines(permit(passport_moved=False, fines=(fine("F1"),)), 1, TODAY) == ()


def test_lines_say_whose_without_a_name() -> None:
    number = Local("2900****1017", "2900****1017")
    for kin in Kin:
        article = {Kin.SELF: 24, Kin.WORKER: 18, Kin.DOMESTIC: 20}.get(kin, 22)
        one = permit(kin=kin, article=article, name=Local("أمينة", "Amina"))
        title = lines(one, 1, TODAY)[-1].title
        assert (title == number) is (kin in {Kin.SELF, Kin.WORKER, Kin.DOMESTIC})
        assert title.ar
        assert title.en
        assert title != one.name


def test_the_fee_is_the_rules(tmp_path: Path) -> None:
    rules = load(changed(tmp_path, "residency_fees.toml", "fils = 20_000", "fils = 21_000", all_of_them=True))
    assert assess(worker(), TODAY, rules).offers[1].fils == 42_000
    assert lines(worker(), 2, TODAY, rules=rules)[-1].fils == 42_000


cases = todays.flatmap(lambda today: st.tuples(st.just(today), permits(today)))
clear = todays.flatmap(lambda today: st.tuples(st.just(today), permits(today, clear=True)))


@given(st.one_of(cases, clear))
@settings(max_examples=150)
def test_offers_where_nothing_blocks_and_only_there(case: Any) -> None:
    today, one = case
    candidate = assess(one, today)
    assert bool(candidate.offers) is not bool(candidate.barriers)
    found = [barrier.block for barrier in candidate.barriers]
    assert found == sorted(found, key=list(Block).index)
    assert len(set(candidate.barriers)) == len(found)
    lengths = [offer.years for offer in candidate.offers]
    assert lengths == sorted(set(lengths))
    for offer in candidate.offers:
        until = date.fromisoformat(offer.until)
        assert until > today
        assert one.insurance_exempt or (one.insured_until is not None and until <= one.insured_until)
        assert one.most_years is None or offer.years <= one.most_years


@given(st.one_of(cases, clear), st.integers(-1, 16), st.integers(0, 9))
@settings(max_examples=150)
def test_lines_and_offers_agree(case: Any, length: int, part: int) -> None:
    today, one = case
    candidate = assess(one, today)
    offer = candidate.offer(length)
    found = lines(one, length, today, part)
    assert bool(found) is (offer is not None)
    for other in candidate.offers:
        sums = lines(one, other.years, today, part)
        assert sum(line.fils for line in sums) == other.fils
        assert [line.number for line in sums] == [*(each.id for each in candidate.fines), one.number]
        assert {line.part for line in sums} == {part}
        assert (sums[-1].years, sums[-1].until, sums[-1].fils) == (other.years, other.until, other.fee)


@given(st.one_of(cases, clear), st.integers(0, 3000))
@settings(max_examples=80)
def test_more_insurance_never_gives_fewer_years(case: Any, more: int) -> None:
    today, one = case
    if one.insured_until is None:
        return
    insured = msgspec.structs.replace(one, insured_until=one.insured_until + timedelta(days=more))
    before = {offer.years for offer in assess(one, today).offers}
    after = {offer.years for offer in assess(insured, today).offers}
    assert before <= after


@given(cases)
@settings(max_examples=60)
def test_a_block_less_never_blocks_more(case: Any) -> None:
    today, one = case
    cleared = msgspec.structs.replace(one, passport_moved=True, biometric=True, debts=(), stops=())
    assert set(assess(cleared, today).barriers) <= set(assess(one, today).barriers)


@given(clear)
@settings(max_examples=60)
def test_most_made_up_residencies_can_be_renewed_for_what_is_missing_there_is_a_block(case: Any) -> None:
    today, one = case
    candidate = assess(one, today)
    allowed = {Block.INSURANCE, Block.PASSPORT_EXPIRY, Block.FINES, Block.OTHER}
    assert {barrier.block for barrier in candidate.barriers} <= allowed
