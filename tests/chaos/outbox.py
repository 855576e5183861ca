"""What lies in the outbox: each entry, whose it is, since when."""

from collections.abc import Iterable
from typing import Any

_GROUP = "out"
_MOST = 1000
"""Entries looked at of one stream."""


async def lying(streams: Iterable[tuple[Any, Any]]) -> list[str]:
    """A line for each entry of ``streams`` (key and the client of its server)."""
    return [line for key, client in streams for line in await _of(key, client)]


async def _of(key: Any, client: Any) -> list[str]:
    if not await client.xlen(key):
        return []
    rows = await client.xpending_range(key, _GROUP, "-", "+", _MOST)
    held = {row["message_id"]: row for row in rows}
    return [_line(key, entry_id, held.get(entry_id)) for entry_id, _ in await client.xrange(key, count=_MOST)]


def _line(key: Any, entry_id: bytes, row: dict[str, Any] | None) -> str:
    name = f"{_text(key)} {_text(entry_id)}"
    if row is None:
        return f"{name}: nobody's"
    since = f"silent for {row['time_since_delivered'] / 1000:.1f} s"
    return f"{name}: {_text(row['consumer'])}'s, {since}, handed out {row['times_delivered']} times"


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
