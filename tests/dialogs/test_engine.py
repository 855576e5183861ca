"""The engine's own manners: commands, old buttons, long silences, things that are no answer."""

import msgspec
import pytest

from bot.dialogs.checkout import OpenOrder
from bot.dialogs.violations import FindFines, Owed
from bot.engine import step
from bot.i18n.text import Money
from bot.model import Typed
from tests.dialogs.data import LOOK_UP, OWED, THREE, fine, items, link, owing, paying
from tests.dialogs.harness import CIVIL_ID, HOLD, MASKED, Chat

# --- commands ------------------------------------------------------------------------------------


def test_language_keeps_the_place_and_what_was_entered(chat: Chat) -> None:
    paying(chat)
    before = chat.session.frames
    chat.says("/language").hears("From now on in English.").hears("The link opens the payment page")
    assert chat.session.frames == before
    assert chat.session.chosen
    chat.says("/language ar")
    assert chat.language == "ar"
    chat.says("english please")
    assert chat.language == "en"
    chat.says("بالعربي")
    assert chat.language == "ar"


def test_help_keeps_the_place_and_tells_about_it(chat: Chat) -> None:
    owing(chat)
    before = chat.session.frames
    chat.says("/help").hears("We are looking up violations").hears("Send a civil ID and I show")
    chat.hears("It has {n} violation that")
    assert chat.session.frames == before
    chat.says("موظف" if chat.language == "ar" else "agent").hears("Send a civil ID and I show")


def test_help_while_something_is_asked(chat: Chat) -> None:
    chat.answers(FindFines, HOLD).says(CIVIL_ID).says("/help").hears("One moment, I am still asking.")
    chat.says("/language").stands("violations.lookup").lets_go(OWED).stands("violations.owed")


def test_an_unknown_command(chat: Chat) -> None:
    owing(chat).says("/pay").hears("I do not know that command.").stands("violations.owed")


def test_a_command_addressed_to_the_bot(chat: Chat) -> None:
    owing(chat).says("/menu@iqamati_bot").hears("Which service?").stands()


def test_words_for_commands(chat: Chat) -> None:
    back, menu, stop = ("رجوع", "القائمه", "مابي") if chat.language == "ar" else ("BACK", "Menu", "stop")
    owing(chat).presses("Why not that one?").says(back).stands("violations.owed").says(menu).stands()
    owing(chat).says(stop).hears("Stopped. Nothing was paid.").stands()


def test_back_walks_the_questions_and_then_out(chat: Chat) -> None:
    chat.says("/menu").says("1").says("3").presses("Civil ID").presses("Back").stands("violations.method")
    chat.says("/back").stands("violations.scope").says("/back").stands().hears("Which service?")


def test_a_greeting_in_the_middle_offers_to_carry_on(chat: Chat) -> None:
    owing(chat).says("السلام عليكم" if chat.language == "ar" else "hi").hears("You were in the middle")
    chat.offers("Carry on", "Start over").presses("Carry on").stands("violations.owed").hears(
        "It has {n} violation that"
    )
    chat.says("/start").presses("Start over").stands().hears("Which service?")


# --- old buttons ---------------------------------------------------------------------------------


def test_a_button_of_an_earlier_question(chat: Chat) -> None:
    chat.says("/menu").presses("Violations")
    old = chat.last
    token = old.buttons[0].token
    chat.presses("Residency").wait(seconds=30)
    chat.press_token(token, old.id).hears("That button belongs to an earlier").hears("Look them up by which")
    chat.stands("violations.method")
    assert not old.buttons


def test_a_button_of_another_dialog(chat: Chat) -> None:
    owing(chat)
    token = chat.last.buttons[0].token
    chat.says("/menu").presses("My MOI reference").press_token(token).hears(
        "That button belongs to an earlier"
    )
    chat.stands("find_reference.civil_id").did(LOOK_UP)


@pytest.mark.parametrize(
    "token", ["", "x", "a/b/c/d", "violations/owed", "violations/owed/paying/0", "violations/owed//"]
)
def test_a_button_that_never_was(chat: Chat, token: str) -> None:
    owing(chat).press_token(token).hears("That button belongs to an earlier").stands("violations.owed").did(
        LOOK_UP
    )


