"""Renewing residencies: from the file to the payment, whole and in its turns. Journey B of the design."""

import re
from pathlib import Path

import msgspec
import pytest

from bot.dialogs.checkout import CancelOrder, CheckPayment, OpenOrder, Status
from bot.dialogs.identify import BeginSignIn, Confirmed, ConfirmSignIn, SignInLink
from bot.dialogs.reminders import ListReminders
from bot.dialogs.renewal import File, ListFile, Quoted, QuoteRefused, QuoteRenewals
from bot.dialogs.renewal.file import SHOWN
from bot.i18n.text import Day, Hour, Local, Money
from bot.model import Signed
from bot.residency.facts import Kin
from bot.residency.verdict import Barrier, Block, Cap, Offer
from bot.spec import Fault
from tests.dialogs.data import ORDER, PAID, news, standing
from tests.dialogs.family import (
    DAUGHTER,
    EMPLOYER,
    FAMILY,
    MINUTES,
    MOTHER,
    SON,
    TODAY,
    WIFE,
    candidate,
    hidden,
    listed,
    overstay,
    payable,
    price,
    signed,
    summed,
    wish,
)
from tests.dialogs.harness import CIVIL_ID, HOLD, NOON, Chat

LINK = SignInLink("S1", "https://iqamati.example/signin/t0ken", "id.example.kw", NOON + 300)
READY = File((WIFE, SON))
DOCUMENT = Path(__file__).parents[2] / "docs" / "services" / "renewal.md"
TERMS = (
    "By going on you agree: the data are right as shown; a fee paid is not returned once the renewal is "
    "recorded; what the ministry's records say decides. Nothing is paid yet."
)
WRONG = (
    "Then correct it before renewing: ask for “Latin name correction” on the ministry's page, with a copy of "
    "the passport. The civil ID follows at the Public Authority for Civil Information."
)


def own(**other: object) -> File:
    """A file with oneself alone."""
    given: dict[str, object] = {"article": 24, "fee": 500_000, **other}
    return File((candidate(Kin.SELF, **given),))  # type: ignore[arg-type]


def test_journey_b_one_family_one_pass(chat: Chat) -> None:
    """The menu, the sign-in page, the file, what blocks the mother, two ready ones, one payment."""
    chat.answers(BeginSignIn, LINK).answers(ConfirmSignIn, Confirmed(CIVIL_ID)).answers(ListFile, FAMILY)
    quoted = price((WIFE, 2), (SON, 2))
    payable(chat).answers(QuoteRenewals, quoted)
    chat.says("/menu").presses("Renew residency").stands("renewal.sign_in", "identify.link")
    chat.returned("S1").says("402917").stands("renewal.file").hears("✓ You are signed in")
    chat.hears("{n} residency on your file:", n=5)
    chat.hears("· {who}: {days}; the employer renews it")
    chat.hears("✕ {who}: {days}; {blocks}").hears("{n} block", n=2)
    chat.hears("✓ {who}: {days}; can be renewed now").hears("ends in {n} day", n=41)
    chat.hears("· {who}: {days}; renewal opens on {day}", day=Day(TODAY.replace(year=2027, month=4, day=24)))
    chat.offers(
        "Renew the ready one",
        "What is the block?",
        "Choose some",
        "One person",
        "Check again",
        "Menu",
    )
    chat.presses("What is the block?", n=2).stands("renewal.person").hears(
        "Before the renewal, {n} thing", n=2
    )
    chat.hears("Health insurance is not paid.").hears("A year costs {amount}.", amount=Money(100_000))
    chat.hears("The Latin name differs from the passport.").hears_text("AMINA YUSUF").hears_text(
        "AMINAH YUSUF"
    )
    chat.offers("🔗 Health insurance", "🔗 Residency page", "Check again", "Back", "Menu")
    chat.presses("Back").stands("renewal.file").effects.clear()
    chat.presses("Renew the ready one", n=2).stands("renewal.duration")
    chat.hears("For how long? The amounts are", n=2)
    chat.hears("{who}: at most {years}, as health insurance is paid until {day}.")
    chat.offers(
        "{n} year: {amount}", "{n} year: {amount}", "Different for each", "Why not {n} year?", "Back", "Menu"
    )
    chat.presses("{n} year: {amount}", n=2, amount=Money(80_000)).stands("renewal.names")
    chat.hears("Compare with the passport, letter by letter:").hears_text("WIFE ALI").hears_text(
        "SON ALI"
    ).did()
    chat.presses("They are right").stands("renewal.terms").hears(TERMS).did()
    chat.presses("I agree").did(QuoteRenewals((wish(WIFE, 2), wish(SON, 2)))).stands("renewal.summary")
    chat.hears("In all *{total}*", total=Money(80_000)).hears(
        "This price holds until {until}.", until=Hour(quoted.until)
    )
    chat.hears("{who}: {years}, until {day}: {amount}", amount=Money(40_000)).hears_not("The price changed")
    chat.presses("Pay {total}", total=Money(80_000)).stands("renewal.paying", "checkout.paying")
    chat.did(OpenOrder(quoted.bill.subject, quoted.bill.items, quoted.bill.owners)).hears_text(
        "pay.example.kw"
    )
    chat.wakes("paid", ORDER, **PAID).hears("✓ Paid: *{amount}*").stands("renewal.paying", "checkout.paid")
    chat.says("/back").stands("renewal.paid").hears("The ministry's records show the new dates")
    chat.offers("Remind me in time", "My file again", "Menu")
    chat.presses("Remind me in time").did(ListReminders())
    chat.says("/back").stands("renewal.paid").presses("My file again").stands("renewal.file").did(ListFile())


