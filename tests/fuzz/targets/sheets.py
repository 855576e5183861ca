"""Lists of workers: files as residents send them, and what is written back."""

import io
import warnings
import zipfile
from typing import Final

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from bot.dialogs.company.effects import StartBatchRefused
from bot.handlers.files import is_table
from bot.ports import Failed
from bot.services.batches import workbook
from bot.services.batches.limits import LIMITS
from bot.services.batches.numbers import read
from tests.fuzz.targets.base import CIVIL_ID, PERSONAL, Target, garbled, hold, texts
from tests.fuzz.targets.readers import TODAY

_CELL: Final = 100
_WRITTEN: Final = 40
_SHEET: Final = "xl/worksheets/sheet1.xml"
_STYLES: Final = "xl/styles.xml"
CELLS: Final = (
    f"<c><v>{CIVIL_ID}</v></c>", f'<c s="4"><v>{CIVIL_ID}</v></c>', f'<c t="d"><v>{CIVIL_ID}</v></c>', f'<c t="n" s="4"><v>-{CIVIL_ID}</v></c>',
    '<c t="s"><v>99</v></c>', '<c t="b"><v>x</v></c>', '<c t="e"><v>#N/A</v></c>', "<c><v>NaN</v></c>", "<c><v>1e400</v></c>", "<c><f>A1</f></c>",
    f"<c><v>{'9' * 5000}</v></c>", '<c r="XFD1048576"><v>1</v></c>', '<c r="?"><v>1</v></c>', '<c t="inlineStr"><is><r><t>a</t></r></is></c>',
    '<c t="inlineStr"/>', "<c><v/></c>", "<mergeCell/>", "</row>", "&lol;", "<row>" * 50,
)  # fmt: skip
_DATE: Final = '<xf numFmtId="14" applyNumberFormat="1"/></cellXfs>'
"""A cell with this style, number 4, holds a date."""


def _repacked(content: bytes, changes: dict[str, bytes]) -> bytes:
    """An archive with parts exchanged."""
    kept = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(kept, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(zipfile.ZipInfo(name), changes.get(name, old.read(name)))
        for name in changes.keys() - set(old.namelist()):
            new.writestr(zipfile.ZipInfo(name), changes[name])
    return kept.getvalue()


_PLAIN: Final = workbook.excel(workbook.Table(("civil id",), ((CIVIL_ID,),)))
with zipfile.ZipFile(io.BytesIO(_PLAIN)) as _archive:
    _XML: Final = {name: _archive.read(name) for name in _archive.namelist()}


@st.composite
def workbooks(draw: st.DrawFn) -> bytes:
    """A workbook with odd cells, odd parts, or a hole."""
    rows = "".join(
        f"<row>{draw(st.sampled_from(CELLS))}{draw(st.sampled_from(CELLS))}</row>"
        for _ in range(draw(st.integers(1, 3)))
    )
    sheet = _XML[_SHEET].replace(b"</sheetData>", f"{rows}</sheetData>".encode())
    styles = (
        _XML[_STYLES]
        .replace(b'<cellXfs count="4">', b'<cellXfs count="5">')
        .replace(b"</cellXfs>", _DATE.encode())
    )
    changes = {_SHEET: sheet, _STYLES: styles}
    if draw(st.integers(0, 3)) == 0:
        name = draw(st.sampled_from([*_XML, "xl/sharedStrings.xml", "../../x", "xl/bomb.bin"]))
        part = changes.get(name, _XML.get(name, b"<sst/>"))
        big = (
            st.just(b"\x00" * (LIMITS.unpacked_bytes + 1)) if name.endswith("bin") else garbled(st.just(part))
        )
        changes[name] = draw(big)
    packed = _repacked(_PLAIN, changes)
    return draw(garbled(st.just(packed))) if draw(st.integers(0, 3)) == 0 else packed


@st.composite
def tables(draw: st.DrawFn) -> bytes:
    """Lines as any program writes them."""
    cell = st.one_of(
        texts(20),
        st.sampled_from(
            [CIVIL_ID, f"'{CIVIL_ID}", f'="{CIVIL_ID}"', "2.85012E+11", "285011500000", '"', '""', "a\nb"]
        ),
    )
    delimiter = draw(st.sampled_from([",", ";", "\t", '"', "\r", " ", "ا"]))
    first = draw(st.sampled_from(["", "", f"sep={delimiter}\n", f'"sep={delimiter}"\r\n', "sep=\n"]))
    end = draw(st.sampled_from(["\n", "\r\n", "\r", "\u2028"]))
    lines = draw(st.lists(st.lists(cell, max_size=4).map(delimiter.join), max_size=6))
    encoding = draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1256"]))
    return (first + end.join(lines)).encode(encoding, "replace")


class Sheets(Target[bytes]):
    """What is in a file, and what is written from it."""

    name = "sheets"
    about = "files: rows within the limits or a word of refusal; no civil ID in a warning; what is written can be read again"
    modules = (
        "bot.services.batches.sheets",
        "bot.services.batches.numbers",
        "bot.services.batches.workbook",
        "bot.handlers.files",
    )
    examples = 100

    def inputs(self) -> SearchStrategy[bytes]:
        return st.one_of(garbled(tables()), tables(), workbooks(), st.binary(max_size=200))

    def raw(self, data: bytes) -> bytes:
        return data

    def feed(self, given: bytes) -> None:
        is_table(given)
        with warnings.catch_warnings(record=True) as warned:
            try:
                rows = read(given, TODAY)
            except Failed as refused:
                hold(refused.word in set(StartBatchRefused), f"refused by {refused.word!r}")
                rows = ()
        for each in warned:
            hold(
                not any(personal in str(each.message) for personal in PERSONAL),
                f"personal in a warning: {each.message}",
            )
        hold(len(rows) <= LIMITS.rows, "more rows than the limit")
        for row in rows:
            hold(len(row.written) <= _WRITTEN and row.line >= 1, f"a row {row!r}")
            hold(
                not row.civil_id
                or (len(row.civil_id) == 12 and row.civil_id.isascii() and row.civil_id.isdecimal()),
                "no civil ID",
            )
        table = workbook.Table(("line", "civil id"), tuple((row.line, row.written) for row in rows[:50]))
        for written in (workbook.excel(table), workbook.text(table)):
            try:
                read(written, TODAY)
            except Failed as refused:
                hold(refused.word == StartBatchRefused.EMPTY, f"what we wrote is refused: {refused.word}")
