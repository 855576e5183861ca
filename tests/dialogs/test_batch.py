"""A list of workers: from sending to the receipt, however it goes on the way."""

from typing import Any, Final

import msgspec
import pytest

from bot.dialogs.batch.work import LOOK_EVERY
from bot.dialogs.checkout import CancelOrder, OpenOrder, Status
from bot.dialogs.company.effects import (
    Batch,
    BatchRefused,
    FindTemplate,
    QuoteBatch,
    ReadBatch,
    StartBatch,
    StartBatchRefused,
    StopBatch,
    Stopped,
    YearOffer,
)
from bot.dialogs.identify import BeginSignIn, Confirmed, ConfirmSignIn, SignInLink
from bot.domain import Basket
from bot.i18n.text import Code, Hour, Money
from bot.model import Signed, Woken
from bot.spec import Fault
from tests.dialogs.data import ORDER, PAID, standing
from tests.dialogs.family import MINUTES
from tests.dialogs.harness import CIVIL_ID, HOLD, NOON, Chat
from tests.dialogs.staff import (
    BEGUN,
    CHECKED,
    COMPANY,
    EXCEL,
    HALF,
    HOPELESS,
    LIST,
    OFFERS,
    QUOTE,
    TEMPLATE,
    TEXT,
    VERDICTS,
    at_desk,
    payable,
    sending,
)

LINK = SignInLink("S1", "https://iqamati.example/signin/t0ken", "id.example.kw", NOON + 300)
START = StartBatch(COMPANY.number, "F1")
READ = ReadBatch(COMPANY.number, LIST)


def sent(chat: Chat, *answers: Any) -> Chat:
    """A list was sent."""
    if answers:
        chat.answers(StartBatch, *answers)
    return chat.sends(file="F1", name="staff.xlsx")


def wakes(chat: Chat, kind: str, batch: Batch = HALF) -> Chat:
    """The service has news of a list."""
    event: dict[str, Any] = {"id": f"{kind}{batch.done}{batch.waiting}", "chat": chat.address}
    data = msgspec.to_builtins(batch)
    return chat.act(Woken(dialog="batch", kind=kind, ref=batch.ref, data=data, **event))


def summed(chat: Chat) -> Chat:
    """The verdicts in short are on the screen."""
    sent(sending(chat), CHECKED).stands("company.batch", "batch.summary")
    chat.effects.clear()
    return chat


def priced(chat: Chat) -> Chat:
    """The price of two years is on the screen."""
    summed(chat).presses("Choose the duration").picks(chat.last.labels[1][-12:]).presses("I agree")
    chat.effects.clear()
    return chat.stands("company.batch", "batch.price")


FINED: Final = msgspec.structs.replace(
    CHECKED, offers=(YearOffer(1, 6, 147_000, 4, 80_000), YearOffer(2, 3, 120_000, 0, 0))
)


def test_whoever_has_fines_is_renewed_only_when_asked_for(chat: Chat) -> None:
    sent(sending(chat), FINED).effects.clear()
    chat.answers(QuoteBatch, QUOTE).presses("Choose the duration").stands("company.batch", "batch.fines")
    chat.hears("{n} worker who can be renewed", n=2).hears("Fees and fines of these", amount=Money(67_000))
    chat.offers("Without them", "With their fines", "Back", "Menu")
    chat.presses("Without them").stands("company.batch", "batch.duration")
    chat.offers("{years}, {count}: {amount}", "Back", "Menu")
    chat.presses("{years}, {count}: {amount}", count=4, amount=Money(80_000)).presses("I agree")
    chat.did(QuoteBatch(COMPANY.number, LIST, 1, fines=False))


def test_their_fines_are_paid_along_when_asked_for(chat: Chat) -> None:
    sent(sending(chat), FINED).effects.clear()
    chat.answers(QuoteBatch, QUOTE).presses("Choose the duration").presses("With their fines")
    chat.hears("Each amount is for those who may have that duration, with")
    chat.presses("{years}, {count}: {amount}", count=3, amount=Money(120_000)).presses("I agree")
    chat.did(QuoteBatch(COMPANY.number, LIST, 2, fines=True))
    chat.says("/back").stands("company.batch", "batch.duration").says("/back").stands(
        "company.batch", "batch.summary"
    )


