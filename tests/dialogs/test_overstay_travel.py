"""Clear to travel? Everything that stands in the way at once, each with what to do and where."""

from datetime import date, timedelta

import pytest

from bot.dialogs.checkout import CheckPayment, OpenOrder, Status
from bot.dialogs.identify import BeginSignIn, Confirmed, ConfirmSignIn, SignInLink
from bot.dialogs.overstay import CheckOverstay, CheckTravel, NoPermit
from bot.dialogs.overstay.journey import JUSTICE_PAGE
from bot.domain import RESIDENCY_PHONE, TRAFFIC_WHATSAPP, FineKind
from bot.i18n.text import Code, Day, Money
from bot.residency.facts import Creditor, Debt
from bot.spec import Fault
from tests.dialogs.data import HOST, ORDER, PAGE, items, link, standing
from tests.dialogs.harness import CIVIL_ID, MASKED, NOON, Chat
from tests.dialogs.leaving import TODAY, cleared, fine, records, signed_in

PHONE = Code(RESIDENCY_PHONE)
YESTERDAY = TODAY - timedelta(days=1)


def before(chat: Chat, days: int = 200, **known: object) -> Chat:
    """What stands before a journey is on the screen."""
    records(signed_in(chat), days, **known).says("/menu").presses("More").presses("Overstay and travel")
    return chat.presses("Clear to travel?").did(CheckTravel())


def one(chat: Chat) -> Chat:
    """Exactly one thing stands in the way."""
    return chat.stands("overstay.hurdles").hears("{n} thing stands before a journey:", n=1)


def test_nothing_in_one_line_with_its_caveat(chat: Chat) -> None:
    before(chat).stands("overstay.clear").hears("Your own civil ID {number}", number=Code(MASKED))
    chat.hears("✓ Nothing that keeps you from leaving is recorded. A court's ban may not show here.")
    chat.offers("🔗 Travel-ban enquiry", "Menu")
    assert chat.last.buttons[0].url == JUSTICE_PAGE


def test_a_travel_ban_comes_from_a_court(chat: Chat) -> None:
    one(before(chat, travel_ban=True)).hears(
        "A travel ban is recorded. It comes from a court or the prosecution"
    )
    chat.offers("🔗 Travel-ban enquiry", "Check again", "Back", "Menu")


def test_fines_by_kind_payable_and_not(chat: Chat) -> None:
    fines = (
        fine(1, 20_000),
        fine(2, 15_000, FineKind.TRAFFIC),
        fine(3, 10_000, FineKind.TRAFFIC),
        fine(4, 62_000, barrier="office"),
        fine(5, 150_000, FineKind.TRAFFIC, "court"),
    )
    before(chat, fines=fines).hears("{n} thing stands before a journey:", n=4)
    chat.hears("Residency violations, payable here", amount=Money(20_000))
    chat.hears("Traffic violations, payable here", amount=Money(25_000))
    chat.hears("Residency violations not payable online", amount=Money(62_000), phone=PHONE)
    chat.hears("Traffic violations not payable online", amount=Money(150_000), phone=Code(TRAFFIC_WHATSAPP))
    chat.answers(OpenOrder, link()).answers(CheckPayment, standing(Status.PAID))
    chat.presses("Pay {total}", total=Money(45_000)).stands("overstay.paying_all", "checkout.paying")
    chat.did(OpenOrder(MASKED, items(*fines[:3])))
    chat.answers(CheckTravel, cleared(fines=tuple(fine(n, 5_000, barrier="settling") for n in (1, 2, 3))))
    chat.presses("I have paid").presses("What else is owed?").stands("overstay.clear")
    chat.did(CheckPayment(ORDER), CheckTravel()).hears("{n} violation was paid a moment ago", n=3)


def test_leaving_the_payment_comes_back(chat: Chat) -> None:
    before(chat, fines=(fine(1, 20_000),)).answers(OpenOrder, link()).presses("Pay {total}").says("/back")
    one(chat)


@pytest.mark.parametrize("creditor", [*Creditor])
def test_debts_by_creditor(chat: Chat, creditor: Creditor) -> None:
    must = creditor in {Creditor.TRAFFIC, Creditor.ELECTRICITY, Creditor.TELECOM}
    one(before(chat, debts=(Debt(creditor, 41_350), Debt(creditor, 1_000))))
    chat.hears("Owed to {creditor}: *{amount}*", amount=Money(42_350))
    chat.hears("It must be paid before leaving" if must else "It may keep you from leaving")
    chat.hears_not("It may keep you from leaving" if must else "It must be paid before leaving")


def test_a_debt_of_unknown_amount(chat: Chat) -> None:
    one(before(chat, debts=(Debt(Creditor.HEALTH), Debt(Creditor.HEALTH, 5_000)))).hears(
        "Something is owed to"
    )


def test_residency_over(chat: Chat) -> None:
    one(before(chat, -1)).hears(
        "The residency ended on {day}. How to settle", day=Day(YESTERDAY), phone=PHONE
    )
    chat.presses("My overstay's cost").stands("overstay.stay").did(CheckOverstay())
    chat.hears("Estimate, not the ministry's figure", amount=Money(2_000))


def test_the_last_day_of_residency_and_passport_is_good(chat: Chat) -> None:
    before(chat, 0, passport_expires=TODAY).stands("overstay.clear").hears(
        "The residency itself lasts until", day=Day(TODAY)
    )


def test_passport_over(chat: Chat) -> None:
    one(before(chat, passport_expires=YESTERDAY)).hears("The passport ended on", day=Day(YESTERDAY))


