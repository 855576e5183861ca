"""What the ledger's rows mean, as values."""

from enum import StrEnum

import msgspec

from bot.domain import Item
from bot.services.ledger.tables import OPEN_ATTEMPTS, OPEN_REFUNDS


class OrderStatus(StrEnum):
    """``open → paid → posted``, or ``cancelled``, ``review``, ``refunded``."""

    OPEN = "open"
    PAID = "paid"  # captured and verified; the registry does not know yet
    POSTED = "posted"  # the registry has recorded it
    CANCELLED = "cancelled"
    REVIEW = "review"  # a person must look at it
    REFUNDED = "refunded"


class AttemptStatus(StrEnum):
    """One try to pay. Only ``REFUNDED`` follows ``PAID``."""

    CREATED = "CREATED"  # stored here, the gateway may not know it yet
    LINKED = "LINKED"  # the gateway's page is open; nobody has tried to pay on it
    PENDING = "PENDING"  # somebody pays on it, or the bank is deciding
    UNKNOWN = "UNKNOWN"  # the bank or the gateway does not say
    PAID = "PAID"
    FAILED = "FAILED"
    EXPIRED = "EXPIRED"  # given up, by the gateway or by us; may still turn out paid
    REVIEW = "REVIEW"
    REFUNDED = "REFUNDED"

    @property
    def is_open(self) -> bool:
        """Whether the last word is missing."""
        return self.value in OPEN_ATTEMPTS


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """A row of ``orders``; see `bot.services.ledger.tables`.

    Attributes:
        chat: the sealed chat.
        paid_at: epoch seconds, 0 while unpaid.
        bank: the gateway's reference once paid, else empty.
        post_due: when to tell the registry (again), None when there is nothing to tell.
    """

    id: int
    ref: str
    key: str
    chat: bytes
    chat_blind: str
    language: str
    subject: str
    total_fils: int
    currency: str
    status: OrderStatus
    reason: str
    created: int
    updated: int
    paid_at: int
    bank: str
    post_due: int | None
    post_tries: int


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """A row of ``attempts``.

    Attributes:
        track: our number of it at the gateway.
        url: the gateway's page, empty until the gateway made it.
        bank: the reference a resident quotes to the bank.
        payment: the gateway's payment id.
        bank_transaction: the bank's number of it.
        auth: the bank's authorisation code.
        captured: fils the gateway says it took, 0 while it says nothing.
        due: when to ask the gateway (again), None when there is nothing left to ask.
    """

    id: int
    order_id: int
    provider: str
    provider_ref: str
    track: str
    fils: int
    currency: str
    status: AttemptStatus
    url: str
    reason: str
    bank: str
    payment: str
    bank_transaction: str
    auth: str
    captured: int
    created: int
    updated: int
    due: int | None


class RefundStatus(StrEnum):
    """Money on its way back. ``done`` and ``refused`` are final."""

    ASKED = "asked"  # stored here, the gateway may not know it yet
    PENDING = "pending"  # the gateway took it on
    UNKNOWN = "unknown"  # the gateway did not answer, and may have done it
    DONE = "done"
    REFUSED = "refused"

    @property
    def is_open(self) -> bool:
        """Whether the last word is missing."""
        return self.value in OPEN_REFUNDS


class RefundRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row of ``refunds``.

    Attributes:
        key: its idempotency key at the gateway.
        reference: the gateway's number of it.
        why: the operator's reason.
        who: the operator.
        due: when to ask the gateway (again), None when there is nothing left to ask.
    """

    id: int
    attempt_id: int
    key: str
    fils: int
    status: RefundStatus
    reference: str
    why: str
    who: str
    created: int
    updated: int
    due: int | None


class PostingStatus(StrEnum):
    """A part of a paid order on its way to the registry's records. ``posted`` is final."""

    PENDING = "pending"
    POSTED = "posted"
    REFUSED = "refused"  # a person must look; only they have it tried again


class Posting(msgspec.Struct, frozen=True, kw_only=True):
    """A row of ``postings``.

    Attributes:
        part: as in `bot.domain.Item.part`.
        reason: the registry's word for a refusal, else empty.
        at: epoch seconds of the last change.
    """

    id: int
    order_id: int
    part: int
    status: PostingStatus
    reason: str
    at: int


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """A row of ``links``."""

    token_hash: str
    order_id: int
    created: int
    expires_at: int


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """A row of ``notices``: ``name`` is the event id the chat dedupes by."""

    id: int
    name: str
    order_id: int
    kind: str
    reason: str
    due: int | None
    told_at: int


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """A notification to be kept, as it claims to be; see `bot.services.ledger.tables.gateway_events`."""

    provider: str
    event: str
    result: str
    track: str
    fils: int
    payload: bytes


class NewOrder(msgspec.Struct, frozen=True, kw_only=True):
    """What `Ledger.add_order` stores; names as in `Order`."""

    ref: str
    key: str
    chat: bytes
    chat_blind: str
    language: str
    subject: str
    items: tuple[Item, ...]