def test_from_the_file_to_the_receipt(chat: Chat) -> None:
    payable(chat).answers(FindTemplate, TEMPLATE).answers(StartBatch, BEGUN).answers(ReadBatch, CHECKED)
    chat.answers(QuoteBatch, QUOTE)
    at_desk(chat).effects.clear()
    chat.presses("A list as a file").did(FindTemplate()).stands("company.batch", "batch.upload")
    chat.hears("Send the list of {name} as a file", name=COMPANY.name)
    chat.hears("At most {n} row.", n=5_000).hears("Every row is checked and gets a verdict;")
    chat.offers("🔗 Empty list, Excel", "🔗 Empty list, CSV", "Back", "Menu")
    assert [button.url for button in chat.last.buttons[:2]] == [EXCEL, TEXT]
    sent(chat).did(START).stands("company.batch", "batch.running")
    chat.hears("List {ref}", ref=Code(LIST)).hears("Checked: {done} of {n} row.", n=5_000, done=0)
    chat.offers("How far is it?", "Stop checking", "Back", "Menu")
    going = msgspec.structs.replace(HALF, waiting=False)
    wakes(chat, "progress", going).stands("company.batch", "batch.running")
    chat.hears("Checked: {done} of {n} row.", n=5_000, done=2_000).hears_not(
        "The ministry's records do not answer just"
    )
    wakes(chat, "progress", HALF).hears("The ministry's records do not answer just now. I keep")
    wakes(chat, "done", CHECKED).did(READ).stands("company.batch", "batch.summary")
    chat.hears("{n} row of {name} is checked:", n=5_000).hears("✓ {n} can be renewed now", n=4_311)
    chat.hears("✕ {n} blocked", n=502).hears("· {n} number not found", n=151).hears("· {n} row repeats", n=36)
    chat.hears("The file has a verdict for each row", until=Hour(NOON + 3600))
    chat.offers(
        "🔗 Verdicts (Excel)",
        "🔗 Verdicts (CSV)",
        "Choose the duration",
        "Check again",
        "New link",
        "Another file",
        "Back",
        "Menu",
    )
    assert [button.url for button in chat.last.buttons[:2]] == [VERDICTS, VERDICTS.replace("xlsx", "csv")]
    chat.presses("Choose the duration").stands("company.batch", "batch.duration").hears(
        "Each amount is for those who may have that duration. The"
    )
    chat.offers("{years}, {count}: {amount}", "{years}, {count}: {amount}", "Back", "Menu")
    chat.presses("{years}, {count}: {amount}", count=OFFERS[1].count, amount=Money(OFFERS[1].fils))
    chat.stands("company.batch", "batch.terms").hears("By going on you agree: the Latin names").did()
    chat.presses("I agree").did(QuoteBatch(COMPANY.number, LIST, 2)).stands("company.batch", "batch.price")
    chat.hears("In all *{total}*", total=Money(QUOTE.fils)).hears("{n} worker of {name}", n=3_902)
    chat.hears("Each for {years}").hears("This price holds until {until}.", until=Hour(QUOTE.until))
    chat.presses("Pay {total}", total=Money(QUOTE.fils)).stands(
        "company.batch", "batch.paying", "checkout.paying"
    )
    basket = Basket(QUOTE.ref, QUOTE.count, QUOTE.fils)
    chat.did(OpenOrder(QUOTE.subject, body=COMPANY.number, basket=basket))
    chat.wakes("paid", ORDER, **PAID).hears("✓ Paid: *{amount}*").says("/back")
    chat.stands("company.batch", "batch.paid").offers("Check again", "Another file", "Menu")


def test_a_list_that_is_known_is_answered_at_once(chat: Chat) -> None:
    """Sent twice: the service says the same batch, whole."""
    sent(sending(chat), CHECKED).did(START).stands("company.batch", "batch.summary")
    chat.presses("Another file").stands("company.batch", "batch.upload")
    sent(chat).did(START).stands("company.batch", "batch.summary").hears("✓ {n} can be renewed now", n=4_311)


def test_nobody_of_it_can_be_renewed(chat: Chat) -> None:
    sent(sending(chat), HOPELESS).hears("✓ {n} can be renewed now", n=0).hears_not("· {n} row repeats")
    chat.offers(
        "🔗 Verdicts (Excel)", "🔗 Verdicts (CSV)", "Check again", "New link", "Another file", "Back", "Menu"
    )


@pytest.mark.parametrize(
    ("why", "state", "says"),
    [
        (StartBatchRefused.GONE, "lost", "The file is not kept any more: files"),
        (StartBatchRefused.UNREADABLE, "unreadable", "I cannot read this file. I take Excel"),
        (StartBatchRefused.EMPTY, "empty", "I find no column of civil IDs"),
        (StartBatchRefused.TOO_LONG, "too_long", "The file is too large: at most"),
    ],
)
def test_a_file_that_is_no_list(chat: Chat, why: StartBatchRefused, state: str, says: str) -> None:
    sent(sending(chat), why).stands("company.batch", f"batch.{state}").hears(says)
    chat.presses("Send it").stands("company.batch", "batch.upload")
    sent(chat, BEGUN).stands("company.batch", "batch.running")


