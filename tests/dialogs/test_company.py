"""A body's workers one by one: from the sign-in to the receipt and the next worker."""

from typing import Any

import msgspec
import pytest

from bot.dialogs.checkout import CancelOrder, OpenOrder, Status
from bot.dialogs.company import (
    Bodies,
    FindWorker,
    FindWorkerRefused,
    Found,
    ListBodies,
    ListWorkers,
    QuoteWorkers,
    Workers,
)
from bot.dialogs.company.office import SHOWN
from bot.dialogs.identify import BeginSignIn, Confirmed, ConfirmSignIn, SignInLink
from bot.dialogs.renewal import QuoteRefused
from bot.i18n.text import Day, Hour, Money
from bot.model import Signed
from bot.residency.verdict import Barrier, Block, Cap, Offer
from bot.spec import Fault
from tests.dialogs.data import ORDER, PAID, standing
from tests.dialogs.family import EVERY_BLOCK, MINUTES, TODAY, overstay, wish
from tests.dialogs.harness import CIVIL_ID, NOON, Chat
from tests.dialogs.staff import (
    BLOCKED,
    BLOCKED_ID,
    COMPANY,
    DUE,
    FOUND,
    MINISTRY,
    OTHER,
    READY,
    STRANGER_ID,
    WORKER_ID,
    at_desk,
    payable,
    quoted,
    worker,
)

LINK = SignInLink("S1", "https://iqamati.example/signin/t0ken", "id.example.kw", NOON + 300)
FIND = FindWorker(COMPANY.number, WORKER_ID)


def chosen(chat: Chat, found: Found = FOUND) -> Chat:
    """One worker was typed in."""
    at_desk(chat).answers(FindWorker, found).says(found.worker.civil_id)
    chat.effects.clear()
    return chat


def summed(chat: Chat, found: Found = FOUND, **other: Any) -> Chat:
    """The price of two years is on the screen."""
    chosen(chat, found).answers(QuoteWorkers, quoted(found.worker, **other))
    chat.presses("{n} year: {amount}", n=2).presses("The data are right").presses("I agree")
    chat.effects.clear()
    return chat


def test_one_worker_from_the_menu_to_the_receipt_and_the_next(chat: Chat) -> None:
    """Fourteen steps of the ministry's page, in eight taps and one number."""
    payable(chat).answers(BeginSignIn, LINK).answers(ConfirmSignIn, Confirmed(CIVIL_ID))
    chat.answers(ListBodies, Bodies((COMPANY,))).answers(FindWorker, FOUND).answers(QuoteWorkers, quoted())
    chat.says("/menu").presses("More").presses("My company's workers").stands(
        "company.sign_in", "identify.link"
    )
    chat.returned("S1").says("402917").stands("company.desk")
    chat.hears("*{name}*, company", name=COMPANY.name).hears("Unified number {number}").hears_text(
        "26******12"
    )
    chat.hears("{n} worker can be renewed by the date.", n=12)
    chat.hears("Send the worker's civil ID, or choose:")
    chat.offers("From the list", "A list as a file", "Menu")
    chat.effects.clear()
    chat.says("٢٩٠٠ ٦٣٠٠ ١٠١٧").did(FIND).stands("company.duration")
    chat.hears("✓ Nothing blocks this renewal.").hears("{name}, civil ID {number}").hears_text("2900****1017")
    chat.hears("{who}: at most {years}, as health insurance is paid until {day}.")
    chat.offers("{n} year: {amount}", "{n} year: {amount}", "Why not {n} year?", "Back", "Menu")
    chat.presses("{n} year: {amount}", n=2, amount=Money(40_000)).stands("company.check")
    chat.hears("Check the worker's data;").hears_text("RAVI KUMAR").hears(
        "Residency by article {article}", article=18
    )
    chat.hears("Passport valid until {day}").hears("Work permit valid until {day}").did()
    chat.presses("The data are right").stands("company.terms").hears("By going on you agree: the data").did()
    chat.presses("I agree").did(QuoteWorkers(COMPANY.number, (wish(READY, 2),))).stands("company.summary")
    chat.hears("In all *{total}*", total=Money(40_000)).hears("{who}: {years}, until {day}: {amount}")
    chat.hears("This price holds until {until}.", until=Hour(NOON + 60 * MINUTES))
    bill = quoted().bill
    chat.presses("Pay {total}", total=Money(40_000)).stands("company.paying", "checkout.paying")
    chat.did(OpenOrder(bill.subject, bill.items, bill.owners, bill.body))
    chat.wakes("paid", ORDER, **PAID).hears("✓ Paid: *{amount}*").stands("company.paying", "checkout.paid")
    chat.says("/back").stands("company.paid").hears("The ministry's records show the new date within")
    chat.offers("From the list", "A list as a file", "Menu")
    chat.says(BLOCKED_ID).did(FindWorker(COMPANY.number, BLOCKED_ID))
    assert not any(WORKER_ID in message.text for message in chat.screen if not message.mine)


