"""Violations: every way from a number to a list, and to nothing."""

import pytest

from bot.dialogs.checkout import OpenOrder
from bot.dialogs.find_reference import FindReference, FindReferenceRefused, Reference
from bot.dialogs.my_data import Recall, Recalled
from bot.dialogs.violations import FindFines, FindFinesRefused, Owed
from bot.domain import Fine, FineKind, Subject, Unpayable
from bot.i18n.text import Code, Money
from bot.spec import Fault
from tests.dialogs.data import BARRED, LOOK_UP, OWED, THREE, fine, items, link, owing
from tests.dialogs.harness import CIVIL_ID, HOLD, MASKED, Chat

REFERENCE = "12345678"
BY_REFERENCE = FindFines(Subject.REFERENCE, REFERENCE)


def test_one_message_and_two_taps(chat: Chat) -> None:
    chat.answers(FindFines, OWED).answers(OpenOrder, link())
    chat.says("2850 1150 0029").stands("violations.owed").did(LOOK_UP)
    chat.hears("*Iqamati*")
    chat.hears("It has {n} violation that", n=3, total=Money(45_000)).hears_text(MASKED)
    chat.hears("{n} other violation", n=1)
    chat.offers("Pay all", "Choose some", "Why not that one?", "Menu")
    chat.presses("Pay all", total=Money(45_000)).did(OpenOrder(MASKED, items(*THREE)))
    chat.stands("violations.paying", "checkout.paying")
    chat.hears("*{total}* for {n} violation", n=3, total=Money(45_000)).hears_text("pay.example.kw")
    assert chat.last.buttons[0].url == link().url, "the second tap opens the page"
    assert not any(CIVIL_ID in message.text for message in chat.said)


def test_a_question_around_the_number(chat: Chat) -> None:
    text = "هل علي مخالفات 2850-1150-0029؟" if chat.language == "ar" else "any fines on 285011500029?"
    chat.answers(FindFines, OWED).says(text).stands("violations.owed").did(LOOK_UP)


def test_two_numbers_in_one_message_are_not_guessed_at(chat: Chat) -> None:
    chat.says(f"{CIVIL_ID} 290063001017").did()


def test_deep_link(chat: Chat) -> None:
    chat.answers(FindFines, OWED).says(f"/start pay-{REFERENCE}").did(BY_REFERENCE)
    chat.stands("violations.owed").hears("MOI reference number {number}").hears("*Iqamati*")
    chat.says("/start pay-12").hears("You were in the middle").did()
    chat.says("/start what-12345678").hears("You were in the middle").did()


@pytest.mark.parametrize(
    ("scope", "shown"),
    [("Residency", THREE[:1]), ("Traffic", (*THREE[1:], BARRED)), ("All of them", OWED.fines)],
)
def test_through_the_menu(chat: Chat, scope: str, shown: tuple[Fine, ...]) -> None:
    chat.answers(FindFines, OWED).says("/menu").presses("Violations").hears("Which violations?")
    chat.offers("Residency", "Traffic", "All of them", "Menu")
    chat.presses(scope).hears("Look them up by which number?")
    chat.offers(
        "Civil ID",
        "MOI reference",
        "Find my reference",
        "My own, signed in",
        "The saved number",
        "Back",
        "Menu",
    )
    chat.presses("Civil ID").hears("Enter the 12-digit civil ID.").says(CIVIL_ID).did(LOOK_UP)
    total = sum(one.fils for one in shown if one.payable)
    chat.stands("violations.owed").hears_text(f"{total // 1000}.000")
    for one in OWED.fines:
        named = any(one.title.ar in m.text or one.title.en in m.text for m in chat.said)
        assert named == (one in shown and one.payable)


def test_by_reference(chat: Chat) -> None:
    chat.answers(FindFines, OWED).says("/menu").says("1").says("3").presses("MOI reference")
    chat.says("12345").hears("That is {n} digit; an MOI", n=5).says(REFERENCE).did(BY_REFERENCE)
    chat.stands("violations.owed").hears_text("12****78")


def test_by_reference_that_may_be_a_civil_id(chat: Chat) -> None:
    chat.answers(FindFines, OWED).says("/menu").says("1").says("3").presses("MOI reference")
    chat.says(CIVIL_ID).stands("violations.which").hears("This number also fits a civil ID.")
    chat.presses("Civil ID").did(LOOK_UP).stands("violations.owed")
    chat.says("/back").says("/menu").says("1").says("3").presses("MOI reference").says(CIVIL_ID)
    chat.presses("MOI reference").did(FindFines(Subject.REFERENCE, CIVIL_ID))


