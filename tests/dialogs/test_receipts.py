"""Receipts: earlier payments listed, one shown again with its paper."""

from datetime import date

import msgspec

from bot.dialogs.checkout import Recording, Share, Shares, Standing, Status
from bot.dialogs.receipts import AT_ONCE, Listed, ListReceipts, ReadReceipt, Receipts
from bot.i18n.text import Code, Day, Local, Money
from bot.spec import Fault
from tests.dialogs.data import BANK, ORDER, PAPER, news, standing
from tests.dialogs.harness import NOON, Chat

DAY = 86400
DATE = {"ar": "21 نوفمبر 2026", "en": "21 November 2026"}


def listed(*numbers: int, more: bool = False) -> Receipts:
    """One receipt a day before the other."""
    return Receipts(tuple(Listed(f"IQ-0000-{n:04d}", n * 1000, NOON - n * DAY) for n in numbers), more)


def test_a_receipt_is_listed_and_shown_again(chat: Chat) -> None:
    chat.answers(ListReceipts, Receipts((Listed(ORDER, 45_000, NOON),), more=False))
    chat.answers(ReadReceipt, standing(Status.POSTED))
    chat.says("/receipts").did(ListReceipts("", AT_ONCE)).stands("receipts.list")
    chat.hears("You have {n} receipt. Which one?", n=1)
    chat.effects.clear()
    chat.picks(DATE[chat.language]).did(ReadReceipt(ORDER)).stands("receipts.shown")
    chat.hears("✓ Paid: *{amount}*", amount=Money(45_000)).hears("Bank reference {bank}", bank=Code(BANK))
    chat.offers("🔗 Receipt (PDF)", "Another receipt", "Menu")
    assert chat.last.buttons[0].url == PAPER
    chat.presses("Another receipt").stands("receipts.list")
    chat.presses("Menu").stands()


def test_an_order_that_was_recorded_in_part_is_told_person_by_person(chat: Chat) -> None:
    who = Local("الزوجة", "Wife"), Local("الابن", "Son")
    people = (
        Share(who[1], 1, "2027-12-31", Recording.REFUSED),
        Share(who[0], 2, "2028-12-31", Recording.POSTED),
    )
    how = standing(Status.REVIEW, "partly")
    how = msgspec.structs.replace(how, paper=PAPER, shares=Shares(0, 2, 1, 1, people))
    chat.answers(ListReceipts, listed(1)).answers(ReadReceipt, how).says("/receipts").says("1")
    chat.stands("receipts.shown").hears("Your payment of order {order} arrived, and")
    chat.hears("✓ {who}: residency until {day}", who=who[0], day=Day(date(2028, 12, 31)))
    chat.hears("✕ {who}: not recorded", who=who[1]).offers("🔗 Receipt (PDF)", "Another receipt", "Menu")


def test_the_menu_and_words_lead_here(chat: Chat) -> None:
    chat.answers(ListReceipts, listed(1))
    chat.says("/menu").presses("My receipts").stands("receipts.list")
    chat.says("/menu").says("إيصالاتي" if chat.language == "ar" else "my receipts").stands("receipts.list")
    chat.answers(ReadReceipt, standing(Status.POSTED)).says("1").stands("receipts.shown")


def test_nothing_was_paid_yet(chat: Chat) -> None:
    chat.answers(ListReceipts, listed()).says("/receipts").stands("receipts.none")
    chat.hears("Nothing was paid from this chat yet").offers("Menu")


def test_the_ledger_is_away_and_comes_back(chat: Chat) -> None:
    chat.answers(ListReceipts, Fault.UNAVAILABLE, listed(1)).says("/receipts").stands("receipts.down")
    chat.hears("The receipts cannot be read now").presses("Try again").stands("receipts.list")
    chat.answers(ReadReceipt, Fault.TIMEOUT).says("1").stands("receipts.down")


def test_older_receipts_are_behind_one_more_button(chat: Chat) -> None:
    chat.answers(ListReceipts, listed(*range(1, 19), more=True), listed(19))
    chat.says("/receipts").hears("You have {n} receipt", n=18)
    for _ in range(3):
        chat.presses("Next")
    chat.effects.clear()
    chat.presses("Older receipts").did(ListReceipts("IQ-0000-0018", AT_ONCE)).stands("receipts.list")
    chat.hears("You have {n} receipt", n=1)


def test_what_went_back_and_what_is_reviewed_is_said(chat: Chat) -> None:
    back = Standing(Status.POSTED, ORDER, BANK, 45_000, NOON, paper=PAPER, refunded=15_000)
    chat.answers(ListReceipts, listed(1)).answers(ReadReceipt, back, standing(Status.REVIEW, "second"))
    chat.says("/receipts").says("1").hears("Given back: *{amount}*", amount=Money(15_000))
    chat.presses("Another receipt").says("1").hears("A second payment of order")


def test_a_payment_is_told_here_too(chat: Chat) -> None:
    chat.answers(ListReceipts, listed(1)).says("/receipts")
    chat.wakes("paid", ORDER, **news(Status.PAID)).hears("✓ Paid: *{amount}*").stands("receipts.list")