def test_a_choice_that_does_not_hold_now(chat: Chat) -> None:
    chat.answers(FindFines, Owed(THREE[:1])).says(CIVIL_ID)
    token = chat.last.buttons[0].token.replace("paying", "some")
    chat.press_token(token).hears("That button belongs to an earlier").stands("violations.owed")


def test_a_double_tap_does_nothing_twice(chat: Chat) -> None:
    chat.answers(OpenOrder, link())
    owing(chat)
    token, source = chat.last.buttons[0].token, chat.last.id
    chat.press_token(token, source).hears("The link opens the payment page").wait(seconds=3)
    chat.press_token(token, source).hears_nothing().did(LOOK_UP, OpenOrder(MASKED, items(*THREE)))
    chat.wait(seconds=20).press_token(token, source).hears("That button belongs to an earlier")
    chat.stands("violations.paying", "checkout.paying").did()


def test_the_same_button_is_no_double_tap_because_another_process_has_a_fast_clock(chat: Chat) -> None:
    chat.answers(OpenOrder, link())
    owing(chat)
    token, source = chat.last.buttons[0].token, chat.last.id
    chat.press_token(token, source).hears("The link opens the payment page").wait(seconds=-3)
    chat.press_token(token, source).hears_nothing().wait(seconds=-30)
    chat.press_token(token, source).hears("That button belongs to an earlier")


def test_the_same_button_after_an_older_one_is_no_double_tap(chat: Chat) -> None:
    chat.answers(OpenOrder, link())
    chat.says("/menu").presses("Violations")
    older, other = chat.last, chat.last.buttons[0].token
    owing(chat)
    token, source = chat.last.buttons[0].token, chat.last.id
    chat.press_token(token, source).hears("The link opens the payment page").wait(seconds=10)
    chat.press_token(other, older.id).hears("That button belongs to an earlier").wait(seconds=2)
    chat.press_token(token, source).hears("That button belongs to an earlier").stands(
        "violations.paying", "checkout.paying"
    )


def test_a_double_tap_on_the_menu(chat: Chat) -> None:
    owing(chat).presses("Menu").hears("Which service?")
    chat.press_token("/menu").hears_nothing().says("1").press_token("/menu").hears("Which service?")


def test_an_old_button_with_other_amounts_never_pays(chat: Chat) -> None:
    chat.answers(FindFines, OWED, Owed((fine(7, 900_000),))).answers(OpenOrder, link())
    chat.says(CIVIL_ID)
    old = chat.last.buttons[0]
    chat.says(CIVIL_ID).hears_text("900.000").wait(minutes=1)
    chat.press_token(old.token).hears("That button belongs to an earlier").hears_text("900.000")
    chat.stands("violations.owed").did(LOOK_UP, LOOK_UP)


def test_an_answered_question_loses_its_buttons(chat: Chat) -> None:
    owing(chat)
    asked = chat.last
    text = asked.text
    chat.presses("Why not that one?")
    assert asked.text.startswith(text)
    assert "✓" in asked.text
    assert not asked.buttons


# --- what is no answer ---------------------------------------------------------------------------


def test_three_misses_on_a_choice(chat: Chat) -> None:
    owing(chat).says("🙂").hears("I did not understand that.").hears("It has {n} violation that")
    chat.says("🙂🙂").hears("Still not clear to me.").hears_not("I did not understand").hears_not(
        "To start again"
    )
    chat.says("؟؟").hears("Still not clear to me.").hears("To start again at any time")
    chat.presses("Why not that one?").says("🙂").hears("I did not understand that.")


@pytest.mark.parametrize("kind", ["voice", "photo", "sticker", "location"])
def test_what_is_not_text(chat: Chat, kind: str) -> None:
    owing(chat).attaches(kind).hears("I can read text and button").hears("It has {n} violation that")


