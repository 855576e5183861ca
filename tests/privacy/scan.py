"""Looking for people in what a service leaves behind: needles in every disguise, and where they are looked for."""

import base64
import binascii
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import inspect, text
from sqlalchemy.ext.asyncio import AsyncEngine

ARABIC = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")
PERSIAN = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")
RUN = 10
"""Digits of a number in a row that are too many: its mask shows four at each end."""


def disguises(needle: str) -> set[bytes]:
    """``needle`` as it may stand somewhere without being plain."""
    plain = {needle, needle[::-1], needle.lower(), needle.upper()}
    if needle.isdigit():
        plain |= {needle.translate(ARABIC), needle.translate(PERSIAN)}
        groups = [needle[at : at + 4] for at in range(0, len(needle), 4)]
        plain |= {" ".join(groups), "-".join(groups)}
        plain |= {needle[at : at + RUN] for at in range(len(needle) - RUN + 1)}
    found = {each.encode() for each in plain}
    for each in (needle.encode(), needle.translate(ARABIC).encode()):
        found |= {quote(each).encode(), quote(each).lower().encode()}
        found |= {binascii.hexlify(each), binascii.hexlify(each).upper()}
        for lead in range(3):
            # Inside a longer text base64 depends on where it begins; what the neighbours share is left out.
            whole = base64.b64encode(b"\0" * lead + each)
            inner = whole[-(-lead * 8 // 6) : len(whole) - 4].rstrip(b"=")
            found |= {inner, inner.replace(b"+", b"-").replace(b"/", b"_")}
    found.add(needle.encode("utf-16-le"))
    found.add(needle.encode("unicode_escape"))
    return {each for each in found if len(each) >= 6}


@dataclass
class Scan:
    """What was looked at, and what was found.

    Attributes:
        needles: of whom nothing may be found.
        figures: how many of each were looked at.
        found: where, and how it began.
    """

    needles: list[str]
    figures: dict[str, int] = field(default_factory=dict)
    found: list[tuple[str, str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._by = {shape: needle for needle in self.needles for shape in disguises(needle)}
        shapes = sorted(self._by, key=len, reverse=True)
        self._any = re.compile(b"|".join(re.escape(shape) for shape in shapes))
        self.seen: set[tuple[str, bytes]] = set()

    def look(self, kind: str, where: str, value: bytes | str | int | None) -> None:
        """Look at one thing."""
        raw = value if isinstance(value, bytes) else str(value if value is not None else "").encode()
        self.figures[kind] = self.figures.get(kind, 0) + 1
        for match in self._any.finditer(raw):
            self.found.append((kind, where, self._by[match[0]]))

    def look_once(self, kind: str, where: str, value: bytes) -> None:
        """Look at one thing that may be met again."""
        if (where, value) not in self.seen:
            self.seen.add((where, value))
            self.look(kind, where, value)

    async def redis(self, client: Any) -> None:
        """Every key and every value, of all types."""
        async for key in client.scan_iter(count=1000):
            where = key.decode("latin-1")
            self.look_once("redis keys", where, key)
            async for value in values(client, key):
                self.look_once("redis values", where, value)

    async def sql(self, engine: AsyncEngine) -> list[str]:
        """Every value of every column; the columns."""
        columns: list[str] = []
        async with engine.connect() as connection:
            names = await connection.run_sync(lambda sync: inspect(sync).get_table_names())
            for name in names:
                rows = (await connection.execute(text(f'SELECT * FROM "{name}"'))).mappings()  # noqa: S608 - names of our own tables
                columns += [f"{name}.{column}" for column in rows.keys()]  # noqa: SIM118 - a result, not a dict
                for row in rows:
                    for column, value in row.items():
                        self.look("sql values", f"{name}.{column}", value)
        self.figures["sql columns"] = len(columns)
        return columns

    def files(self, paths: Iterable[Path]) -> None:
        """The bytes on the disk: what was deleted, too."""
        for path in paths:
            if path.is_file():
                content = path.read_bytes()
                self.figures["bytes on disk"] = self.figures.get("bytes on disk", 0) + len(content)
                self.look("files", path.name, content)


async def values(client: Any, key: bytes) -> Any:
    """Every value under ``key``, field names and members too."""
    match (await client.type(key)).decode():
        case "hash":
            for name, value in (await client.hgetall(key)).items():
                yield name
                yield value
        case "stream":
            for entry, fields in await client.xrange(key):
                yield entry
                for name, value in fields.items():
                    yield name
                    yield value
        case "string":
            yield await client.get(key) or b""
        case "zset":
            for member in await client.zrange(key, 0, -1):
                yield member
        case "set":
            for member in await client.smembers(key):
                yield member
        case "list":
            for member in await client.lrange(key, 0, -1):
                yield member
        case _:
            return
