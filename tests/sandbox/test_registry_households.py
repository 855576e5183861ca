"""Families, employers and residencies of the population: both ways the same, every day, and plausible."""

import re
from collections import Counter
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain import Fine, FineKind
from bot.i18n.text import Local
from bot.residency import assess
from bot.residency.facts import Kin
from bot.residency.verdict import Block
from bot.sandbox import bodies, cast_bodies, cast_families, households, population, relations, residencies
from bot.sandbox.bodies import LARGE
from bot.sandbox.names import misprinted
from bot.sandbox.people import SERIALS, Person, age, by_index, passport_until
from bot.sandbox.recorded import Recorded
from bot.sandbox.records import Records, Residency

TODAY = date(2026, 11, 21)
PEOPLE = st.integers(47_500 * SERIALS, 76_700 * SERIALS - 1)
DAYS = st.dates(date(2026, 1, 1), date(2032, 12, 31))
RECORDS = Records(Recorded())


def some_heads(step: int = 7) -> list[Person]:
    days = range(60_000, 72_000, step)
    return [person for day in days if (person := by_index(day * SERIALS + (day * 7 % 1000) * 10))]


def verdict(residency: Residency, today: date = TODAY) -> set[Block]:
    permit = residency.permit
    fines = tuple(
        Fine(fine.id, FineKind(fine.kind), Local("", ""), fine.on.isoformat(), fine.fils, fine.barrier or "")
        for fine in residency.fines
    )
    found = assess(
        type(permit)(**{name: getattr(permit, name) for name in permit.__struct_fields__} | {"fines": fines}),
        today,
    )
    return {barrier.block for barrier in found.barriers}


# --- both ways -----------------------------------------------------------------------------------


@settings(deadline=None)
@given(PEOPLE, DAYS)
def test_a_dependant_leads_back_to_the_sponsor(index: int, today: date) -> None:
    sponsor = by_index(index)
    if sponsor is None:
        return
    found = relations.dependants(sponsor, today)
    assert len({each.index for each in found}) == len(found)
    for each in found:
        place = relations.place(each, today)
        assert place.head == sponsor
        assert place.kin not in {Kin.SELF, Kin.WORKER}
        assert (place.article == 20) == (place.kin is Kin.DOMESTIC)
        assert age(sponsor, today) >= households.ADULT
        assert each.born <= today


@settings(deadline=None)
@given(PEOPLE, DAYS)
def test_whoever_stands_on_a_file_is_found_on_it(index: int, today: date) -> None:
    person = by_index(index)
    if person is None or person.born > today:
        return
    place = relations.place(person, today)
    if place.head is not None:
        assert person in relations.dependants(place.head, today)
    body = relations.employer(person, today)
    if body is not None:
        assert person in relations.workers(body, today)
        assert place.article in {17, 18}


@given(st.integers(0, bodies.COUNT - 1))
def test_bodies_and_workers_lead_to_one_another(index: int) -> None:
    assert bodies.by_number(bodies.number(index)) == index
    assert re.fullmatch("[0-9]{9}", bodies.number(index))
    for worker in bodies.workers(index):
        assert bodies.body_of(worker) == index


@pytest.mark.parametrize("number", ["", "100000000", "99999999", "1000000000", "٣٧١٨٢٨١٨٣", "abcdefghi"])
def test_made_up_unified_numbers_are_no_bodies(number: str) -> None:
    assert relations.workers(number, TODAY) == ()


@given(PEOPLE)
def test_a_permits_number_leads_back_and_shows_nobody(index: int) -> None:
    person = by_index(index)
    if person is None:
        return
    number = residencies.number(index)
    assert re.fullmatch("[A-Z0-9-]{1,40}", number)
    assert population.by_permit(number, TODAY) == (person if person.born <= TODAY else None)
    assert person.civil_id[1:] not in number
    assert person.reference not in number


@pytest.mark.parametrize("number", ["", "P-1", "X-00000000000", "P-99999999999", "p-00000000000"])
def test_made_up_permit_numbers_are_nobodys(number: str) -> None:
    assert RECORDS.by_permit(number, TODAY) is None


# --- days ----------------------------------------------------------------------------------------


@settings(deadline=None)
@given(PEOPLE, DAYS)
def test_a_last_day_stays_until_it_is_over_then_comes_again_a_year_later(index: int, today: date) -> None:
    last, after = (residencies.last_day(index, day) for day in (today, today + timedelta(days=1)))
    assert today - timedelta(days=60) <= last <= today + timedelta(days=366)
    if after != last:
        assert last <= today
        assert (after.year, after.month, after.day) == (last.year + 1, last.month, last.day)


def test_the_29th_of_february_is_a_day_like_others() -> None:
    leap = date(2028, 2, 29)
    for sponsor in some_heads(step=97):
        for each in RECORDS.family(sponsor, leap):
            assert each.permit.expires >= leap - timedelta(days=60)
            verdict(each, leap)


@given(PEOPLE, DAYS)
def test_a_passport_that_is_over_is_soon_replaced(index: int, today: date) -> None:
    person = by_index(index)
    if person is None:
        return
    until = passport_until(person, today)
    assert until >= today - timedelta(days=60)
    assert (until - person.expiry).days % (5 * 365) == 0


