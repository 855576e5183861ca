"""Checkout: link, waiting, receipt; and every way in which money does not arrive."""

from datetime import date

import msgspec
import pytest

from bot.dialogs.checkout import (
    CancelOrder,
    CheckoutRefused,
    CheckPayment,
    OpenOrder,
    PayLink,
    Payment,
    Recording,
    RefusalReason,
    RenewLink,
    Share,
    Shares,
    Status,
)
from bot.dialogs.identify import BeginSignIn, Confirmed, ConfirmSignIn, SignInLink
from bot.dialogs.violations import FindFines, Owed
from bot.domain import Basket, Bill, Item, ItemKind
from bot.i18n.text import Code, Day, Hour, Local, Ltr, Money, say
from bot.spec import Fault
from tests.dialogs.data import (
    BANK,
    HOST,
    LIFE,
    LOOK_UP,
    ORDER,
    OWED,
    PAGE,
    PAID,
    PAPER,
    PAYMENT_ID,
    THREE,
    TRACK,
    items,
    link,
    news,
    owing,
    paying,
    standing,
)
from tests.dialogs.harness import CIVIL_ID, HOLD, MASKED, NOON, Chat, message_id
from tests.dialogs.places import stand

CHECK = CheckPayment(ORDER)
CANCEL = CancelOrder(ORDER)
RENEW = RenewLink(ORDER)
SILENCE = (Fault.UNAVAILABLE, Fault.TIMEOUT, Fault.BROKEN)
REASONS = {
    RefusalReason.FUNDS: "the account does not hold enough",
    RefusalReason.LIMIT: "it is above the card's limit",
    RefusalReason.CARD: "the bank does not accept this card now",
    RefusalReason.PIN: "the PIN was wrong",
    RefusalReason.CANCELLED: "it was cancelled on the payment page",
    RefusalReason.TIMEOUT: "the time on the payment page ran out",
    RefusalReason.DECLINED: "the bank declined it",
}


def at(*states: str) -> tuple[str, ...]:
    """The stack with checkout in this state, over violations."""
    return ("violations.paying", *(f"checkout.{state}" for state in states))


def test_what_the_link_says(chat: Chat) -> None:
    paying(chat)
    chat.hears("*{total}* for {n} violation", n=3, total=Money(45_000))
    chat.hears("Number {subject}", subject=Code(MASKED)).hears("Order {order}", order=Code(ORDER))
    chat.hears("The link opens the payment page", host=Ltr(HOST), until=Hour(NOON + LIFE))
    chat.hears("You can also pay in Sahel").hears("By paying you agree that a fine paid")
    chat.offers("🔗 Open payment page", "I have paid", "New link", "Cancel", "Back", "Menu")
    assert chat.last.buttons[0].url == PAGE


@pytest.mark.parametrize("status", [Status.PAID, Status.POSTED])
def test_i_have_paid_and_it_is_there(chat: Chat, status: Status) -> None:
    paying(chat).answers(CheckPayment, standing(status)).presses("I have paid").did(CHECK)
    chat.stands(*at("paid")).hears("✓ Paid: *{amount}*", amount=Money(45_000))
    chat.hears("Receipt {order}", order=Code(ORDER)).hears("Bank reference {bank}", bank=Code(BANK))
    chat.hears("On {day} at {hour}", day=Day(date(2026, 11, 21)), hour=Hour(NOON))
    chat.hears("Payment id {payment}", payment=Code(PAYMENT_ID)).hears("Track id", track=Code(TRACK))
    chat.hears("It is recorded at the ministry" if status is Status.POSTED else "It is being recorded")
    chat.offers("🔗 Receipt (PDF)", "What else is owed?", "Menu")
    assert chat.last.buttons[0].url == PAPER
    chat.answers(FindFines, Owed(())).presses("What else is owed?").stands("violations.clean").did(LOOK_UP)


