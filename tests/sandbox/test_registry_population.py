"""The population: valid numbers are somebody, and the same somebody every day."""

import re
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from idnumbers.nationalid import KWT

from bot.sandbox import population
from bot.sandbox.cast import DEMO, Temper
from bot.sandbox.fines import DOMESTIC, EXPIRED, VISIT, overstay, synthetic
from bot.sandbox.people import by_civil_id, by_index, by_reference
from bot.sandbox.recorded import Recorded
from bot.sandbox.records import Records
from tests.sandbox.kit import BARRED, CLEAN, JOURNEY_A, MANY, SINGLE, TWO

TODAY = date(2026, 11, 21)
BORN_1930_TO_2010 = st.integers(47_500 * 10_000, 76_700 * 10_000 - 1)


RECORDS = Records(Recorded())


def owed(civil_id: str, today: date = TODAY) -> list[tuple[str, int, str | None]]:
    look = population.look(population.by_civil_id(civil_id, today), today)
    return [(fine.on.isoformat(), fine.fils, fine.barrier) for fine in look.fines]


@pytest.mark.parametrize(
    "civil_id",
    ["285011500029", "290063001017", "300022900127", "282040701483", "304022600325", "280010100004"],
)
def test_published_valid_numbers_are_somebody(civil_id: str) -> None:
    person = by_civil_id(civil_id, TODAY)
    assert person is not None
    assert person.civil_id == civil_id


@pytest.mark.parametrize(
    "civil_id",
    [
        "289332013455",  # month 33
        "300000000005",  # month and day 00
        "486101910006",  # century digit 4
        "285011500028",  # check digit
        "285011500010",  # remainder 0 is not issued
        "285011500070",  # remainder 1 is not issued
        "28501150002",  # eleven digits
        "299023000029",  # 30 February
        "٢٨٥٠١١٥٠٠٠٢٩",  # the client converts digits, not the registry
        "",
    ],
)
def test_invalid_numbers_are_nobody(civil_id: str) -> None:
    assert by_civil_id(civil_id, TODAY) is None


def test_who_is_not_born_yet_is_nobody() -> None:
    child = by_civil_id(TWO, TODAY)
    assert child is not None
    assert by_civil_id(TWO, child.born - timedelta(days=1)) is None
    assert by_reference(child.reference, child.born - timedelta(days=1)) is None


@given(BORN_1930_TO_2010)
def test_civil_id_and_reference_lead_to_the_same_person(index: int) -> None:
    person = by_index(index)
    if person is None:
        return
    assert KWT.CivilNumber.validate(person.civil_id)
    assert re.fullmatch("[0-9]{6,12}", person.reference)
    assert by_civil_id(person.civil_id, TODAY) == person
    assert by_reference(person.reference, TODAY) == person


@given(BORN_1930_TO_2010)
def test_fines_are_plausible_and_their_numbers_lead_back(index: int) -> None:
    person = by_index(index)
    if person is None:
        return
    look = population.look(person, TODAY)
    assert len(look.fines) <= 8
    assert [fine.on for fine in look.fines] == sorted(fine.on for fine in look.fines)
    for fine in look.fines:
        assert date(2025, 4, 1) <= fine.on <= TODAY
        assert 0 < fine.fils <= 2_000_000
        assert RECORDS.fine(fine.id, TODAY) == fine
        assert person.civil_id[1:] not in fine.id
        assert person.reference not in fine.id


@pytest.mark.parametrize("number", ["", "T-1", "X-00000000000", "T-00000000000", "T-99999999999"])
def test_made_up_fine_numbers_are_no_fines(number: str) -> None:
    assert RECORDS.fine(number, TODAY) is None


def test_a_fine_appears_on_its_day() -> None:
    assert owed(SINGLE, date(2026, 9, 14)) == []
    assert owed(SINGLE, date(2026, 9, 15)) == [("2026-09-15", 5_250, None)]


