"""Home: the greeting, the menu, in which language."""

import pytest

from bot.dialogs.home import Operator
from bot.dialogs.violations import FindFines
from tests.dialogs.data import LOOK_UP, OWED
from tests.dialogs.harness import CIVIL_ID, MASKED, Chat


def test_greets_in_arabic_with_one_english_line() -> None:
    chat = Chat("").says("السلام عليكم").hears("Hello, this is").hears("This is an unofficial service")
    assert chat.language == "ar"
    chat.hears_text("In English? Press the button or write in English.")
    chat.offers(
        "Violations", "Renew residency", "My MOI reference", "My receipts", "More", "العربية 🇰🇼"
    ).stands()
    assert chat.last.labels[-1] == "English 🇬🇧"


def test_a_latin_writer_is_answered_in_english() -> None:
    chat = Chat("").says("hello").hears("Hello, this is").hears_text("بالعربية؟ اضغط الزر أو اكتب بالعربية.")
    assert chat.language == "en"
    assert chat.last.labels[-1] == "العربية 🇰🇼"


def test_the_channel_names_english() -> None:
    chat = Chat("en-GB").attaches("sticker").hears("Hello, this is")
    assert chat.language == "en"
    chat.says("السلام عليكم")
    assert chat.language == "ar"


def test_the_channel_names_a_language_we_do_not_speak() -> None:
    assert Chat("hi").says("🙂").hears("Hello, this is").language == "en"
    assert Chat("ar-KW").says("🙂").hears("Hello, this is").language == "ar"


def test_arabic_indic_digits_are_arabic() -> None:
    chat = Chat("").answers(FindFines, OWED).says("٢٨٥٠١١٥٠٠٠٢٩")
    assert chat.language == "ar"
    chat.stands("violations.owed").hears("*Iqamati*").hears("This is an unofficial service").hears_text(
        MASKED
    )


def test_a_chosen_language_stays(chat: Chat) -> None:
    other = "en" if chat.language == "ar" else "ar"
    chat.says("/start").presses("العربية 🇰🇼").hears("From now on in English.")
    assert chat.language == other
    chat.says("hello" if other == "ar" else "مرحبا").hears("Hello, this is")
    assert chat.language == other
    chat.wait(hours=80).says("hi" if other == "ar" else "هلا").hears("Hello, this is")
    assert chat.language == other


def test_a_passport_number_does_not_change_the_language() -> None:
    chat = Chat("ar").says("السلام عليكم").presses("My MOI reference").says(CIVIL_ID).says("P1234567")
    assert chat.language == "ar"
    chat.stands("find_reference.expiry")


def test_who_runs_it() -> None:
    Chat("en", operator=Operator("Mutual Help", "")).says("hi").hears("This service is run by {name}. It")
    run = Chat("en", operator=Operator("", "Ministry of Interior")).says("hi")
    run.hears("This service is run by {name} with").hears_not("This is an unofficial")


def test_a_service_named_at_once(chat: Chat) -> None:
    text = "عندي مخالفات؟" if chat.language == "ar" else "do I have fines?"
    chat.says(text).hears("*Iqamati*").hears("Which violations?").stands("violations.scope")


def test_the_menu_by_button_number_and_word(chat: Chat) -> None:
    chat.says("/menu").hears("Which service?").presses("Violations").stands("violations.scope")
    chat.presses("Menu").says("1").stands("violations.scope")
    chat.presses("Menu").says("٣" if chat.language == "ar" else "3").stands("find_reference.civil_id")
    chat.says("/menu").says("مخالفات" if chat.language == "ar" else "violations").stands("violations.scope")


def test_choosing_a_service_leaves_its_name_behind(chat: Chat) -> None:
    chat.says("/menu")
    menu = chat.last.id
    chat.presses("Violations")
    names = {"ar": "الخدمة: المخالفات ✓", "en": "Service: Violations ✓"}
    assert chat.message(menu).text == names[chat.language]
    assert not chat.message(menu).buttons


@pytest.mark.parametrize("command", ["/menu", "/back", "/cancel"])
def test_home_is_the_end_of_every_way_back(chat: Chat, command: str) -> None:
    chat.says("/menu").says(command).hears("Which service?").stands()


def test_the_first_message_is_a_command(chat: Chat) -> None:
    chat.says("/help").hears("Send a civil ID and I show").hears("Hello, this is")
    chat.answers(FindFines, OWED).says(CIVIL_ID).stands("violations.owed").did(LOOK_UP)
