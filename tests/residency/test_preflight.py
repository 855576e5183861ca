"""Each block by itself on both sides of its edge, and all of them at once."""

from datetime import date, timedelta
from itertools import permutations
from pathlib import Path

import msgspec
import pytest

from bot.domain import RESIDENCY_PHONE, Unpayable
from bot.i18n.text import Local
from bot.residency import assess
from bot.residency.facts import Creditor, Debt, Kin, Permit, Stop
from bot.residency.preflight import RESIDENCY_AFFAIRS
from bot.residency.verdict import Barrier, Block
from bot.rules import load
from tests.residency.permits import TODAY, changed, fine, permit, worker

DAY = timedelta(days=1)


def barriers(one: Permit, today: date = TODAY) -> tuple[Barrier, ...]:
    return assess(one, today).barriers


def blocks(one: Permit, today: date = TODAY) -> list[Block]:
    return [barrier.block for barrier in barriers(one, today)]


def test_nothing_blocks() -> None:
    candidate = assess(permit(), TODAY)
    assert candidate.barriers == ()
    assert candidate.ready
    assert (candidate.permit, candidate.civil_id, candidate.days) == ("P-1001", "290063001017", 28)
    assert (candidate.kin, candidate.article, candidate.expires) == (Kin.WIFE, 22, "2026-12-20")


@pytest.mark.parametrize(
    ("expires", "opens"),
    [
        (date(2026, 12, 20), date(2026, 10, 22)),
        (date(2027, 3, 1), date(2027, 1, 1)),
        (date(2028, 3, 1), date(2028, 1, 2)),  # February has 29 days
        (date(2027, 1, 31), date(2026, 12, 3)),
    ],
)
def test_renewal_opens_when_fewer_than_60_days_remain(expires: date, opens: date) -> None:
    one = permit(expires=expires, passport_expires=date(2040, 1, 1))
    assert barriers(one, opens - DAY) == (Barrier(Block.WINDOW, day=opens.isoformat()),)
    assert (expires - opens).days == 59
    for day in (opens, expires - DAY, expires, expires + DAY):
        assert blocks(one, day) == []


def test_the_window_is_a_rule(tmp_path: Path) -> None:
    rules = load(changed(tmp_path, "renewal.toml", "days = 60", "days = 30"))
    assert assess(permit(), TODAY, rules).ready
    early = permit(expires=TODAY + 30 * DAY)
    assert assess(early, TODAY).ready
    assert assess(early, TODAY, rules).barriers == (Barrier(Block.WINDOW, day="2026-11-23"),)


def test_insurance_missing_or_below_a_year() -> None:
    price = 100_000
    until = "2027-12-20"
    assert barriers(permit(insured_until=None)) == (Barrier(Block.INSURANCE, until=until, fils=price),)
    short = permit(insured_until=date(2027, 12, 19))
    assert barriers(short) == (Barrier(Block.INSURANCE, day="2027-12-19", until=until, fils=price),)
    assert blocks(permit(insured_until=date(2027, 12, 20))) == []
    assert blocks(permit(insured_until=None, insurance_exempt=True)) == []


def test_insurance_whose_price_is_not_known() -> None:
    one = permit(kin=Kin.SELF, article=25, insured_until=None)
    assert barriers(one)[0].fils == 0


def test_passport_valid_for_six_months_from_today() -> None:
    assert blocks(permit(passport_expires=date(2027, 5, 22))) == []
    barrier = Barrier(Block.PASSPORT_EXPIRY, day="2027-05-21", until="2027-05-22")
    assert barriers(permit(passport_expires=date(2027, 5, 21))) == (barrier,)


def test_passport_until_22_december_2025_a_year() -> None:
    old, new = date(2025, 12, 22), date(2025, 12, 23)
    one = permit(expires=date(2025, 12, 22), passport_expires=date(2026, 12, 21))
    assert barriers(one, old) == (Barrier(Block.PASSPORT_EXPIRY, day="2026-12-21", until="2026-12-22"),)
    assert blocks(one, new) == []
    late = permit(expires=date(2026, 1, 31), passport_expires=date(2026, 12, 31))
    assert barriers(late, old) == (Barrier(Block.PASSPORT_EXPIRY, day="2026-12-31", until="2027-01-31"),)


def test_passport_data_not_moved() -> None:
    assert barriers(permit(passport_moved=False)) == (Barrier(Block.PASSPORT_DATA),)


@pytest.mark.parametrize(
    "printed",
    ["AMINA YUSUF", "Amina Yusuf", "AMINA-YUSUF", "AMINA  YUSUF", "AMINAYUSUF", "ＡＭＩＮＡ ＹＵＳＵＦ", ""],
)
def test_names_that_are_the_same(printed: str) -> None:
    assert blocks(permit(passport_latin=printed)) == []