def test_a_good_share_owes_nothing_and_some_have_barriers() -> None:
    people = [person for index in range(660_000_000, 660_003_000) if (person := by_index(index))]
    counts = [len(synthetic(person)) for person in people]
    assert 0.3 < counts.count(0) / len(people) < 0.6
    assert max(counts) == 8
    fines = [fine for person in people for fine in synthetic(person)]
    assert {fine.barrier for fine in fines} == {None, "court", "impound", "office", "audit"}
    assert 0.7 < sum(fine.barrier is None for fine in fines) / len(fines) < 0.9
    assert {fine.kind for fine in fines} == {"residency", "traffic"}


def test_children_have_no_traffic_fines() -> None:
    people = [person for index in range(780_000_000, 780_003_000) if (person := by_index(index))]
    assert {fine.kind for person in people for fine in synthetic(person)} == {"residency"}


@pytest.mark.parametrize(
    ("days", "kwd"),
    [(1, 2), (10, 20), (30, 60), (31, 64), (45, 120), (90, 300), (314, 1196), (315, 1200), (900, 1200)],
)
def test_ordinary_overstay_follows_the_table(days: int, kwd: int) -> None:
    assert overstay(EXPIRED, days) == kwd * 1000


def test_domestic_and_visit_overstay_have_their_own_caps() -> None:
    assert [overstay(DOMESTIC, days) for days in (45, 300, 400)] == [90_000, 600_000, 600_000]
    assert [overstay(VISIT, days) for days in (45, 200, 300)] == [450_000, 2_000_000, 2_000_000]


# --- the cast ------------------------------------------------------------------------------------


def test_journey_a_has_three_payable_fines_of_45_dinars_and_one_that_is_not() -> None:
    fines = owed(JOURNEY_A)
    assert [fils for _, fils, barrier in fines if barrier is None] == [10_000, 20_000, 15_000]
    assert ("2026-03-12", 20_000, None) in fines
    assert [barrier for _, _, barrier in fines if barrier] == ["court"]


def test_the_rest_of_the_cast_owes_what_its_notes_say() -> None:
    assert owed(CLEAN) == []
    assert sorted(barrier or "" for _, _, barrier in owed(BARRED)) == ["audit", "court", "impound", "office"]
    assert len(owed(MANY)) == 23
    assert {barrier for _, _, barrier in owed(MANY)} == {None}
    assert [fils for _, fils, _ in owed(TWO)] == [40_000, 12_000]
    assert {known.temper for known in DEMO} == set(Temper)


def test_the_cast_is_the_same_in_every_release() -> None:
    assert [
        (known.civil_id, known.reference, known.passport, known.expiry.isoformat()) for known in DEMO
    ] == [
        ("285011500029", "8924215630", "F7041688", "2030-12-22"),
        ("290063001017", "2579778829", "S2540536", "2030-10-12"),
        ("272120100478", "7415046175", "P8676325", "2028-11-13"),
        ("300022900127", "8436914640", "Z3615717", "2029-11-26"),
        ("299123190026", "6547954630", "Y2674966", "2031-07-28"),
        ("268032105138", "2337742041", "E3619271", "2028-07-18"),
        ("315090908042", "3293770232", "P2322127", "2028-04-10"),
        ("324110503339", "6803129861", "E7064704", "2030-11-27"),
        ("286101901541", "9219764582", "E3924103", "2029-07-27"),
        ("279051704121", "4062745040", "V6973471", "2030-07-02"),
        ("276100302556", "8912821583", "N3501276", "2027-11-27"),
        ("283020807189", "2339726746", "Y6442637", "2029-02-23"),
        ("271031406032", "1154843131", "T8048961", "2031-06-23"),
        ("274090908407", "2282708668", "Y1283344", "2031-01-28"),
        ("281072203302", "2865869158", "P7549890", "2031-04-26"),
    ]
    assert [fine.id for fine in DEMO[0].fines] == [
        "T-35004711879",
        "R-96808110756",
        "T-58611509633",
        "T-20414908510",
    ]


def test_a_synthetic_person_is_the_same_in_every_release() -> None:
    person = by_civil_id("227081660516", TODAY)
    fines = population.look(person, TODAY).fines
    assert [(fine.id, fine.on.isoformat(), fine.title.en, fine.fils, fine.barrier) for fine in fines] == [
        ("T-18431597028", "2025-10-31", "No seat belt", 30_000, None),
        ("R-56628198151", "2026-10-20", "Domestic worker's residency not renewed", 24_000, None),
    ]