def test_i_have_paid_and_nothing_arrived(chat: Chat) -> None:
    paying(chat).presses("I have paid").stands(*at("not_yet")).did(CHECK)
    chat.hears("The gateway has seen no payment of *{total}* yet", total=Money(45_000))
    assert chat.last.buttons[0].url == PAGE
    chat.offers("🔗 Open payment page", "I have paid", "New link", "Cancel", "Back", "Menu")
    chat.says("دفعت" if chat.language == "ar" else "paid").did(CHECK).stands(*at("not_yet"))


@pytest.mark.parametrize("status", [Status.PENDING, Status.UNKNOWN])
def test_i_have_paid_and_the_bank_has_not_said(chat: Chat, status: Status) -> None:
    paying(chat).answers(CheckPayment, standing(status), standing(Status.PAID)).presses("I have paid")
    chat.stands(*at("pending")).hears("The bank has not confirmed yet.").offers("Ask now", "Menu")
    chat.wait(hours=2).hears_nothing().presses("Ask now").stands(*at("paid"))


def test_i_have_paid_and_it_is_under_review(chat: Chat) -> None:
    paying(chat).answers(CheckPayment, standing(Status.REVIEW)).presses("I have paid").stands(*at("review"))
    chat.hears("The gateway's answer about order", order=Code(ORDER)).offers("Menu")
    chat.wakes("review", ORDER, **news(Status.REVIEW, "amount")).hears_nothing()
    chat.wakes("paid", ORDER, **PAID).stands(*at("paid"))


def test_i_have_paid_and_it_was_cancelled(chat: Chat) -> None:
    paying(chat).answers(CheckPayment, standing(Status.CANCELLED)).presses("I have paid")
    chat.stands(*at("expired")).hears("This order was closed and nothing was taken.")
    chat.effects.clear()
    chat.presses("New link").did(OpenOrder(MASKED, items(*THREE))).stands(*at("paying"))


@pytest.mark.parametrize("reason", [*REASONS, "a reason of next year"])
def test_refused_with_each_reason(chat: Chat, reason: str) -> None:
    text = REASONS.get(RefusalReason(reason) if reason in REASONS else RefusalReason.DECLINED)
    assert text is not None
    paying(chat).answers(CheckPayment, standing(Status.REFUSED, reason)).presses("I have paid")
    chat.stands(*at("refused")).hears(text).hears("✕ The payment of *{amount}*", amount=Money(45_000))
    chat.offers("Try again", "Another way", "Cancel", "Back", "Menu")
    chat.presses("Another way").hears("The same violations can be paid in the Sahel app")
    chat.offers("🔗 Ministry's page", "Back", "Menu").presses("Back").stands(*at("refused"))
    chat.effects.clear()
    chat.presses("Try again").did(RENEW).stands(*at("paying"))


@pytest.mark.parametrize("fault", [*Fault])
def test_the_gateway_does_not_answer_the_question(chat: Chat, fault: Fault) -> None:
    paying(chat).answers(CheckPayment, fault, standing(Status.PAID)).presses("I have paid")
    chat.stands(*at("silent")).hears("The gateway does not answer me now.").presses("Ask now")
    chat.stands(*at("paid"))


def test_the_gateway_is_slow(chat: Chat) -> None:
    chat.answers(OpenOrder, HOLD)
    owing(chat).presses("Pay all").stands(*at("opening")).slow().hears("The payment gateway is slow")
    chat.lets_go(link()).stands(*at("paying"))
    chat.answers(CheckPayment, HOLD).presses("I have paid").slow().hears("I am asking the gateway")


@pytest.mark.parametrize("refusal", [CheckoutRefused.GATEWAY_DOWN, *SILENCE])
def test_no_link_can_be_made(chat: Chat, refusal: CheckoutRefused | Fault) -> None:
    chat.answers(OpenOrder, refusal, link())
    owing(chat).presses("Pay all").stands(*at("gateway_down"))
    chat.hears("The payment gateway does not answer now, so no payment was begun.")
    chat.presses("Try again").stands(*at("paying"))
    chat.did(LOOK_UP, *[OpenOrder(MASKED, items(*THREE))] * 2)