def test_changing_ones_mind_about_the_number(chat: Chat) -> None:
    chat.says("/menu").says("1").says("3").presses("Civil ID").presses("Use the reference")
    chat.stands("violations.reference").presses("Use the civil ID").stands("violations.civil_id")
    chat.presses("Back").stands("violations.reference").presses("Back").stands("violations.civil_id")


def test_finding_the_reference_on_the_way(chat: Chat) -> None:
    chat.answers(FindFines, OWED).answers(FindReference, Reference(REFERENCE))
    chat.says("/menu").says("1").says("3").presses("Find my reference")
    chat.stands("violations.finding", "find_reference.civil_id")
    chat.says(CIVIL_ID).says("A1234567").says("12/03/2027")
    chat.stands("violations.owed").did(FindReference(CIVIL_ID, "A1234567", "2027-03-12"), BY_REFERENCE)
    chat.hears("Your MOI reference number", number=Code(REFERENCE))


def test_not_finding_the_reference_keeps_the_place(chat: Chat) -> None:
    chat.answers(FindReference, FindReferenceRefused.NO_MATCH)
    chat.says("/menu").says("1").says("3").presses("Find my reference").says("/cancel")
    chat.hears("Stopped. Nothing was looked up.").stands("violations.method")


def test_choosing_some_across_pages(chat: Chat) -> None:
    many = tuple(fine(n, 1000 * n) for n in range(1, 24))
    chat.answers(FindFines, Owed(many)).answers(OpenOrder, link())
    chat.says(CIVIL_ID).hears("and {n} more", n=17).presses("Choose some").stands("violations.some")
    assert len(chat.last.labels) == 5 + 1 + 2
    list_message = chat.last.id
    chat.picks(" 2").presses("Pay {total}", total=Money(2000)).stands("violations.paying", "checkout.paying")
    chat.did(LOOK_UP, OpenOrder(MASKED, items(many[1])))
    assert not chat.message(list_message).buttons


def test_toggling_edits_one_message(chat: Chat) -> None:
    many = tuple(fine(n, 1000 * n) for n in range(1, 24))
    chat.answers(FindFines, Owed(many)).says(CIVIL_ID).presses("Choose some")
    count = len(chat.screen)
    chat.picks(" 1")
    assert chat.last.labels[0].startswith("✓")
    chat.presses("Next").presses("Next").presses("Next").presses("Next")
    assert len(chat.last.labels) == 3 + 1 + 1 + 2, chat.last.labels
    chat.picks(" 23")
    assert any("24.000" in label for label in chat.last.labels)
    chat.picks(" 23").presses("Previous").presses("Previous").presses("Previous").presses("Previous").picks(
        " 1"
    )
    assert not any("✓" in label for label in chat.last.labels)
    assert len(chat.screen) == count, "every tap rewrote the same message"
    chat.presses("Back").stands("violations.owed")


def test_choosing_some_in_words(chat: Chat) -> None:
    chat.answers(OpenOrder, link())
    owing(chat).presses("Choose some").says("١، ٣" if chat.language == "ar" else "1 3").stands(
        "violations.some"
    )
    assert any("30.000" in label for label in chat.last.labels)
    chat.says("9").hears("I did not understand that.")
    chat.says(chat.last.labels[-3]).did(LOOK_UP, OpenOrder(MASKED, items(THREE[0], THREE[2])))


def test_paging_in_words(chat: Chat) -> None:
    many = tuple(fine(n) for n in range(1, 24))
    chat.answers(FindFines, Owed(many)).answers(OpenOrder, link()).says(CIVIL_ID).presses("Choose some")
    following, before = ("التالي", "السابق") if chat.language == "ar" else ("Next", "Previous")
    chat.says(following)
    assert chat.last.labels[0].endswith("6")
    chat.says(before)
    assert chat.last.labels[0].endswith("1")
    chat.says("23").says("تم" if chat.language == "ar" else "done").did(
        LOOK_UP, OpenOrder(MASKED, items(many[22]))
    )


def test_a_single_fine_is_paid_without_choosing(chat: Chat) -> None:
    chat.answers(FindFines, Owed(THREE[:1])).answers(OpenOrder, link()).says(CIVIL_ID)
    chat.offers("Pay {total}", "Menu").hears("It has {n} violation that", n=1)
    chat.says("ادفع" if chat.language == "ar" else "pay").did(LOOK_UP, OpenOrder(MASKED, items(THREE[0])))


