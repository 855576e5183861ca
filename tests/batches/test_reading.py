"""Reading a list of workers: what people really send."""

import io
import zipfile
from datetime import date
from typing import Any

import msgspec
import openpyxl
import pytest

from bot.dialogs.company.effects import StartBatchRefused
from bot.i18n.text import Text
from bot.ports import Failed
from bot.services.batches.limits import LIMITS
from bot.services.batches.numbers import Row, number, read
from bot.spec import Invalid
from tests.batches.sheets import CIVIL_IDS, excel

TODAY = date(2026, 11, 22)
ONE, TWO, THREE, *_ = CIVIL_IDS
ARABIC = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")
PERSIAN = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")


def numbers(content: bytes) -> list[str]:
    return [row.civil_id for row in read(content, TODAY)]


def refusal(content: bytes, **limits: int) -> str:
    with pytest.raises(Failed) as failed:
        read(content, TODAY, msgspec.structs.replace(LIMITS, **limits))
    return failed.value.word


LIST = f"الرقم المدني,الاسم\n{ONE},أحمد\n{TWO},Ravi\n{THREE},\n"


@pytest.mark.parametrize(
    "content",
    [
        LIST.encode(),
        LIST.encode("utf-8-sig"),
        LIST.encode("utf-16"),
        LIST.encode("utf-16-le"),
        LIST.encode("utf-16-be"),
        LIST.encode("cp1256"),
        LIST.replace(",", ";").encode(),
        LIST.replace(",", "\t").encode(),
        ("sep=;\n" + LIST.replace(",", ";")).encode(),
        LIST.replace("\n", "\r\n").encode(),
        LIST.replace("\n", "\r").encode(),
        excel([["الرقم المدني", "الاسم"], [ONE, "أحمد"], [int(TWO), "Ravi"], [float(THREE), None]]),
        excel([[None, None], ["x", "Civil ID"], [None, ONE], [None, TWO], ["y", THREE]]),
    ],
)
def test_every_form_of_one_list(content: bytes) -> None:
    assert numbers(content) == [ONE, TWO, THREE]


@pytest.mark.parametrize(
    "written",
    [
        ONE.translate(ARABIC),
        ONE.translate(PERSIAN),
        f"\u200f{ONE}\u200e",
        f" {ONE[:4]} {ONE[4:8]} {ONE[8:]} ",
        f"{ONE[:4]}-{ONE[4:8]}-{ONE[8:]}",
        f"'{ONE}",
        f'="{ONE}"',
        f"{ONE}.0",
        f"\u00a0{ONE}",
    ],
)
def test_every_way_to_write_a_number(written: str) -> None:
    assert number(written, TODAY) == ONE
    assert numbers(f"id\n{written}\n".encode()) == [ONE]


@pytest.mark.parametrize(
    "written", ["2.85012E+11", "2.85011500029E+11", "٢٫٨٥E+11", "285012000000", "285011500000"]
)
def test_lost_digits_have_words_of_their_own(written: str) -> None:
    found = number(written, TODAY)
    assert isinstance(found, Invalid)
    assert isinstance(found.text, Text)
    assert str(found.text.msg).startswith("A spreadsheet has shortened this number")


def test_a_file_of_lost_digits_is_told_row_by_row() -> None:
    assert read(b"id\n2.85012E+11\n2.90063E+11\n", TODAY) == (Row(2, "2.85012E+11"), Row(3, "2.90063E+11"))
    assert numbers(excel([[2.85012e11], [2.90063e11]])) == ["", ""]


def test_the_column_with_most_civil_ids_wins() -> None:
    lines = [
        f"{n},{'285011500028' if n else TWO},50012345,{each},2026-12-31"
        for n, each in enumerate((ONE, TWO, THREE))
    ]
    assert numbers("\n".join(lines).encode()) == [ONE, TWO, THREE]


def test_headings_blank_rows_and_headings_again_are_nobody() -> None:
    text = f"كشف العمال 2026\n\nCivil ID\n{ONE}\n\n ,, \ncivil id\n{TWO}\n"
    assert [(row.line, row.civil_id) for row in read(text.encode(), TODAY)] == [(4, ONE), (8, TWO)]


def test_every_other_row_gets_a_verdict() -> None:
    text = f"no,id,name\n1,{ONE},a\n2,28501150002,b\n3,,c\n4,{ONE},d\n5,{ONE},e\n6,N/A,f\n"
    assert read(text.encode(), TODAY) == (
        Row(2, ONE, ONE),
        Row(3, "28501150002"),
        Row(4, ""),
        Row(5, ONE, ONE, 2),
        Row(6, ONE, ONE, 2),
        Row(7, "N/A"),
    )


