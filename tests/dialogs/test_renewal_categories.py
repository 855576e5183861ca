"""A renewal of each category, with the amounts of the rules of the day: article 22 by sponsor, and the others.

The residencies are made up; what is offered and what it costs is computed, as for a resident.
"""

from datetime import date
from typing import Any

import pytest

from bot.dialogs.checkout import OpenOrder
from bot.dialogs.renewal import File, Quoted, QuoteRenewals
from bot.domain import Bill
from bot.i18n.text import Day, Local, Money
from bot.residency import assess, lines
from bot.residency.facts import Kin, Permit
from bot.residency.verdict import Candidate
from tests.dialogs.family import (
    DAUGHTER_ID,
    MINUTES,
    MOTHER_ID,
    SON_ID,
    TODAY,
    WIFE_ID,
    listed,
    payable,
    summed,
    wish,
)
from tests.dialogs.harness import CIVIL_ID, MASKED, NOON, Chat

EXPIRES, INSURED = date(2027, 1, 1), date(2029, 1, 1)
"""41 days left; insured for two years more."""


def permit(kin: Kin, article: int = 22, civil_id: str = WIFE_ID, **other: Any) -> Permit:
    """A residency in order."""
    given: dict[str, Any] = {
        "number": f"P-{civil_id}"[:12],
        "name": Local("اسم", "Name"),
        "latin": "SARA ALI",
        "passport_latin": "SARA ALI",
        "born": date(1990, 6, 30),
        "expires": EXPIRES,
        "insured_until": INSURED,
        "passport_expires": date(2031, 1, 1),
        **other,
    }
    return Permit(civil_id=civil_id, kin=kin, article=article, **given)


def quote(*plan: tuple[Permit, int]) -> Quoted:
    """The price of ``plan``, computed."""
    items = tuple(item for part, (one, years) in enumerate(plan) for item in lines(one, years, TODAY, part))
    people = tuple(assess(one, TODAY) for one, _ in plan)
    return Quoted(Bill(MASKED, items, tuple(one.civil_id for one in people)), people, NOON + 60 * MINUTES)


def shown(one: Permit) -> Candidate:
    """How it stands today."""
    return assess(one, TODAY)


CASES: dict[str, tuple[Permit, int]] = {
    "wife of article 18": (permit(Kin.WIFE, sponsor_article=18), 20_000),
    "wife of article 17": (permit(Kin.WIFE, sponsor_article=17), 20_000),
    "son of article 18": (permit(Kin.SON, sponsor_article=18), 20_000),
    "daughter of article 23": (permit(Kin.DAUGHTER, sponsor_article=23), 20_000),
    "wife of article 19": (permit(Kin.WIFE, sponsor_article=19), 40_000),
    "husband of article 21": (permit(Kin.HUSBAND, sponsor_article=21), 40_000),
    "wife of article 25": (permit(Kin.WIFE, sponsor_article=25), 40_000),
    "wife of article 24": (permit(Kin.WIFE, sponsor_article=24), 100_000),
    "child of article 24": (permit(Kin.SON, sponsor_article=24), 100_000),
    "mother of article 18": (permit(Kin.MOTHER, sponsor_article=18), 300_000),
    "father of article 24": (permit(Kin.FATHER, sponsor_article=24), 300_000),
    "domestic worker of a Kuwaiti": (permit(Kin.DOMESTIC, 20, kuwaiti_sponsor=True), 10_000),
    "domestic worker of a resident": (permit(Kin.DOMESTIC, 20, sponsor_article=18), 50_000),
    "self-sponsor": (permit(Kin.SELF, 24, CIVIL_ID), 500_000),
    "foreign partner": (permit(Kin.SELF, 19, CIVIL_ID), 50_000),
    "investor": (permit(Kin.SELF, 21, CIVIL_ID), 50_000),
    "property owner": (permit(Kin.SELF, 25, CIVIL_ID), 50_000),
    "student": (permit(Kin.SELF, 23, CIVIL_ID), 20_000),
    "widow of a Kuwaiti": (permit(Kin.SELF, 24, CIVIL_ID, kuwaiti_widow=True), 10_000),
}
"""By domain notes, 2.3: a year's fee since 23 December 2025, in fils."""