@pytest.mark.parametrize("text", ["/company", "عمال الشركة", "mandoob", "my workers", "تجديد إقامات العمال"])
def test_as_people_ask_for_it(chat: Chat, text: str) -> None:
    at_desk(chat).says("/menu").says(text).stands("company.desk")


def test_somebody_nobody_has_registered_is_told_how_it_is_done(chat: Chat) -> None:
    at_desk(chat).answers(ListBodies, Bodies(())).says("/company").stands("company.nobody")
    chat.hears("For your civil ID no company").hears("The body's main user adds you")
    chat.offers("🔗 For companies", "Check again", "Menu")
    assert chat.last.buttons[0].url == "https://eres.moi.gov.kw/companies"
    chat.answers(ListBodies, Bodies((COMPANY,))).presses("Check again").stands("company.desk")


def test_one_of_several_bodies(chat: Chat) -> None:
    at_desk(chat, COMPANY, OTHER, MINISTRY).stands("company.bodies").hears("For which body?")
    chat.offers("{name}, due: {count}", "{name}, due: {count}", "{name}, due: {count}", "Menu")
    chat.picks(chat.last.labels[1][-6:]).stands("company.desk").hears_text("26******15")
    chat.offers("A list as a file", "Another body", "Back", "Menu")
    chat.presses("Another body").stands("company.bodies")


def test_from_the_list_of_those_who_are_due(chat: Chat) -> None:
    at_desk(chat).effects.clear()
    chat.presses("From the list").did(ListWorkers(COMPANY.number, SHOWN)).stands("company.due")
    chat.hears("Which worker? Those whose").hears("These are the first {count}.", count=SHOWN)
    assert not any(WORKER_ID in button.token for button in chat.last.buttons)
    assert "Ravi Kumar" in chat.last.labels[0]
    chat.picks(chat.last.labels[0][-8:]).did(FIND).stands("company.duration")
    chat.says("/back").stands("company.desk")
    chat.says(BLOCKED_ID).did(FindWorker(COMPANY.number, BLOCKED_ID))


def test_the_list_in_pages(chat: Chat) -> None:
    many = tuple(msgspec.structs.replace(DUE.workers[0], name=f"Worker {n}") for n in range(14))
    at_desk(chat).answers(ListWorkers, Workers(many)).presses("From the list").hears_not(
        "These are the first"
    )
    assert len(chat.last.labels) == 6 + 1 + 2
    chat.presses("Next").presses("Next")
    assert "Worker 13" in chat.last.labels[1]


def test_nobody_is_due(chat: Chat) -> None:
    at_desk(chat).answers(ListWorkers, Workers(())).presses("From the list").stands("company.none_due")
    chat.hears("Nobody's renewal is open").offers("Back", "Menu")


def test_a_government_body_goes_by_the_guide(chat: Chat) -> None:
    """Insurance first, less than two months, the duration follows the insurance, the Latin name: seed 002."""
    at_desk(chat, MINISTRY).hears("*{name}*, government body", name=MINISTRY.name)
    chat.hears("In this order: health insurance is paid first")
    chat.offers("From the list", "A list as a file", "🔗 Health insurance", "Menu")
    assert chat.last.buttons[2].url == "https://insonline.moh.gov.kw/"
    one = worker(article=17, longest=1, cap=Cap.ARTICLE)
    chat.answers(FindWorker, Found(one, passport="2029-03-12")).says(WORKER_ID)
    chat.did(ListBodies(), FindWorker(MINISTRY.number, WORKER_ID)).stands("company.duration")
    chat.hears("{who}: at most {years}, the law's limit for article {article}.", article=17)
    chat.presses("{n} year: {amount}", n=1).hears_text("RAVI KUMAR").hears("Passport valid until {day}")
    chat.hears_not("Work permit valid until {day}")
    chat.answers(QuoteWorkers, quoted(one, 1, MINISTRY)).presses("The data are right").presses("I agree")
    chat.did(QuoteWorkers(MINISTRY.number, (wish(one, 1),))).stands("company.summary")


# --- what stands in the way ----------------------------------------------------------------------