def test_paid_elsewhere_or_already(chat: Chat) -> None:
    chat.answers(OpenOrder, CheckoutRefused.ELSEWHERE, CheckoutRefused.ALREADY_PAID)
    owing(chat).presses("Pay all").stands(*at("elsewhere")).hears("One of these violations is being paid in")
    chat.presses("Try again").stands(*at("already")).hears("One of these violations was paid already.")
    chat.effects.clear()
    chat.answers(FindFines, Owed(())).says("/back").stands("violations.clean").did(LOOK_UP)


def test_the_link_expires(chat: Chat) -> None:
    paying(chat).wait(seconds=LIFE - 1).hears_nothing().stands(*at("paying")).did()
    chat.wait(seconds=1).stands(*at("expired")).did(CHECK)
    chat.hears("The link expired at {until}", until=Hour(NOON + LIFE)).offers("New link", "Back", "Menu")
    chat.answers(RenewLink, link(chat.now)).presses("New link").did(RENEW).stands(*at("paying"))
    chat.wait(hours=1).stands(*at("expired"))


@pytest.mark.parametrize(
    ("status", "state"),
    [
        (Status.PAID, "paid"),
        (Status.REVIEW, "review"),
        (Status.PENDING, "pending"),
        (Status.UNKNOWN, "pending"),
        (Status.REFUSED, "expired"),
        (Status.CANCELLED, "expired"),
    ],
)
def test_before_it_says_expired_it_asks(chat: Chat, status: Status, state: str) -> None:
    paying(chat).answers(CheckPayment, standing(status)).wait(seconds=LIFE).stands(*at(state))


def test_expiry_while_the_gateway_is_away(chat: Chat) -> None:
    paying(chat).answers(CheckPayment, Fault.UNAVAILABLE).wait(seconds=LIFE).stands(*at("silent"))


def test_a_new_link_is_asked_for(chat: Chat) -> None:
    paying(chat).presses("New link").did(RENEW).stands(*at("paying"))
    chat.hears("The link opens the payment page", host=Ltr(HOST), until=Hour(NOON + 60 + LIFE))


@pytest.mark.parametrize(
    ("refusal", "state"),
    [
        (CheckoutRefused.ELSEWHERE, "elsewhere"),
        (CheckoutRefused.GATEWAY_DOWN, "silent"),  # an earlier try may have been paid: promise nothing
        (CheckoutRefused.ALREADY_PAID, "paid"),
        (Fault.TIMEOUT, "silent"),
    ],
)
def test_no_new_link(chat: Chat, refusal: CheckoutRefused | Fault, state: str) -> None:
    paying(chat).answers(RenewLink, refusal).answers(CheckPayment, standing(Status.PAID))
    chat.presses("New link").stands(*at(state))


@pytest.mark.parametrize("state", ["pending", "silent"])
def test_who_was_promised_an_answer_gets_it_when_nobody_paid(chat: Chat, state: str) -> None:
    answer = standing(Status.PENDING) if state == "pending" else Fault.TIMEOUT
    paying(chat).answers(CheckPayment, answer).presses("I have paid").stands(*at(state))
    chat.wakes("refused", ORDER, **news(Status.REFUSED, RefusalReason.TIMEOUT))
    chat.stands(*at("refused")).hears("✕ The payment of").presses("Try again").stands(*at("paying"))


@pytest.mark.parametrize("way", ["button", "command", "word"])
def test_cancel(chat: Chat, way: str) -> None:
    paying(chat).answers(CancelOrder, standing(Status.CANCELLED))
    match way:
        case "button":
            chat.presses("Cancel")
        case "command":
            chat.says("/cancel")
        case _:
            chat.says("إلغاء" if chat.language == "ar" else "cancel")
    chat.did(CANCEL).hears("Cancelled. Nothing was taken.").stands("violations.owed")


