"""A gateway's settlement file as rows, whatever its encoding, delimiter and column names.

The file is read as a stream; nothing of it is kept but the row at hand.
"""

import codecs
import csv
import tomllib
import unicodedata
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Final

import msgspec

from bot.operators.figures import Unclear, day, fils, latin
from bot.services.orders.refunds import NotPossible

FIELDS: Final = ("track", "payment", "reference", "refund", "amount", "currency", "type", "status", "date")
_NAMES: Final = ("track", "payment", "reference")
"""One of these must be there to know which payment a row is about."""

_DELIMITERS: Final = (",", ";", "\t")
_PREAMBLE: Final = 30
"""Lines above the header (bank's name, period) that are skipped."""

_CHUNK: Final = 1 << 20
_LONGEST_CELL: Final = 10_000
_KWD: Final = frozenset(("", "KWD", "414", "KD", "K.D", "K.D.", "د.ك", "د.ك."))
_ZIP: Final = b"PK\x03\x04"


class SettledRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the file.

    Attributes:
        number: line in the file, from 1.
        fils: what was paid, or went back when `refund`; never negative.
        currency: ``KWD``, or whatever else the row says.
        refund: whether the money went back.
        refund_id: the gateway's number of the refund.
        on: the day the row names, None without any.
    """

    number: int
    track: str
    payment: str
    reference: str
    fils: int
    currency: str
    refund: bool
    refund_id: str
    on: date | None


class Naming(msgspec.Struct, frozen=True):
    """What the columns of one gateway's files are called."""

    columns: Mapping[str, tuple[str, ...]]
    refund_words: frozenset[str]
    ignored_words: frozenset[str]
    totals: frozenset[str]


def naming(provider: str, overrides: Mapping[str, str]) -> Naming:
    """The names for ``provider``; ``overrides`` by field, an empty one leaves the column unread.

    Raises:
        NotPossible: an override names no field.
    """
    told = tomllib.loads((files("bot.operators") / "columns.toml").read_text("utf-8"))
    common, own = told["any"], told.get(provider, {})
    if unknown := sorted(set(overrides) - set(FIELDS)):
        raise NotPossible(f"--columns: {unknown[0]} is none of {', '.join(FIELDS)}")
    columns: dict[str, tuple[str, ...]] = {}
    for field in FIELDS:
        names = [*own.get(field, ()), *common[field]]
        if field in overrides:
            names = [overrides[field]] if overrides[field] else []
        columns[field] = tuple(dict.fromkeys(_bare(name) for name in names))
    words = {
        each: frozenset(_bare(word) for word in common[each])
        for each in ("refund_words", "ignored_words", "totals")
    }
    return Naming(columns, **words)


class Settlement:
    """Rows of one file, and how many were skipped.

    Args:
        path: the file.
        names: what its columns are called.
        today: for days without a year.
    """

    def __init__(self, path: Path, names: Naming, today: date) -> None:
        self._path = path
        self._names = names
        self._today = today
        self.skipped = 0

    def rows(self) -> Iterator[SettledRow]:
        """The file's rows of money, one at a time.

        Raises:
            NotPossible: the file cannot be read; names the row and the column.
        """
        with self._reading() as lines:
            delimiter, skip, places = _header(lines, self._names)
        with self._reading() as lines:
            reader = csv.reader(lines, delimiter=delimiter)
            try:
                for position, cells in enumerate(reader):
                    if position < skip or not any(cell.strip() for cell in cells):
                        continue
                    if (row := self._row(reader.line_num, cells, places)) is None:
                        self.skipped += 1
                    else:
                        yield row
            except csv.Error:
                raise NotPossible(f"row {reader.line_num}: not a row of a CSV file") from None

    @contextmanager
    def _reading(self) -> Generator[Iterator[str], None, None]:
        try:
            encoding = _encoding(self._path)
            with self._path.open(encoding=encoding, newline="") as file:
                yield file
        except UnicodeDecodeError:
            raise NotPossible(f"{self._path.name}: not text; save it as CSV (UTF-8)") from None
        except OSError as error:
            raise NotPossible(f"{self._path}: {error.strerror or 'cannot be read'}") from None

    def _row(self, number: int, cells: Sequence[str], places: Mapping[str, int]) -> SettledRow | None:
        """The row's meaning; None for a sum of others and for what took no money."""
        found = {field: cells[place].strip() if place < len(cells) else "" for field, place in places.items()}
        first = next((cell for cell in cells if cell.strip()), "")
        if _bare(first) in self._names.totals and found.get("track", "") in {"", first.strip()}:
            return None
        status, kind = _bare(found.get("status", "")), _bare(found.get("type", ""))
        if status in self._names.ignored_words:
            return None
        column = "amount"
        try:
            amount = fils(found["amount"])
            column = "date"
            on = day(found.get("date", ""), self._today)
        except Unclear as error:
            raise NotPossible(f"row {number}, column {column}: {error}") from None
        currency = latin(found.get("currency", "")).upper()
        back = amount < 0 or bool({status, kind} & self._names.refund_words)
        return SettledRow(
            number=number,
            track=_number(found.get("track", "")).upper(),
            payment=_number(found.get("payment", "")),
            reference=_number(found.get("reference", "")),
            fils=abs(amount),
            currency="KWD" if currency in _KWD else currency,
            refund=back,
            refund_id=_number(found.get("refund", "")),
            on=on,
        )