def test_nobody_is_told_anything_without_signing_in(chat: Chat) -> None:
    chat.answers(BeginSignIn, LINK).says("/renewal").stands("renewal.sign_in", "identify.link")
    chat.did(BeginSignIn()).says("/cancel").stands().hears("Nobody was signed in.").hears(
        "Which service?"
    ).did()


@pytest.mark.parametrize(
    "text", ["/renewal", "تجديد الإقامة", "أبي أجدد اقامتي", "tajdeed", "I want to renew my iqama"]
)
def test_as_residents_ask_for_it(chat: Chat, text: str) -> None:
    signed(chat).answers(ListFile, FAMILY).says(text).stands("renewal.file").did(ListFile())


def test_no_civil_id_is_shown_or_stands_in_a_button(chat: Chat) -> None:
    listed(chat).presses("Choose some").picks(chat.last.labels[0][-10:])
    chat.presses("Renew the one picked")
    numbers = [one.civil_id for one in FAMILY.people]
    for message in chat.screen:
        for number in numbers:
            assert number not in message.text
            assert not any(number in button.token for button in message.buttons)


# --- the file ------------------------------------------------------------------------------------


@pytest.mark.parametrize("days", [1, 2, 3, 10, 11, 59, 100, 103])
def test_days_left_in_every_plural(chat: Chat, days: int) -> None:
    listed(chat, File((candidate(Kin.WIFE, days=days),))).hears("ends in {n} day", n=days)


@pytest.mark.parametrize("days", [1, 2, 3, 10, 11, 99, 100])
def test_since_when_it_is_over_in_every_plural(chat: Chat, days: int) -> None:
    listed(chat, File((candidate(Kin.WIFE, days=-days),))).hears("ended {n} day ago", n=days)


def test_the_last_day(chat: Chat) -> None:
    listed(chat, File((candidate(Kin.WIFE, days=0),))).hears("ends today")


def test_an_empty_file_is_told_kindly(chat: Chat) -> None:
    listed(chat, File(())).stands("renewal.empty").hears("There is no residency on your file")
    chat.offers("Check again", "Menu").answers(ListFile, FAMILY).presses("Check again").stands("renewal.file")


def test_oneself_alone_at_an_employer(chat: Chat) -> None:
    listed(chat, File((EMPLOYER,))).hears("{n} residency on your file:", n=1).hears("Nobody else is on it")
    chat.offers("One person", "Check again", "Menu").presses("One person").presses("{who}: {days}")
    chat.stands("renewal.person").hears("The employer renews a work residency")


