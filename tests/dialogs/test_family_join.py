"""Bringing a family: only what decides is asked; a verdict, why, what to bring, what it costs."""

from datetime import date

import pytest

from bot.dialogs.family_join import AskDay, Check, Today
from bot.dialogs.family_join.check import OTHER_ARTICLE, age, article, fees_since
from bot.dialogs.family_join.texts import VISA_PAGE
from bot.dialogs.renewal import ListFile
from bot.domain import RESIDENCY_PHONE
from bot.i18n.text import Code, Day, Money
from bot.residency.family_join import Joining, professions
from bot.rules import RULES
from bot.spec import Fault, Invalid
from tests.dialogs.family import FAMILY
from tests.dialogs.harness import Chat
from tests.dialogs.leaving import TODAY, records, signed_in

PHONE = Code(RESIDENCY_PHONE)
LEAST = Money(800_000)
FIRST = RULES.fees.fee[0].period[0].first
MET = "✓ By these answers the conditions for a family visa are met."
NOT_MET = "✕ By these answers the conditions for a family visa are not met."
APPROVAL = "Possible, if the director general"
DEPARTMENT = "Residency Affairs decides this case"
EVERYBODY = (
    "the application form for this visa",
    "a copy of their passport, valid until",
    "a copy of your civil ID card",
    "a passport or certificate that shows how you are related",
)
WORK = "a copy of the work permit, which shows the salary"


def begin(chat: Chat) -> Chat:
    records(chat).says("/menu").presses("More").presses("Bringing my family").did(AskDay())
    return chat.stands("family_join.joining").hears("Who is to join you in Kuwait?")


def told(chat: Chat, verdict: str, *papers: str, fee: int = 20_000) -> Chat:
    """The verdict, the personal checklist and nothing else on it, and the fees."""
    chat.stands("family_join.verdict").hears(verdict)
    everything = (
        *EVERYBODY,
        WORK,
        "the university degree",
        "a copy of the company's",
        "the approval in writing",
    )
    for paper in everything:
        (chat.hears if paper in papers else chat.hears_not)(paper)
    if papers:
        chat.hears("a copy of their passport, valid until", day=Day(date(2027, 5, 21)))
        chat.hears("Residency fee {fee} a year", fee=Money(fee), day=Day(date(2025, 12, 23)))
        chat.hears("Health insurance {fee} a year", fee=Money(100_000))
    else:
        chat.hears_not("To bring:").hears_not("Residency fee {fee} a year")
    return chat.offers("🔗 Visa page", "Check someone else", "They are here: renew", "Menu")


# --- who and which article -----------------------------------------------------------------------


@pytest.mark.parametrize("who", ["Wife or husband", "Son or daughter"])
@pytest.mark.parametrize("button", ["18, private sector", "17, government"])
def test_a_salary_that_reaches_is_enough(chat: Chat, who: str, button: str) -> None:
    begin(chat).presses(who).hears("Which article is your own residency?").presses(button)
    chat.hears("What is the monthly salary on your work permit").says("٨٥٠ د.ك")
    told(chat, MET, *EVERYBODY, WORK).hears(
        "The salary, {salary}, reaches", salary=Money(850_000), least=LEAST
    )
    chat.hears_not("Residency Affairs, phone {phone}")
    assert chat.last.buttons[0].url == VISA_PAGE


@pytest.mark.parametrize(
    ("written", "met"), [("800", True), ("799.999", False), ("1,200", True), ("799", False)]
)
def test_the_least_salary_is_enough(chat: Chat, written: str, *, met: bool) -> None:
    begin(chat).presses("Wife or husband").presses("18, private").says(written)
    chat.stands("family_join.verdict" if met else "family_join.listed")


def test_a_partner_brings_the_contract(chat: Chat) -> None:
    begin(chat).presses("Wife or husband").presses("19, partner")
    told(chat, MET, *EVERYBODY, "a copy of the company's", fee=40_000)


def test_a_self_sponsor_needs_approval(chat: Chat) -> None:
    begin(chat).presses("Son or daughter").presses("24, self-sponsor")
    told(chat, APPROVAL, *EVERYBODY, "the approval in writing", fee=100_000)
    chat.hears("That is asked of sponsors of article", article=24).hears(
        "Residency Affairs, phone", phone=PHONE
    )


def test_other_relatives_are_the_departments_to_decide(chat: Chat) -> None:
    begin(chat).presses("Another relative").presses("18, private sector")
    told(chat, DEPARTMENT, *EVERYBODY, WORK, "the approval in writing", fee=300_000)
    chat.hears("The published conditions are for a wife, a husband and children.")