@pytest.mark.parametrize(
    "barrier", [b for b in (*Unpayable, "a word of next year") if b != Unpayable.SETTLING]
)
def test_why_not(chat: Chat, barrier: str) -> None:
    chat.answers(FindFines, Owed((*THREE, fine(9, 50_000, barrier)))).says(CIVIL_ID)
    chat.presses("Why not that one?").hears("Why: {reason}.").hears_text("99324092").stands("violations.why")
    chat.presses("Back").stands("violations.owed")


def test_everything_unpayable(chat: Chat) -> None:
    chat.answers(FindFines, Owed((BARRED, fine(8, 1000, "impound")))).says(CIVIL_ID)
    chat.stands("violations.unpayable").hears("It has {n} violation, *{total}*", n=2, total=Money(51_000))
    chat.hears("Why: {reason}.").hears("General Traffic Department, WhatsApp").offers(
        "Another number", "Menu"
    )


def test_what_was_just_paid_is_neither_owed_nor_forgotten(chat: Chat) -> None:
    just_paid = fine(7, 30_000, "settling")
    chat.answers(FindFines, Owed((just_paid,))).says(CIVIL_ID).stands("violations.clean")
    chat.hears("Nothing else is owed on it.").hears("{n} violation was paid a moment ago.", n=1)
    chat.answers(FindFines, Owed((just_paid, BARRED))).says(CIVIL_ID).stands("violations.unpayable")
    chat.hears("It has {n} violation, *{total}*", n=1, total=Money(50_000))
    chat.hears("{n} violation was paid a moment ago.", n=1)
    chat.answers(FindFines, Owed((just_paid, fine(6, 40_000, "settling"), *THREE))).says(CIVIL_ID)
    chat.stands("violations.owed").hears("{n} violation was paid a moment ago.", n=2)
    chat.hears("It has {n} violation that can be paid here", n=3, total=Money(45_000))


def test_clean_and_unknown_read_the_same(chat: Chat) -> None:
    chat.answers(FindFines, Owed(())).says(CIVIL_ID).stands("violations.clean")
    chat.hears("There are no recorded violations on it.").offers("Another number", "Menu")
    chat.presses("Another number").stands("violations.method")


@pytest.mark.parametrize(
    ("scope", "text"),
    [("Residency", "There are no recorded residency"), ("Traffic", "There are no recorded traffic")],
)
def test_clean_of_one_kind(chat: Chat, scope: str, text: str) -> None:
    kind = FineKind.TRAFFIC if scope == "Residency" else FineKind.RESIDENCY
    chat.answers(FindFines, Owed((fine(1, kind=kind),)))
    chat.says("/menu").says("1").presses(scope).presses("Civil ID").says(CIVIL_ID).hears(text)


def test_slow_registry(chat: Chat) -> None:
    chat.answers(FindFines, HOLD).says(CIVIL_ID).stands("violations.lookup").hears("*Iqamati*")
    chat.slow().hears("The ministry's records are slow today")
    chat.says("?????").stands("violations.lookup")
    chat.attaches("photo").hears("I can read text").hears("One moment, I am still asking.")
    chat.lets_go(OWED).stands("violations.owed").hears_text(MASKED)


def test_leaving_while_the_registry_is_asked(chat: Chat) -> None:
    chat.answers(FindFines, HOLD).says(CIVIL_ID).says("/menu").stands().lets_go(OWED).hears_nothing().stands()
    chat.answers(FindFines, HOLD).says(CIVIL_ID).slow().says("/back").stands().slow().hears_nothing()


def test_busy(chat: Chat) -> None:
    chat.answers(FindFines, FindFinesRefused.BUSY, OWED).says(CIVIL_ID).stands("violations.busy")
    chat.hears("Too many look-ups").presses("Try again").stands("violations.owed")


@pytest.mark.parametrize("fault", [*Fault])
def test_registry_down_then_answered(chat: Chat, fault: Fault) -> None:
    chat.answers(FindFines, fault, fault, fault, OWED).says(CIVIL_ID).stands("violations.down")
    chat.hears("The ministry's records do not answer now. I will try").offers(
        "Try now", "Stop trying", "Menu"
    )
    chat.wait(seconds=61).hears_nothing().stands("violations.still_down")
    chat.wait(minutes=1).hears_nothing()
    chat.wait(minutes=1).stands("violations.owed").hears_text(MASKED).did(*[LOOK_UP] * 4)