def test_oneself_alone_and_ready(chat: Chat) -> None:
    listed(chat, own()).hears("✓ {who}: {days}; can be renewed now").hears("Nobody else is on it")
    chat.presses("Renew the ready one", n=1).hears("For how long? {who}").stands("renewal.duration")


def test_many_people_are_paged(chat: Chat) -> None:
    many = tuple(
        candidate(Kin.DOMESTIC, f"29006300{n:04}", barriers=(Barrier(Block.BIOMETRIC),)) for n in range(20)
    )
    listed(chat, File(many)).hears("{n} residency on your file:", n=20).hears(
        "and {n} more person", n=20 - SHOWN
    )
    chat.presses("One person").stands("renewal.people").presses("Next").presses("Next").presses("Next")
    chat.picks(chat.last.labels[1]).stands("renewal.person").hears_text("19")
    chat.presses("Back").presses("What blocks them?").stands("renewal.blocked").says("2").stands(
        "renewal.person"
    )
    chat.hears_text("01").hears("The biometric fingerprint has not been taken.")


def test_two_sons_are_told_apart_by_name(chat: Chat) -> None:
    other = msgspec.structs.replace(SON, permit="P-2", name=Local("عمر", "Omar"))
    listed(chat, File((WIFE, SON, other))).hears("{kin} {name}", name=Local("عمر", "Omar"))
    assert not any("Name 17" in message.text or "اسم 17" in message.text for message in chat.said), "one wife"


@pytest.mark.parametrize("kin", [*Kin])
def test_every_relation_has_a_word(chat: Chat, kin: Kin) -> None:
    listed(chat, File((candidate(kin),))).hears("✓ {who}: {days}; can be renewed now").stands("renewal.file")


def test_a_renewal_under_way_waits_by_itself(chat: Chat) -> None:
    busy = candidate(Kin.WIFE, barriers=(Barrier(Block.UNDERWAY),))
    listed(chat, File((busy,))).hears("· {who}: {days}; being recorded just now")
    chat.presses("One person").presses("{who}: {days}").hears("This renewal is being paid or recorded")


def test_several_blocked_are_chosen_among(chat: Chat) -> None:
    father = candidate(Kin.FATHER, "272120100478", barriers=(Barrier(Block.BIOMETRIC),))
    listed(chat, File((MOTHER, father, WIFE))).presses("What blocks them?").stands("renewal.blocked")
    chat.presses("{who}: {days}").stands("renewal.person").hears("Health insurance is not paid.")
    chat.says("/back").stands("renewal.file")


# --- whom, for how long --------------------------------------------------------------------------


def test_choosing_some_of_those_ready(chat: Chat) -> None:
    third = candidate(Kin.DAUGHTER, "300022900127")
    listed(chat, File((WIFE, SON, third))).presses("Choose some").says("1 3").presses(
        "Renew the one picked", n=2
    )
    chat.presses("{n} year: {amount}", n=1, amount=Money(40_000))
    summed(chat, price((WIFE, 1), (third, 1))).did(QuoteRenewals((wish(WIFE, 1), wish(third, 1))))


def test_one_person_looked_at_and_renewed(chat: Chat) -> None:
    listed(chat).presses("One person").says("4").stands("renewal.person").hears(
        "✓ Nothing blocks this renewal."
    )
    chat.presses("Renew").hears("For how long? {who}").presses(
        "{n} year: {amount}", n=3, amount=Money(60_000)
    )
    summed(chat, price((SON, 3))).did(QuoteRenewals((wish(SON, 3),)))


def test_only_what_is_offered_to_all_is_offered(chat: Chat) -> None:
    listed(chat, READY).presses("Renew the ready one", n=2)
    assert not any("3" in label.split(":")[0] for label in chat.last.labels[:2]), (
        "the wife may have two years"
    )
    chat.offers(
        "{n} year: {amount}", "{n} year: {amount}", "Different for each", "Why not {n} year?", "Back", "Menu"
    )


