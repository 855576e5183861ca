"""A link pasted in the middle of something is answered at once, and the question under way is kept."""

import pytest

from bot.dialogs.checkout import CheckPayment, Status
from bot.dialogs.real_link import CheckLinks
from bot.dialogs.real_link.verdict import Trick, Verdict, Whose
from bot.dialogs.violations import FindFines
from bot.spec import Fault
from tests.dialogs.data import LIFE, OWED, PAID, news, owing, paying, standing
from tests.dialogs.data import ORDER as ORDER_REF
from tests.dialogs.harness import CIVIL_ID, Chat

FAKE = "https://moi.gov.kw.example/pay"
VERDICT = Verdict(Whose.NEITHER, "moi.gov.kw.example", Trick.LIKE, "moi.gov.kw")
ASIDE = ("violations.paying", "checkout.paying", "real_link.verdict")
PAYING = ("violations.paying", "checkout.paying")


@pytest.fixture
def aside(chat: Chat) -> Chat:
    """Somebody who is about to pay asks whether a link is real."""
    return paying(chat.answers(CheckLinks, VERDICT)).says(f"is this real? {FAKE}").stands(*ASIDE)


def test_a_link_is_answered_while_a_payment_waits(aside: Chat) -> None:
    aside.hears_text("moi[.]gov[.]kw[.]example").offers("Another link", "Back", "Menu")
    aside.presses("Back").stands(*PAYING).hears("*{total}* for {what}")
    assert aside.last.buttons[0].url, "the payment page is offered again"


@pytest.mark.parametrize("way", ["/back", "/cancel"])
def test_every_way_out_leads_back_to_the_payment(aside: Chat, way: str) -> None:
    aside.says(way).stands(*PAYING)
    aside.answers(CheckPayment, standing(Status.NONE)).presses("I have paid").stands(
        "violations.paying", "checkout.not_yet"
    )


def test_another_link_and_one_more_pile_nothing_up(aside: Chat) -> None:
    aside.says(FAKE).stands(*ASIDE).presses("Another link").says(FAKE).stands(*ASIDE)
    aside.says("/back").says("/back").stands(*PAYING)


def test_no_answer_leads_back_as_well(chat: Chat) -> None:
    paying(chat.answers(CheckLinks, Fault.UNAVAILABLE)).says(FAKE)
    chat.stands(*PAYING, "real_link.down").says(FAKE).stands(*PAYING, "real_link.down")
    chat.presses("Back").stands(*PAYING)


def test_what_would_lose_the_payment_is_not_heard_aside(aside: Chat) -> None:
    aside.effects.clear()
    aside.says(CIVIL_ID).did().stands(*ASIDE).hears("I did not understand that.")


def test_menu_leaves_for_good(aside: Chat) -> None:
    aside.presses("Menu").stands()


def test_a_payment_that_arrives_meanwhile_is_told_and_found(aside: Chat) -> None:
    aside.wakes("paid", ORDER_REF, **PAID).hears("✓ Paid: *{amount}*").stands(
        "violations.paying", "checkout.paid", "real_link.verdict"
    )
    aside.presses("Back").stands("violations.paying", "checkout.paid").hears("✓ Paid: *{amount}*")


def test_a_refusal_meanwhile_too(aside: Chat) -> None:
    aside.wakes("refused", ORDER_REF, **news(Status.REFUSED, "funds"))
    aside.presses("Back").stands("violations.paying", "checkout.refused")


def test_news_of_another_order_change_nothing_below(aside: Chat) -> None:
    before = aside.session.frames[2]
    aside.wakes("paid", "IQ-0000-0000", **PAID)
    assert aside.session.frames[2] == before


def test_a_link_that_expired_meanwhile_is_asked_about_on_the_way_back(aside: Chat) -> None:
    aside.wait(seconds=LIFE + 60).presses("Back").answers(CheckPayment, standing(Status.NONE))
    aside.wait(seconds=1).stands("violations.paying", "checkout.expired")


def test_an_hour_later_it_is_answered_at_once(chat: Chat) -> None:
    owing(chat.answers(CheckLinks, VERDICT)).presses("Choose some").wait(hours=2)
    chat.says(FAKE).stands("violations.some", "real_link.verdict")


def test_what_was_picked_stays_picked(chat: Chat) -> None:
    owing(chat.answers(CheckLinks, VERDICT)).presses("Choose some").says("1 3").says(FAKE)
    chat.stands("violations.some", "real_link.verdict").presses("Back").stands("violations.some")
    assert chat.session.frames[1].picked == ("F1", "F3")


def test_a_typed_answer_is_asked_for_again(chat: Chat) -> None:
    chat.answers(CheckLinks, VERDICT).answers(FindFines, OWED).says("/violations").presses("All of them")
    chat.presses("Civil ID").stands("violations.civil_id").says(FAKE)
    chat.stands("violations.civil_id", "real_link.verdict").presses("Back").stands("violations.civil_id")
    chat.says(CIVIL_ID).stands("violations.owed")


def test_where_nothing_is_under_way_it_begins_anew_as_before(chat: Chat) -> None:
    owing(chat.answers(CheckLinks, VERDICT)).says(FAKE).stands("real_link.verdict").offers(
        "Another link", "Menu"
    )
