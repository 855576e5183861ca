"""Overstay: what it costs, what waiting adds, by the records or by a date; and everything is asked in two languages."""

from datetime import date, timedelta

import pytest

from bot.dialogs.checkout import CheckPayment, OpenOrder, Status
from bot.dialogs.identify import BeginSignIn, Confirmed, ConfirmSignIn, SignInLink
from bot.dialogs.overstay import CheckOverstay, CheckTravel, EstimateOverstay, NoPermit
from bot.domain import RESIDENCY_PHONE
from bot.i18n.text import Code, Day, Money
from bot.residency.overstay import Case, estimate
from bot.spec import Fault
from tests.dialogs.data import HOST, ORDER, PAGE, PAID, items, link, standing
from tests.dialogs.harness import CIVIL_ID, MASKED, NOON, Chat
from tests.dialogs.leaving import TODAY, fine, records, signed_in, stayed

DUE = (fine(1, 120_000), fine(2, 5_000))
BARRED = fine(3, 62_000, barrier="office")
PHONE = Code(RESIDENCY_PHONE)


def begin(chat: Chat) -> Chat:
    return chat.says("/menu").presses("More").presses("Overstay and travel").stands("overstay.asking")


def own(chat: Chat, days: int = 200, **known: object) -> Chat:
    """What is told of one's own residency is on the screen."""
    begin(records(signed_in(chat), days, **known)).presses("My overstay's cost")
    return chat.did(CheckOverstay())


def by_date(chat: Chat, case: str, last: str) -> Chat:
    """An estimate for a case by one date."""
    begin(records(chat)).presses("Estimate by a date").hears("An estimate for which case?")
    return chat.presses(case).stands("overstay.last").says(last)


# --- one's own, from the records -----------------------------------------------------------------


def test_late_with_fines(chat: Chat) -> None:
    own(chat, -45, fines=DUE).stands("overstay.stay").hears("Your own civil ID {number}", number=Code(MASKED))
    chat.hears("Late by {n} day, since", n=45, day=Day(date(2026, 10, 8)))
    chat.hears("Recorded and due:", n=2, amount=Money(125_000))
    chat.hears("Estimate, not the ministry's figure", amount=Money(120_000))
    chat.hears("A week of waiting adds", more=Money(28_000), amount=Money(148_000))
    chat.hears("It is for the whole stay, not on top").hears("To settle it: Residency Affairs", phone=PHONE)
    chat.offers("Pay {total}", "How is it counted?", "Clear to travel?", "Back", "Menu")


def test_what_is_recorded_is_paid_here_and_looked_at_again(chat: Chat) -> None:
    own(chat, -45, fines=(*DUE, BARRED)).answers(OpenOrder, link()).answers(
        CheckPayment, standing(Status.PAID)
    )
    chat.presses("Pay {total}", total=Money(125_000)).stands("overstay.paying", "checkout.paying")
    chat.did(OpenOrder(MASKED, items(*DUE)))
    chat.answers(CheckOverstay, stayed(-45, fines=(fine(1, 120_000, barrier="settling"), BARRED)))
    chat.presses("I have paid").hears("✓ Paid: *{amount}*").presses("What else is owed?").stands(
        "overstay.stay"
    )
    chat.did(CheckPayment(ORDER), CheckOverstay()).hears("{n} violation was paid a moment ago", n=1)
    chat.hears_not("Recorded and due:").hears("Recorded, not payable online:", n=1, amount=Money(62_000))


def test_leaving_the_payment_comes_back(chat: Chat) -> None:
    own(chat, -45, fines=DUE).answers(OpenOrder, link()).presses("Pay {total}")
    chat.says("/back").stands("overstay.stay").hears("Recorded and due:", n=2)


def test_late_without_a_record(chat: Chat) -> None:
    own(chat, -1).hears("Late by {n} day, since", n=1, day=Day(TODAY)).hears(
        "No residency violation is recorded"
    )
    chat.hears("Estimate, not the ministry's figure", amount=Money(2_000))
    chat.hears("What is really due stands in the ministry's records alone.")
    chat.offers("How is it counted?", "Clear to travel?", "Back", "Menu")