def test_every_block_at_once_each_with_its_way(chat: Chat) -> None:
    found = Found(worker(BLOCKED_ID, barriers=EVERY_BLOCK))
    chosen(chat, found).stands("company.blocked")
    chat.hears("Before the renewal, {n} thing", n=len(EVERY_BLOCK))
    assert sum(f"{number}. " in chat.last.text for number in range(1, len(EVERY_BLOCK) + 1)) == len(
        EVERY_BLOCK
    )
    chat.offers(
        "🔗 Health insurance",
        "🔗 Residency page",
        "🔗 Appointments (Meta)",
        "🔗 Civil ID and address",
        "🔗 Violations page",
        "🔗 Ministry of Justice",
        "Check again",
        "Back",
        "Menu",
    )


@pytest.mark.parametrize("block", Block)
def test_each_block_alone(chat: Chat, block: Block) -> None:
    barrier = next(each for each in EVERY_BLOCK if each.block is block)
    chosen(chat, Found(worker(BLOCKED_ID, barriers=(barrier,)))).stands("company.blocked")
    chat.hears("Before the renewal, {n} thing", n=1).hears_text("1. ")
    cleared = chat.answers(FindWorker, FOUND).presses("Check again")
    cleared.stands("company.duration").did(FindWorker(COMPANY.number, BLOCKED_ID))


def test_fines_are_paid_here_and_the_place_is_kept(chat: Chat) -> None:
    payable(chosen(payable(chat), Found(BLOCKED))).hears("Besides, {n} fine of", n=1)
    chat.presses("Fines: {amount}", amount=Money(overstay().fils)).stands("company.fines", "checkout.paying")
    chat.wakes("paid", ORDER, **PAID).answers(FindWorker, FOUND).says("/back").stands("company.duration")
    assert chat.effects[-1] == FindWorker(COMPANY.number, BLOCKED_ID)


def test_nobody_of_this_body_has_the_number(chat: Chat) -> None:
    at_desk(chat).answers(FindWorker, FindWorkerRefused.UNKNOWN).says(STRANGER_ID)
    chat.stands("company.stranger").hears("No worker of {name} has the number").hears_text("2721****0478")
    chat.offers("From the list", "Back", "Menu")
    chat.answers(FindWorker, FOUND).says(WORKER_ID).stands("company.duration")


def test_a_number_that_is_none(chat: Chat) -> None:
    at_desk(chat).effects.clear()
    chat.says("285011500028").hears("Twelve digits, but the last one").did().stands("company.desk")


def test_somebody_who_may_not_act_for_the_body_any_more(chat: Chat) -> None:
    """The gate says no: the list of bodies is read again, and it is another one now."""
    at_desk(chat, COMPANY, OTHER).picks(chat.last.labels[0][-6:])
    chat.answers(FindWorker, Fault.FORBIDDEN).answers(ListBodies, Bodies((OTHER,)))
    chat.says(WORKER_ID).stands("company.desk").hears_text("26******15")
    chat.answers(ListBodies, Bodies(())).answers(ListWorkers, Fault.FORBIDDEN).says("/company")
    chat.stands("company.nobody")


def test_signed_out_meanwhile(chat: Chat) -> None:
    at_desk(chat).answers(FindWorker, Fault.UNSIGNED, FOUND).answers(BeginSignIn, LINK)
    chat.answers(ConfirmSignIn, Confirmed(CIVIL_ID))
    chat.session = msgspec.structs.replace(chat.session, signed=Signed(CIVIL_ID, NOON - 10, NOON))
    chat.wait(seconds=1)
    chat.says(WORKER_ID).stands("company.find_sign", "identify.link")
    chat.returned("S1").says("402917").stands("company.duration")


@pytest.mark.parametrize(
    ("effect", "state", "press"),
    [
        (ListBodies, "down", ""),
        (ListWorkers, "due_down", "From the list"),
        (FindWorker, "find_down", ""),
    ],
)
def test_records_that_do_not_answer(chat: Chat, effect: Any, state: str, press: str) -> None:
    at_desk(chat).answers(effect, Fault.UNAVAILABLE)
    if press:
        chat.presses(press)
    else:
        chat.says(WORKER_ID if effect is FindWorker else "/company")
    chat.stands(f"company.{state}").hears("The ministry's records do not answer now. Nothing was lost")
    good = {ListBodies: Bodies((COMPANY,)), ListWorkers: DUE, FindWorker: FOUND}[effect]
    chat.answers(effect, good).presses("Try again")
    assert chat.top.state in ("desk", "due", "duration")


# --- how long, and how much ----------------------------------------------------------------------