def test_a_duration_for_each(chat: Chat) -> None:
    listed(chat, READY).presses("Renew the ready one").presses("Different for each").stands("renewal.each")
    chat.presses("{n} year: {amount}", n=1, amount=Money(20_000)).stands("renewal.each")
    chat.presses("{n} year: {amount}", n=3, amount=Money(60_000)).stands("renewal.names")
    summed(chat, price((WIFE, 1), (SON, 3))).did(QuoteRenewals((wish(WIFE, 1), wish(SON, 3))))
    chat.hears("In all *{total}*", total=Money(80_000))


def test_back_begins_the_durations_again(chat: Chat) -> None:
    listed(chat, READY).presses("Renew the ready one").presses("Different for each")
    chat.presses("{n} year: {amount}", n=2).presses("Back").stands("renewal.duration")
    chat.presses("Different for each").presses("{n} year: {amount}", n=1).presses("{n} year: {amount}", n=2)
    chat.presses("Back").stands("renewal.duration").presses("{n} year: {amount}", n=1, amount=Money(40_000))
    summed(chat, price((WIFE, 1), (SON, 1))).did(QuoteRenewals((wish(WIFE, 1), wish(SON, 1))))


def test_nothing_fits_all(chat: Chat) -> None:
    late = msgspec.structs.replace(SON, offers=SON.offers[2:])
    listed(chat, File((WIFE, late))).presses("Renew the ready one").hears(
        "No one duration fits all of them, so"
    )
    chat.offers("Different for each", "Back", "Menu")
    chat.presses("Different for each").presses("{n} year: {amount}", n=2)
    chat.presses("{n} year: {amount}", n=3).stands("renewal.names")


@pytest.mark.parametrize(
    ("cap", "day", "answer"),
    [
        (Cap.INSURANCE, "2029-01-01", "{who}: at most {years}, as health insurance is paid until {day}."),
        (Cap.INSURANCE, "", "{who}: at most {years}, as health insurance is paid for no longer."),
        (Cap.ARTICLE, "", "{who}: at most {years}, the law's limit for article {article}."),
        (Cap.REGISTRY, "", "{who}: at most {years}, as the ministry's records say just now."),
        (Cap.PASSPORT, "2029-01-01", "{who}: at most {years}, as the passport is valid until {day}."),
    ],
)
def test_why_not_longer(chat: Chat, cap: Cap, day: str, answer: str) -> None:
    capped = msgspec.structs.replace(WIFE, cap=cap, cap_day=day)
    longer = candidate(Kin.WIFE, longest=4)
    longer = msgspec.structs.replace(longer, permit=WIFE.permit)
    listed(chat, File((capped,))).presses("Renew the ready one").presses("Why not {n} year?", n=3)
    chat.stands("renewal.why").hears(answer).answers(ListFile, File((longer,)))
    insured = cap is Cap.INSURANCE
    chat.offers(*(["🔗 Health insurance"] if insured else []), "Check again", "Back", "Menu")
    chat.presses("Back").stands("renewal.duration").presses("Why not {n} year?").presses("Check again")
    chat.stands("renewal.duration").hears("For how long? {who}").presses("{n} year: {amount}", n=4)


def test_the_question_why_gives_way_to_five_years(chat: Chat) -> None:
    five = candidate(Kin.SELF, longest=5, cap=Cap.ARTICLE, article=24)
    listed(chat, File((five,))).presses("Renew the ready one")
    chat.offers(*["{n} year: {amount}"] * 5, "Why not {n} year?", "Back", "Menu")
    son = candidate(Kin.SON, "315090908042", longest=5)
    listed(chat, File((five, son))).presses("Renew the ready one")
    chat.offers(*["{n} year: {amount}"] * 5, "Different for each", "Back", "Menu")


def test_an_investor_may_have_fifteen_years(chat: Chat) -> None:
    listed(chat, own(longest=15, fee=50_000, article=21)).presses("Renew the ready one").presses("Next")
    chat.presses("Next").presses("{n} year: {amount}", n=15, amount=Money(750_000)).stands("renewal.names")


# --- late, with a fine ---------------------------------------------------------------------------