def test_what_cannot_be_paid_here_says_where(chat: Chat) -> None:
    own(chat, 10, fines=(BARRED,)).stands("overstay.stay").hears("Recorded, not payable online:", n=1)
    chat.hears("Residency Affairs, phone {phone}", phone=PHONE).hears_not(
        "Estimate, not the ministry's figure"
    )
    chat.offers("Clear to travel?", "Back", "Menu")


def test_an_old_fine_of_a_valid_residency_is_payable(chat: Chat) -> None:
    own(chat, 10, fines=DUE).stands("overstay.stay").hears("Nothing is late:", n=10)
    chat.hears("Recorded and due:", n=2).offers("Pay {total}", "Clear to travel?", "Back", "Menu")


@pytest.mark.parametrize("days", [1, 2, 10, 11, 100, 1826])
def test_not_late_says_the_days_left(chat: Chat, days: int) -> None:
    own(chat, days).stands("overstay.in_order").hears(
        "Nothing is late:", n=days, day=Day(TODAY + timedelta(days=days))
    )
    chat.hears_not("Estimate, not the ministry's figure").offers("Clear to travel?", "Menu")


def test_the_last_day_is_not_late(chat: Chat) -> None:
    own(chat, 0).stands("overstay.in_order").hears("Nothing is late, but today is the last day.")


def test_nobody_in_the_records(chat: Chat) -> None:
    begin(records(signed_in(chat))).answers(CheckOverstay, NoPermit.NO_PERMIT).presses("My overstay's cost")
    chat.stands("overstay.no_permit").hears("The records hold no residency under your civil ID.")
    chat.hears("If you have one: Residency Affairs", phone=PHONE).presses("Estimate by a date")
    chat.stands("overstay.case")


def test_signing_in_comes_first_and_leads_back(chat: Chat) -> None:
    records(chat, -45, fines=DUE)
    chat.answers(BeginSignIn, SignInLink("S1", PAGE, HOST, NOON + 300))
    chat.answers(ConfirmSignIn, Confirmed(CIVIL_ID))
    begin(chat).presses("My overstay's cost").stands("overstay.own", "identify.link")
    chat.returned("S1").says("402917").stands("overstay.stay").hears("Recorded and due:", n=2)


def test_not_signing_in_leads_back(chat: Chat) -> None:
    records(chat).answers(BeginSignIn, SignInLink("S1", PAGE, HOST, NOON + 300))
    begin(chat).presses("My overstay's cost").says("/cancel").stands("overstay.asking")
    assert CheckOverstay() not in chat.effects


def test_a_sign_in_that_ran_out_is_asked_for_again(chat: Chat) -> None:
    chat.answers(BeginSignIn, SignInLink("S1", PAGE, HOST, NOON + 300))
    begin(records(signed_in(chat))).answers(CheckOverstay, Fault.UNSIGNED)
    chat.wait(minutes=40).says("/menu").presses("More").presses("Overstay and travel")
    chat.presses("My overstay's cost").stands("overstay.own", "identify.link")


# --- by a date -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("button", "case"),
    [
        ("Residency expired", Case.EXPIRED),
        ("Domestic worker", Case.DOMESTIC),
        ("Visit visa", Case.VISIT),
        ("Temporary residency", Case.TEMPORARY),
        ("Work permit cancelled", Case.WORK_CANCELLED),
    ],
)
@pytest.mark.parametrize("days", [1, 30, 31, 45, 200, 400])
def test_every_case_is_the_rules_figure(chat: Chat, button: str, case: Case, days: int) -> None:
    last = TODAY - timedelta(days=days)
    by_date(chat, button, f"{last:%d/%m/%Y}").stands("overstay.estimated")
    chat.did(EstimateOverstay(case, last.isoformat()))
    expected = estimate(case, last, TODAY)
    chat.hears("Late by {n} day, since", n=days, day=Day(last + timedelta(days=1)))
    chat.hears("Estimate, not the ministry's figure", amount=Money(expected.fils))
    chat.hears("What is really due stands in the ministry's records alone.")
    if expected.capped:
        chat.hears("That is the highest settlement amount.").hears_not("A week of waiting adds")
    else:
        week = expected.weeks[0]
        chat.hears("A week of waiting adds", more=Money(week.more), amount=Money(week.fils))
    chat.offers("How is it counted?", "What is recorded?", "Another date", "Another case", "Back", "Menu")


