"""Find reference: civil ID, passport, expiry; and the passport number leaves the chat."""

import pytest

from bot.dialogs.find_reference import FindReference, FindReferenceRefused, Reference
from bot.i18n.text import Code
from bot.spec import Fault
from tests.dialogs.harness import CIVIL_ID, HOLD, Chat

ASKED = FindReference(CIVIL_ID, "A1234567", "2027-03-12")


def begin(chat: Chat) -> Chat:
    return chat.says("/menu").presses("My MOI reference").stands("find_reference.civil_id")


def test_found(chat: Chat) -> None:
    chat.answers(FindReference, Reference("12345678"))
    begin(chat).hears("To find the reference number").says("٢٨٥٠ ١١٥٠ ٠٠٢٩").hears(
        "Enter the passport number."
    )
    chat.says("a123 4567").hears("When does the passport expire?").says("12 مارس 2027").did(ASKED)
    chat.hears("Your MOI reference number", number=Code("12345678")).hears("Which service?").stands()


def test_the_passport_number_is_erased_and_forgotten(chat: Chat) -> None:
    chat.answers(FindReference, HOLD)
    begin(chat).says(CIVIL_ID).says("A12").says("A1234567")
    mine = [message for message in chat.screen if message.mine]
    assert [message.erased for message in mine] == [False, False, True, True]
    assert not any("A1234567" in message.text for message in chat.screen if not message.mine)
    chat.says("12/03/2027").lets_go(Reference("12345678"))
    assert "A1234567" not in repr(chat.session)


def test_no_match(chat: Chat) -> None:
    chat.answers(FindReference, FindReferenceRefused.NO_MATCH, Reference("12345678"))
    begin(chat).says(CIVIL_ID).says("A1234567").says("12/03/2027").stands("find_reference.no_match")
    chat.hears("The records hold nobody").presses("Enter them again").stands("find_reference.civil_id")
    assert "A1234567" not in repr(chat.session), "the answer came, the passport is not kept"
    chat.says(CIVIL_ID).says("A1234567").says("2027-03-12").stands().did(ASKED, ASKED)


@pytest.mark.parametrize("fault", [*Fault])
def test_down(chat: Chat, fault: Fault) -> None:
    chat.answers(FindReference, fault, Reference("12345678"))
    begin(chat).says(CIVIL_ID).says("A1234567").says("12/03/2027").stands("find_reference.down")
    chat.hears("The ministry's records do not answer now. Nothing is lost.")
    chat.presses("Try again").stands().did(ASKED, ASKED)


def test_slow(chat: Chat) -> None:
    begin(chat).says(CIVIL_ID).says("A1234567").says("12/03/2027").stands("find_reference.lookup")
    chat.slow().hears("The ministry's records are slow today")


def test_back_and_out(chat: Chat) -> None:
    begin(chat).says(CIVIL_ID).says("A1234567").presses("Back").stands("find_reference.passport")
    chat.says("/back").stands("find_reference.civil_id").says("/back").stands().hears("Which service?")
    begin(chat).says("/cancel").hears("Stopped. Nothing was looked up.").stands()


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("abc", "A passport number is 5 to 15"),
        ("رقم ١٢٣٤٥", "A passport number is 5 to 15"),
        ("A1234567890123456", "A passport number is 5 to 15"),
    ],
)
def test_no_passport(chat: Chat, text: str, fault: str) -> None:
    begin(chat).says(CIVIL_ID).says(text).hears(fault).says(text).hears("It stands at the top right")
    chat.says(text).hears("To start again at any time").stands("find_reference.passport")


@pytest.mark.parametrize("text", ["قريبا", "12/2027", "31/02/2027", "1/1/3027", "2027"])
def test_no_date(chat: Chat, text: str) -> None:
    begin(chat).says(CIVIL_ID).says("A1234567").says(text).hears("I need a full date")
    chat.says(text).hears("Day first, then month")
