"""The port to payment gateways: one protocol behind which the sandbox, KNET and aggregators stand.

Whatever a browser or a notification brings back only says which attempt to look at. What is believed is
`Payments.enquire`, which our server asks and whose amount, currency and track id the ledger compares.
"""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Final, Protocol

import msgspec

from bot.dialogs.checkout import RefusalReason

TRACK_LENGTH: Final = 19
"""KNET takes 40 characters as a track id but enquires by a field of 19 (integration manual, 6 and 3.6.2)."""

_AMOUNT = re.compile(r"(0|[1-9][0-9]{0,5})\.([0-9]{3})", re.ASCII)
_FILS = 1000


class Result(StrEnum):
    """What a gateway says of one charge."""

    PAID = "paid"
    FAILED = "failed"  # refused or cancelled; final
    EXPIRED = "expired"  # its page was never used in time
    PENDING = "pending"  # its page is open, or the bank is deciding
    UNKNOWN = "unknown"  # the bank does not answer the gateway: neither paid nor refused
    MISSING = "missing"  # the gateway has no such charge (yet)
    SUSPECT = "suspect"  # the gateway contradicts itself; a person must look
    REFUNDED = "refunded"


class Charge(msgspec.Struct, frozen=True, kw_only=True):
    """What a gateway is asked to collect.

    Attributes:
        track_id: ours, letters and digits, at most `TRACK_LENGTH`, never used twice.
        fils: the amount.
        language: of the gateway's page, ``ar`` or ``en``.
        return_url: where the browser goes afterwards; without query and fragment (KNET forbids both).
        notify_url: where the gateway's server tells the result.
        description: plain ASCII, no personal data.
    """

    track_id: str
    fils: int
    language: str
    return_url: str
    notify_url: str
    description: str


class Created(msgspec.Struct, frozen=True):
    """The gateway's number of the charge (may be empty) and the address of its page."""

    provider_ref: str
    url: str


class Enquiry(msgspec.Struct, frozen=True, kw_only=True):
    """A gateway's answer about one charge.

    Attributes:
        track_id: which charge the gateway speaks of; empty when it is `Result.MISSING`.
        fils: the amount it speaks of.
        currency: ISO 4217, ``KWD``.
        bank_reference: what a resident quotes to the bank; empty unless paid.
        reason: for `Result.FAILED`, why.
    """

    status: Result
    track_id: str = ""
    fils: int = 0
    currency: str = ""
    bank_reference: str = ""
    reason: str = ""


class Refunded(msgspec.Struct, frozen=True):
    """A refund that the gateway confirmed, and its number there."""

    reference: str


class Callback(msgspec.Struct, frozen=True, kw_only=True):
    """What a notification claims. Believed in nothing but which attempt to enquire about.

    Attributes:
        track_id: ours, or empty when only ``provider_ref`` is known.
        event: the gateway's id of the notification or the payment; repeats carry the same.
        result: the gateway's word.
        fils: the amount it claims, 0 when it claims none.
    """

    track_id: str = ""
    provider_ref: str = ""
    event: str = ""
    result: str = ""
    fils: int = 0


class Payments(Protocol):
    """A payment gateway.

    Every method that goes out raises `bot.errors.Unavailable` (no answer, or 5xx), `bot.errors.Declined`
    (refused; the reason is the gateway's word) or `bot.errors.Malformed` (an answer outside its contract).
    """

    @property
    def name(self) -> str:
        """A short word kept with each attempt: ``sandbox``, ``knet``."""
        ...

    @property
    def host(self) -> str:
        """The host a resident is sent to, as shown to them."""
        ...

    async def create(self, charge: Charge) -> Created:
        """Make the charge's page. The same ``track_id`` again gives the same page."""
        ...

    async def enquire(self, track_id: str, provider_ref: str, fils: int) -> Enquiry:
        """Ask how a charge stands. ``fils`` is the amount asked for: KNET wants to hear it."""
        ...

    async def refund(self, track_id: str, provider_ref: str, fils: int, key: str) -> Refunded:
        """Give ``fils`` back, at most once for each ``key``."""
        ...

    def parse_callback(self, body: bytes, headers: Mapping[str, str]) -> Callback:
        """Read a notification; ``headers`` by lower-case name.

        Raises:
            Malformed: not signed by the gateway, or not of its form. The text never says which.
        """
        ...


def amount_text(fils: int) -> str:
    """``45000`` as ``45.000``: three decimals, a point, no groups, as every Kuwaiti gateway wants it."""
    return f"{fils // _FILS}.{fils % _FILS:03d}"


def fils_of(text: str) -> int:
    """``45.000`` as ``45000``.

    Raises:
        ValueError: not exactly three decimals. Gateways that drop or add zeros have charged 1.860 for
            18.600; nothing is guessed here.
    """
    if (match := _AMOUNT.fullmatch(text)) is None:
        raise ValueError("an amount has exactly three decimals")
    return int(match[1]) * _FILS + int(match[2])


REASONS: Final[Mapping[str, RefusalReason]] = {
    "14": RefusalReason.CARD,
    "33": RefusalReason.CARD,
    "36": RefusalReason.CARD,
    "54": RefusalReason.CARD,
    "62": RefusalReason.CARD,
    "76": RefusalReason.CARD,
    "38": RefusalReason.PIN,
    "55": RefusalReason.PIN,
    "75": RefusalReason.PIN,
    "51": RefusalReason.FUNDS,
    "61": RefusalReason.LIMIT,
    "65": RefusalReason.LIMIT,
    "91": RefusalReason.TIMEOUT,
}
"""The bank's answer codes (ISO 8583 field 39, as KNET's ``authRespCode`` carries them)."""


def refusal(code: str) -> RefusalReason:
    """The reason a resident understands for a bank's answer code."""
    return REASONS.get(code, RefusalReason.DECLINED)