def test_a_late_residency_is_paid_with_its_fine(chat: Chat) -> None:
    late = candidate(Kin.WIFE, days=-3, fines=(overstay(),))
    listed(chat, File((late, SON))).hears("ended {n} day ago", n=3).presses("Renew the ready one")
    chat.hears("Each amount includes fines of {amount}.", amount=Money(6_000))
    chat.presses("{n} year: {amount}", n=1, amount=Money(46_000))
    summed(chat, price((late, 1), (SON, 1))).hears("In all *{total}*", total=Money(46_000))
    chat.hears("{who}: {years}, until {day}: {amount}", amount=Money(20_000))
    chat.hears("{who}, {n} fine: {amount}", n=1, amount=Money(6_000))


# --- names, terms, price -------------------------------------------------------------------------


def to_summary(chat: Chat, quoted: Quoted | None = None) -> Chat:
    """Both ready ones for a year."""
    listed(chat, READY).presses("Renew the ready one").presses("{n} year: {amount}", n=1)
    return summed(chat, quoted or price((WIFE, 1), (SON, 1)))


def test_a_wrong_name_is_corrected_first(chat: Chat) -> None:
    listed(chat, READY).presses("Renew the ready one").presses("{n} year: {amount}", n=1)
    chat.presses("A name is wrong").stands("renewal.wrong").hears(WRONG)
    chat.offers("🔗 Residency page", "Check again", "Back", "Menu").presses("Back").stands("renewal.names")
    chat.presses("A name is wrong").presses("Check again").stands("renewal.file").did(ListFile())


def test_the_price_changed(chat: Chat) -> None:
    dearer = msgspec.structs.replace(WIFE, offers=(Offer(1, "2028-01-01", 30_000, 30_000),))
    to_summary(chat, price((dearer, 1), (SON, 1), changed=True))
    chat.hears("The price changed meanwhile", total=Money(50_000), before=Money(40_000)).hears_not(
        "In all *{total}*"
    )
    payable(chat).presses("Pay {total}", total=Money(50_000)).stands("renewal.paying", "checkout.paying")


@pytest.mark.parametrize(
    ("refusal", "why"),
    [
        (QuoteRefused.BLOCKED, "Meanwhile something blocks one of those chosen."),
        (QuoteRefused.NOT_OFFERED, "A duration that was chosen is not offered any more."),
        (Fault.FORBIDDEN, "Somebody who was chosen is not on your file any more."),
    ],
)
def test_something_changed_before_the_price(chat: Chat, refusal: object, why: str) -> None:
    listed(chat, READY).presses("Renew the ready one").presses("{n} year: {amount}", n=1).presses(
        "They are right"
    )
    blocked = msgspec.structs.replace(SON, offers=(), barriers=(Barrier(Block.BIOMETRIC),))
    chat.answers(QuoteRenewals, refusal).answers(ListFile, File((WIFE, blocked))).presses("I agree")
    chat.stands("renewal.file").hears(why).hears("{n} block", n=1)
    chat.did(QuoteRenewals((wish(WIFE, 1), wish(SON, 1))), ListFile())
    chat.presses("Check again").hears_not(why)


def test_the_price_runs_out(chat: Chat) -> None:
    to_summary(chat).wait(minutes=MINUTES).stands("renewal.expired").hears("The price held until {until}.")
    chat.effects.clear()
    chat.presses("New price").did(QuoteRenewals((wish(WIFE, 1), wish(SON, 1)))).stands("renewal.summary")


def test_a_large_sum_wants_a_fresh_sign_in(chat: Chat) -> None:
    chat.answers(BeginSignIn, LINK).answers(ConfirmSignIn, Confirmed(CIVIL_ID))
    payable(to_summary(chat, price((WIFE, 1), (SON, 1), large=True))).wait(minutes=6)
    chat.presses("Pay {total}").stands("renewal.sign_again", "identify.link").says("/cancel").stands(
        "renewal.summary"
    )
    chat.presses("Pay {total}").returned("S1").says("402917").stands("renewal.paying", "checkout.paying")


def test_a_small_sum_does_not(chat: Chat) -> None:
    payable(to_summary(chat)).wait(minutes=6).presses("Pay {total}").stands(
        "renewal.paying", "checkout.paying"
    )