@pytest.mark.parametrize("state", ["owed", "civil_id", "home"])
def test_ten_thousand_characters(chat: Chat, state: str) -> None:
    match state:
        case "owed":
            owing(chat)
        case "civil_id":
            chat.says("/menu").says("1").says("3").presses("Civil ID")
        case _:
            chat.says("/menu")
    frames = chat.session.frames
    chat.says("٢٨٥ " * 2500).hears("That message is too long for me.")
    assert chat.session.frames == frames


def test_ten_thousand_characters_first(chat: Chat) -> None:
    chat.says("285011500029 " * 800).hears("Hello, this is").did()


def test_an_answer_to_an_old_look_up_is_not_heard(chat: Chat) -> None:
    chat.answers(FindFines, HOLD).says(CIVIL_ID).says("/menu").says("290063001017").stands(
        "violations.lookup"
    )
    first, second = chat.held
    chat.held = [first]
    chat.lets_go(OWED).hears_nothing().stands("violations.lookup")
    chat.held = [second]
    chat.lets_go(Owed(())).stands("violations.clean").hears_text("2900****1017")


# --- time ----------------------------------------------------------------------------------------


def test_after_an_hour_the_place_is_shown_first(chat: Chat) -> None:
    owing(chat).presses("Choose some").wait(minutes=61)
    chat.says("نعم نعم" if chat.language == "ar" else "well yes").hears("You were in the middle")
    chat.offers("Carry on", "Start over").presses("Carry on").stands("violations.some").hears("Which ones?")


def test_after_an_hour_an_answer_is_still_one(chat: Chat) -> None:
    chat.answers(FindFines, OWED).says("/menu").says("1").says("3").presses("Civil ID").wait(hours=3)
    chat.says(CIVIL_ID).stands("violations.owed").wait(hours=3)
    chat.says("290063001017").hears_text("2900****1017").stands("violations.owed")


def test_after_an_hour_buttons_still_work(chat: Chat) -> None:
    chat.answers(OpenOrder, link())
    owing(chat).wait(hours=20).presses("Pay all").stands("violations.paying", "checkout.paying")


def test_after_an_hour_at_rest_nothing_is_carried_on(chat: Chat) -> None:
    chat.answers(FindFines, Owed(())).says(CIVIL_ID).wait(hours=2).says("🙂").hears(
        "I did not understand that."
    )


def test_after_a_day_the_answers_are_gone(chat: Chat) -> None:
    owing(chat)
    asked = chat.last
    chat.wait(hours=25).press_token(asked.buttons[0].token, asked.id).hears("Hello, this is").stands()
    assert not asked.buttons
    assert CIVIL_ID not in repr(chat.session)


def test_after_a_day_a_number_is_answered_at_once(chat: Chat) -> None:
    owing(chat).wait(hours=25).says(CIVIL_ID).stands("violations.owed").did(LOOK_UP, LOOK_UP)


def test_after_a_day_a_command_button_is_still_one(chat: Chat) -> None:
    other = "en" if chat.language == "ar" else "ar"
    chat.says("/start").wait(hours=30).presses("العربية 🇰🇼")
    assert chat.language == other


# --- delivery ------------------------------------------------------------------------------------


def test_an_event_seen_before_changes_nothing(chat: Chat) -> None:
    event = Typed(id="same", chat=chat.address, text="/menu", language=chat.language)
    chat.act(event).hears("Which service?")
    again = step(chat.book, chat.session, event, chat.now + 1)
    assert not again.changed
    assert (again.session, again.replies, again.works) == (chat.session, (), ())


def test_the_revision_never_repeats(chat: Chat) -> None:
    chat.says("/menu")
    first = chat.session.rev
    assert first == chat.now
    chat.says("1")
    assert chat.session.rev == first + 1


def test_a_session_is_small(chat: Chat) -> None:
    many = tuple(fine(n) for n in range(1, 24))
    chat.answers(FindFines, Owed(many)).answers(OpenOrder, link()).says(CIVIL_ID).presses("Pay all")
    assert chat.stands("violations.paying", "checkout.paying").session.frames
    assert len(msgspec.msgpack.encode(chat.session)) < 8192


def test_amounts_on_buttons_are_of_the_right_list(chat: Chat) -> None:
    owing(chat).presses("Pay all", total=Money(45_000))
