"""The words on a receipt. They are in the catalogues like all others."""

from collections.abc import Mapping
from typing import Final

from bot.domain import ItemKind
from bot.i18n.text import N_, NP_, Arg, Local, Ltr, Msg, Plural, Text, say

BRAND: Final = say(N_("Iqamati"))
TITLE: Final = say(N_("Payment receipt"))

RECEIPT_NUMBER: Final = say(N_("Receipt number"))
SUBJECT: Final = say(N_("Paid for number"))
DATE: Final = say(N_("Date and time"))
WHEN: Final = N_("{day}, {hour}")
RESULT: Final = say(N_("Result"))
PAID: Final = say(N_("Paid"))
AMOUNT: Final = say(N_("Amount"))
GATEWAY: Final = say(N_("Payment gateway"))
BANK: Final = say(N_("Bank reference"))
PAYMENT: Final = say(N_("Payment ID"))
TRACK: Final = say(N_("Track ID"))
TRANSACTION: Final = say(N_("Transaction ID"))
AUTH: Final = say(N_("Authorisation code"))

VIOLATION: Final = say(N_("Violation"))
PAID_FOR: Final = say(N_("Paid for"))
AMOUNT_COLUMN: Final = say(N_("Amount (KWD)"))
KIND: Final = N_("{kind}, number {number}")
KINDS: Final[Mapping[ItemKind, Msg]] = {
    ItemKind.RESIDENCY: N_("Residency violation"),
    ItemKind.TRAFFIC: N_("Traffic violation"),
    ItemKind.RENEWAL: N_("Residency renewal"),
}
NOT_RECORDED: Final = N_("{kind}, number {number}: not recorded")
RESIDENCIES: Final[Plural] = NP_("{n} residency, {years}", "{n} residencies, {years}")
YEARS: Final[Plural] = NP_("{n} year", "{n} years")
VIOLATIONS: Final[Plural] = NP_("{n} violation paid", "{n} violations paid")
LAST_DAY: Final = N_("New last day {day}")
LAST_DAYS: Final = N_("New last day from {first} to {last}")
MISSING: Final = say(N_("not recorded"))
TOTAL: Final = N_("Total {total}")
GIVEN_BACK: Final = N_("Refunded {amount} on {day}")
KEPT: Final = N_("Remains paid {amount}")

TRIAL: Final = say(N_("A trial: no money was taken and nothing was recorded at the ministry."))
REFUNDED: Final = say(N_("The whole amount was refunded."))
REVIEW: Final = say(N_("A person is reviewing this payment. Do not pay again."))

THROUGH_US: Final = say(N_("This receipt is for a payment made through this service."))
RECORD: Final[Mapping[str, tuple[Text, ...]]] = {
    "recorded": (say(N_("The payment is recorded in the ministry's registry.")),),
    "recording": (
        say(
            N_("The payment is being recorded in the ministry's registry; the code shows how it stands now.")
        ),
    ),
}
"""By the values of `bot.services.receipts.paper.Standing`; the others are told above the lines."""

NOT_THE_MINISTRYS: Final = say(N_("It is not a paper of the ministry."))
SCAN: Final = say(N_("Scan the code: the receipt is genuine if the page shows the same numbers."))

_GATEWAYS: Final = {
    "knet": Local("كي نت", "K-Net"),
    "tap": Local("تاب", "Tap"),
    "myfatoorah": Local("ماي فاتورة", "MyFatoorah"),
    "sandbox": Local("بوابة تجريبية", "Trial gateway"),
}


def gateway(name: str) -> Arg:
    """The gateway's name as residents know it; an unknown one as it is."""
    return _GATEWAYS.get(name) or Ltr(name)


def number(text: str) -> Arg:
    """An identifier inside a sentence."""
    return Ltr(text)
