"""What is in a file: lines of cells, from text (CSV) or from Excel's format (XLSX). Pure; takes a while.

Nothing a file says of itself is believed: parts are unpacked and counted before anything reads them, and sheets are
read line by line up to a limit, so that a small file cannot become a large one in memory (ADR 0021).
"""

import csv
import io
import re
import warnings
import zipfile
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from bot.dialogs.company.effects import StartBatchRefused
from bot.ports import Failed
from bot.services.batches.limits import LIMITS, Limits

_ZIP: Final = b"PK\x03\x04"
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_DELIMITERS: Final = ",;\t"
_SAMPLE: Final = 50
"""Lines by which the delimiter is found."""
_CELL: Final = 100
"""Characters of a cell that are kept: numbers and headings are short."""
_QUOTED_LINES: Final = 3
"""Line breaks a quoted cell may hold. More means that a quotation mark was never closed."""
_SHEETS: Final = 10
_UNPACK: Final = 65_536
_TAIL: Final = 4


class Line(NamedTuple):
    """A line of a sheet that is not blank: its number in the file, from 1, and its cells."""

    number: int
    cells: tuple[str, ...]


Sheet = tuple[Line, ...]


def sheets(content: bytes, limits: Limits = LIMITS) -> tuple[Sheet, ...]:
    """The sheets of a file; one of text has one.

    Raises:
        Failed: a value of `StartBatchRefused`.
    """
    if len(content) > limits.file_bytes:
        raise Failed(StartBatchRefused.TOO_LONG)
    if content.startswith(_ZIP):
        return _workbook(content, limits)
    return (_kept(_text_lines(_decoded(content)), limits),)


def _kept(found: Iterator[Line], limits: Limits) -> Sheet:
    """Lines that are not blank.

    Raises:
        Failed: ``too_long``: there is still something where looking ends. Blank lines that Excel draws to the
            end of a sheet are nothing.
    """
    kept: list[Line] = []
    for looked, line in enumerate(found, 1):
        if any(line.cells):
            kept.append(line)
        if looked >= limits.scanned:
            if kept and kept[-1].number > line.number - limits.scanned // _TAIL:
                raise Failed(StartBatchRefused.TOO_LONG)
            break
    return tuple(kept)


# --- text ----------------------------------------------------------------------------------------


def _decoded(content: bytes) -> str:
    """The text, by its byte order mark or else by what it can be.

    Raises:
        Failed: ``unreadable``: no text.
    """
    marks = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
    named = next((encoding for mark, encoding in marks if content.startswith(mark)), "")
    if not named and b"\x00" in content[:_UNPACK]:
        # Digits and delimiters of UTF-16 have a zero byte: where most of them stand tells the order.
        first, second = (content[start:_UNPACK:2].count(0) for start in (0, 1))
        named = "utf-16-be" if first > second else "utf-16-le"
    # Windows-1256 is what Excel writes in Kuwait when asked for "CSV"; it takes nearly every byte, so it is last.
    for encoding in (named,) if named else ("utf-8", "cp1256"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if not _CONTROL.search(text):
            return text
    raise Failed(StartBatchRefused.UNREADABLE)


def _text_lines(text: str) -> Iterator[Line]:
    first, _, rest = text.partition("\n")
    told = re.fullmatch(r"\"?sep=(.)\"?\s*", first)
    skipped = 1 if told else 0
    body = rest if told else text
    delimiter = told[1] if told else _delimiter(body)
    lines = _quoted(body, delimiter)
    if lines is None:  # each line for itself: better a stray quotation mark in a name than lines lost
        lines = [
            Line(number, _cells(cell.strip('"') for cell in line.split(delimiter)))
            for number, line in enumerate(body.splitlines(), 1)
        ]
    yield from (Line(line.number + skipped, line.cells) for line in lines)


def _quoted(body: str, delimiter: str) -> list[Line] | None:
    """The lines by the rules of CSV; None where a quotation mark was never closed."""
    lines: list[Line] = []
    reader = csv.reader(io.StringIO(body, newline=""), delimiter=delimiter)
    try:
        for row in reader:
            if any(cell.count("\n") > _QUOTED_LINES for cell in row):
                return None
            lines.append(Line(reader.line_num, _cells(row)))
    except csv.Error:
        return None
    return lines


def _delimiter(text: str) -> str:
    sample = "\n".join(text.splitlines()[:_SAMPLE])
    return max(_DELIMITERS, key=sample.count)


def _cells(row: "Iterator[str] | list[str]") -> tuple[str, ...]:
    return tuple(cell.strip()[:_CELL] for cell, _ in zip(row, range(LIMITS.columns), strict=False))


# --- Excel ---------------------------------------------------------------------------------------


def _workbook(content: bytes, limits: Limits) -> tuple[Sheet, ...]:
    import openpyxl  # noqa: PLC0415 - a tenth of a start, for those who send workbooks

    # It warns of cells that are no dates, and quotes them: numbers of people, on the process's standard error.
    warnings.filterwarnings("ignore", module=r"openpyxl\.")
    try:
        _weigh(content, limits)
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
        try:
            every: list[Any] = list(book.worksheets)
            shown = [sheet for sheet in every if sheet.sheet_state == "visible"][:_SHEETS]
            return tuple(_kept(_sheet_lines(sheet, limits), limits) for sheet in shown)
        finally:
            book.close()
    except Failed:
        raise
    except Exception:  # noqa: BLE001 - whatever a reader trips over in a broken file
        raise Failed(StartBatchRefused.UNREADABLE) from None


def _weigh(content: bytes, limits: Limits) -> None:
    """Unpack every part into nothing, counting.

    Raises:
        Failed: ``too_long``: it unpacks to more than a list of workers is.
        Exception: it is no archive, or says of itself what is not so.
    """
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = archive.infolist()
        if len(parts) > limits.parts_inside or sum(part.file_size for part in parts) > limits.unpacked_bytes:
            raise Failed(StartBatchRefused.TOO_LONG)
        for part in parts:
            # A part that unpacks to more than it says is cut there, and its sum does not fit.
            with archive.open(part) as opened:
                head = opened.read(_UNPACK)
                if b"<!DOCTYPE" in head or "<!DOCTYPE".encode("utf-16-le") in head:
                    raise Failed(StartBatchRefused.UNREADABLE)  # no office program writes one
                while opened.read(_UNPACK):
                    pass


def _sheet_lines(sheet: Any, limits: Limits) -> Iterator[Line]:
    # Any: the stubs know no sheet that is only read.
    sheet.reset_dimensions()  # what the sheet says of its own size is not believed
    rows = sheet.iter_rows(max_row=limits.scanned, max_col=limits.columns, values_only=True)
    for number, row in enumerate(rows, 1):
        yield Line(number, tuple(_cell(value) for value in row))


def _cell(value: object) -> str:
    """A cell as somebody would have typed it."""
    match value:
        case None:
            return ""
        case bool():
            return ""
        case float() if value.is_integer() and abs(value) < 1e15:  # noqa: PLR2004 - Excel's fifteen digits
            return str(int(value))
        case _:
            return str(value).strip()[:_CELL]