def test_other_articles_are_the_departments_to_decide(chat: Chat) -> None:
    begin(chat).presses("Wife or husband").presses("None of these").stands("family_join.verdict")
    chat.hears(DEPARTMENT).hears("The published conditions do not name sponsors of your residency.")
    chat.hears("The published fees do not name this case.").hears("Residency Affairs, phone", phone=PHONE)


@pytest.mark.parametrize("written", ["18", "مادة 18", "٢٤", "visa 19"])
def test_the_article_is_typed(chat: Chat, written: str) -> None:
    begin(chat).presses("Wife or husband").says(written)
    assert chat.top.state in {"salary", "verdict"}


def test_no_article(chat: Chat) -> None:
    begin(chat).presses("Wife or husband").says("80").hears("I need the article's number")
    chat.says("خاص").says("18 او 19").stands("family_join.article").hears("It stands on the residency in the")


# --- below the salary ----------------------------------------------------------------------------


def below(chat: Chat, who: str) -> Chat:
    """The salary is too low; the list of excused professions is on the screen."""
    begin(chat).presses(who).presses("18, private").says("750.500")
    chat.stands("family_join.listed").hears("Is your profession on the work permit one of these?")
    for name in professions(TODAY):
        chat.hears("- {what}", what=name)
    return chat


def test_an_excused_profession_with_a_degree_that_fits(chat: Chat) -> None:
    below(chat, "Wife or husband").presses("Yes").hears("Do you hold a university degree?").presses("Yes")
    chat.hears("Does your profession on the work permit fit").presses("Yes")
    told(chat, MET, *EVERYBODY, WORK, "the university degree")
    chat.hears("The salary, {salary}, is below {least}, but your", salary=Money(750_500), least=LEAST)


@pytest.mark.parametrize("answers", [("Yes", "No"), ("Yes", "Yes", "No"), ("No",)])
def test_a_wife_with_no_excuse(chat: Chat, answers: tuple[str, ...]) -> None:
    below(chat, "Wife or husband")
    for answer in answers:
        chat.presses(answer)
    chat.hears("Was whoever is to join born in Kuwait").presses("No")
    told(chat, NOT_MET).hears(
        "The salary, {salary}, is below the minimum", salary=Money(750_500), least=LEAST
    )
    chat.hears("Residency Affairs, phone", phone=PHONE).hears_not(APPROVAL)


@pytest.mark.parametrize("who", ["Wife or husband", "Son or daughter"])
def test_born_or_here_already(chat: Chat, who: str) -> None:
    below(chat, who).presses("No").presses("Yes")
    told(chat, APPROVAL, *EVERYBODY, WORK, "the approval in writing")
    chat.hears("It can be overlooked for whoever was born in Kuwait or is there already.")


@pytest.mark.parametrize(("years", "asked"), [("0", True), ("5", True), ("6", False), ("5 سنوات", True)])
def test_a_young_child_with_both_parents_here(chat: Chat, years: str, *, asked: bool) -> None:
    below(chat, "Son or daughter").presses("No").presses("No").hears("How old is the child").says(years)
    if not asked:
        told(chat, NOT_MET)
        return
    chat.hears("Do both parents of the child live in Kuwait?").presses("Yes")
    told(chat, APPROVAL, *EVERYBODY, WORK, "the approval in writing")
    chat.hears("It can be overlooked for a child of up to", n=5)


def test_a_young_child_with_one_parent_here(chat: Chat) -> None:
    below(chat, "Son or daughter").presses("No").presses("No").says("3").presses("No")
    told(chat, NOT_MET)


def test_no_age_and_no_salary(chat: Chat) -> None:
    begin(chat).presses("Son or daughter").presses("17, government").says("كثير").hears("I need one amount")
    chat.says("قليل").hears("The salary on the work permit counts").says("300").presses("No").presses("No")
    chat.says("صغير").hears("I need the age in whole years").says("200").hears("Completed years").says("2")
    chat.stands("family_join.parents")


# --- rules of other days -------------------------------------------------------------------------


def on(chat: Chat, day: date) -> Chat:
    """The check on another day."""
    records(chat).answers(AskDay, Today(day.isoformat())).says("/menu").presses("More")
    return chat.presses("Bringing my family")