def test_signed_out_midway_goes_on_after_signing_in(chat: Chat) -> None:
    chat.answers(BeginSignIn, LINK).answers(ConfirmSignIn, Confirmed(CIVIL_ID))
    listed(chat, READY).presses("Renew the ready one").presses("{n} year: {amount}", n=1).presses(
        "They are right"
    )
    chat.answers(QuoteRenewals, Fault.UNSIGNED, price((WIFE, 1), (SON, 1)))
    chat.session = msgspec.structs.replace(chat.session, signed=None)
    chat.presses("I agree").stands("renewal.quote_sign", "identify.link")
    chat.returned("S1").says("402917").stands("renewal.summary").hears(
        "In all *{total}*", total=Money(40_000)
    )


def test_signed_out_while_the_file_is_asked_for(chat: Chat) -> None:
    chat.answers(BeginSignIn, LINK).answers(ConfirmSignIn, Confirmed(CIVIL_ID))
    listed(chat).answers(ListFile, Fault.UNSIGNED, FAMILY)
    chat.session = msgspec.structs.replace(chat.session, signed=Signed(CIVIL_ID, NOON - 9000, NOON - 1))
    chat.presses("Check again").stands("renewal.sign_in", "identify.link")
    chat.returned("S1").says("402917").stands("renewal.file")


def test_no_price_now(chat: Chat) -> None:
    listed(chat, READY).presses("Renew the ready one").presses("{n} year: {amount}", n=1).presses(
        "They are right"
    )
    chat.answers(QuoteRenewals, Fault.UNAVAILABLE, price((WIFE, 1), (SON, 1))).presses("I agree")
    chat.stands("renewal.quote_down").hears("The ministry's records do not answer now, so there is no price")
    chat.presses("Try again").stands("renewal.summary")


def test_a_slow_price(chat: Chat) -> None:
    listed(chat, READY).presses("Renew the ready one").presses("{n} year: {amount}", n=1).presses(
        "They are right"
    )
    chat.answers(QuoteRenewals, HOLD).presses("I agree").slow().hears("The ministry's records are slow today")
    chat.lets_go(price((WIFE, 1), (SON, 1))).stands("renewal.summary")


def test_leaving_the_payment_looks_at_the_file_again(chat: Chat) -> None:
    payable(to_summary(chat)).presses("Pay {total}").effects.clear()
    chat.answers(CancelOrder, standing(Status.CANCELLED)).says("/cancel")
    chat.stands("renewal.file").did(CancelOrder(ORDER), ListFile()).hears("Cancelled. Nothing was taken.")


def test_a_refused_payment_stays_with_the_payment(chat: Chat) -> None:
    payable(to_summary(chat)).presses("Pay {total}").wakes("refused", ORDER, **news(Status.REFUSED, "funds"))
    chat.stands("renewal.paying", "checkout.refused").hears("✕ The payment of *{amount}* did not go through")
    chat.answers(CheckPayment, standing(Status.PAID)).presses("Try again").presses("I have paid")
    chat.stands("renewal.paying", "checkout.paid")


# --- the registry --------------------------------------------------------------------------------


def test_a_slow_registry(chat: Chat) -> None:
    signed(chat).answers(ListFile, HOLD).says("/renewal").slow().hears(
        "The ministry's records are slow today"
    )
    chat.lets_go(FAMILY).stands("renewal.file").hears("{n} residency on your file:", n=5)


@pytest.mark.parametrize("fault", [Fault.UNAVAILABLE, Fault.TIMEOUT, Fault.BROKEN, Fault.FORBIDDEN])
def test_the_registry_is_down_then_answers(chat: Chat, fault: Fault) -> None:
    signed(chat).answers(ListFile, fault, fault, FAMILY).says("/renewal").stands("renewal.down")
    chat.hears("The ministry's records do not answer now. I will try").offers(
        "Try now", "Stop trying", "Menu"
    )
    chat.wait(seconds=61).hears_nothing().stands("renewal.still_down")
    chat.wait(minutes=1).stands("renewal.file").did(*[ListFile()] * 3)