@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        (standing(Status.PAID), "paid"),
        (standing(Status.POSTED), "paid"),
        (standing(Status.REVIEW), "review"),
        (standing(Status.PENDING), "pending"),
        (standing(Status.UNKNOWN), "pending"),
        (CheckoutRefused.ALREADY_PAID, "not_yet"),
        (CheckoutRefused.GATEWAY_DOWN, "silent"),
        (Fault.TIMEOUT, "silent"),
    ],
)
def test_cancel_comes_too_late_or_not_at_all(chat: Chat, outcome: object, state: str) -> None:
    paying(chat).answers(CancelOrder, outcome).presses("Cancel").hears_not("Cancelled. Nothing was taken.")
    chat.stands(*at(state))


@pytest.mark.parametrize(
    "outcome", [standing(Status.REFUSED), standing(Status.NONE), CheckoutRefused.ELSEWHERE]
)
def test_cancelled_whatever_was_tried(chat: Chat, outcome: object) -> None:
    paying(chat).answers(CancelOrder, outcome).presses("Cancel").stands("violations.owed")


def test_cancel_before_there_is_an_order(chat: Chat) -> None:
    chat.answers(OpenOrder, HOLD)
    owing(chat).presses("Pay all").says("/cancel").hears("Cancelled.").stands("violations.owed")
    chat.lets_go(link()).hears_nothing().stands("violations.owed")


def test_paid_by_wake(chat: Chat) -> None:
    paying(chat).wakes("paid", ORDER, **PAID).stands(*at("paid")).hears(
        "✓ Paid: *{amount}*", amount=Money(45_000)
    )
    chat.hears("Bank reference {bank}", bank=Code(BANK))
    chat.wait(hours=2).hears_nothing()
    chat.wakes("paid", ORDER, **PAID).hears_nothing()
    chat.wakes("posted", ORDER, **PAID).hears("✓ Order {order} is now recorded", order=Code(ORDER))
    chat.stands(*at("paid"))


@pytest.mark.parametrize("first", ["wake", "outcome"])
def test_paid_while_asking_gives_one_receipt(chat: Chat, first: str) -> None:
    paying(chat).answers(CheckPayment, HOLD).presses("I have paid").stands(*at("checking"))
    if first == "wake":
        chat.wakes("paid", ORDER, **PAID).hears("✓ Paid: *{amount}*")
        chat.lets_go(standing(Status.PAID)).hears_nothing()
    else:
        chat.lets_go(standing(Status.PAID)).hears("✓ Paid: *{amount}*")
        chat.wakes("paid", ORDER, **PAID).hears_nothing()
    chat.stands(*at("paid"))


def test_paid_while_the_order_is_being_cancelled(chat: Chat) -> None:
    paying(chat).answers(CancelOrder, HOLD).presses("Cancel").wakes("paid", ORDER, **PAID)
    chat.stands(*at("paid")).lets_go(standing(Status.PAID)).hears_nothing()


def test_paid_while_elsewhere(chat: Chat) -> None:
    paying(chat).presses("Menu").presses("My MOI reference").wakes("paid", ORDER, **PAID)
    chat.hears("✓ Paid: *{amount}*", amount=Money(45_000)).hears("Receipt {order}")
    chat.stands("find_reference.civil_id")
    chat.wakes("posted", ORDER, **PAID).hears("✓ Order {order} is now recorded")


def test_another_order_is_told_and_changes_nothing(chat: Chat) -> None:
    other = news(Status.PAID, fils=5000, receipt="IQ-0000-0000", bank="")
    paying(chat).wakes("paid", "IQ-0000-0000", **other).hears("✓ Paid: *{amount}*", amount=Money(5000))
    chat.hears_not("Bank reference {bank}").stands(*at("paying"))


def test_happenings_reach_a_chat_whose_session_is_gone(chat: Chat) -> None:
    chat.wakes("refused", ORDER, **news(Status.REFUSED, "funds"))
    chat.hears("✕ The payment of").hears("the account does not hold enough").stands()
    chat.wakes("review", ORDER, **news(Status.REVIEW, "amount")).hears("The gateway's answer about order")
    chat.wakes("unheard of", ORDER).hears_nothing()


def test_refused_by_wake_then_paid(chat: Chat) -> None:
    paying(chat).wakes("refused", ORDER, **news(Status.REFUSED, "pin")).stands(*at("refused"))
    chat.hears("the PIN was wrong").wakes("paid", ORDER, **PAID).stands(*at("paid"))