@pytest.mark.parametrize("printed", ["AMINAH YUSUF", "YUSUF AMINA", "AMINA YUSUF ALI"])
def test_names_that_differ(printed: str) -> None:
    barrier = Barrier(Block.LATIN_NAME, written="AMINA YUSUF", printed=printed)
    assert barriers(permit(passport_latin=printed)) == (barrier,)


def test_work_permit_is_valid_on_its_last_day() -> None:
    assert blocks(worker(work_permit_until=TODAY)) == []
    over = worker(work_permit_until=TODAY - DAY)
    assert barriers(over) == (Barrier(Block.WORK_PERMIT, day="2026-11-21"),)


@pytest.mark.parametrize(
    ("other", "since", "last"),
    [
        ({}, date(2026, 8, 31), date(2027, 2, 28)),
        ({}, date(2026, 6, 15), date(2026, 12, 15)),
        ({"kin": Kin.DOMESTIC, "article": 20}, date(2026, 8, 31), date(2026, 12, 31)),
        ({"kin": Kin.DOMESTIC, "article": 20}, date(2026, 10, 31), date(2027, 2, 28)),
        ({"absence_permit_until": date(2027, 1, 20)}, date(2026, 6, 15), date(2027, 1, 20)),
        ({"absence_permit_until": date(2026, 9, 1)}, date(2026, 6, 15), date(2026, 12, 15)),
    ],
)
def test_abroad_for_as_long_as_the_law_allows(other: dict[str, object], since: date, last: date) -> None:
    one = permit(expires=last, abroad_since=since, passport_expires=date(2040, 1, 1), **other)
    assert Block.ABROAD not in blocks(one, last)
    assert Barrier(Block.ABROAD, day=since.isoformat()) in barriers(one, last + DAY)


@pytest.mark.parametrize("other", [{"article": 21}, {"article": 25}, {"kuwaiti_mother": True}])
def test_some_may_stay_abroad_as_long_as_they_like(other: dict[str, object]) -> None:
    one = permit(kin=Kin.SELF, sponsor_kin=Kin.SON, abroad_since=date(2020, 1, 1), **other)
    assert blocks(one) == []


def test_domestic_workers_had_six_months_before_23_december_2025() -> None:
    one = permit(kin=Kin.DOMESTIC, article=20, abroad_since=date(2025, 7, 1), expires=date(2025, 12, 31))
    assert Block.ABROAD not in blocks(one, date(2025, 12, 22))
    assert Block.ABROAD in blocks(one, date(2025, 12, 23))


def test_residents_abroad_in_march_2026_had_three_months_more() -> None:
    one = permit(abroad_since=date(2025, 9, 1), expires=date(2026, 4, 1))
    assert Block.ABROAD in blocks(one, date(2026, 3, 3))
    assert Block.ABROAD not in blocks(one, date(2026, 3, 4))
    assert Block.ABROAD not in blocks(one, date(2026, 6, 3))
    assert Block.ABROAD in blocks(one, date(2026, 6, 4))
    left_later = permit(abroad_since=date(2026, 6, 4), expires=date(2026, 12, 1))
    assert Block.ABROAD not in blocks(left_later, date(2026, 12, 4))
    assert Block.ABROAD in blocks(left_later, date(2026, 12, 5))


def test_fines_that_cannot_be_paid_along_block() -> None:
    held = [fine(f"F{n}", 1_000 * n, barrier=word) for n, word in enumerate(Unpayable, 1)]
    settling = [one for one in held if one.barrier == Unpayable.SETTLING]
    rest = sum(one.fils for one in held if one.barrier != Unpayable.SETTLING)
    one = permit(fines=(fine("P"), *held, fine("Q", barrier="a word of next year")))
    assert barriers(one) == (Barrier(Block.FINES, fils=rest + 5_000),)
    assert blocks(permit(fines=tuple(settling))) == []
    assert blocks(permit(fines=(fine("P"),))) == []


def test_debts_by_creditor_with_an_unknown_amount_the_sum_is_unknown() -> None:
    debts = (
        Debt(Creditor.TELECOM, 3_000),
        Debt(Creditor.ELECTRICITY, 7_000),
        Debt(Creditor.ELECTRICITY, 1_500),
        Debt(Creditor.JUSTICE),
        Debt(Creditor.JUSTICE, 9_000),
    )
    assert barriers(permit(debts=debts)) == (
        Barrier(Block.DEBTS, fils=8_500, creditor=Creditor.ELECTRICITY),
        Barrier(Block.DEBTS, fils=3_000, creditor=Creditor.TELECOM),
        Barrier(Block.DEBTS, creditor=Creditor.JUSTICE),
    )


def test_debts_block_since_10_september_2023() -> None:
    one = permit(
        expires=date(2023, 9, 30), debts=(Debt(Creditor.TELECOM, 3_000),), passport_expires=date(2040, 1, 1)
    )
    assert blocks(one, date(2023, 9, 9)) == []
    assert blocks(one, date(2023, 9, 10)) == [Block.DEBTS]