@pytest.mark.parametrize(
    ("born", "late", "amount"),
    [
        ("21/07/2026", 0, 0),  # four months to the day
        ("20/07/2026", 1, 2_000),
        ("21/06/2026", 31, 64_000),
        ("31/10/2025", 266, 60_000 + 236 * 4_000),  # due on the last of a February
    ],
)
def test_a_newborn_has_four_months(chat: Chat, born: str, late: int, amount: int) -> None:
    begin(records(chat)).presses("Estimate by a date").presses("Newborn unregistered")
    chat.hears("On which day was the child born?").says(born).stands("overstay.estimated")
    if late:
        chat.hears("Late by {n} day, since", n=late)
        chat.hears("Estimate, not the ministry's figure", amount=Money(amount))
    else:
        chat.hears("Nothing is late, but today is the last day.").hears_not("Estimate, not the ministry's")


@pytest.mark.parametrize("written", ["7/10/2026", "٧/١٠/٢٠٢٦", "7 أكتوبر 2026", "2026-10-07", "7 Oct 26"])
def test_dates_as_people_write_them(chat: Chat, written: str) -> None:
    by_date(chat, "Residency expired", written).did(EstimateOverstay(Case.EXPIRED, "2026-10-07"))


def test_no_date(chat: Chat) -> None:
    by_date(chat, "Residency expired", "قبل شهر").hears("I need a full date").stands("overstay.last")
    chat.says("31/02/2026").hears("Day first, then month").says("7/10/2026").stands("overstay.estimated")


def test_not_late_by_the_date(chat: Chat) -> None:
    by_date(chat, "Residency expired", "01/12/2026").hears(
        "Nothing is late:", n=10, day=Day(date(2026, 12, 1))
    )
    chat.hears_not("Estimate, not the ministry's figure").hears_not("No residency violation is recorded")
    chat.offers("What is recorded?", "Another date", "Another case", "Back", "Menu")


def test_how_it_is_counted(chat: Chat) -> None:
    by_date(chat, "Residency expired", "27/10/2026").presses("How is it counted?").stands("overstay.counted")
    chat.hears(
        "By the rates since {day}: {first} a day in the first month", first=Money(2_000), after=Money(4_000)
    )
    for on, fils, more in (
        (date(2026, 11, 28), 68_000, 18_000),
        (date(2026, 12, 5), 96_000, 28_000),
        (date(2026, 12, 12), 124_000, 28_000),
        (date(2026, 12, 19), 152_000, 28_000),
    ):
        chat.hears("{day}: {amount}, {more} more", day=Day(on), amount=Money(fils), more=Money(more))
    chat.hears("The most is reached on", day=Day(date(2027, 9, 7))).hears("the first month has", n=30)
    chat.hears("the day after the last one is the first late day")
    chat.hears("A court can decide otherwise. I give no advice", phone=PHONE)
    chat.presses("Back").stands("overstay.estimated").hears("Late by {n} day, since", n=25)


def test_at_the_cap_waiting_adds_nothing(chat: Chat) -> None:
    by_date(chat, "Domestic worker", "01/01/2026").hears("Estimate, not the", amount=Money(600_000))
    chat.presses("How is it counted?").hears(
        "By the rates since {day}: {first} a day, {cap}", cap=Money(600_000)
    )
    chat.hears("That is reached; waiting adds nothing").hears_not("Settled on:").hears_not(
        "the first month has"
    )


def test_the_last_week_before_the_cap(chat: Chat) -> None:
    """313 days late: the cap comes within the week, and later weeks add nothing, so they are not told."""
    last = TODAY - timedelta(days=313)
    by_date(chat, "Residency expired", f"{last:%d/%m/%Y}").hears(
        "A week of waiting adds", more=Money(8_000), amount=Money(1_200_000)
    )
    chat.presses("How is it counted?").hears("{day}: {amount}, {more} more", more=Money(8_000))
    assert chat.last.text.count("1,200.000") == 2, "the cap in the rates and one week"