def test_registry_down_given_up(chat: Chat) -> None:
    chat.answers(FindFines, Fault.UNAVAILABLE).says(CIVIL_ID).wait(minutes=9).hears_nothing()
    chat.says("?").hears("The ministry's records still do not answer.").stands("violations.still_down")
    chat.wait(minutes=5).stands("violations.gave_up").hears("The ministry's records did not answer for ten")
    assert len(chat.effects) == 12, "the first try and eleven more"
    chat.wait(hours=2).hears_nothing()
    chat.answers(FindFines, OWED).presses("Try again").stands("violations.owed")


def test_registry_down_stop_trying(chat: Chat) -> None:
    chat.answers(FindFines, Fault.UNAVAILABLE).says(CIVIL_ID)
    chat.presses("Stop trying").hears("Stopped. Nothing was paid.").hears("Which service?").stands()
    chat.wait(hours=1).hears_nothing()


def test_the_buttons_of_the_last_message_count_while_silent(chat: Chat) -> None:
    chat.answers(FindFines, Fault.UNAVAILABLE).says(CIVIL_ID).wait(minutes=3).stands("violations.still_down")
    chat.presses("Stop trying").hears("Stopped. Nothing was paid.").stands()


def test_trying_now(chat: Chat) -> None:
    chat.answers(FindFines, Fault.UNAVAILABLE, Fault.UNAVAILABLE, OWED).says(CIVIL_ID).wait(minutes=1)
    chat.presses("Try now").stands("violations.owed")


def test_a_new_number_where_nothing_is_at_stake(chat: Chat) -> None:
    owing(chat).did(LOOK_UP)
    chat.says("290063001017").did(FindFines(Subject.CIVIL_ID, "290063001017")).hears_text("2900****1017")
    chat.answers(FindFines, Owed(())).says(CIVIL_ID).stands("violations.clean").did(LOOK_UP)
    chat.says("290063001017").did(FindFines(Subject.CIVIL_ID, "290063001017"))


@pytest.mark.parametrize(
    ("number", "fault"),
    [
        ("28501150002", "That is {n} digit; a civil ID"),
        ("2850115000299", "That is {n} digit; a civil ID"),
        ("285011500028", "Twelve digits, but the last one"),
        ("285011500110", "Twelve digits, but the last one"),
        ("285011500770", "Twelve digits, but the last one"),
        ("289332013455", "Digits 2 to 7 of a civil ID are the birth date (year"),
        ("300000000005", "Digits 2 to 7 of a civil ID are the birth date (year"),
        ("299023000029", "Digits 2 to 7 of a civil ID are the birth date (year"),
        ("486101910006", "A civil ID begins with 1, 2 or 3"),
        ("327110503339", "Digits 2 to 7 of a civil ID are the birth date; {part} lies"),
    ],
)
def test_a_number_that_is_none_names_its_fault(chat: Chat, number: str, fault: str) -> None:
    chat.says(number).stands("violations.doubt").hears(fault).hears("Or is it your MOI reference")
    chat.offers("It is a reference", "Type the civil ID", "Menu")
    chat.presses("Type the civil ID").says(number).stands("violations.civil_id").hears(fault)
    chat.answers(FindFines, Owed(())).says("/menu").says(number).presses("It is a reference")
    chat.stands("violations.clean").did(FindFines(Subject.REFERENCE, number))


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("ما أدري", "I need the number in digits."),
        ("👍", "I need the number in digits."),
        ("2850115ooo29", "There are letters or signs in it"),
        ("2.85011500029E+11", "A spreadsheet has shortened"),
    ],
)
def test_no_number_at_all(chat: Chat, text: str, fault: str) -> None:
    chat.says("/menu").says("1").says("3").presses("Civil ID").says(text).hears(fault)
    chat.stands("violations.civil_id").did()
    chat.says(text).hears(fault).hears("The civil ID is printed on the front").hears_not("To start again")
    chat.says(text).hears("To start again at any time").offers("Use the reference", "Back", "Menu")


def test_the_saved_number_is_looked_up_at_one_tap(chat: Chat) -> None:
    chat.answers(Recall, Recalled(CIVIL_ID)).answers(FindFines, OWED)
    chat.says("/menu").presses("Violations").presses("All of them").presses("The saved number")
    chat.did(Recall(), LOOK_UP).stands("violations.owed").hears("Civil ID {number}", number=Code(MASKED))


@pytest.mark.parametrize("answer", [Recalled(), Fault.UNAVAILABLE])
def test_no_number_is_saved(chat: Chat, answer: object) -> None:
    chat.answers(Recall, answer).says("/menu").presses("Violations").presses("All of them")
    chat.presses("The saved number").stands("violations.unsaved").hears("No number is saved")
    chat.presses("Enter a civil ID").stands("violations.civil_id")