@pytest.mark.parametrize("case", CASES)
def test_each_category_with_its_fee(chat: Chat, case: str) -> None:
    one, year = CASES[case]
    person = shown(one)
    assert [offer.fils for offer in person.offers] == [year, 2 * year], "two years, as it is insured"
    listed(chat, File((person,))).hears("✓ {who}: {days}; can be renewed now").presses("Renew the ready one")
    chat.presses("{n} year: {amount}", n=2, amount=Money(2 * year)).hears_text("SARA ALI")
    payable(summed(chat, quote((one, 2)))).did(QuoteRenewals((wish(person, 2),)))
    chat.hears("In all *{total}*", total=Money(2 * year))
    chat.hears("{who}: {years}, until {day}: {amount}", day=Day(date(2029, 1, 1)), amount=Money(2 * year))
    chat.presses("Pay {total}", total=Money(2 * year)).stands("renewal.paying", "checkout.paying")
    (order,) = chat.effects
    assert isinstance(order, OpenOrder)
    assert sum(item.fils for item in order.items) == 2 * year
    assert order.owners == (one.civil_id,)


def test_different_categories_in_one_pass(chat: Chat) -> None:
    """A wife, a son with another number of years, the mother and a domestic worker, paid once."""
    wife, son = permit(Kin.WIFE, sponsor_article=18), permit(Kin.SON, 22, SON_ID, sponsor_article=18)
    mother = permit(Kin.MOTHER, 22, MOTHER_ID, sponsor_article=18)
    maid = permit(Kin.DOMESTIC, 20, DAUGHTER_ID, sponsor_article=18)
    plan = ((wife, 2), (son, 1), (mother, 1), (maid, 2))
    listed(chat, File(tuple(shown(one) for one, _ in plan))).presses("Renew the ready one", n=4)
    chat.hears("For how long? The amounts are", n=4)
    chat.offers(
        "{n} year: {amount}", "{n} year: {amount}", "Different for each", "Why not {n} year?", "Back", "Menu"
    )
    chat.presses("Different for each")
    for one, years in plan:
        offer = shown(one).offer(years)
        assert offer is not None
        chat.presses("{n} year: {amount}", n=years, amount=Money(offer.fils))
    summed(chat, quote(*plan)).hears("In all *{total}*", total=Money(40_000 + 20_000 + 300_000 + 100_000))
    chat.did(QuoteRenewals(tuple(wish(shown(one), years) for one, years in plan)))


def test_government_insurance_first_and_the_duration_with_it(chat: Chat) -> None:
    """The guide's path: no insurance, no renewal; then as long as it is paid."""
    unpaid = permit(Kin.WIFE, sponsor_article=17, insured_until=None)
    listed(chat, File((shown(unpaid),))).presses("What is the block?", n=1).hears(
        "Health insurance is not paid."
    )
    paid = permit(Kin.WIFE, sponsor_article=17, insured_until=date(2028, 1, 1))
    listed(chat, File((shown(paid),))).presses("Renew the ready one").hears_text("2028")
    chat.offers("{n} year: {amount}", "Why not {n} year?", "Back", "Menu")


@pytest.mark.parametrize(
    ("days", "ready"), [(59, True), (60, False), (61, False), (1, True), (0, True), (-1, True)]
)
def test_the_window_of_less_than_two_months(chat: Chat, days: int, ready: bool) -> None:  # noqa: FBT001
    one = permit(Kin.WIFE, sponsor_article=18, expires=date.fromordinal(TODAY.toordinal() + days))
    listed(chat, File((shown(one),)))
    assert chat.heard("✓ {who}: {days}; can be renewed now") is ready
    assert chat.heard("· {who}: {days}; renewal opens on {day}") is not ready


def test_five_years_and_why_not_six(chat: Chat) -> None:
    one = permit(Kin.WIFE, sponsor_article=18, expires=TODAY, insured_until=date(2035, 1, 1))
    person = shown(one)
    assert len(person.offers) == 5, "ordinary residence: five years at most"
    listed(chat, File((person,))).presses("Renew the ready one").presses("Why not {n} year?", n=6)
    chat.hears("{who}: at most {years}, the law's limit for article {article}.", article=22)