def test_why_not_longer(chat: Chat) -> None:
    chosen(chat).presses("Why not {n} year?", n=3).stands("company.why")
    chat.hears("{who}: at most {years}, as health insurance is paid until {day}.")
    chat.hears("A residency is never longer than its insurance.").offers(
        "🔗 Health insurance", "Check again", "Back", "Menu"
    )
    longer = Found(worker(longest=3, cap=Cap.ARTICLE))
    chat.answers(FindWorker, longer).presses("Check again").did(FIND).stands("company.duration")
    chat.presses("Why not {n} year?", n=4).hears(
        "{who}: at most {years}, the law's limit for article {article}."
    )
    chat.offers("Check again", "Back", "Menu").presses("Back").stands("company.duration")


def test_fines_are_in_the_amounts(chat: Chat) -> None:
    chosen(chat, Found(worker(fines=(overstay(6_000),))))
    chat.hears("Each amount includes fines of {amount}.", amount=Money(6_000))
    chat.presses("{n} year: {amount}", n=1, amount=Money(26_000)).stands("company.check")


def test_data_that_are_wrong_are_corrected_first(chat: Chat) -> None:
    chosen(chat).presses("{n} year: {amount}", n=1).presses("Something is wrong").stands("company.wrong")
    chat.hears("Then correct it before renewing: on the").offers(
        "🔗 Residency page", "Check again", "Back", "Menu"
    )
    chat.presses("Check again").did(FIND).stands("company.duration")


@pytest.mark.parametrize("why", QuoteRefused)
def test_a_price_that_cannot_be_had_any_more(chat: Chat, why: QuoteRefused) -> None:
    chosen(chat).answers(QuoteWorkers, why).presses("{n} year: {amount}", n=1).presses("The data are right")
    chat.presses("I agree").stands("company.now_blocked").hears("Something has changed meanwhile")
    chat.answers(FindWorker, Found(BLOCKED)).presses("Check again").stands("company.blocked")


def test_a_price_that_changed_is_told_before_it_is_paid(chat: Chat) -> None:
    dearer = msgspec.structs.replace(
        READY, offers=tuple(Offer(o.years, o.until, o.fee * 2, o.fils * 2) for o in READY.offers)
    )
    chosen(chat).answers(QuoteWorkers, quoted(dearer, changed=True))
    chat.presses("{n} year: {amount}", n=2).presses("The data are right").presses("I agree")
    chat.hears("The price changed meanwhile:", total=Money(80_000), before=Money(40_000))


def test_a_price_ends(chat: Chat) -> None:
    summed(chat).wait(minutes=MINUTES).stands("company.expired").hears("The price held until {until}.")
    chat.answers(QuoteWorkers, quoted()).presses("New price").stands("company.summary")


def test_a_large_sum_asks_for_a_fresh_sign_in(chat: Chat) -> None:
    payable(summed(chat, large=True)).answers(BeginSignIn, LINK).answers(ConfirmSignIn, Confirmed(CIVIL_ID))
    chat.session = msgspec.structs.replace(chat.session, signed=Signed(CIVIL_ID, NOON - 1200, NOON + 600))
    chat.presses("Pay {total}").stands("company.sign_again", "identify.link").did(BeginSignIn())
    chat.returned("S1").says("402917").stands("company.paying", "checkout.paying")


def test_changing_the_duration_before_paying(chat: Chat) -> None:
    summed(chat).presses("Change the duration").stands("company.duration").presses("{n} year: {amount}", n=1)
    chat.stands("company.check")


def test_no_price_now(chat: Chat) -> None:
    chosen(chat).answers(QuoteWorkers, Fault.UNAVAILABLE).presses("{n} year: {amount}", n=1)
    chat.presses("The data are right").presses("I agree").stands("company.quote_down")
    chat.answers(QuoteWorkers, quoted()).presses("Try again").stands("company.summary")


def test_a_payment_given_up_comes_back_to_the_body(chat: Chat) -> None:

    payable(summed(chat)).answers(CancelOrder, standing(Status.CANCELLED)).presses("Pay {total}")
    chat.presses("Cancel").stands("company.desk")


def test_leaving(chat: Chat) -> None:
    chosen(chat).says("/cancel").hears("Stopped. Nothing was paid.").stands()


def test_dates_are_told_as_people_read_them(chat: Chat) -> None:
    window = worker(BLOCKED_ID, barriers=(Barrier(Block.WINDOW, day="2027-04-24"),))
    chosen(chat, Found(window)).hears(
        "It is too early: renewal opens on {day}.", day=Day(TODAY.replace(year=2027, month=4, day=24))
    )
