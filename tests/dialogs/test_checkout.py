"""Checkout: link, waiting, receipt; and every way in which money does not arrive."""

from datetime import date

import pytest

from bot.dialogs.checkout import (
    CancelOrder,
    CheckoutRefused,
    CheckPayment,
    OpenOrder,
    PayLink,
    RefusalReason,
    RenewLink,
    Status,
)
from bot.dialogs.violations import FindFines, Owed
from bot.i18n.text import Code, Day, Hour, Ltr, Money
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
from tests.dialogs.harness import HOLD, MASKED, NOON, Chat, message_id

CHECK = CheckPayment(ORDER)
CANCEL = CancelOrder(ORDER)
RENEW = RenewLink(ORDER)
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
    chat.hears("You can also pay in Sahel").hears("By paying you agree")
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


@pytest.mark.parametrize("refusal", [CheckoutRefused.GATEWAY_DOWN, *Fault])
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