def test_how_large_a_file_may_be_is_told_with_the_figure(chat: Chat) -> None:
    sent(sending(chat), StartBatchRefused.TOO_LONG).hears("The file is too large: at most", n=5_000)
    at_desk(chat).answers(FindTemplate, Fault.UNAVAILABLE).presses("A list as a file")
    chat.stands("company.batch", "batch.upload").offers("Back", "Menu")
    sent(chat).hears("The file is too large. Send it in several parts;")


def test_words_and_pictures_are_no_list(chat: Chat) -> None:
    sending(chat).says("285011500029").did().stands("company.batch", "batch.upload")
    chat.attaches("photo").did().stands("company.batch", "batch.upload")
    chat.sends(missing="large").did().stands("company.batch", "batch.upload")


def test_somebody_not_of_this_company(chat: Chat) -> None:
    """The gate says no: nothing is read, and the body is left."""
    sent(sending(chat), Fault.FORBIDDEN).hears("You are not an authorised user of this body").stands(
        "company.desk"
    )


def test_the_service_cannot_take_it_in(chat: Chat) -> None:
    sent(sending(chat), Fault.UNAVAILABLE, BEGUN).stands("company.batch", "batch.start_down")
    chat.presses("Try again").did(START, START).stands("company.batch", "batch.running")


def test_reading_a_large_file_takes_a_moment(chat: Chat) -> None:
    sent(sending(chat), HOLD).slow().hears("I am reading the file; one moment.").lets_go(BEGUN)
    chat.stands("company.batch", "batch.running")


# --- while it is checked -------------------------------------------------------------------------


def test_how_far_it_is(chat: Chat) -> None:
    sent(sending(chat)).answers(ReadBatch, HALF, CHECKED).presses("How far is it?")
    chat.hears("Checked: {done} of {n} row.", done=2_000, n=5_000).stands("company.batch", "batch.running")
    chat.presses("How far is it?").stands("company.batch", "batch.summary")


def test_news_that_got_lost_are_asked_for(chat: Chat) -> None:
    """The service looks by itself, and says nothing while there is nothing to say."""
    sent(sending(chat)).answers(ReadBatch, HALF, Fault.UNAVAILABLE, CHECKED)
    chat.effects.clear()
    chat.wait(seconds=LOOK_EVERY).did(READ).hears_nothing().stands("company.batch", "batch.quiet")
    chat.wait(seconds=LOOK_EVERY).did(READ).hears_nothing().stands("company.batch", "batch.quiet")
    chat.wait(seconds=LOOK_EVERY).did(READ).stands("company.batch", "batch.summary").hears(
        "✓ {n} can be renewed now"
    )


def test_quiet_states_take_buttons_and_news(chat: Chat) -> None:
    sent(sending(chat)).answers(ReadBatch, HALF).wait(seconds=LOOK_EVERY)
    chat.presses("How far is it?").stands("company.batch", "batch.running")
    chat.wait(seconds=LOOK_EVERY).stands("company.batch", "batch.quiet")
    wakes(chat.answers(ReadBatch, CHECKED), "done", CHECKED).stands("company.batch", "batch.summary")


def test_news_of_another_list_do_not_disturb(chat: Chat) -> None:
    sent(sending(chat))
    other = msgspec.structs.replace(CHECKED, ref="B-0000-0000")
    wakes(chat, "done", other).hears("✓ Your list {ref} is checked:", ref=Code("B-0000-0000"))
    chat.stands("company.batch", "batch.running")
    wakes(chat, "progress", msgspec.structs.replace(HALF, ref="B-0000-0000")).hears_nothing()


def test_somewhere_else_the_end_is_told_with_the_file(chat: Chat) -> None:
    sent(sending(chat)).says("/menu").effects.clear()
    wakes(chat, "progress").hears_nothing()
    wakes(chat, "done", CHECKED).hears("✓ Your list {ref} is checked:").hears(
        "✓ {n} can be renewed now", n=4_311
    )
    chat.hears("To pay, send the same file again").did().stands()
    assert chat.last.buttons[0].url == VERDICTS


def test_stopping(chat: Chat) -> None:
    sent(sending(chat)).effects.clear()
    chat.answers(StopBatch, Fault.UNAVAILABLE, Stopped()).presses("Stop checking")
    chat.did(StopBatch(COMPANY.number, LIST)).stands("company.batch", "batch.read_down")
    chat.answers(ReadBatch, HALF).presses("Try again").presses("Stop checking").stands("company.desk")
    chat.hears("Checking is stopped and the list is deleted.")


def test_leaving_lets_it_go_on(chat: Chat) -> None:
    sent(sending(chat)).says("/cancel").hears("The list goes on being checked").stands("company.desk")
    summed(chat).says("/cancel").hears("Stopped. Nothing was paid.").stands("company.desk")


