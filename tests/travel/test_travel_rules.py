"""What a journey needs: the rule file, and the hurdles on both sides of each of its days."""

from datetime import date
from urllib.parse import urlsplit

import pytest

from bot.dialogs.family_join.texts import VISA_PAGE
from bot.dialogs.overstay.journey import JUSTICE_PAGE
from bot.residency.facts import Creditor, Debt
from bot.residency.travel import Found, Hurdle, hurdles
from bot.rules import RULES
from bot.rules.dated import fault
from bot.rules.travel import TRAVEL
from bot.services.links import known_names
from tests.dialogs.leaving import permit


def test_the_rules_follow_one_another_and_last() -> None:
    assert fault(TRAVEL.exit_permit) == ""
    assert fault(TRAVEL.dues) == ""


def test_creditors_of_the_rules_are_those_of_the_registry() -> None:
    assert {name for one in TRAVEL.dues for name in one.creditors} <= set(Creditor)


@pytest.mark.parametrize("page", [JUSTICE_PAGE, VISA_PAGE])
def test_pages_are_of_official_hosts(page: str) -> None:
    hosts = {official.host for official in known_names("https://iqamati.example", ()).officials}
    assert urlsplit(page).scheme == "https"
    assert urlsplit(page).hostname in hosts


@pytest.mark.parametrize(
    ("day", "needed"), [(date(2025, 6, 30), False), (date(2025, 7, 1), True), (date(2026, 11, 21), True)]
)
def test_exit_permits_since_july_2025(day: date, *, needed: bool) -> None:
    found = hurdles(permit(2000, article=18), day, RULES, TRAVEL)
    assert (Found(Hurdle.EXIT_PERMIT) in found) == needed


@pytest.mark.parametrize(
    ("day", "must"),
    [
        (date(2023, 8, 18), ()),
        (date(2023, 8, 19), (Creditor.TRAFFIC,)),
        (date(2023, 8, 31), (Creditor.TRAFFIC,)),
        (date(2023, 9, 1), (Creditor.TRAFFIC, Creditor.ELECTRICITY)),
        (date(2023, 9, 5), (Creditor.TRAFFIC, Creditor.ELECTRICITY)),
        (date(2023, 9, 6), (Creditor.TRAFFIC, Creditor.ELECTRICITY, Creditor.TELECOM)),
    ],
)
def test_dues_since_autumn_2023(day: date, must: tuple[Creditor, ...]) -> None:
    owed = permit(3000, debts=tuple(Debt(creditor, 1000) for creditor in Creditor))
    debts = [one for one in hurdles(owed, day, RULES, TRAVEL) if one.hurdle is Hurdle.DEBT]
    assert {one.creditor for one in debts} == set(Creditor), "all are told, whether they must be paid or not"
    assert tuple(one.creditor for one in debts if one.must) == must


@pytest.mark.parametrize(("day", "told"), [(date(2024, 12, 30), False), (date(2024, 12, 31), True)])
def test_fingerprints_since_the_end_of_2024(day: date, *, told: bool) -> None:
    found = hurdles(permit(2000, biometric=False), day, RULES, TRAVEL)
    assert (Found(Hurdle.BIOMETRIC) in found) == told
