"""What the order service is made of: its terms, its view of the registry, and small pure rules."""

import hashlib
import re
import secrets
from collections.abc import Callable, Iterable
from typing import Final, Protocol

import msgspec

from bot.crypto import Keyring
from bot.dialogs.checkout import Standing
from bot.domain import Item, ItemKind
from bot.model import Chat
from bot.ports import Asked
from bot.services.ledger import Attempt
from bot.services.payments import TRACK_LENGTH

DAY: Final = 24 * 3600
LEASE: Final = 60
"""Seconds a process has for what it claimed before another one may take it up."""

ASK_AFTER: Final = (120, 600, 1800)
"""Seconds after an attempt began at which the gateway is asked; then hourly. The figures are ours."""

GIVE_UP: Final = DAY
"""Seconds after which an attempt the gateway cannot explain becomes a person's business."""

PAGE_LIFE: Final = 3600
"""Seconds after which a gateway's page nobody paid on counts as left, where the gateway does not say so.

KNET does not publish the life of its page; an hour is far above any session's. Money that still arrives on
such a page is accepted."""

SETTLED_FOR: Final = DAY
"""Seconds what a recorded line pays cannot be ordered again: the ministry's records take 15 minutes, to be safe."""

POST_AGAIN: Final = (60, 120, 300, 600)
"""Seconds between tries to record a payment; the last one repeats for ever.

Residents are told that a payment is recorded within 15 minutes as a rule: so it is, once the registry is back."""

POST_AT_ONCE: Final = 5.0
"""Seconds the registry has to record a payment before the resident is told of the money alone."""

POST_TOGETHER: Final = 64
"""Parts of an order whose answers are committed together; more would outlast a lease at a slow registry."""

POST_SIDE_BY_SIDE: Final = 8
"""Calls that the registry gets at once for one order."""

POST_TURN: Final = 30.0
"""Seconds after which an order of many parts lets others have their turn."""

SIDE_BY_SIDE: Final = 8
"""Orders that one pass of the sweep works on at once: a slow gateway or registry keeps few others waiting, and with what
residents do at the same time a process stays within its fifteen connections to the database."""

KEEP_LINKS: Final = 30 * DAY
"""Seconds after which an expired link is forgotten."""

FINAL_REFUSALS: Final = frozenset(
    (
        *("already_paid", "amount_differs", "unknown_fine", "not_payable", "order_differs", "key_reused"),
        *("not_renewable", "unknown_permit", "years_not_offered"),
    )
)
"""Words of the registry's contract after which asking again is pointless and a person must look."""

PARTLY: Final = "partly"
"""Reason of a review: some parts of the order are recorded, others were refused for good."""

_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: no I, L, O, U, so that it can be read out."""

_TOKEN_BYTES: Final = 24
_LONG_NUMBER = re.compile(r"\d{5,}")


class Terms(msgspec.Struct, frozen=True):
    """Settings of the order service.

    Attributes:
        base_url: where residents' browsers and the gateway find us, without a slash at the end.
        link_minutes: life of a payment link.
        receipt: address of the PDF receipt of a paid order, by its reference.
        side_by_side: orders that one pass of the sweep works on at once.
    """

    base_url: str
    link_minutes: int
    receipt: Callable[[str], str]
    side_by_side: int = SIDE_BY_SIDE


class Registry(Protocol):
    """What orders need of the registry."""

    async def record_payment(
        self, order: str, paid_at: int, gateway_reference: str, items: tuple[Item, ...]
    ) -> None:
        """Record that ``items`` were paid; once for each ``order``, however often it is called.

        Raises:
            Unavailable: try again later.
            Malformed: it answered outside its contract; try again later.
            Declined: a word of `FINAL_REFUSALS`: a person must look. Any other one (``unauthorised``) is
                the operator's to mend: try again later.

        ``order`` names the part that ``items`` are: see `part_reference`.
        """
        ...


class Appraiser(Protocol):
    """Checks the prices of residency renewals; `bot.services.renewals`."""

    async def holds(self, items: tuple[Item, ...], owners: tuple[str, ...], body: str) -> bool:
        """Whether each renewal, and each fine paid with it, can be had now for what its line says.

        Args:
            items: all lines of an order.
            owners: civil IDs of those whose residencies they renew; none: do not check whose they are.
            body: unified number of the company or government body they work for, empty for a family.

        Raises:
            OutsideError: the registry does not say; nothing may be paid meanwhile.
        """
        ...


class Baskets(Protocol):
    """Lines too many for a chat's session; `bot.services.batches`."""

    async def lines(self, ref: str, asked: Asked) -> tuple[Item, ...] | None:
        """The lines kept under ``ref`` for this chat; None when they are not kept any more, or another's.

        Raises:
            OutsideError: the store does not answer.
        """
        ...


class Bill(msgspec.Struct, frozen=True):
    """An order as its page shows it.

    Attributes:
        until: when the link that was followed stops working (epoch seconds).
        live: whether it still works.
    """

    order: str
    chat: Chat
    language: str
    subject: str
    items: tuple[Item, ...]
    fils: int
    until: int
    live: bool
    standing: Standing


class Heard(msgspec.Struct, frozen=True):
    """How a notification is answered.

    Attributes:
        answer: the body, in the gateway's form.
        back: where the browser goes, for the gateways that bring the notification through it.
    """

    answer: str
    back: str


def new_reference() -> str:
    """A public order reference, ``IQ-7F3C-9A1D``; the ledger refuses one that exists."""
    return f"IQ-{_random(4)}-{_random(4)}"


def part_reference(ref: str, part: int, parts: int) -> str:
    """What the registry records the part of an order under: ``IQ-7F3C-9A1D``, of several ``IQ-7F3C-9A1D-2``."""
    return ref if parts == 1 else f"{ref}-{part + 1}"


def by_part(items: Iterable[Item]) -> dict[int, tuple[Item, ...]]:
    """The lines of each part, parts in their sequence."""
    parts: dict[int, list[Item]] = {}
    for item in items:
        parts.setdefault(item.part, []).append(item)
    return {part: tuple(parts[part]) for part in sorted(parts)}


def renews(items: Iterable[Item]) -> bool:
    """Whether a residency is among what is paid."""
    return any(item.kind is ItemKind.RENEWAL for item in items)


def new_track() -> str:
    """A track id: unguessable, 95 bits."""
    return _random(TRACK_LENGTH)


def new_token() -> str:
    """A link's token: 192 bits, safe in a path."""
    return secrets.token_urlsafe(_TOKEN_BYTES)


def return_token(keyring: Keyring, track: str) -> str:
    """The token of the page a gateway sends browsers back to: it shows how an order stands and never pays.

    Derived, so that the same notification always gets the same answer and no token has to be kept.
    """
    return keyring.blind(f"return:{track}")


def chat_blind(keyring: Keyring, chat: Chat) -> str:
    """What the ledger finds a chat's orders by."""
    return keyring.blind(f"{chat.channel}:{chat.id}")


def token_hash(token: str) -> str:
    """All that is kept of a token. No salt: it is random and long."""
    return hashlib.sha256(token.encode()).hexdigest()


def hidden(subject: str) -> str:
    """``subject`` with any number that was not masked well enough cut to its last four digits."""
    return _LONG_NUMBER.sub(lambda number: f"****{number[0][-4:]}", subject)[:32]


def ask_again(attempt: Attempt, now: int) -> int:
    """When to ask the gateway about the attempt next (epoch seconds)."""
    age = now - attempt.created
    for after in ASK_AFTER:
        if age < after:
            return attempt.created + after
    return attempt.created + (age // 3600 + 1) * 3600


def _random(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))
