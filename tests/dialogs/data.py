"""Made-up fines, orders and answers of the outside world."""

from typing import Final

import msgspec

from bot.dialogs.checkout import CheckPayment, OpenOrder, PayLink, RenewLink, Standing, Status
from bot.dialogs.violations import FindFines, Owed
from bot.domain import Fine, FineKind, Item, ItemKind, Subject
from bot.i18n.text import Local
from tests.dialogs.harness import CIVIL_ID, NOON, Chat

ORDER: Final = "IQ-7F3C-9A1D"
BANK: Final = "600100000001"
PAGE: Final = "https://iqamati.example/p/t0ken"
HOST: Final = "pay.example.kw"
PAPER: Final = "https://iqamati.example/receipts/t0ken.pdf"
PAYMENT_ID: Final = "100202600000000001"
TRACK: Final = "KB7F3C9A1D2E40518"
LIFE: Final = 1800
"""Seconds a link of these tests lives."""

LOOK_UP: Final = FindFines(Subject.CIVIL_ID, CIVIL_ID)


def fine(number: int, fils: int = 5000, barrier: str = "", kind: FineKind = FineKind.TRAFFIC) -> Fine:
    """A fine with a title of its own in each language."""
    title = Local(f"وقوف ممنوع رقم {number}", f"No parking no. {number}")
    return Fine(f"F{number}", kind, title, "2026-03-12", fils, barrier)


THREE: Final = (fine(1, 20_000, kind=FineKind.RESIDENCY), fine(2, 15_000), fine(3, 10_000))
BARRED: Final = fine(9, 50_000, "court")
OWED: Final = Owed((*THREE, BARRED))


def items(*fines: Fine) -> tuple[Item, ...]:
    """What checkout is asked to pay."""
    return tuple(Item(one.id, ItemKind(one.kind), one.title, one.fils) for one in fines)


def link(at: int = NOON, fils: int = 45_000) -> PayLink:
    """A link made at ``at``."""
    return PayLink(ORDER, PAGE, HOST, at + LIFE, fils)


def standing(status: Status, reason: str = "") -> Standing:
    """How the order stands, paid for all three."""
    paid = status in (Status.PAID, Status.POSTED)
    bank, paper, payment = (BANK, PAPER, PAYMENT_ID) if paid else ("", "", "")
    return Standing(status, ORDER, bank, 45_000, NOON, reason, payment, TRACK, paper)


def news(status: Status, reason: str = "", **other: object) -> dict[str, object]:
    """Data of a happening."""
    data: dict[str, object] = msgspec.to_builtins(standing(status, reason))
    return {**data, **other}


PAID: Final = news(Status.PAID)
"""Data of the happening ``paid``."""


def owing(chat: Chat) -> Chat:
    """The list of what is owed is on the screen."""
    return chat.answers(FindFines, OWED).says(CIVIL_ID)


def paying(chat: Chat) -> Chat:
    """The payment link for all of it is on the screen."""
    chat.answers(OpenOrder, link())
    chat.answers(RenewLink, link(NOON + 60))
    chat.answers(CheckPayment, standing(Status.NONE))
    owing(chat).presses("Pay all")
    chat.effects.clear()
    return chat.stands("violations.paying", "checkout.paying")