def test_fingerprint_since_31_december_2024() -> None:
    one = permit(expires=date(2025, 1, 31), biometric=False)
    assert blocks(one, date(2024, 12, 30)) == []
    assert blocks(one, date(2024, 12, 31)) == [Block.BIOMETRIC]
    assert blocks(permit(biometric=False)) == [Block.BIOMETRIC]


@pytest.mark.parametrize(("article", "found"), [(17, True), (18, True), (20, True), (19, False), (24, False)])
def test_the_employer_renews_ones_own_work_residency(*, article: int, found: bool) -> None:
    assert (Block.EMPLOYER in blocks(permit(kin=Kin.SELF, article=article))) is found
    assert Block.EMPLOYER not in blocks(permit(kin=Kin.WORKER, article=article))
    assert Block.EMPLOYER not in blocks(permit(kin=Kin.DOMESTIC, article=article))


def test_a_travel_ban_does_not_block() -> None:
    assert blocks(permit(travel_ban=True)) == []


@pytest.mark.parametrize(
    "block",
    [
        Block.SPONSOR_FILE,
        Block.ABSENCE_REPORT,
        Block.MEDICAL,
        Block.PHOTO,
        Block.ADDRESS,
        Block.UNDERWAY,
        Block.WORK_PERMIT,
        Block.ABROAD,
        Block.WINDOW,
        Block.PASSPORT_EXPIRY,
    ],
)
def test_what_the_registry_adds_keeps_its_kind_and_whom_to_ask(block: Block) -> None:
    who = Local("القوى العاملة", "Manpower")
    stop = Stop(block.value, who, "22222222")
    assert barriers(permit(stops=(stop,))) == (Barrier(block, department=who, phone="22222222"),)


def test_what_the_registry_adds_with_what_is_known_of_it() -> None:
    name = permit(stops=(Stop("latin_name"),), passport_latin="")
    assert barriers(name) == (Barrier(Block.LATIN_NAME, written="AMINA YUSUF"),)
    insured = permit(stops=(Stop("insurance"),))
    assert barriers(insured) == (Barrier(Block.INSURANCE, day="2032-01-01", fils=100_000),)


def test_what_the_registry_adds_and_we_see_too_is_said_once() -> None:
    one = permit(
        passport_moved=False,
        insured_until=None,
        stops=(Stop("passport_data"), Stop("insurance"), Stop("photo"), Stop("photo")),
    )
    assert blocks(one) == [Block.INSURANCE, Block.PASSPORT_DATA, Block.PHOTO]
    assert barriers(one)[0].until == "2027-12-20"


def test_an_unknown_block_names_the_department() -> None:
    who = Local("إدارة", "Department")
    one = permit(stops=(Stop("quarantine", who, "24000000"), Stop("quarantine"), Stop("other", who)))
    assert barriers(one) == (
        Barrier(Block.OTHER, department=who),
        Barrier(Block.OTHER, department=who, phone="24000000"),
        Barrier(Block.OTHER, department=RESIDENCY_AFFAIRS, phone=RESIDENCY_PHONE),
    )


@pytest.mark.parametrize(
    "one",
    [
        permit(expires=date(2021, 11, 22)),
        permit(most_years=0),
        permit(most_years=1, expires=date(2025, 11, 22)),
    ],
)
def test_no_duration_that_would_not_be_over_is_for_the_department(one: Permit) -> None:
    assert barriers(one) == (Barrier(Block.OTHER, department=RESIDENCY_AFFAIRS, phone=RESIDENCY_PHONE),)


ALL = permit(
    kin=Kin.SELF,
    article=20,
    sponsor_article=0,
    expires=date(2027, 6, 1),
    insured_until=date(2027, 6, 1),
    passport_expires=date(2027, 1, 1),
    passport_moved=False,
    passport_latin="AMINAH YUSUF",
    work_permit_until=date(2026, 10, 1),
    abroad_since=date(2026, 1, 1),
    biometric=False,
    debts=(Debt(Creditor.HEALTH, 1_000), Debt(Creditor.TRAFFIC, 2_000)),
    fines=(fine("F1", 8_000, barrier="court"),),
    stops=tuple(
        Stop(code)
        for code in ("photo", "address", "sponsor_file", "medical", "absence_report", "underway", "fee", "x")
    ),
)


def test_every_block_at_once_in_one_order() -> None:
    found = blocks(ALL)
    assert set(found) == set(Block)
    assert found == sorted(found, key=list(Block).index)
    assert len(found) == len(Block) + 1  # two creditors
    assert assess(ALL, TODAY).offers == ()


def test_the_order_does_not_depend_on_the_registrys() -> None:
    expected = barriers(ALL)
    for stops in list(permutations(ALL.stops))[::2000]:
        assert barriers(msgspec.structs.replace(ALL, stops=stops, debts=ALL.debts[::-1])) == expected