def test_review_by_wake(chat: Chat) -> None:
    paying(chat).wakes("review", ORDER, **news(Status.REVIEW, "amount")).stands(*at("review"))


REVIEWS = {
    "amount": "The gateway's answer about order",
    "currency": "The gateway's answer about order",
    "second": "A second payment of order",
    "silent": "For a day the bank has not said",
    "already_paid": "Your payment of order {order} arrived, but",
    "amount_differs": "Your payment of order {order} arrived, but",
}


@pytest.mark.parametrize("reason", REVIEWS)
def test_a_review_says_what_is_looked_at(chat: Chat, reason: str) -> None:
    paying(chat).wakes("review", ORDER, **news(Status.REVIEW, reason)).stands(*at("review"))
    chat.hears(REVIEWS[reason], order=Code(ORDER)).offers("Menu")


def test_a_refund_is_told_wherever_one_is(chat: Chat) -> None:
    paying(chat).wakes("paid", ORDER, **PAID)
    back = news(Status.POSTED, refunded=15_000)
    chat.wakes("refunded", ORDER, **back).stands(*at("paid"))
    chat.hears("✓ *{amount}* of order {order} was given back", amount=Money(15_000), order=Code(ORDER))
    assert chat.last.buttons[0].url == PAPER


def test_the_paper_comes_with_the_news_wherever_one_is(chat: Chat) -> None:
    paying(chat).presses("Menu").wakes("paid", ORDER, **PAID)
    chat.offers("🔗 Receipt (PDF)")
    assert chat.last.buttons[0].url == PAPER
    chat.wakes("refused", ORDER, **news(Status.REFUSED, "pin")).offers()


def test_after_paying_cancel_shows_the_receipt_again(chat: Chat) -> None:
    paying(chat).answers(CheckPayment, standing(Status.PAID)).presses("I have paid")
    chat.effects.clear()
    chat.says("/cancel").stands(*at("paid")).hears("✓ Paid: *{amount}*").did()


def test_back_from_the_receipt_asks_what_is_owed_now(chat: Chat) -> None:
    paying(chat).wakes("paid", ORDER, **PAID).answers(FindFines, Owed(())).says("/back")
    chat.stands("violations.clean").did(LOOK_UP)


def test_the_address_of_the_page_in_words(chat: Chat) -> None:
    paying(chat).says("1").hears_text(PAGE).stands(*at("paying"))


def test_the_same_amount_before_and_after(chat: Chat) -> None:
    chat.answers(FindFines, OWED).answers(OpenOrder, PayLink(ORDER, PAGE, HOST, NOON + LIFE, 45_000))
    owing(chat)
    amounts = [m for m in chat.said if "45.000" in m.text]
    assert amounts
    chat.presses("Pay all", total=Money(45_000)).hears_text("45.000")


def test_message_ids_are_found_by_their_beginning() -> None:
    assert message_id("✓ Paid") == "✓ Paid: *{amount}*"
    with pytest.raises(AssertionError):
        message_id("The")


# --- residencies -------------------------------------------------------------------------------------

WIFE = Local("الزوجة", "Wife")
SON = Local("الابن", "Son")
WIFES = Item("R-1", ItemKind.RENEWAL, WIFE, 40_000, 2, "2028-12-31")
SONS = Item("R-2", ItemKind.RENEWAL, SON, 60_000, 3, "2029-12-31", 1)
FINE = Item("F1", ItemKind.TRAFFIC, Local("وقوف", "Parking"), 5_000)
FAMILY = Bill(MASKED, (WIFES, SONS), ("285011500029", "312010100017"))
MIXED = Bill(MASKED, (WIFES, FINE, SONS), FAMILY.owners)
STAFF = Bill(MASKED, (WIFES,), body="70012345")
BASKET = Bill(MASKED, body="70012345", basket=Basket("B-7F3C-9A1D", 4_812, 96_240_000))
BOTH = Shares(
    0,
    2,
    2,
    0,
    (
        Share(WIFE, 2, "2028-12-31", Recording.POSTED),
        Share(SON, 3, "2029-12-31", Recording.POSTED),
    ),
)
ONE = Shares(
    1,
    2,
    1,
    1,
    (
        Share(SON, 3, "2029-12-31", Recording.REFUSED, 1),
        Share(WIFE, 2, "2028-12-31", Recording.POSTED),
    ),
)


