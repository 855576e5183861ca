"""Amounts and days as spreadsheets write them: exact, or refused."""

import contextlib
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.operators.figures import Unclear, day, fils
from bot.services.payments import amount_text

TODAY = date(2026, 11, 21)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("5.250", 5250),
        ("5.25", 5250),
        ("5.2", 5200),
        ("5", 5000),
        ("5.", 5000),
        ("0.001", 1),
        ("1.234", 1234),
        ("1,234.500", 1_234_500),
        ("1,234,567.890", 1_234_567_890),
        ("1,234,567", 1_234_567_000),
        ("1.234,500", 1_234_500),
        ("5,25", 5250),
        ("5,2", 5200),
        ("-5.250", -5250),
        ("(5.250)", -5250),
        ("5.250-", -5250),
        ("−5.250", -5250),
        ("KWD 5.250", 5250),
        ("5.250 KD", 5250),
        ("5.250 د.ك.", 5250),
        ("\u200f5.250\u00a0د.ك.\u200f", 5250),
        ("٥٫٢٥٠", 5250),
        ("١٬٢٣٤٫٥٠٠", 1_234_500),
        ("۵.۲۵۰", 5250),
        ("999999.999", 999_999_999),
    ],
)
def test_an_amount_is_read_exactly(text: str, expected: int) -> None:
    assert fils(text) == expected


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("5.2500", "more than three"),
        ("1.860000", "more than three"),
        ("1.234,5000", "more than three"),
        ("5,250", "may mean thousands or fils"),
        ("12,345", "may mean thousands or fils"),
        ("٥٬٢٥٠", "may mean thousands or fils"),
        ("1.2E+05", "not an amount"),
        ("1.234.567", "not an amount"),
        ("12,34.5", "not an amount"),
        ("", "not an amount"),
        ("-", "not an amount"),
        ("five", "not an amount"),
        ("=1+1", "not an amount"),
        ("9999999999999", "larger"),
    ],
)
def test_nothing_is_guessed_about_money(text: str, why: str) -> None:
    with pytest.raises(Unclear, match=why):
        fils(text)


@given(st.integers(0, 999_999_999), st.booleans(), st.booleans())
def test_what_we_write_we_read(value: int, arabic: bool, groups: bool) -> None:  # noqa: FBT001 - hypothesis gives them
    whole, decimals = amount_text(value).split(".")
    text = f"{int(whole):,}.{decimals}" if groups else f"{whole}.{decimals}"
    if arabic:
        text = text.translate(str.maketrans("0123456789.,", "٠١٢٣٤٥٦٧٨٩٫٬"))
    assert fils(text) == value


@given(st.text(max_size=20))
def test_any_cell_is_read_or_refused(text: str) -> None:
    for read in (fils, lambda cell: day(cell, TODAY)):
        with contextlib.suppress(Unclear):
            read(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-21", date(2026, 11, 21)),
        ("2026-11-21T12:00:00+03:00", date(2026, 11, 21)),
        ("2026/11/21 12:00", date(2026, 11, 21)),
        ("20261121", date(2026, 11, 21)),
        ("21/11/2026 12:00:01", date(2026, 11, 21)),
        ("3-4-2026", date(2026, 4, 3)),
        ("21-Nov-2026", date(2026, 11, 21)),
        ("21 November 2026", date(2026, 11, 21)),
        ("٢١/١١/٢٠٢٦", date(2026, 11, 21)),
        ("1121", date(2026, 11, 21)),
        ("1122", date(2026, 11, 22)),
        ("1231", date(2025, 12, 31)),
        ("", None),
    ],
)
def test_a_day_is_read_day_first(text: str, expected: date | None) -> None:
    assert day(text, TODAY) == expected


@pytest.mark.parametrize("text", ["yesterday", "31/02/2026", "13/13/2026", "21-Foo-2026", "1345", "12"])
def test_what_is_no_day_is_refused(text: str) -> None:
    with pytest.raises(Unclear):
        day(text, TODAY)