def test_whoever_is_late_owes_for_every_day_and_nobody_else_does() -> None:
    late = 0
    for sponsor in some_heads(step=11):
        for each in RECORDS.family(sponsor, TODAY):
            assert [fine.on for fine in each.fines] == sorted(fine.on for fine in each.fines)
            person = population.by_permit(each.permit.number, TODAY)
            drawn = population.look(person, TODAY).fines
            added = [fine for fine in each.fines if fine not in drawn]
            days = (TODAY - each.permit.expires).days
            late += days > 0
            if days > 0:
                amount = (
                    days * 2_000
                    if each.permit.article == 20
                    else min(days, 30) * 2_000 + max(days - 30, 0) * 4_000
                )
                assert [(fine.fils, fine.on) for fine in added] == [
                    (amount, each.permit.expires + timedelta(days=1))
                ]
                assert RECORDS.fine(added[0].id, TODAY) == added[0]
            else:
                assert added == []
    assert late > 10


# --- plausible -----------------------------------------------------------------------------------


def test_families_are_as_families_are() -> None:
    sizes: Counter[int] = Counter()
    for sponsor in some_heads(step=11):
        found = [each.permit for each in RECORDS.family(sponsor, TODAY)]
        sizes[len(found)] += 1
        kins = Counter(each.kin for each in found)
        assert kins[Kin.WIFE] + kins[Kin.HUSBAND] <= 1
        own = next((each for each in found if each.kin is Kin.SELF), None)
        for each in found:
            years = age(next(p for p in [population.by_permit(each.number, TODAY)] if p), TODAY)
            if each.kin in {Kin.SON, Kin.DAUGHTER}:
                assert 0 <= years < 26
                assert years < age(sponsor, TODAY) - 20
            if each.kin in {Kin.MOTHER, Kin.FATHER}:
                assert years > age(sponsor, TODAY) + 18
            if each.kin is not Kin.SELF:
                assert each.kuwaiti_sponsor == (own is None)
                assert each.sponsor_article == (own.article if own else 0)
            if each.kin.near:
                assert each.insurance_exempt == (own is None)
    assert sizes[0] > 30
    assert sizes[1] > 30
    assert sizes.total() - sizes[0] - sizes[1] > 300


def test_most_who_are_due_can_renew_and_every_block_occurs() -> None:
    met: Counter[Block] = Counter()
    due = ready = 0
    large = [RECORDS.residency(person, TODAY) for person in bodies.workers(LARGE)[::4]]
    for each in (*large, *(each for head in some_heads(step=11) for each in RECORDS.family(head, TODAY))):
        assert each is not None
        blocks = verdict(each)
        met.update(blocks)
        if not blocks & {Block.WINDOW, Block.EMPLOYER}:
            due += 1
            ready += not blocks
    assert due > 400
    assert 0.5 < ready / due < 0.75
    assert set(met) == set(Block) - {Block.UNDERWAY}


def test_names_of_a_family_are_one_familys_and_differ() -> None:
    known = (role.person for role in cast_families.ROLES if role.place.head is None)
    for sponsor in (*some_heads(step=31), *known):
        related = [
            each.permit for each in RECORDS.family(sponsor, TODAY) if each.permit.kin is not Kin.DOMESTIC
        ]
        assert len({each.latin for each in related}) == len(related)
        assert len({each.latin.split()[-1] for each in related}) <= 1
        for permit in related:
            assert re.fullmatch("[A-Z ]+", permit.latin)
            assert re.fullmatch("[\u0600-\u06ff ]+", permit.name.ar)


@given(st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ ", min_size=1, max_size=40))
def test_a_misprint_is_one_letter(latin: str) -> None:
    wrong = misprinted(latin)
    assert wrong != latin
    assert sum(one != other for one, other in zip(latin, wrong, strict=False)) <= 1
    assert len(wrong) - len(latin) in {0, 1}


# --- the cast ------------------------------------------------------------------------------------


def test_nobody_of_the_cast_is_also_of_the_population() -> None:
    roles = (*cast_families.ROLES, *cast_bodies.ROLES)
    assert len({role.person.index for role in roles}) == len(roles)
    for role in roles:
        place = households.place(role.person, TODAY)
        if place.head is not None and place.head.index not in relations.ROLES:
            assert role.person not in relations.dependants(place.head, TODAY)
        if place.body is not None:
            assert role.person not in relations.workers(bodies.number(place.body), TODAY)
    drawn = [each for role in roles for each in households.dependants(role.person, TODAY)]
    assert drawn
    assert all(
        relations.place(each, TODAY).head is None for each in drawn if each.index not in relations.ROLES
    )


def test_people_are_the_same_in_every_release() -> None:
    sponsor = population.by_civil_id("265101687108", TODAY)
    assert [
        (each.number, each.civil_id, each.kin, each.latin, each.article, each.expires.isoformat())
        for each in (found.permit for found in RECORDS.family(sponsor, TODAY))
    ] == [
        ("P-81454084665", "265101687108", "self", "NIMAL GERALD FERNANDO", 21, "2027-10-10"),
        ("P-16294261156", "268092187112", "wife", "ROSALIE GERALD FERNANDO", 22, "2027-10-09"),
        ("P-55999944138", "301011687134", "daughter", "SITA GERALD FERNANDO", 22, "2027-03-20"),
        ("P-06919753611", "277010387167", "domestic", "RODRIGO RAMESH REYES", 20, "2026-12-09"),
    ]
    assert bodies.employer(1).number == "989862172"
    assert [worker.civil_id for worker in bodies.workers(1)[:2]] == ["296050334397", "284080604476"]