def asking(language: str, bill: Bill) -> Chat:
    """The link for ``bill`` is about to be asked for."""
    payment = Payment(bill.subject, bill.items, bill.owners, bill.body, bill.basket)
    return stand(language, "checkout", "gateway_down", payment).says("/resume")


def renewing(language: str, bill: Bill, fils: int = 100_000) -> Chat:
    """The link for ``bill`` is on the screen."""
    chat = asking(language, bill).answers(OpenOrder, link(fils=fils)).answers(RenewLink, link(NOON + 60))
    chat.answers(CheckPayment, standing(Status.NONE)).presses("Try again").stands(*at("paying"))
    return chat.did(OpenOrder(bill.subject, bill.items, bill.owners, bill.body, bill.basket))


def recorded(status: Status, shares: Shares, reason: str = "") -> dict[str, object]:
    return news(status, reason, shares=msgspec.to_builtins(shares), receipt=ORDER, paper=PAPER)


def test_what_the_link_says_of_residencies(language: str) -> None:
    chat = renewing(language, FAMILY)
    two = say(message_id("the renewal of {n} residency"), n=2)
    chat.hears("*{total}* for {what}", total=Money(100_000), what=two)
    chat.hears("{who}: residency for {n} year", who=WIFE, n=2, day=Day(date(2028, 12, 31)))
    chat.hears("{who}: residency for {n} year", who=SON, n=3, day=Day(date(2029, 12, 31)))
    chat.hears("By paying you agree that what is paid for a residency")
    chat.hears("You can also renew in Sahel", site=Ltr("eres.moi.gov.kw"))
    chat.hears_not("By paying you agree that a fine paid").hears_not(
        "A fine paid is not returned here either"
    )
    chat.hears_not("*{total}* for {n} violation")
    assert not any(number in chat.last.text for number in FAMILY.owners)


def test_what_the_link_says_of_residencies_and_fines(language: str) -> None:
    chat = renewing(language, MIXED)
    chat.hears("{residencies} and {violations}").hears("*{total}* for {what}", total=Money(105_000))
    chat.hears("By paying you agree that what is paid for a residency").hears(
        "A fine paid is not returned here either"
    )


def test_a_basket_is_counted_and_not_listed(language: str) -> None:
    chat = renewing(language, BASKET)
    many = say(message_id("the renewal of {n} residency"), n=4_812)
    chat.hears("*{total}* for {what}", total=Money(96_240_000), what=many)
    chat.hears_not("{who}: residency for {n} year")


def test_no_message_lists_more_than_ten(language: str) -> None:
    items = tuple(
        msgspec.structs.replace(
            WIFES, number=f"R-{number}", part=number, title=Local(f"ع{number}", f"W{number}")
        )
        for number in range(12)
    )
    chat = renewing(language, Bill(MASKED, items, body="70012345"))
    chat.hears("and {n} more line", n=2)
    assert ("W9" if language == "en" else "ع9") in chat.last.text
    assert ("W10" if language == "en" else "ع10") not in chat.last.text


@pytest.mark.parametrize(
    ("bill", "button"),
    [(FAMILY, "Back to my file"), (MIXED, "Back to my file"), (STAFF, "Back to the workers")],
)
def test_the_receipt_names_everybodys_new_last_day(language: str, bill: Bill, button: str) -> None:
    chat = renewing(language, bill).wakes("paid", ORDER, **recorded(Status.POSTED, BOTH)).stands(*at("paid"))
    chat.hears("✓ {who}: residency until {day}", who=WIFE, day=Day(date(2028, 12, 31)))
    chat.hears("✓ {who}: residency until {day}", who=SON, day=Day(date(2029, 12, 31)))
    chat.hears("It is recorded at the ministry").offers("🔗 Receipt (PDF)", button, "Menu")
    chat.answers(FindFines, Owed(())).presses(button).stands("violations.clean")


