"""Writing tables: Excel's format and CSV, in memory only, because temporary files would hold numbers in clear.

Every text in a workbook is an inline string, which no program takes for a formula; in CSV, where a program decides by
the first character, what could begin one gets an apostrophe before it (OWASP, "CSV Injection").
"""

import csv
import io
import re
import zipfile
from collections.abc import Sequence
from typing import Final, NamedTuple
from xml.sax.saxutils import escape

import msgspec


class Fils(msgspec.Struct, frozen=True):
    """A cell with an amount, in dinars with three decimals."""

    fils: int

    @property
    def dinars(self) -> str:
        """``20.000``: from integers only."""
        return f"{self.fils // 1000}.{self.fils % 1000:03d}"


Cell = str | int | Fils | None


class Table(NamedTuple):
    """What is written: a line of headings, the lines below it, widths of columns in characters."""

    headings: Sequence[str]
    lines: Sequence[Sequence[Cell]]
    widths: Sequence[int] = ()
    rtl: bool = False


_BEGINS_FORMULA: Final = re.compile(r"^\s*[=+\-@\t\r\n＝＋－＠|%]")
_NOT_XML: Final = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_MAIN: Final = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_PACKAGE: Final = "http://schemas.openxmlformats.org/package/2006"
_OFFICE: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_HEAD: Final = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_TEXT, _BOLD, _AMOUNT = 1, 2, 3
"""Styles of cells, by their place in `_STYLES`."""
_STYLES: Final = (
    f'{_HEAD}<styleSheet xmlns="{_MAIN}">'
    '<numFmts count="1"><numFmt numFmtId="164" formatCode="#,##0.000"/></numFmts>'
    '<fonts count="2"><font><sz val="11"/><name val="Calibri"/></font>'
    '<font><b/><sz val="11"/><name val="Calibri"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills>'
    '<borders count="1"><border/></borders>'
    '<cellStyleXfs count="1"><xf/></cellStyleXfs>'
    '<cellXfs count="4"><xf/>'
    '<xf numFmtId="49" applyNumberFormat="1" applyAlignment="1"><alignment vertical="top" wrapText="1"/></xf>'
    '<xf numFmtId="49" fontId="1" applyNumberFormat="1" applyFont="1"/>'
    '<xf numFmtId="164" applyNumberFormat="1" applyAlignment="1"><alignment vertical="top"/></xf>'
    '</cellXfs><cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
)
_PARTS: Final = {
    "[Content_Types].xml": (
        f'{_HEAD}<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
        '<Override PartName="/xl/workbook.xml" ContentType='
        '"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>'
        '<Override PartName="/xl/worksheets/sheet1.xml" ContentType='
        '"application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/>'
        '<Override PartName="/xl/styles.xml" ContentType='
        '"application/vnd.openxmlformats-officedocument.spreadsheetml.styles+xml"/></Types>'
    ),
    "_rels/.rels": (
        f'{_HEAD}<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1" '
        f'Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
    ),
    "xl/workbook.xml": (
        f'{_HEAD}<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>'
        '<sheet name="Iqamati" sheetId="1" r:id="rId1"/></sheets></workbook>'
    ),
    "xl/_rels/workbook.xml.rels": (
        f'{_HEAD}<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>'
        f'<Relationship Id="rId2" Type="{_OFFICE}/styles" Target="styles.xml"/></Relationships>'
    ),
    "xl/styles.xml": _STYLES,
}
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
"""The same table is the same file."""


def excel(table: Table) -> bytes:
    """The table as a workbook of one sheet."""
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in (*_PARTS.items(), ("xl/worksheets/sheet1.xml", _sheet(table))):
            part = zipfile.ZipInfo(name, _EPOCH)
            part.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(part, content)
    return kept.getvalue()


def _sheet(table: Table) -> str:
    columns = "".join(
        # A column's own style: a number typed into an empty list stays a text, with all its digits.
        f'<col min="{at}" max="{at}" width="{width}" style="{_TEXT}" customWidth="1"/>'
        for at, width in enumerate(table.widths, 1)
    )
    heading = "".join(_text(name, _BOLD) for name in table.headings)
    rows = "".join(f"<row>{''.join(_cell(cell) for cell in line)}</row>" for line in table.lines)
    turned = ' rightToLeft="1"' if table.rtl else ""
    return (
        f'{_HEAD}<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0"{turned}>'
        '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews>'
        f"{f'<cols>{columns}</cols>' if columns else ''}"
        f"<sheetData><row>{heading}</row>{rows}</sheetData></worksheet>"
    )


def _cell(cell: Cell) -> str:
    match cell:
        case None | "":
            return "<c/>"
        case int():
            return f"<c><v>{cell}</v></c>"
        case Fils():
            return f'<c s="{_AMOUNT}"><v>{cell.dinars}</v></c>'
        case _:
            return _text(cell, _TEXT)


def _text(text: str, style: int) -> str:
    kept = escape(_NOT_XML.sub("", text))
    return f'<c t="inlineStr" s="{style}"><is><t xml:space="preserve">{kept}</t></is></c>'


def text(table: Table) -> bytes:
    """The table as CSV, in UTF-8 with the mark by which Excel knows it."""
    kept = io.StringIO(newline="")
    writer = csv.writer(kept)
    for line in (table.headings, *table.lines):
        writer.writerow([_harmless(cell) for cell in line])
    return b"\xef\xbb\xbf" + kept.getvalue().encode()


def _harmless(cell: Cell) -> str:
    match cell:
        case None:
            return ""
        case int():
            return str(cell)
        case Fils():
            return cell.dinars
        case _:
            plain = _NOT_XML.sub("", cell)
            return f"'{plain}" if _BEGINS_FORMULA.match(plain) else plain
