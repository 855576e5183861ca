"""The limits of ``bot/rules/batches.toml``, read once."""

from datetime import date
from importlib.resources import files
from typing import Final

import msgspec


class _Limit(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"since": "from"}):
    value: int
    since: date
    source: str


class Limits(msgspec.Struct, frozen=True):
    """How much of a file is taken, and how it is worked on; the file says what each one is."""

    rows: int
    scanned: int
    columns: int
    file_bytes: int
    unpacked_bytes: int
    parts_inside: int
    chunk: int
    at_once: int
    progress_rows: int
    give_up_seconds: int
    link_seconds: int


_READ: Final = msgspec.toml.decode(
    (files("bot") / "rules" / "batches.toml").read_bytes(), type=dict[str, _Limit]
)
LIMITS: Final = msgspec.convert({name: limit.value for name, limit in _READ.items()}, Limits)