def test_the_registry_stays_down(chat: Chat) -> None:
    signed(chat).answers(ListFile, Fault.UNAVAILABLE).says("/renewal").wait(minutes=14).stands(
        "renewal.gave_up"
    )
    chat.hears("The ministry's records did not answer for ten minutes")
    assert len(chat.effects) == 12, "the first try and eleven more"
    chat.answers(ListFile, FAMILY).presses("Try again").stands("renewal.file")


def test_stop_trying(chat: Chat) -> None:
    signed(chat).answers(ListFile, Fault.UNAVAILABLE).says("/renewal").presses("Stop trying").stands()
    chat.hears("Stopped. Nothing was paid.").wait(hours=1).hears_nothing()


def test_down_while_one_person_is_looked_at_comes_back_to_them(chat: Chat) -> None:
    listed(chat).presses("What is the block?").answers(ListFile, Fault.UNAVAILABLE, FAMILY).presses(
        "Check again"
    )
    chat.stands("renewal.down").presses("Try now").stands("renewal.person").hears(
        "Health insurance is not paid."
    )


# --- ways back -----------------------------------------------------------------------------------


def test_the_way_back_step_by_step(chat: Chat) -> None:
    to_summary(chat)
    for state in ("duration", "file"):
        chat.says("/back").stands(f"renewal.{state}")
    chat.says("/back").stands()


def test_back_from_the_terms(chat: Chat) -> None:
    listed(chat, READY).presses("Renew the ready one").presses("{n} year: {amount}", n=1).presses(
        "They are right"
    )
    chat.presses("Back").stands("renewal.names").presses("Back").stands("renewal.duration")


def test_a_person_gone_from_the_file_is_not_looked_at(chat: Chat) -> None:
    listed(chat).presses("What is the block?").answers(ListFile, READY).presses("Check again").stands(
        "renewal.file"
    )


def test_the_same_person_wherever_they_stand_now(chat: Chat) -> None:
    moved = File((WIFE, DAUGHTER, MOTHER))
    listed(chat).presses("What is the block?").answers(ListFile, moved).presses("Check again")
    chat.stands("renewal.person").hears_text("AMINAH YUSUF")


def test_a_family_fits_a_session(chat: Chat) -> None:
    many = tuple(
        candidate(
            Kin.DOMESTIC,
            f"29006300{n:04}",
            fines=(overstay(),),
            latin="MARIA CLARA DE LOS SANTOS",
            name=Local("ماريا كلارا دي لوس سانتوس", "Maria Clara de los Santos"),
        )
        for n in range(20)
    )
    listed(chat, File(many)).presses("Renew the ready one").presses("{n} year: {amount}", n=2)
    summed(chat, price(*((one, 2) for one in many)))
    assert len(msgspec.msgpack.encode(chat.session)) < 32_000


def test_the_number_paid_for_is_masked() -> None:
    assert hidden(WIFE) == "2900****1017"


# --- as the document counts it -------------------------------------------------------------------


@pytest.mark.parametrize(("way", "known"), [("signed in already", True), ("not signed in", False)])
def test_the_document_counts_right(chat: Chat, way: str, known: bool) -> None:  # noqa: FBT001
    """Presses up to our payment page, whose own "Pay" is the last one."""
    row = next(line for line in DOCUMENT.read_text("utf-8").splitlines() if f"Two persons, {way}" in line)
    typed, presses = (re.match(r"\d+", cell.strip()) for cell in row.split("|")[3:5])
    assert typed
    assert presses
    payable(chat).answers(QuoteRenewals, price((WIFE, 1), (SON, 1))).answers(ListFile, FAMILY)
    chat.answers(BeginSignIn, LINK).answers(ConfirmSignIn, Confirmed(CIVIL_ID)).says("/menu")
    counted = 2  # "Open payment page" here, and "Pay" on our page
    if known:
        signed(chat)
    for start in (
        "Renew residency",
        "Renew the ready one",
        "{n} year: {amount}",
        "They are right",
        "I agree",
        "Pay {total}",
    ):
        chat.presses(start)
        counted += 1
        if chat.top.dialog == "identify":
            counted += 1  # "Open sign-in page"
            chat.returned("S1").says("402917")
    chat.stands("renewal.paying", "checkout.paying")
    assert counted == int(presses[0])
    assert int(typed[0]) == (0 if known else 1)