def test_who_waits_to_be_recorded_is_told_so(language: str) -> None:
    waiting = msgspec.structs.replace(
        BOTH,
        recorded=1,
        people=(msgspec.structs.replace(BOTH.people[1], state=Recording.PENDING), BOTH.people[0]),
    )
    chat = renewing(language, FAMILY).wakes("paid", ORDER, **recorded(Status.PAID, waiting))
    chat.hears("· {who}: residency until {day}, being recorded", who=SON).hears(
        "✓ {who}: residency", who=WIFE
    )
    chat.hears("It is being recorded at the ministry")
    chat.wakes("posted", ORDER, **recorded(Status.POSTED, BOTH)).hears("✓ Order {order} is now recorded")
    chat.hears("✓ {who}: residency until {day}", who=SON, day=Day(date(2029, 12, 31)))


def test_a_partial_refusal_is_told_person_by_person(language: str) -> None:
    chat = renewing(language, MIXED).wakes("review", ORDER, **recorded(Status.REVIEW, ONE, "partly"))
    chat.stands(*at("review")).hears("Your payment of order {order} arrived, and", order=Code(ORDER))
    chat.hears("✓ {who}: residency until {day}", who=WIFE, day=Day(date(2028, 12, 31)))
    chat.hears("✕ {who}: not recorded, and neither is {n} violation", who=SON, n=1)
    chat.hears("A person looks now at what is not recorded.").offers("🔗 Receipt (PDF)", "Menu")
    chat.says("/menu").wakes("review", ORDER, **recorded(Status.REVIEW, ONE, "partly"))
    chat.hears("✓ {who}: residency until {day}", who=WIFE).offers("🔗 Receipt (PDF)")


def test_a_partial_refusal_found_by_asking(language: str) -> None:
    how = msgspec.convert(recorded(Status.REVIEW, ONE, "partly"), type(standing(Status.PAID)))
    chat = renewing(language, MIXED).answers(CheckPayment, how).presses("I have paid").stands(*at("review"))
    chat.hears("✕ {who}: not recorded, and neither is {n} violation", who=SON)


def test_of_many_only_numbers_and_whoever_was_refused_are_told(language: str) -> None:
    refused = tuple(Share(Local(f"ع{n}", f"W{n}"), 1, "2027-12-31", Recording.REFUSED) for n in range(10))
    many = Shares(0, 4_812, 4_799, 12, refused)
    chat = renewing(language, BASKET).wakes("review", ORDER, **recorded(Status.REVIEW, many, "partly"))
    chat.hears("✓ {n} residency recorded", n=4_799).hears("✕ {n} residency not recorded", n=12)
    chat.hears("· {n} residency being recorded", n=1).hears("and {n} more line", n=2)
    assert chat.last.text.count("✕") == 11


@pytest.mark.parametrize("where", ["opening", "new link"])
def test_a_changed_price_ends_it_without_a_value(language: str, where: str) -> None:
    if where == "opening":
        chat = asking(language, FAMILY).answers(OpenOrder, CheckoutRefused.CHANGED).presses("Try again")
    else:
        chat = renewing(language, FAMILY).answers(RenewLink, CheckoutRefused.CHANGED).presses("New link")
    chat.hears("The price or the conditions of a renewal changed").stands("violations.owed")


def test_nobody_signed_in_any_more(language: str) -> None:
    chat = asking(language, FAMILY).answers(OpenOrder, Fault.UNSIGNED, link()).presses("Try again")
    chat.stands(*at("unsigned")).hears("You are not signed in any more").offers(
        "Sign in", "Cancel", "Back", "Menu"
    )
    chat.answers(BeginSignIn, SignInLink("S1", PAGE, HOST, NOON + 300)).presses("Sign in")
    chat.stands(*at("signing"), "identify.link").answers(ConfirmSignIn, Confirmed(CIVIL_ID))
    chat.returned("S1").says("402917").stands(*at("paying"))
    again = asking(language, FAMILY).answers(OpenOrder, Fault.UNSIGNED).presses("Try again")
    again.presses("Cancel").hears("Cancelled. Nothing was taken.").stands("violations.owed")