def test_a_quotation_mark_that_is_never_closed_loses_nobody() -> None:
    many = "\n".join(f'{each},"Al-Sab"ah "Co' for each in CIVIL_IDS)
    assert numbers(many.encode()) == list(CIVIL_IDS)


def test_the_sheet_with_most_civil_ids_wins_and_hidden_ones_are_not_looked_at() -> None:
    book = openpyxl.Workbook()
    assert book.active is not None
    book.active.append(["notes", ONE])
    for title, state in (("staff", "visible"), ("old", "hidden")):
        sheet = book.create_sheet(title)
        sheet.sheet_state = state
        for each in (TWO, THREE) if title == "staff" else CIVIL_IDS:
            sheet.append([each])
    kept = io.BytesIO()
    book.save(kept)
    assert numbers(kept.getvalue()) == [TWO, THREE]


def test_blank_rows_to_the_end_of_a_sheet_are_nothing() -> None:
    ghosts = f"{ONE}\n{TWO}\n" + ",,\n" * 30_000
    assert numbers(ghosts.encode()) == [ONE, TWO]


def test_somebody_behind_the_rows_that_are_looked_at_is_not_lost() -> None:
    assert refusal((f"{ONE}\n" + ",,\n" * 19_990 + f"{TWO}\n" * 100).encode()) == StartBatchRefused.TOO_LONG


@pytest.mark.parametrize(
    "content", [b"", b"\n\n", b"name,phone\nA,50012345\n", "فقط نص".encode(), excel([["x"]])]
)
def test_nobody_in_it(content: bytes) -> None:
    assert refusal(content) == StartBatchRefused.EMPTY


@pytest.mark.parametrize(
    "content",
    [
        b"\x89PNG\r\n\x1a\n\x00\x00",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500),
        b"PK\x03\x04 and then nothing",
        excel([[ONE]])[:-200],
    ],
)
def test_no_list_at_all(content: bytes) -> None:
    assert refusal(content) == StartBatchRefused.UNREADABLE


def test_too_many_rows() -> None:
    text = "\n".join(ONE for _ in range(5_001)).encode()
    assert refusal(text) == StartBatchRefused.TOO_LONG
    assert len(read(text[:-13], TODAY)) == 5_000
    assert refusal(b"x" * 100, file_bytes=99) == StartBatchRefused.TOO_LONG


# --- files that want to be larger than they are --------------------------------------------------


def repacked(content: bytes, changed: dict[str, bytes]) -> bytes:
    """A workbook with other parts in it."""
    kept = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(kept, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.namelist():
            if part not in changed:
                new.writestr(part, old.read(part))
        for part, body in changed.items():
            new.writestr(part, body)
    return kept.getvalue()


SHEET = "xl/worksheets/sheet1.xml"


def sheet(rows: str, before: str = "") -> bytes:
    name = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    return f'<?xml version="1.0"?>{before}<worksheet xmlns="{name}"><sheetData>{rows}</sheetData></worksheet>'.encode()


def test_a_zip_bomb() -> None:
    assert refusal(repacked(excel([[ONE]]), {"xl/media/x": bytes(40_000_000)})) == StartBatchRefused.TOO_LONG
    assert (
        refusal(repacked(excel([[ONE]]), {f"x/{n}": b"" for n in range(600)})) == StartBatchRefused.TOO_LONG
    )


def test_a_zip_bomb_that_hides_its_size() -> None:
    bomb = bytearray(repacked(excel([[ONE]]), {"xl/media/x": bytes(40_000_000)}))
    size = (40_000_000).to_bytes(4, "little")
    while (at := bomb.find(size)) >= 0:
        bomb[at : at + 4] = (100).to_bytes(4, "little")
    assert refusal(bytes(bomb)) == StartBatchRefused.UNREADABLE


def test_a_sheet_as_wide_and_long_as_excel_goes() -> None:
    far = sheet(
        f'<row r="1"><c r="A1"><v>{ONE}</v></c></row><row r="1048576"><c r="XFD1048576"><v>2</v></c></row>'
    )
    assert numbers(repacked(excel([[ONE]]), {SHEET: far})) == [ONE]


def test_entities_that_grow() -> None:
    laughs = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
    lots = sheet('<row r="1"><c r="A1" t="inlineStr"><is><t>&b;</t></is></c></row>', laughs)
    assert refusal(repacked(excel([[ONE]]), {SHEET: lots})) == StartBatchRefused.UNREADABLE


def test_a_formula_is_not_worked_out() -> None:
    told: list[list[Any]] = [["id"], [ONE], [f"={TWO}"]]
    assert numbers(excel(told)) == [ONE]