def _encoding(path: Path) -> str:
    """The file's encoding: by its mark, as UTF-8 where all of it is, else Windows Arabic (cp1256)."""
    with path.open("rb") as file:
        start = file.read(4096)
        if start.startswith(_ZIP):
            raise NotPossible(f"{path.name}: a workbook; save the sheet as CSV")
        if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return "utf-16"
        if b"\0" in start:
            # The zero is the upper half of an ASCII letter: second in little-endian order.
            return "utf-16-le" if start[1::2].count(0) > start[::2].count(0) else "utf-16-be"
        decoder = codecs.getincrementaldecoder("utf-8-sig")()
        chunk = start
        try:
            while chunk:
                decoder.decode(chunk)
                chunk = file.read(_CHUNK)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return "cp1256"
    return "utf-8-sig"


def _header(lines: Iterator[str], names: Naming) -> tuple[str, int, dict[str, int]]:
    """Delimiter, number of rows up to and with the header, and the place of each field."""
    top = [line for line, _ in zip(lines, range(_PREAMBLE), strict=False)]
    if not top:
        raise NotPossible("the file is empty")
    best: tuple[int, str, int, dict[str, int]] = (0, ",", 0, {})
    fullest: list[str] = []
    for delimiter in _DELIMITERS:
        for skip, cells in enumerate(_safe(top, delimiter), start=1):
            fullest = max(fullest, cells, key=len)
            places = _places(cells, names)
            known = "amount" in places and any(name in places for name in _NAMES)
            if known and len(places) > best[0]:
                best = (len(places), delimiter, skip, places)
    if not best[0]:
        header = ", ".join(cell.strip()[:40] for cell in fullest[:12])
        missing = "an amount and a track id, payment id or reference"
        raise NotPossible(f"no header with {missing} found; columns seen: {header} (see --columns)")
    return best[1:]


def _safe(lines: Sequence[str], delimiter: str) -> Iterator[list[str]]:
    try:
        yield from csv.reader(lines, delimiter=delimiter)
    except csv.Error:
        return


def _places(cells: Sequence[str], names: Naming) -> dict[str, int]:
    bare = [_bare(cell) for cell in cells]
    places: dict[str, int] = {}
    for field in FIELDS:
        for name in names.columns[field]:
            if name in bare and bare.index(name) not in places.values():
                places[field] = bare.index(name)
                break
    return places


def _number(cell: str) -> str:
    """An identifier; spreadsheets put an apostrophe or ``="…"`` round it to keep its zeros."""
    text = latin(cell)[:_LONGEST_CELL].removeprefix("'")
    if text.startswith('="') and text.endswith('"'):
        text = text[2:-1]
    return text.strip()


def _bare(name: str) -> str:
    """A column's name without what people write differently."""
    return "".join(
        each.lower() for each in latin(name) if unicodedata.category(each)[0] in {"L", "N", "S", "M"}
    )