def test_somebody_elses_residency_is_not_paid(language: str) -> None:
    chat = asking(language, FAMILY).answers(OpenOrder, Fault.FORBIDDEN).presses("Try again")
    chat.hears("The ministry's records do not say that you act").stands("violations.owed")


def test_words_for_residencies_where_it_does_not_go_on(language: str) -> None:
    chat = asking(language, FAMILY).answers(OpenOrder, Fault.UNAVAILABLE, CheckoutRefused.ELSEWHERE)
    chat.presses("Try again").hears("The ministry's records or the payment gateway do not answer")
    chat.presses("Try again").hears("One of these residencies is being paid for in another chat.")
    chat.answers(OpenOrder, CheckoutRefused.ALREADY_PAID).presses("Try again")
    chat.hears("One of these residencies was paid for already.")


@pytest.mark.parametrize(("bill", "way"), [(FAMILY, "individual"), (STAFF, "companies")])
def test_another_way_to_renew(language: str, bill: Bill, way: str) -> None:
    chat = renewing(language, bill).wakes("refused", ORDER, **news(Status.REFUSED, "pin"))
    chat.presses("Another way").hears("The same residencies can be renewed in the Sahel app")
    assert chat.last.buttons[0].url == f"https://eres.moi.gov.kw/{way}"
    assert CIVIL_ID not in chat.last.text


@pytest.mark.parametrize("words", [CIVIL_ID, "٢٨٥٠١١٥٠٠٠٢٩", f"and for {CIVIL_ID}?"])
def test_another_number_is_looked_up_and_the_link_stands(chat: Chat, words: str) -> None:
    paying(chat).says(words).did(LOOK_UP).stands("violations.owed")
    chat.hears("The link above for *{total}*", total=Money(45_000), until=Hour(NOON + LIFE))
    chat.hears("It has {n} violation that").wakes("paid", ORDER, **PAID)
    chat.stands("violations.owed").hears("✓ Paid: *{amount}*", amount=Money(45_000))


@pytest.mark.parametrize("state", ["not_yet", "refused", "other_ways", "expired", "gateway_down"])
def test_another_number_is_looked_up_wherever_a_payment_waits(language: str, state: str) -> None:
    chat = stand(language, "checkout", state).answers(FindFines, OWED).says(CIVIL_ID)
    chat.did(LOOK_UP).stands("violations.owed").hears("It has {n} violation that")
    chat.hears("The link above for" if state == "not_yet" else "We leave the payment of")


@pytest.mark.parametrize("words", ["600100000001", "285011500028", "fines", "مخالفات"])
def test_a_payment_is_not_left_for_what_may_mean_it(chat: Chat, words: str) -> None:
    """A bank's reference has twelve digits, too; who writes of fines may mean those of the payment."""
    paying(chat).says(words).did().stands(*at("paying")).hears("I did not understand that.")


def test_another_number_an_hour_later_needs_no_question_whether_to_carry_on(language: str) -> None:
    chat = stand(language, "checkout", "refused").answers(FindFines, OWED).wait(hours=2)
    chat.says(CIVIL_ID).did(LOOK_UP).stands("violations.owed")
    chat = stand(language, "checkout", "refused").wait(hours=2)
    chat.says("600100000001").did().stands(*at("refused")).offers("Carry on", "Start over")


@pytest.mark.parametrize("refusal", [CheckoutRefused.ELSEWHERE, Fault.UNSIGNED])
def test_another_number_is_looked_up_where_no_payment_began(
    chat: Chat, refusal: CheckoutRefused | Fault
) -> None:
    owing(chat.answers(OpenOrder, refusal)).presses("Pay all").answers(FindFines, OWED)
    chat.effects.clear()
    chat.says(CIVIL_ID).did(LOOK_UP).stands("violations.owed")
    chat.hears_not("We leave the payment of")