@pytest.mark.parametrize("elsewhere", [False, True])
def test_checking_that_had_to_stop_is_told(chat: Chat, elsewhere: bool) -> None:  # noqa: FBT001 - a parameter of the test
    sent(sending(chat))
    if elsewhere:
        wakes(chat.says("/menu"), "stopped").hears(
            "Checking your list {ref} has stopped:", ref=Code(LIST)
        ).stands()
        return
    wakes(chat, "stopped").stands("company.batch", "batch.stopped").hears(
        "Checking has stopped: the ministry's"
    )
    chat.says("/cancel").hears("Stopped. Nothing was paid.")


def test_a_list_that_is_gone(chat: Chat) -> None:
    sent(sending(chat)).answers(ReadBatch, BatchRefused.GONE).presses("How far is it?")
    chat.hears("The list is not kept any more: lists").stands("company.desk")


def test_signed_out_meanwhile(chat: Chat) -> None:
    sent(sending(chat)).answers(ReadBatch, Fault.UNSIGNED, CHECKED).answers(BeginSignIn, LINK)
    chat.answers(ConfirmSignIn, Confirmed(CIVIL_ID))
    chat.session = msgspec.structs.replace(chat.session, signed=None)
    chat.presses("How far is it?").stands("company.batch", "batch.read_sign", "identify.link")
    chat.returned("S1").says("402917").stands("company.batch", "batch.summary")


# --- the price -----------------------------------------------------------------------------------


def test_a_new_link_to_the_verdicts(chat: Chat) -> None:
    fresh = msgspec.structs.replace(CHECKED, url="https://iqamati.example/batches/fresh.xlsx")
    summed(chat).answers(ReadBatch, fresh).presses("New link").did(READ)
    assert chat.last.buttons[0].url == fresh.url


def test_what_was_cleared_meanwhile_is_checked_again(chat: Chat) -> None:
    better = msgspec.structs.replace(CHECKED, ready=4_400, blocked=413)
    summed(chat).answers(ReadBatch, Fault.UNAVAILABLE, better).presses("Check again").stands(
        "company.batch", "batch.anew_down"
    )
    anew = ReadBatch(COMPANY.number, LIST, anew=True)
    chat.presses("Try again").did(anew, anew).stands("company.batch", "batch.summary")
    chat.hears("✓ {n} can be renewed now", n=4_400)


def test_a_price_ends(chat: Chat) -> None:
    priced(chat).wait(minutes=MINUTES).stands("company.batch", "batch.expired").hears(
        "The price held until {until}."
    )
    chat.presses("New price").did(QuoteBatch(COMPANY.number, LIST, 2)).stands("company.batch", "batch.price")


def test_nobody_left_for_that_duration(chat: Chat) -> None:
    summed(chat).answers(QuoteBatch, BatchRefused.NONE_LEFT).presses("Choose the duration")
    chat.picks(chat.last.labels[0][-12:]).presses("I agree").stands("company.batch", "batch.none_left")
    chat.presses("Check again").stands("company.batch", "batch.summary")


def test_no_price_now(chat: Chat) -> None:
    summed(chat).answers(QuoteBatch, Fault.UNAVAILABLE, QUOTE).presses("Choose the duration")
    chat.picks(chat.last.labels[0][-12:]).presses("I agree").stands("company.batch", "batch.quote_down")
    chat.presses("Try again").stands("company.batch", "batch.price")


def test_a_large_sum_asks_for_a_fresh_sign_in(chat: Chat) -> None:
    large = msgspec.structs.replace(QUOTE, large=True)
    payable(priced(chat)).answers(QuoteBatch, large).presses("Change the duration")
    chat.picks(chat.last.labels[0][-12:]).presses("I agree")
    chat.answers(BeginSignIn, LINK).answers(ConfirmSignIn, Confirmed(CIVIL_ID))
    chat.session = msgspec.structs.replace(chat.session, signed=Signed(CIVIL_ID, NOON - 1200, NOON + 600))
    chat.presses("Pay {total}").stands("company.batch", "batch.sign_again", "identify.link")
    chat.returned("S1").says("402917").stands("company.batch", "batch.paying", "checkout.paying")


def test_a_payment_given_up_comes_back_to_the_list(chat: Chat) -> None:
    payable(priced(chat)).answers(CancelOrder, standing(Status.CANCELLED)).presses("Pay {total}").presses(
        "Cancel"
    )
    chat.stands("company.batch", "batch.summary").did(
        OpenOrder(QUOTE.subject, body=COMPANY.number, basket=Basket(QUOTE.ref, QUOTE.count, QUOTE.fils)),
        CancelOrder(ORDER),
        READ,
    )
