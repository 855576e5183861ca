"""My data: what is kept, one number by consent, a copy, and forgetting it all."""

from bot.dialogs.my_data import (
    Export,
    ExportData,
    ForgetAll,
    Forgotten,
    Kept,
    ListKept,
    Remember,
    Remembered,
    RememberRefused,
    Unremember,
)
from bot.dialogs.my_data.consent import CURRENT
from bot.i18n.render import bare
from bot.i18n.text import Code
from bot.spec import Fault
from tests.dialogs.data import ORDER, owing
from tests.dialogs.harness import CIVIL_ID, MASKED, NOON, RENDERER, Chat

YEAR = NOON + 365 * 86400
FILE = "https://iqamati.example/mydata/t0ken.json"
WITH_NUMBER = Kept(MASKED, YEAR, orders=2, paid=1)


def terms(chat: Chat) -> str:
    return bare(RENDERER.plain(CURRENT.text, chat.language))


def test_what_is_kept_is_shown_by_command_menu_and_words(chat: Chat) -> None:
    chat.answers(ListKept, WITH_NUMBER)
    chat.says("/mydata").did(ListKept()).stands("mydata.shown")
    chat.hears("Number remembered: {number}, until {day}.", number=Code(MASKED))
    chat.hears("{n} order was made from this chat, paid: {paid}.", n=2, paid=1)
    chat.offers("Forget the number", "A copy of my data", "Delete it all", "Menu")
    chat.presses("Menu").presses("More").presses("My data").stands("mydata.shown")
    chat.says("/menu").says("بياناتي" if chat.language == "ar" else "privacy").stands("mydata.shown")


def test_a_number_is_remembered_after_consent_only(chat: Chat) -> None:
    chat.answers(ListKept, Kept()).answers(Remember, Remembered(MASKED, YEAR))
    chat.says("/mydata").hears("No number is remembered.").hears("No order was made from this chat.")
    chat.effects.clear()
    chat.presses("Remember a number").hears_text(terms(chat)).stands("mydata.consent")
    chat.presses("No, thank you").did().stands("mydata.shown")
    chat.presses("Remember a number").presses("I agree").did().stands("mydata.number")
    chat.says(CIVIL_ID).did(Remember(CIVIL_ID, CURRENT.version)).stands("mydata.saved")
    chat.hears("From now on I remember {number}", number=Code(MASKED))
    assert [message.erased for message in chat.screen if message.mine] == [False, True]
    assert CIVIL_ID not in str(chat.session), "known to the ledger, and masked here"


def test_a_wrong_number_is_told_before_anything_is_asked(chat: Chat) -> None:
    chat.answers(ListKept, Kept()).says("/mydata").presses("Remember a number").presses("I agree")
    chat.effects.clear()
    chat.says("285011500028").did().stands("mydata.number")


def test_new_terms_ask_again_and_keep_the_number(chat: Chat) -> None:
    chat.answers(ListKept, Kept(MASKED, YEAR, renew=True)).answers(Remember, Remembered(MASKED, YEAR))
    chat.says("/mydata").hears("The terms of this have changed.")
    chat.offers("Agree again", "Forget the number", "A copy of my data", "Delete it all", "Menu")
    chat.effects.clear()
    chat.presses("Agree again").hears_text(terms(chat)).presses("I agree")
    chat.did(Remember("", CURRENT.version)).stands("mydata.saved")


def test_terms_that_changed_meanwhile_are_shown(chat: Chat) -> None:
    chat.answers(ListKept, Kept()).answers(Remember, RememberRefused.OUTDATED)
    chat.says("/mydata").presses("Remember a number").presses("I agree").says(CIVIL_ID)
    chat.stands("mydata.consent").hears_text(terms(chat))
    assert CIVIL_ID not in str(chat.session)


def test_consent_is_withdrawn(chat: Chat) -> None:
    chat.answers(ListKept, WITH_NUMBER).answers(Unremember, Kept(orders=2, paid=1)).says("/mydata")
    chat.effects.clear()
    chat.presses("Forget the number").did(Unremember()).stands("mydata.dropped")
    chat.hears("The number is deleted and your consent is withdrawn.")
    chat.answers(ListKept, Kept()).presses("My data").stands("mydata.shown").hears("No number is remembered.")


def test_a_copy(chat: Chat) -> None:
    chat.answers(ListKept, Kept()).answers(ExportData, Export(FILE, NOON + 3600)).says("/mydata")
    chat.presses("A copy of my data").stands("mydata.export").hears("Here is everything that is kept")
    chat.offers("🔗 Open the file", "New link", "My data", "Menu")
    assert chat.last.buttons[0].url == FILE
    chat.answers(ExportData, Fault.UNAVAILABLE).presses("New link").stands("mydata.down")
    chat.presses("Try again").stands("mydata.shown")


def test_forgetting_is_asked_once_and_says_what_stays(chat: Chat) -> None:
    chat.answers(ForgetAll, Forgotten(stays=2, until=YEAR)).says("/forget").stands("forget.asking")
    chat.hears("*Delete everything of this chat?*").hears("Paid orders stay in the books").did()
    chat.offers("Delete it all", "Keep it", "Menu")
    chat.presses("Delete it all").did(ForgetAll()).stands("forget.done")
    chat.hears("Deleted.").hears("{n} order stays in the books", n=2)


def test_nothing_stays_of_who_never_paid(chat: Chat) -> None:
    chat.answers(ForgetAll, Forgotten()).says("/forget").presses("Delete it all")
    chat.hears("Nothing leads from our books to this chat.")


def test_the_way_through_my_data(chat: Chat) -> None:
    chat.answers(ListKept, Kept()).says("/mydata").presses("Delete it all").stands("forget.asking")
    chat.presses("Keep it").hears("Nothing was deleted.").stands()
    chat.says("/forget").says("/cancel").hears("Nothing was deleted.").stands()


def test_an_order_that_may_be_paid_now_comes_first(chat: Chat) -> None:
    chat.answers(ForgetAll, Forgotten(ORDER), Forgotten()).says("/forget").presses("Delete it all")
    chat.stands("forget.paying").hears("Order {order} may be paid at this moment", order=Code(ORDER))
    chat.presses("Try again").stands("forget.done")


def test_forgetting_that_cannot_finish_is_tried_again(chat: Chat) -> None:
    chat.answers(ForgetAll, Fault.UNAVAILABLE, Forgotten()).says("/forget").presses("Delete it all")
    chat.stands("forget.down").presses("Try again").stands("forget.done")


def test_forgetting_leaves_the_answers_of_other_services_behind(chat: Chat) -> None:
    owing(chat).answers(ForgetAll, Forgotten()).says("/forget").presses("Delete it all")
    assert CIVIL_ID not in str(chat.session)