def test_before_december_2025_an_older_child_needs_a_degree(chat: Chat) -> None:
    on(chat, date(2025, 12, 22)).presses("Son or daughter").presses("18, private").says("900")
    chat.hears("How old is the child").says("14").hears("Do you hold a university degree?").presses("No")
    chat.hears("Is your profession on the work permit one of these?").presses("No").hears(NOT_MET)
    chat.hears("A university degree is needed, and your profession is not excused it.")
    on(chat, date(2025, 12, 23)).presses("Son or daughter").presses("18, private").says("900").hears(MET)


def test_a_profession_that_does_not_fit(chat: Chat) -> None:
    on(chat, date(2024, 3, 1)).presses("Wife or husband").presses("18, private").says("900").presses("Yes")
    chat.presses("No").presses("No").hears("Your profession does not fit your degree")


def test_the_fee_of_another_relative_has_its_own_day() -> None:
    assert fees_since(Check("2026-11-21", Joining.OTHER, OTHER_ARTICLE)) == date(2025, 12, 23)
    assert fees_since(Check("2026-11-21", Joining.SPOUSE, OTHER_ARTICLE)) == TODAY, "no fee is known"


@pytest.mark.parametrize(
    ("day", "since", "fee"),
    [(date(2025, 12, 22), FIRST, 10_000), (date(2025, 12, 23), date(2025, 12, 23), 20_000)],
)
def test_fees_are_those_of_the_day(chat: Chat, day: date, since: date, fee: int) -> None:
    assert fees_since(Check(day.isoformat(), Joining.SPOUSE, 18)) == since
    on(chat, day).presses("Wife or husband").presses("18, private").says("900")
    chat.hears("Residency fee {fee} a year", fee=Money(fee), day=Day(since))


# --- ways in and out -----------------------------------------------------------------------------


def test_someone_else_begins_anew_on_the_same_day(chat: Chat) -> None:
    begin(chat).presses("Wife or husband").presses("19, partner").presses("Check someone else")
    chat.stands("family_join.joining").did().presses("Son or daughter").stands("family_join.article")


def test_back_corrects_an_answer(chat: Chat) -> None:
    below(chat, "Wife or husband").presses("Back").stands("family_join.salary").says("900")
    chat.stands("family_join.verdict").hears(MET)


@pytest.mark.parametrize("early", [True, False])
def test_those_who_are_here_are_renewed(chat: Chat, *, early: bool) -> None:
    begin(signed_in(chat)).answers(ListFile, FAMILY)
    if not early:
        chat.presses("Wife or husband").presses("19, partner")
    chat.presses("They are here: renew").stands("family_join.renewal", "renewal.file").says("/cancel")
    chat.stands("family_join.joining" if early else "family_join.verdict")


@pytest.mark.parametrize("fault", [*Fault])
def test_no_day(chat: Chat, fault: Fault) -> None:
    chat.answers(AskDay, fault, Today(TODAY.isoformat())).says("/menu").presses("More").presses("Bringing my")
    chat.stands("family_join.down").hears("The conditions cannot be read just now.").presses("Try again")
    chat.stands("family_join.joining")


@pytest.mark.parametrize("words", ["family visa", "لم شمل", "bring my wife", "أجيب زوجتي", "visa 22"])
def test_words_lead_here(chat: Chat, words: str) -> None:
    records(chat).says("/start").says(words).stands("family_join.joining")


def test_yes_and_no_in_words(chat: Chat) -> None:
    below(chat, "Wife or husband").says("لا" if chat.language == "ar" else "No").stands("family_join.here")
    chat.says("إي").stands("family_join.verdict")


def test_out(chat: Chat) -> None:
    begin(chat).presses("Wife or husband").says("/cancel").hears("Stopped. Nothing was sent.").stands()


@pytest.mark.parametrize(
    ("text", "years"),
    [("0", 0), ("5", 5), ("٥ سنوات", 5), ("18 months", 1), ("11 شهر", 0), ("4 years old", 4)],
)
def test_an_age(text: str, years: int) -> None:
    assert age(text, TODAY) == years


@pytest.mark.parametrize("text", ["", "صغير", "121", "3 or 4", "12/03/2020"])
def test_no_age(text: str) -> None:
    assert isinstance(age(text, TODAY), Invalid)


@pytest.mark.parametrize(("text", "number"), [("14", 14), ("31", 31), ("المادة ٢٢", 22)])
def test_an_article(text: str, number: int) -> None:
    assert article(text, TODAY) == number


@pytest.mark.parametrize("text", ["", "13", "32", "18 19", "285011500029"])
def test_what_is_no_article(text: str) -> None:
    assert isinstance(article(text, TODAY), Invalid)
