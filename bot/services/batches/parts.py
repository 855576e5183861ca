"""What a batch is made of, and how it is kept: nobody's number stands in the ledger in clear."""

import hashlib
import secrets
import zlib
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import Final, Protocol

import msgspec

from bot.crypto import Keyring
from bot.dialogs.company.effects import YearOffer
from bot.model import Chat
from bot.residency import assess
from bot.residency.facts import Body, Permit
from bot.residency.verdict import Candidate
from bot.services.batches.numbers import Row
from bot.services.ledger.batches import BatchRow, PartCount, PartRow

LEASE: Final = 60
"""Seconds a process has for a batch before another one may take it up; every part that is saved begins them anew."""

AGAIN: Final = (10, 30, 60, 120, 300)
"""Seconds between tries while the registry does not answer; the last one repeats."""

_ROWS_MOST: Final = 500
"""Rows of a part: those that nobody is asked about do not make it endless."""

_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32, as in references of orders."""


class Staff(Protocol):
    """What batches need of the registry; `bot.services.registry.Registry`.

    Each raises `OutsideError` when it does not answer.
    """

    async def bodies(self, actor: str) -> tuple[Body, ...]:
        """The companies and government bodies ``actor`` is an authorised user of."""
        ...

    async def workers(self, body: str, civil_ids: Sequence[str]) -> tuple[Permit, ...]:
        """Those of ``civil_ids``, a hundred at most, who work for ``body``."""
        ...


class About(msgspec.Struct, frozen=True, array_like=True):
    """Whose batch it is: the chat, who was signed in there, for which body, and in which language."""

    chat: Chat
    actor: str
    body: str
    language: str = "ar"


class Part(msgspec.Struct, frozen=True):
    """Rows with what the registry says of them.

    Attributes:
        rows: as they stood in the file.
        permits: of each row, None where nobody was asked about or nobody is known.
        day: when the registry was asked.
    """

    rows: tuple[Row, ...]
    permits: tuple[Permit | None, ...]
    day: date

    def people(self) -> Iterator[tuple[Row, Candidate | None]]:
        """Each row with the renewal as it stood on the day."""
        for row, permit in zip(self.rows, self.permits, strict=True):
            yield row, None if permit is None else assess(permit, self.day)


def new_reference() -> str:
    """A public reference, ``B-7F3C-9A1D``."""
    return f"B-{_random(4)}-{_random(4)}"


def _random(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def digest(keyring: Keyring, about: About, content: bytes, today: date) -> str:
    """A keyed name of all that makes a batch another one."""
    file = hashlib.sha256(content).hexdigest()
    chat = about.chat
    return keyring.blind(f"batch:{chat.channel}:{chat.id}:{about.actor}:{about.body}:{today}:{file}")


# --- kept ----------------------------------------------------------------------------------------


def seal_about(keyring: Keyring, ref: str, about: About) -> bytes:
    """``about`` as the batch ``ref`` keeps it."""
    return keyring.seal(msgspec.msgpack.encode(about), _of_batch(ref))


def open_about(keyring: Keyring, batch: BatchRow) -> About:
    """Whose batch it is.

    Raises:
        Unreadable: its key is gone.
    """
    return msgspec.msgpack.decode(keyring.open(batch.about, _of_batch(batch.ref)), type=About)


def seal_rows(keyring: Keyring, batch_id: int, position: int, rows: tuple[Row, ...]) -> bytes:
    """Rows as a part keeps them."""
    packed = zlib.compress(msgspec.msgpack.encode(rows), 1)
    return keyring.seal(packed, of_part("people", batch_id, position))


def open_rows(keyring: Keyring, part: PartRow) -> tuple[Row, ...]:
    """A part's rows.

    Raises:
        Unreadable: their key is gone.
    """
    opened = keyring.open(part.people, of_part("people", part.batch_id, part.position))
    return msgspec.msgpack.decode(zlib.decompress(opened), type=tuple[Row, ...])


def seal_permits(keyring: Keyring, part: PartRow, permits: tuple[Permit | None, ...]) -> bytes:
    """What the registry says, as a part keeps it."""
    packed = zlib.compress(msgspec.msgpack.encode(permits), 1)
    return keyring.seal(packed, of_part("verdicts", part.batch_id, part.position))


def open_permits(keyring: Keyring, part: PartRow) -> tuple[Permit | None, ...]:
    """What the registry said of a part's rows.

    Raises:
        Unreadable: their key is gone.
    """
    opened = keyring.open(part.verdicts, of_part("verdicts", part.batch_id, part.position))
    return msgspec.msgpack.decode(zlib.decompress(opened), type=tuple[Permit | None, ...])


def _of_batch(ref: str) -> bytes:
    return f"batch:{ref}".encode()


def of_part(column: str, batch_id: int, position: int) -> bytes:
    """The place that a part's column is bound to."""
    return f"batch:{batch_id}:{position}:{column}".encode()


# --- counted -------------------------------------------------------------------------------------


def chunks(rows: Iterable[Row], asked: int) -> Iterator[tuple[Row, ...]]:
    """``rows`` in parts of which the registry is asked about ``asked`` at most."""
    part: list[Row] = []
    asking = 0
    for row in rows:
        if (row.asked and asking == asked) or len(part) == _ROWS_MOST:
            yield tuple(part)
            part, asking = [], 0
        part.append(row)
        asking += row.asked
    if part:
        yield tuple(part)


_Sums = tuple[int, int, int, int]
"""Of a duration: count and fils of all who may have it, count and fils of those without fines."""

_NONE: Final[_Sums] = (0, 0, 0, 0)


def counted(part: Part) -> PartCount:
    """What became of a part's rows, and what each duration costs for those who may have it."""
    ready = blocked = repeated = 0
    offers: dict[int, _Sums] = {}
    for row, candidate in part.people():
        repeated += bool(row.repeats)
        if candidate is None:
            continue
        ready += candidate.ready
        blocked += not candidate.ready
        for offer in candidate.offers:
            clean = not candidate.fines
            one = (1, offer.fils, int(clean), offer.fils if clean else 0)
            offers[offer.years] = _added(offers.get(offer.years, _NONE), one)
    unknown = len(part.rows) - ready - blocked - repeated
    listed = sorted(offers.items())
    return PartCount(ready, blocked, unknown, repeated, msgspec.json.encode(listed).decode())


def together(offers: Iterable[str]) -> tuple[YearOffer, ...]:
    """The durations of all parts, shortest first."""
    sums: dict[int, _Sums] = {}
    for listed in offers:
        for years, more in msgspec.json.decode(listed, type=list[tuple[int, _Sums]]):
            sums[years] = _added(sums.get(years, _NONE), more)
    return tuple(YearOffer(years, *sums[years]) for years in sorted(sums))


def _added(one: _Sums, other: _Sums) -> _Sums:
    return one[0] + other[0], one[1] + other[1], one[2] + other[2], one[3] + other[3]
