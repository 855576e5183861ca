"""Every block on a renewal: what it means, how it is cleared, and back to the same place."""

import tomllib
from importlib.resources import files
from urllib.parse import urlsplit

import msgspec
import pytest

from bot.dialogs.checkout import CancelOrder, OpenOrder, Status
from bot.dialogs.renewal import File, ListFile
from bot.dialogs.renewal.file import LINKS
from bot.dialogs.renewal.pages import PAGES, Page
from bot.domain import Item, ItemKind
from bot.i18n.text import Code, Day, Local, Ltr, Money
from bot.residency.facts import Creditor, Kin
from bot.residency.verdict import Barrier, Block
from tests.dialogs.data import ORDER, PAID, fine, standing
from tests.dialogs.family import EVERY_BLOCK, MOTHER_ID, WIFE, candidate, hidden, listed, overstay, payable
from tests.dialogs.harness import Chat

BESIDES = "Besides, {n} fine of {amount} can be paid here now."
DAY, UNTIL = "2026-12-31", "2027-06-30"
TOLD: dict[Block, tuple[Barrier, tuple[str, ...], Page | None]] = {
    Block.WINDOW: (
        Barrier(Block.WINDOW, day=DAY),
        ("It is too early: renewal opens on {day}.",),
        None,
    ),
    Block.FINES: (
        Barrier(Block.FINES, fils=150_000),
        ("Fines of *{amount}* cannot be paid online.", "Residency Affairs {residency}, traffic WhatsApp"),
        Page.VIOLATIONS,
    ),
    Block.DEBTS: (
        Barrier(Block.DEBTS, fils=12_500, creditor=Creditor.ELECTRICITY),
        ("Owed to {creditor}: *{amount}*", "the electricity and water ministry", "Pay it in the Sahel app"),
        None,
    ),
    Block.INSURANCE: (
        Barrier(Block.INSURANCE, fils=100_000),
        ("Health insurance is not paid.", "A year costs {amount}.", "Pay it on the insurance page, then"),
        Page.INSURANCE,
    ),
    Block.PASSPORT_EXPIRY: (
        Barrier(Block.PASSPORT_EXPIRY, day=DAY, until=UNTIL),
        ("The passport ends on {day}; it must be valid until {until}", "Renew it at the embassy"),
        Page.RESIDENCY,
    ),
    Block.PASSPORT_DATA: (
        Barrier(Block.PASSPORT_DATA),
        ("The new passport's data are not on the residency yet.", "Ask for “passport data transfer”"),
        Page.RESIDENCY,
    ),
    Block.LATIN_NAME: (
        Barrier(Block.LATIN_NAME, written="AMINA", printed="AMINAH"),
        ("The Latin name differs from the passport.", "On the residency: {name}", "In the passport: {name}"),
        Page.RESIDENCY,
    ),
    Block.WORK_PERMIT: (
        Barrier(Block.WORK_PERMIT, day=DAY),
        ("The work permit is valid until {day} only.", "The employer renews it at the Public Authority"),
        None,
    ),
    Block.SPONSOR_FILE: (
        Barrier(Block.SPONSOR_FILE),
        ("The sponsor's or employer's own file is blocked.", "Residency Affairs, phone {phone}"),
        None,
    ),
    Block.ABSENCE_REPORT: (
        Barrier(Block.ABSENCE_REPORT),
        ("An absence report is on record.", "Residency Affairs, phone {phone}"),
        None,
    ),
    Block.BIOMETRIC: (
        Barrier(Block.BIOMETRIC),
        ("The biometric fingerprint has not been taken.", "Book an appointment in Sahel or Meta."),
        Page.APPOINTMENTS,
    ),
    Block.ABROAD: (
        Barrier(Block.ABROAD, day="2026-03-01"),
        (
            "Abroad since {day}, longer than the law allows without an absence permit.",
            "Residency Affairs tells what is needed.",
        ),
        None,
    ),
    Block.MEDICAL: (Barrier(Block.MEDICAL), ("A medical examination is missing.",), None),
    Block.PHOTO: (Barrier(Block.PHOTO), ("A newer personal photo is asked for.",), None),
    Block.ADDRESS: (
        Barrier(Block.ADDRESS),
        ("The address on record is out of date.", "Update it at the Public Authority for Civil"),
        Page.CIVIL_INFORMATION,
    ),
    Block.EMPLOYER: (Barrier(Block.EMPLOYER), ("The employer renews a work residency",), None),
    Block.UNDERWAY: (
        Barrier(Block.UNDERWAY),
        ("This renewal is being paid or recorded just now.", "That takes up to 15 minutes as a rule."),
        None,
    ),
    Block.FEE: (
        Barrier(Block.FEE),
        ("The published fees do not name this case.", "Residency Affairs can name it; I do not guess."),
        None,
    ),
    Block.OTHER: (
        Barrier(Block.OTHER, department=Local("إدارة", "A department"), phone="25582961"),
        ("The ministry's records give a reason of their own.", "{department}, phone {phone}"),
        None,
    ),
}