@pytest.mark.parametrize(("until", "clear"), [(None, False), (YESTERDAY, False), (TODAY, True)])
def test_an_exit_permit_for_the_private_sector(chat: Chat, until: date | None, *, clear: bool) -> None:
    before(chat, article=18, exit_permit_until=until)
    if clear:
        chat.stands("overstay.clear")
    elif until:
        one(chat).hears("The exit permit ended on", day=Day(until))
    else:
        one(chat).hears("There is no exit permit (article 18). Ask for it in the Sahel app")


@pytest.mark.parametrize("article", [17, 19, 20, 22, 24])
def test_no_exit_permit_for_others(chat: Chat, article: int) -> None:
    before(chat, article=article).stands("overstay.clear")


def test_no_fingerprint(chat: Chat) -> None:
    one(before(chat, biometric=False)).hears("The biometric fingerprint has not been taken.")


@pytest.mark.parametrize(
    ("article", "back"), [(19, date(2027, 5, 21)), (22, date(2027, 5, 21)), (20, date(2027, 3, 21))]
)
def test_back_within_the_months_of_the_law(chat: Chat, article: int, back: date) -> None:
    before(chat, 400, article=article).hears("Be back by {day}:", day=Day(back))
    chat.hears_not("The residency itself lasts until")


def test_the_residency_may_end_first(chat: Chat) -> None:
    before(chat, 90).hears("Be back by {day}:", day=Day(date(2027, 5, 21)))
    chat.hears("The residency itself lasts until", day=Day(TODAY + timedelta(days=90)))


@pytest.mark.parametrize("known", [{"article": 21}, {"article": 25}, {"article": 22, "kuwaiti_mother": True}])
def test_those_whom_no_absence_ends(chat: Chat, known: dict[str, object]) -> None:
    before(chat, 400, **known).stands("overstay.clear").hears_not("Be back by {day}:")
    chat.hears("The residency itself lasts until", day=Day(TODAY + timedelta(days=400)))


def test_abroad_already(chat: Chat) -> None:
    before(chat, 400, abroad_since=date(2026, 8, 21)).stands("overstay.clear")
    chat.hears("Abroad since {day}.", day=Day(date(2026, 8, 21))).hears(
        "Be back by", day=Day(date(2027, 2, 21))
    )


@pytest.mark.parametrize(
    ("since", "permit", "clear"),
    [
        (date(2026, 5, 21), None, True),  # six months to the day
        (date(2026, 5, 20), None, False),
        (date(2026, 1, 1), TODAY, True),
        (date(2026, 1, 1), YESTERDAY, False),
    ],
)
def test_abroad_for_too_long(chat: Chat, since: date, permit: date | None, *, clear: bool) -> None:
    before(chat, 400, abroad_since=since, absence_permit_until=permit)
    if clear:
        chat.stands("overstay.clear")
    else:
        one(chat).hears("Longer abroad than the law allows, since", day=Day(since), phone=PHONE)


def test_everything_at_once_gravest_first(chat: Chat) -> None:
    before(
        chat,
        -45,
        article=18,
        travel_ban=True,
        passport_expires=YESTERDAY,
        biometric=False,
        debts=(Debt(Creditor.ELECTRICITY, 41_350),),
        fines=(fine(1, 120_000), fine(2, 5_000, FineKind.TRAFFIC)),
    )
    chat.hears("{n} thing stands before a journey:", n=8)
    wanted = (
        "A travel ban is recorded.",
        "The residency ended on {day}. How to",
        "The passport ended on",
        "Residency violations, payable",
        "Traffic violations, payable",
        "Owed to {creditor}: *{amount}*",
        "There is no exit permit",
        "The biometric fingerprint has not been taken. Book an appointment in",
    )
    for number, start in enumerate(wanted, 1):
        chat.hears(start).hears("{number}. {what}", number=number)
    chat.offers("Pay {total}", "My overstay's cost", "🔗 Travel-ban enquiry", "Check again", "Back", "Menu")


def test_checking_again_after_clearing(chat: Chat) -> None:
    one(before(chat, biometric=False)).answers(CheckTravel, cleared()).presses("Check again")
    chat.stands("overstay.clear").did(CheckTravel())


def test_signing_in_comes_first(chat: Chat) -> None:
    chat.answers(BeginSignIn, SignInLink("S1", PAGE, HOST, NOON + 300))
    chat.answers(ConfirmSignIn, Confirmed(CIVIL_ID)).answers(CheckTravel, cleared(biometric=False))
    chat.says("/menu").presses("More").presses("Overstay and travel").presses("Clear to travel?")
    one(chat.stands("overstay.traveller", "identify.link").returned("S1").says("402917"))


def test_nobody_in_the_records(chat: Chat) -> None:
    signed_in(chat).answers(CheckTravel, NoPermit.NO_PERMIT)
    chat.says("/menu").presses("More").presses("Overstay and travel").presses("Clear to travel?")
    chat.stands("overstay.no_permit").hears("The records hold no residency under your civil ID.")


def test_slow_then_down_then_the_answer_by_itself(chat: Chat) -> None:
    signed_in(chat).says("/menu").presses("More").presses("Overstay and travel").presses("Clear to travel?")
    chat.slow().hears("The ministry's records are slow today").lets_go(Fault.TIMEOUT).stands("overstay.down")
    chat.answers(CheckTravel, Fault.UNAVAILABLE, cleared()).wait(minutes=2).stands("overstay.clear")
    chat.hears("✓ Nothing that keeps you from leaving")


def test_down_for_ten_minutes(chat: Chat) -> None:
    signed_in(chat).answers(CheckTravel, Fault.UNAVAILABLE).says("/menu").presses("More")
    chat.presses("Overstay and travel").presses("Clear to travel?").wait(minutes=11).stands(
        "overstay.gave_up"
    )
    chat.did(*[CheckTravel()] * 11).answers(CheckTravel, cleared()).presses("Try again").stands(
        "overstay.clear"
    )
