"""Made-up families: who is on a sponsor's file, how each renewal stands, what it costs."""

from datetime import date, timedelta
from typing import Any, Final

import msgspec

from bot.dialogs.checkout import CheckPayment, OpenOrder, RenewLink, Status
from bot.dialogs.renewal import File, ListFile, Quoted, QuoteRenewals, Wish
from bot.domain import Bill, Fine, FineKind, Item, ItemKind
from bot.i18n.text import Local, masked
from bot.model import Signed
from bot.residency.facts import Creditor, Kin
from bot.residency.verdict import Barrier, Block, Candidate, Cap, Offer
from tests.dialogs.data import link, standing
from tests.dialogs.harness import CIVIL_ID, MASKED, NOON, Chat

TODAY: Final = date(2026, 11, 21)
WIFE_ID, SON_ID, MOTHER_ID, DAUGHTER_ID = "290063001017", "315090908042", "268032105138", "324110503339"
SIGNED: Final = Signed(CIVIL_ID, NOON, NOON + 1800)
MINUTES: Final = 30
"""A price of these tests holds so long."""


def offers(fee: int, longest: int, expires: date, fines: int = 0) -> tuple[Offer, ...]:
    """Whole years from one to ``longest`` at ``fee`` fils a year."""
    return tuple(
        Offer(years, expires.replace(year=expires.year + years).isoformat(), fee * years, fee * years + fines)
        for years in range(1, longest + 1)
    )


def overstay(fils: int = 6000) -> Fine:
    """A payable residency fine."""
    return Fine("R1", FineKind.RESIDENCY, Local("مخالفة إقامة", "Residency violation"), "2026-11-18", fils)


def candidate(
    kin: Kin,
    civil_id: str = CIVIL_ID,
    *,
    days: int = 41,
    fee: int = 20_000,
    longest: int = 2,
    barriers: tuple[Barrier, ...] = (),
    fines: tuple[Fine, ...] = (),
    **other: Any,
) -> Candidate:
    """Somebody whose residency ends in ``days``; without barriers it is offered for up to ``longest`` years."""
    expires = TODAY + timedelta(days=days)
    owed = sum(fine.fils for fine in fines)
    given: dict[str, Any] = {
        "permit": f"P-{civil_id[-4:]}",
        "name": Local(f"اسم {civil_id[-2:]}", f"Name {civil_id[-2:]}"),
        "latin": f"{kin.upper()} ALI",
        "article": 22,
        "cap": Cap.INSURANCE,
        "cap_day": (expires.replace(year=expires.year + longest)).isoformat(),
        **other,
    }
    return Candidate(
        civil_id=civil_id,
        kin=kin,
        expires=expires.isoformat(),
        days=days,
        barriers=barriers,
        offers=() if barriers else offers(fee, longest, expires, owed),
        fines=fines,
        **given,
    )


EMPLOYER: Final = candidate(Kin.SELF, days=200, article=18, barriers=(Barrier(Block.EMPLOYER),))
WIFE: Final = candidate(Kin.WIFE, WIFE_ID)
SON: Final = candidate(Kin.SON, SON_ID, longest=3)
MOTHER_BLOCKS: Final = (
    Barrier(Block.INSURANCE, fils=100_000),
    Barrier(Block.LATIN_NAME, written="AMINA YUSUF", printed="AMINAH YUSUF"),
)
MOTHER: Final = candidate(Kin.MOTHER, MOTHER_ID, days=20, barriers=MOTHER_BLOCKS)
DAUGHTER: Final = candidate(
    Kin.DAUGHTER, DAUGHTER_ID, days=214, barriers=(Barrier(Block.WINDOW, day="2027-04-24"),)
)
FAMILY: Final = File((EMPLOYER, MOTHER, WIFE, SON, DAUGHTER))
EVERY_BLOCK: Final = tuple(
    Barrier(
        block,
        day="2026-12-31",
        until="2027-12-31",
        fils=12_500,
        creditor=Creditor.JUSTICE,
        department=Local("الإدارة العامة لشؤون الإقامة", "Residency Affairs"),
        phone="25582960",
        written="ALI",
        printed="ALY",
    )
    for block in Block
)


def item_lines(part: int, one: Candidate, years: int) -> tuple[Item, ...]:
    """The lines of one person's renewal, as the service makes them."""
    offer = one.offer(years)
    assert offer is not None
    title = Local(one.kin, one.kin)
    return (
        Item(one.permit, ItemKind.RENEWAL, title, offer.fee, years, offer.until, part),
        *(Item(fine.id, ItemKind(fine.kind), fine.title, fine.fils, part=part) for fine in one.fines),
    )


def price(*plan: tuple[Candidate, int], at: int = NOON, **other: Any) -> Quoted:
    """What the service quotes for ``plan``."""
    items = tuple(item for part, (one, years) in enumerate(plan) for item in item_lines(part, one, years))
    owners = tuple(one.civil_id for one, _ in plan)
    return Quoted(Bill(MASKED, items, owners), tuple(one for one, _ in plan), at + 60 * MINUTES, **other)


def wish(one: Candidate, years: int) -> Wish:
    """What the dialog asks for."""
    offer = one.offer(years)
    assert offer is not None
    return Wish(one.civil_id, years, offer.fils)


def signed(chat: Chat) -> Chat:
    """Somebody is signed in."""
    chat.session = msgspec.structs.replace(chat.session, signed=SIGNED)
    return chat


def listed(chat: Chat, file: File = FAMILY) -> Chat:
    """The file is on the screen."""
    signed(chat).answers(ListFile, file).says("/renewal")
    chat.effects.clear()
    return chat


def payable(chat: Chat) -> Chat:
    """Payment pages can be made."""
    chat.answers(OpenOrder, link()).answers(RenewLink, link(NOON + 60))
    return chat.answers(CheckPayment, standing(Status.NONE))


def summed(chat: Chat, quoted: Quoted) -> Chat:
    """From the choice of a duration to the summary."""
    return (
        chat.answers(QuoteRenewals, quoted)
        .presses("They are right")
        .presses("I agree")
        .stands("renewal.summary")
    )


def hidden(one: Candidate) -> str:
    """The number as it may be shown."""
    return masked(one.civil_id).text