def looking(chat: Chat, *barriers: Barrier, **other: object) -> Chat:
    """One blocked mother is looked at."""
    mother = candidate(Kin.MOTHER, MOTHER_ID, barriers=barriers, **other)  # type: ignore[arg-type]
    listed(chat, File((mother, WIFE)))
    if chat.heard("✕ {who}: {days}; {blocks}"):
        return chat.presses("What is the block?").stands("renewal.person")
    return chat.presses("One person").says("1").stands("renewal.person")


@pytest.mark.parametrize("block", [*Block])
def test_each_block_and_its_way_out(chat: Chat, block: Block) -> None:
    barrier, texts, page = TOLD[block]
    looking(chat, barrier).hears("Before the renewal, {n} thing", n=1)
    for text in texts:
        chat.hears(text)
    urls = [button.url for button in chat.last.buttons if button.url]
    assert urls == ([PAGES[page].address] if page else [])
    chat.answers(ListFile, File((candidate(Kin.MOTHER, MOTHER_ID), WIFE))).presses("Check again").did(
        ListFile()
    )
    chat.stands("renewal.person").hears("✓ Nothing blocks this renewal.").offers("Renew", "Back", "Menu")


@pytest.mark.parametrize(
    ("barrier", "text", "known"),
    [
        (Barrier(Block.WINDOW, day=DAY), "It is too early: renewal opens", {"day": DAY}),
        (Barrier(Block.WINDOW), "It is too early for renewal.", {}),
        (Barrier(Block.FINES), "There are fines that cannot be paid online.", {}),
        (Barrier(Block.DEBTS, creditor=Creditor.TELECOM), "Something is owed to {creditor}.", {}),
        (Barrier(Block.INSURANCE, day=DAY), "Health insurance is paid until {day} only.", {"day": DAY}),
        (
            Barrier(Block.INSURANCE, day=DAY, until=UNTIL),
            "Health insurance is paid until {day} only; it must reach {until}.",
            {"day": DAY, "until": UNTIL},
        ),
        (Barrier(Block.PASSPORT_EXPIRY), "The passport is valid for too short a time.", {}),
        (Barrier(Block.LATIN_NAME), "The Latin name differs from the passport.", {}),
        (Barrier(Block.WORK_PERMIT), "There is no valid work permit.", {}),
        (Barrier(Block.ABROAD), "Longer abroad than the law allows without an absence permit.", {}),
    ],
)
def test_a_block_of_which_little_is_known(
    chat: Chat, barrier: Barrier, text: str, known: dict[str, str]
) -> None:
    looking(chat, barrier).hears(text, **{name: _day(iso) for name, iso in known.items()})


def _day(iso: str) -> Day:
    return msgspec.convert({"day": iso}, Day)


def test_both_names_are_shown(chat: Chat) -> None:
    looking(chat, TOLD[Block.LATIN_NAME][0]).hears("On the residency: {name}", name=Ltr("AMINA"))
    chat.hears("In the passport: {name}", name=Ltr("AMINAH"))


