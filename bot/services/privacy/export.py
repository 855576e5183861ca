"""A resident's copy of everything that is kept of their chat: a JSON file behind an address that proves itself.

The address is kept nowhere. Its token is the chat, the language and the end of its life, sealed; it opens that one
chat's data, for an hour. The file is made when it is asked for, and shows the chat's own numbers in full.
"""

import base64
import binascii
from collections.abc import Mapping, Sequence
from importlib.resources import files
from itertools import zip_longest
from typing import Any, Final, Protocol

import msgspec

from bot.clock import local
from bot.crypto import Keyring
from bot.errors import Unreadable
from bot.model import Chat, Session
from bot.ports import Clock
from bot.services.batches.parts import open_permits, open_rows
from bot.services.ledger import Ledger, Order
from bot.services.ledger.batches import BatchReads, PartRow
from bot.services.ledger.privacy import Held
from bot.services.orders.parts import chat_blind
from bot.services.privacy.periods import INVENTORY, PERIODS, Kind

_BOUND: Final = b"copy of my data"
_LONGEST: Final = 600
_INSIDE: Final = frozenset(
    {
        "key",
        "chat",
        "chat_blind",
        "owner_blind",
        "id",
        "order_id",
        "batch_id",
        "attempt_id",
        "refund_id",
        "token_hash",
        "payload",
        "value",
        "consent_id",
        "post_due",
        "post_tries",
        "due",
        "name",
        "live",
        "position",
        "altered",
        "repeats",
        "event",
    }
)
"""Columns of a row that are our own book-keeping: numbers of rows, keyed names, when to look again."""
_TIMES: Final = frozenset(
    {
        "at",
        "until",
        "created",
        "updated",
        "paid_at",
        "told_at",
        "expires",
        "expires_at",
        "touched",
        "forget_at",
    }
)

_ABOUT: Final = {
    "ar": "نسخة من كل ما يُحفظ عن هذه المحادثة. الأوقات بتوقيت الكويت. تظهر هنا الأرقام كاملة، فلا تُرسل الملف إلى أحد.",
    "en": "A copy of everything that is kept of this chat. Times are Kuwait's. Numbers stand here in full: pass the file on to nobody.",
}


class _Name(msgspec.Struct, frozen=True):
    ar: str
    en: str


_NAMES: Final = msgspec.toml.decode(
    (files("bot.services.privacy") / "words.toml").read_bytes(), type=dict[str, dict[str, _Name]]
)["fields"]


class HeldKey(Protocol):
    """A key of the chat in the store, with its time to live."""

    @property
    def kind(self) -> str: ...
    @property
    def seconds(self) -> int: ...


class Memory(Protocol):
    """What is kept of chats outside the ledger; `bot.store.privacy.ChatMemory`.

    Each raises `StoreAway` when the store does not answer.
    """

    async def session(self, chat: Chat) -> Session:
        """The chat's session as it stands."""
        ...

    async def log(self, chat: Chat) -> list[bytes]:
        """Entries of the chat's log as JSON, oldest first."""
        ...

    async def keys(self, chat: Chat) -> Sequence[HeldKey]:
        """Every key of the chat."""
        ...


class _Token(msgspec.Struct, frozen=True, array_like=True):
    chat: Chat
    language: str
    until: int