def test_a_waiver_is_told_where_it_covers_late_days(chat: Chat) -> None:
    by_date(chat, "Visit visa", "20/03/2026").hears(
        "The ministry waives these fines", first=Day(date(2026, 2, 28)), last=Day(date(2026, 3, 27))
    )
    chat.presses("How is it counted?").hears("days that the ministry waived are left out")


@pytest.mark.parametrize(
    ("button", "last"), [("Visit visa", "27/03/2026"), ("Residency expired", "20/03/2026")]
)
def test_a_waiver_for_other_days_or_cases_is_not(chat: Chat, button: str, last: str) -> None:
    by_date(chat, button, last).stands("overstay.estimated").hears_not("The ministry waives these fines")


def test_another_date_and_another_case(chat: Chat) -> None:
    by_date(chat, "Visit visa", "11/11/2026").hears("Estimate, not the", amount=Money(100_000))
    chat.presses("Another date").says("20/11/2026").hears("Estimate, not the", amount=Money(10_000))
    chat.presses("Another case").presses("Domestic worker").says("20/11/2026")
    chat.hears("Estimate, not the", amount=Money(2_000))


@pytest.mark.parametrize("fault", [*Fault])
def test_no_figure(chat: Chat, fault: Fault) -> None:
    begin(chat).answers(EstimateOverstay, fault, stayed(-1)).presses("Estimate by a date")
    chat.presses("Visit visa").says("20/11/2026").stands("overstay.no_figure").hears(
        "There is no estimate just now."
    )
    chat.presses("Try again").stands("overstay.estimated")


# --- records that do not answer ------------------------------------------------------------------


def test_slow(chat: Chat) -> None:
    begin(signed_in(chat)).presses("My overstay's cost").stands("overstay.checking")
    chat.slow().hears("The ministry's records are slow today").lets_go(stayed(-45)).stands("overstay.stay")


@pytest.mark.parametrize("fault", [fault for fault in Fault if fault is not Fault.UNSIGNED])
def test_down_is_tried_again_for_ten_minutes(chat: Chat, fault: Fault) -> None:
    begin(signed_in(chat)).answers(CheckOverstay, fault).presses("My overstay's cost")
    chat.stands("overstay.down").hears("The ministry's records do not answer now. I will try again")
    chat.wait(minutes=9, seconds=59).stands("overstay.still_down").hears_nothing()
    chat.wait(minutes=2).stands("overstay.gave_up").hears(
        "The ministry's records did not answer for ten minutes"
    )
    chat.did(*[CheckOverstay()] * 11)
    chat.answers(CheckOverstay, stayed(-45)).presses("Try again").stands("overstay.stay")


def test_the_answer_comes_by_itself(chat: Chat) -> None:
    begin(signed_in(chat)).answers(CheckOverstay, Fault.UNAVAILABLE, stayed(-45)).presses(
        "My overstay's cost"
    )
    chat.wait(minutes=1).hears("Late by {n} day, since", n=45).stands("overstay.stay")


def test_the_right_question_is_asked_again(chat: Chat) -> None:
    """After an overstay that was not answered, a journey that is not either."""
    begin(signed_in(chat)).answers(CheckOverstay, Fault.UNAVAILABLE).answers(CheckTravel, Fault.UNAVAILABLE)
    chat.presses("My overstay's cost").presses("Stop trying").stands().hears("Stopped. Nothing was paid.")
    begin(chat).presses("Clear to travel?").stands("overstay.down")
    chat.effects.clear()
    chat.presses("Try now").did(CheckTravel()).wait(minutes=1).did(CheckTravel())


# --- ways in and out -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words", ["overstay", "تأخرت إقامتي", "can i travel", "أقدر أسافر", "منع سفر", "مبلغ الصلح"]
)
def test_words_lead_here(chat: Chat, words: str) -> None:
    chat.says("/start").says(words).stands("overstay.asking").hears("What would you like to know?")


def test_back_and_out(chat: Chat) -> None:
    by_date(chat, "Visit visa", "قريب").presses("Back").stands("overstay.case").presses("Back")
    chat.stands("overstay.asking").says("/cancel").hears("Stopped. Nothing was paid.").stands()


def test_a_payment_elsewhere_is_told_here(chat: Chat) -> None:
    own(chat, 200).wakes("paid", ORDER, **PAID).hears("✓ Paid: *{amount}*").stands("overstay.in_order")