@pytest.mark.parametrize("creditor", [*Creditor])
def test_every_creditor_has_a_name(chat: Chat, creditor: Creditor) -> None:
    looking(chat, Barrier(Block.DEBTS, fils=1500, creditor=creditor)).hears("Owed to {creditor}: *{amount}*")
    justice = [button.url for button in chat.last.buttons if button.url]
    assert justice == ([PAGES[Page.JUSTICE].address] if creditor is Creditor.JUSTICE else [])


@pytest.mark.parametrize(
    ("department", "phone", "text"),
    [
        (Local("إدارة", "A department"), "25582961", "{department}, phone {phone}"),
        (Local("إدارة", "A department"), "", "Ask here: {department}"),
        (Local("", ""), "25582961", "Residency Affairs, phone {phone}"),
        (Local("", ""), "", "Residency Affairs, phone {phone}"),
    ],
)
def test_an_unknown_block_names_who_explains_it(chat: Chat, department: Local, phone: str, text: str) -> None:
    looking(chat, Barrier(Block.OTHER, department=department, phone=phone)).hears(text)
    chat.hears("The department can explain it; I do not guess.")
    if phone:
        chat.hears_text(phone)


def test_all_blocks_at_once(chat: Chat) -> None:
    blocks = tuple(
        one for one in EVERY_BLOCK if one.block not in {Block.WINDOW, Block.EMPLOYER, Block.UNDERWAY}
    )
    looking(chat, *blocks).hears("Before the renewal, {n} thing", n=len(blocks))
    for number in range(1, len(blocks) + 1):
        chat.hears_text(f"{number}. ")
    assert sum(bool(button.url) for button in chat.last.buttons) == LINKS
    assert len(chat.last.buttons) <= 10


# --- fines, paid here and now --------------------------------------------------------------------


def test_paying_the_fines_and_coming_back(chat: Chat) -> None:
    fines = (overstay(), fine(2, 15_000))
    payable(looking(chat, Barrier(Block.BIOMETRIC), fines=fines))
    chat.hears(BESIDES, n=2, amount=Money(21_000))
    chat.presses("Fines: {amount}", amount=Money(21_000)).stands("renewal.fines", "checkout.paying")
    mother = candidate(Kin.MOTHER, MOTHER_ID)
    items = tuple(Item(one.id, ItemKind(one.kind), one.title, one.fils) for one in fines)
    chat.did(OpenOrder(hidden(mother), items))
    chat.answers(
        ListFile, File((candidate(Kin.MOTHER, MOTHER_ID, barriers=(Barrier(Block.BIOMETRIC),)), WIFE))
    )
    chat.wakes("paid", ORDER, **PAID).says("/back").stands("renewal.person").did(ListFile())
    chat.hears_not(BESIDES).offers("🔗 Appointments (Meta)", "Check again", "Back", "Menu")


def test_not_paying_the_fines_comes_back_too(chat: Chat) -> None:
    payable(looking(chat, Barrier(Block.BIOMETRIC), fines=(overstay(),))).presses("Fines: {amount}")
    chat.answers(CancelOrder, standing(Status.CANCELLED)).says("/cancel").stands("renewal.person")


def test_fines_of_somebody_ready_are_paid_with_the_renewal(chat: Chat) -> None:
    ready = candidate(Kin.MOTHER, MOTHER_ID, fines=(overstay(),))
    listed(chat, File((ready, WIFE))).presses("Check again")
    chat.presses("Renew the ready one", n=2).hears(
        "Each amount includes fines of {amount}.", amount=Money(6_000)
    )


# --- addresses are data --------------------------------------------------------------------------


def test_pages_are_official_ones() -> None:
    hosts = tomllib.loads((files("bot") / "rules" / "official_hosts.toml").read_text("utf-8"))["official"]
    official = {host["host"] for host in hosts}
    assert set(PAGES) == set(Page)
    for page in PAGES.values():
        parts = urlsplit(page.address)
        assert parts.scheme == "https"
        assert parts.hostname in official
        assert page.source[:2] in {"H:", "M:"}


def test_the_phone_can_be_copied(chat: Chat) -> None:
    looking(chat, Barrier(Block.ABROAD)).hears("Residency Affairs, phone {phone}", phone=Code("25582960"))
