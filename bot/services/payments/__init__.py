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
    OPEN = "open"  # its page waits; nobody has tried to pay on it yet
    PENDING = "pending"  # somebody pays on it now, or the bank is deciding
    UNKNOWN = "unknown"  # the bank does not answer the gateway: neither paid nor refused
    MISSING = "missing"  # the gateway has no such charge (yet)
    SUSPECT = "suspect"  # the gateway contradicts itself; a person must look
    REFUNDED = "refunded"


class Charge(msgspec.Struct, frozen=True, kw_only=True):
    """What a gateway is asked to collect.

    Attributes:
        track_id: ours, letters and digits, at most `TRACK_LENGTH`, never used twice.
        fils: the amount.
        order: the order's public reference, ``IQ-7F3C-9A1D``, for the merchant's lists.
        language: of the gateway's page, ``ar`` or ``en``.
        return_url: where the browser goes afterwards, whatever happened; without query and fragment
            (KNET forbids both).
        notify_url: where the gateway's server tells the result.
        minutes: how long the page should live, where the gateway lets us say.
    """

    track_id: str
    fils: int
    order: str
    language: str
    return_url: str
    notify_url: str
    minutes: int

    @property
    def description(self) -> str:
        """What the gateway's page may show: plain ASCII, no personal data."""
        return f"Order {self.order}"


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
        reason: for `Result.FAILED`, why: a value of `bot.dialogs.checkout.RefusalReason`.
        payment_id: the gateway's number of this payment (KNET's ``paymentid``), at most 64 characters.
        transaction: the bank's number of it (KNET's ``tranid``).
        authorisation: the bank's authorisation code.
    """

    status: Result
    track_id: str = ""
    fils: int = 0
    currency: str = ""
    bank_reference: str = ""
    reason: str = ""
    payment_id: str = ""
    transaction: str = ""
    authorisation: str = ""


class Refund(msgspec.Struct, frozen=True, kw_only=True):
    """Money to be given back.

    Attributes:
        key: ours, letters and digits; the same key never gives back twice where the gateway allows keys.
        fils: how much, at most what was captured less what went back already.
        payment_id: as the gateway's enquiry named it; may be empty.
        why: for the merchant's lists; plain ASCII, no personal data.
    """

    key: str
    track_id: str
    provider_ref: str
    payment_id: str
    fils: int
    why: str


class RefundResult(StrEnum):
    """What a gateway says of a refund."""

    DONE = "done"  # the gateway's word that the money went back
    PENDING = "pending"  # taken on; ask later
    REFUSED = "refused"  # final; nothing went back
    UNKNOWN = "unknown"  # the gateway cannot say, or not to us: its portal must be looked at


class Refunded(msgspec.Struct, frozen=True):
    """How a refund stands, and its number at the gateway (may be empty)."""

    status: RefundResult
    reference: str = ""


class Callback(msgspec.Struct, frozen=True, kw_only=True):
    """What a notification claims. Believed in nothing but which attempt to enquire about.

    Attributes:
        track_id: ours, or empty when only ``provider_ref`` is known.
        event: the gateway's id of the notification or the payment; repeats carry the same.
        result: the gateway's word.
        fils: the amount it claims, 0 when it claims none.
        paid: whether it claims that the money was captured.
        plain: the decoded fields, as the gateway named them, for the record (KNET's certification asks
            for the answer encrypted and plain). Kept sealed, never logged.
    """

    track_id: str = ""
    provider_ref: str = ""
    event: str = ""
    result: str = ""
    fils: int = 0
    paid: bool = False
    plain: dict[str, str] = {}


class Payments(Protocol):
    """A payment gateway.

    Every method that goes out raises `bot.errors.Unavailable` (no answer, or 5xx), `bot.errors.Declined`
    (refused; the reason is the gateway's word) or `bot.errors.Malformed` (an answer outside its contract).
    """

    @property
    def name(self) -> str:
        """A short word kept with each attempt: ``sandbox``, ``knet``, ``tap``, ``myfatoorah``."""
        ...

    @property
    def hosts(self) -> tuple[str, ...]:
        """Hosts of its pages (``host`` or ``host:port``); the first is shown to residents."""
        ...

    @property
    def reopens(self) -> bool:
        """Whether a page's address may be opened again.

        If not, each press of our button needs a new attempt, and `create` sends nothing.
        """
        ...

    @property
    def keyed_refunds(self) -> bool:
        """Whether `refund` with the same key gives back once, so that it may be asked again."""
        ...

    async def create(self, charge: Charge) -> Created:
        """Make the charge's page. The same ``track_id`` again gives the same page where the gateway can."""
        ...

    async def enquire(self, track_id: str, provider_ref: str, fils: int) -> Enquiry:
        """Ask how a charge stands. ``fils`` is the amount asked for: KNET wants to hear it."""
        ...

    async def refund(self, refund: Refund) -> Refunded:
        """Give money back. Raising `bot.errors.Unavailable` leaves open whether it went."""
        ...

    async def refund_status(self, refund: Refund, reference: str) -> Refunded:
        """Ask how an earlier refund stands; `RefundResult.UNKNOWN` where the gateway has no such question."""
        ...

    def parse_callback(self, body: bytes, headers: Mapping[str, str]) -> Callback:
        """Read a notification; ``headers`` by lower-case name.

        Raises:
            Malformed: not signed by the gateway, or not of its form. The text never says which.
        """
        ...

    def acknowledge(self, return_url: str) -> str:
        """The body of our answer to a notification; ``return_url`` is where the browser should go."""
        ...

    async def close(self) -> None:
        """Close the connections."""
        ...


def amount_text(fils: int) -> str:
    """``45000`` as ``45.000``: three decimals, a point, no groups, as every Kuwaiti gateway wants it.

    Raises:
        ValueError: a negative amount; money goes back by refunds, which are positive, too.
    """
    if fils < 0:
        raise ValueError("an amount is not negative")
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