class Exports:
    """Makes the addresses and the files.

    Args:
        ledger: migrated.
        memory: the rest of what is kept.
        keyring: seals the tokens.
        clock: the time.
        base_url: where browsers find us, without a slash at the end.
    """

    def __init__(
        self, *, ledger: Ledger, memory: Memory, keyring: Keyring, clock: Clock, base_url: str
    ) -> None:
        self._ledger = ledger
        self._memory = memory
        self._keyring = keyring
        self._clock = clock
        self._base_url = base_url

    def link(self, chat: Chat, language: str) -> tuple[str, int]:
        """Address of the chat's file, and until when it works (epoch seconds)."""
        until = self._clock.now() + PERIODS["export"].seconds
        sealed = self._keyring.seal(msgspec.msgpack.encode(_Token(chat, language, until)), _BOUND)
        token = base64.urlsafe_b64encode(sealed).decode().rstrip("=")
        return f"{self._base_url}/mydata/{token}.json", until

    async def open(self, token: str) -> bytes | None:
        """The file behind ``token``, UTF-8; None for one that is not ours or has expired.

        Raises:
            Unavailable: the ledger does not answer.
            StoreAway: the store does not answer.
        """
        known = self._read(token)
        if known is None:
            return None
        return msgspec.json.format(msgspec.json.encode(await self._all(known.chat, known.language)), indent=2)

    def _read(self, token: str) -> _Token | None:
        if len(token) > _LONGEST:
            return None
        try:
            sealed = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
            known = msgspec.msgpack.decode(self._keyring.open(sealed, _BOUND), type=_Token)
        except (binascii.Error, ValueError, Unreadable, msgspec.DecodeError):
            return None
        return known if self._clock.now() < known.until else None

    # --- what is in it ---------------------------------------------------------------------------

    async def _all(self, chat: Chat, language: str) -> dict[str, Any]:
        blind = chat_blind(self._keyring, chat)
        session = await self._memory.session(chat)
        log = [msgspec.json.decode(entry) for entry in await self._memory.log(chat)]
        keys = await self._memory.keys(chat)
        found: dict[str, list[Any]] = {
            "session": [_session(session)] if session.rev else [],
            "language": [{"language": session.language, "chosen": session.chosen}],
            "log": [entry for entry in log if entry.get("type") == "message"],
        }
        for key in keys:
            kind = _kind_of(key.kind)
            if kind is not None and kind.id not in found:
                found[kind.id] = [{"seconds": key.seconds}]
        async with self._ledger.read() as read:
            found |= await self._rows(Held.of(read), blind)
        return {
            "about": _ABOUT["en" if language == "en" else "ar"],
            "made": _time(self._clock.now()),
            "chat": {"channel": chat.channel, "id": chat.id},
            "kept": [_section(kind, found[kind.id], language) for kind in INVENTORY if found.get(kind.id)],
        }

    async def _rows(self, held: Held, blind: str) -> dict[str, list[Any]]:
        found: dict[str, list[Any]] = {
            "consents": [msgspec.to_builtins(row) for row in await held.consents(blind)]
        }
        row = await held.remembered(blind)
        if row is not None:
            number = self._opened(row.value, f"remembered:{blind}").decode()
            found["remembered"] = [{"number": number, "at": row.at, "expires": row.expires}]
        if reminders := await held.reminders_of(blind):
            found["reminders"] = [msgspec.to_builtins(row) for row in reminders]
        found |= await self._batches(BatchReads.of(held), blind)
        for order in await held.orders_of(blind):
            found.setdefault("orders", []).append(_order(order))
            for table, rows in (await held.rows_about(order)).items():
                told = [{"ref": order.ref, **self._told(each)} for each in rows]
                found.setdefault(table, []).extend(told)
        return found

    async def _batches(self, held: BatchReads, blind: str) -> dict[str, list[Any]]:
        """Files with many workers: whom they named, and what was said of each."""
        found: dict[str, list[Any]] = {"batches": [], "batch_parts": [], "batch_baskets": []}
        for batch in await held.batches_of(blind):
            tally = msgspec.to_builtins(await held.tally(batch.id))
            row = {"ref": batch.ref, "created": batch.created, "status": str(batch.status), **tally}
            found["batches"].append(row)
            for number in await held.parts(batch.id):
                part = await held.part(number)
                found["batch_parts"] += [] if part is None else self._people(batch.ref, part)
            for basket in await held.baskets(batch.id):
                found["batch_baskets"].append(msgspec.to_builtins(basket) | {"batch": batch.ref})
        return found

    def _people(self, ref: str, part: PartRow) -> list[dict[str, Any]]:
        try:
            rows = open_rows(self._keyring, part)
            permits = open_permits(self._keyring, part) if part.checked else ()
        except Unreadable:
            return []
        told = [None if permit is None else msgspec.to_builtins(permit) for permit in permits]
        return [
            {"ref": ref, "line": row.line, "number": row.written, "answers": answer}
            for row, answer in zip_longest(rows, told)
        ]

    def _told(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """A row of the ledger; of what a gateway wrote, the fields as they were decoded."""
        if not row.get("payload"):
            return dict(row)
        opened = self._opened(row["payload"], f"event:{row['provider']}:{row['event']}")
        return {**row, "fields": msgspec.json.decode(opened)["fields"] if opened else None}

    def _opened(self, sealed: bytes, place: str) -> bytes:
        try:
            return self._keyring.open(sealed, place.encode())
        except Unreadable:
            return b""


def _session(session: Session) -> dict[str, Any]:
    signed = session.signed
    return {
        "touched": session.touched,
        "signed": {"civil_id": signed.civil_id, "at": signed.at, "until": signed.until} if signed else None,
        "frames": [
            {"dialog": frame.dialog, "state": frame.state, "answers": frame.answers}
            for frame in session.frames
        ],
    }


def _order(order: Order) -> dict[str, Any]:
    # An order's status is a word of ours; everything else of it is a plain value.
    return {
        name: str(value) if name == "status" else value
        for name, value in msgspec.structs.asdict(order).items()
    }


def _kind_of(first: str) -> Kind | None:
    """The kind of data whose keys of one chat begin with ``first``."""
    return next((kind for kind in INVENTORY if kind.redis.startswith(f"{first}:{{pNNN}}:NAME")), None)


def _section(kind: Kind, rows: Sequence[Any], language: str) -> dict[str, Any]:
    def told(what: str) -> str:
        words = kind.told(what)
        return words.en if language == "en" else words.ar

    return {
        "kind": kind.id,
        "title": told("title"),
        "why": told("why"),
        "kept_until": told("until"),
        "entries": [_named(row, language, inside=bool(kind.table)) for row in rows],
    }


def _named(row: Mapping[str, Any], language: str, *, inside: bool) -> list[dict[str, Any]]:
    """``row`` with a name in the resident's language beside each field's own."""
    return [
        # Names that SQL must quote come as a subclass of str, which msgspec does not take.
        {"field": str(name), "name": str(_name(name, language)), "value": _value(name, each, language)}
        for name, each in row.items()
        if not (inside and name in _INSIDE)
    ]


def _value(name: str, value: Any, language: str) -> Any:
    if name in _TIMES and isinstance(value, int):
        return _time(value) if value else None
    if name == "signed" and value is not None:
        return _named(value, language, inside=False)
    return value


def _name(field: str, language: str) -> str:
    known = _NAMES.get(field)
    if known is None:
        return field
    return known.en if language == "en" else known.ar


def _time(at: int) -> str:
    """ISO 8601, Kuwait's time."""
    return local(at).isoformat()
