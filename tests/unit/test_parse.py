"""Readers: every valid civil ID in every spelling, every fault by its name, dates, references, passports."""

from datetime import date, timedelta

import idnumbers
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from idnumbers.nationalid import KWT

from bot.i18n.text import Text
from bot.parse import birth_date, check_digit, civil_id, day, is_civil_id, passport, reference, salary
from bot.spec import Invalid

TODAY = date(2026, 11, 21)
VALID = [
    "285011500029",
    "290063001017",
    "272120100478",
    "300022900127",
    "315090908042",
    "299123190026",
    "324110503339",
    "268032105138",
    "286101901541",
    "300092400929",
    "282040701483",
    "304022600325",
    "288020122596",
    "227081660516",
    "292091998298",
    "280010100004",
]
"""The worked examples of the domain notes and the numbers of other projects' tests named there."""

SCRIPTS = ["0123456789", "٠١٢٣٤٥٦٧٨٩", "۰۱۲۳۴۵۶۷۸۹", "०१२३४५६७८९", "０１２３４５６７８９", "০১২৩৪৫৬৭৮৯"]
SEPARATORS = [
    "",
    " ",
    "-",
    ".",
    "/",
    " - ",
    "\u00a0",
    "\u200e",
    "\u200f",
    "\u2067",
    "\u2069",
    "\u202a",
    "\u200b",
    "ـ",
    "،",
]


@st.composite
def civil_ids(draw: st.DrawFn) -> str:
    """A civil ID that can be issued: a real birth date, any serial whose check digit exists."""
    born = draw(st.dates(date(1900, 1, 1), TODAY))
    century = "2" if born.year < 2000 else "3"
    stem = f"{century}{born:%y%m%d}{draw(st.integers(0, 9999)):04d}"
    check = check_digit(stem)
    assume(check is not None)
    return f"{stem}{check}"


@pytest.mark.parametrize("number", VALID)
def test_worked_examples(number: str) -> None:
    assert civil_id(number, TODAY) == number
    assert KWT.NationalID.validate(number)


@given(civil_ids(), st.sampled_from(SCRIPTS), st.lists(st.sampled_from(SEPARATORS), min_size=13, max_size=13))
def test_any_spelling(number: str, script: str, between: list[str]) -> None:
    written = between[0] + "".join(script[int(d)] + s for d, s in zip(number, between[1:], strict=True))
    assert civil_id(written, TODAY) == number


@given(civil_ids(), st.lists(st.sampled_from(SCRIPTS), min_size=12, max_size=12))
def test_mixed_scripts(number: str, scripts: list[str]) -> None:
    written = "".join(script[int(d)] for d, script in zip(number, scripts, strict=True))
    assert civil_id(written, TODAY) == number


@given(civil_ids(), st.integers(0, 11), st.integers(1, 9))
def test_one_wrong_digit_is_always_seen_at_the_last_place(number: str, at: int, by: int) -> None:
    wrong = number[:at] + str((int(number[at]) + by) % 10) + number[at + 1 :]
    found = civil_id(wrong, TODAY)
    if at == 11:
        assert isinstance(found, Invalid)
    assert found == wrong or isinstance(found, Invalid)


@given(st.from_regex(r"[0-9]{12}", fullmatch=True))
def test_agrees_with_another_implementation(number: str) -> None:
    """`idnumbers` knows no future and no nineteenth century; elsewhere the two agree."""
    born = birth_date(number)
    assume(number[0] != "1" and (born is None or born <= TODAY))
    assert is_civil_id(number, TODAY) == bool(KWT.NationalID.validate(number)), idnumbers.__name__


@given(civil_ids())
def test_agrees_on_valid_ones(number: str) -> None:
    assert KWT.NationalID.validate(number)
    assert is_civil_id(number, TODAY)


@given(st.integers(0, 9999), st.dates(date(1900, 1, 1), date(1999, 12, 31)))
def test_stems_never_issued(serial: int, born: date) -> None:
    stems = (f"2{born:%y%m%d}{(serial + by) % 10_000:04d}" for by in range(100))
    stem = next(stem for stem in stems if check_digit(stem) is None)
    assert not any(is_civil_id(f"{stem}{last}", TODAY) for last in range(10))


@given(st.text(max_size=40))
def test_no_text_breaks_a_reader(text: str) -> None:
    for reader in (civil_id, reference, passport, day):
        assert reader(text, TODAY) is not None


def fault(found: object) -> str:
    assert isinstance(found, Invalid)
    assert isinstance(found.text, Text)
    return str(found.text.msg if isinstance(found.text.msg, str) else found.text.msg.one)


@pytest.mark.parametrize(
    ("number", "says"),
    [
        ("289332013455", "Digits 2 to 7 of a civil ID are the birth date (year"),
        ("300000000005", "Digits 2 to 7 of a civil ID are the birth date (year"),
        ("299023000029", "Digits 2 to 7 of a civil ID are the birth date (year"),
        ("486101910006", "A civil ID begins with 1, 2 or 3"),
        ("085011500029", "A civil ID begins with 1, 2 or 3"),
        ("285011500028", "Twelve digits, but the last one"),
        *((f"28501150001{x}", "Twelve digits, but the last one") for x in range(10)),
        *((f"28501150007{x}", "Twelve digits, but the last one") for x in range(10)),
        ("28501150002", "That is {n} digit"),
        ("2", "That is {n} digit"),
        ("326112200011", "Digits 2 to 7 of a civil ID are the birth date; {part} lies"),
        ("2.85011500029E+11", "A spreadsheet has shortened"),
        ("2,85011500029e+11", "A spreadsheet has shortened"),
        ("٢٫٨٥٠١١٥e11", "A spreadsheet has shortened"),
        ("", "I need the number in digits."),
        ("لا أعرف", "I need the number in digits."),
        ("28501150002O", "There are letters or signs"),
        ("285011500029!", "There are letters or signs"),
        ("²85011500029x", "There are letters or signs"),
    ],
)
def test_each_fault_by_name(number: str, says: str) -> None:
    assert fault(civil_id(number, TODAY)).startswith(says)


def test_born_today_and_in_other_centuries() -> None:
    assert birth_date("326112100000") == TODAY
    assert birth_date("185011500000") == date(1885, 1, 15)
    assert birth_date("900000000000") is None
    stem = "32611210001"
    assert is_civil_id(f"{stem}{check_digit(stem)}", TODAY)
    assert not is_civil_id(f"{stem}{check_digit(stem)}", TODAY - timedelta(days=1))


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("123456", "123456"),
        ("١٢٣٤ ٥٦٧٨", "12345678"),
        ("285011500029", "285011500029"),
        ("12-34-56-78-90-12", "123456789012"),
    ],
)
def test_references(text: str, number: str) -> None:
    assert reference(text, TODAY) == number


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("12345", "That is {n} digit; an MOI"),
        ("1234567890123", "That is {n} digit; an MOI"),
        ("abc", "I need the number in digits."),
        ("12345678a", "There are letters or signs"),
    ],
)
def test_no_references(text: str, says: str) -> None:
    assert fault(reference(text, TODAY)).startswith(says)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("a1234567", "A1234567"),
        ("A 123-4567", "A1234567"),
        ("١٢٣٤٥", "12345"),
        ("Ｐ1234567", "P1234567"),
        ("A12345678901234", "A12345678901234"),
    ],
)
def test_passports(text: str, number: str) -> None:
    assert passport(text, TODAY) == number


@pytest.mark.parametrize("text", ["ABCDE", "1234", "A123456789012345", "جواز1234", "", "A1234567!"])
def test_no_passports(text: str) -> None:
    assert fault(passport(text, TODAY)).startswith("A passport number is")


@pytest.mark.parametrize(
    "text",
    [
        "12/3/2027",
        "12-03-2027",
        "12.3.27",
        "2027-03-12",
        "2027/3/12",
        "١٢/٣/٢٠٢٧",
        "12 مارس 2027",
        "١٢ مارس ٢٠٢٧",
        "12 آذار 2027",
        "12 March 2027",
        "mar 12 2027",
        "March 12, 2027",
        "12 mar 27",
        "12 03 2027",
        "۱۲/۳/۲۰۲۷",
    ],
)
def test_days(text: str) -> None:
    assert day(text, TODAY) == date(2027, 3, 12)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "soon",
        "31/2/2027",
        "12/2027",
        "12/13/2027",
        "2027",
        "12 3 2027 1",
        "0/1/2027",
        "1/1/1900",
        "1/1/2099",
        "12032027",
        "مارس 2027",
    ],
)
def test_no_days(text: str) -> None:
    assert fault(day(text, TODAY)).startswith("I need a full date")


@given(
    st.dates(date(2000, 1, 1), date(2070, 1, 1)),
    st.sampled_from(["%d/%m/%Y", "%Y-%m-%d", "%d %B %Y", "%d %b %Y", "%B %d, %Y"]),
)
def test_any_day_in_any_order(on: date, written: str) -> None:
    assert day(on.strftime(written), TODAY) == on


# --- salaries ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "fils"),
    [
        ("850", 850_000),
        ("٨٥٠", 850_000),
        ("۸۵۰", 850_000),
        ("850 KD", 850_000),
        ("KD850", 850_000),
        ("850.500 د.ك", 850_500),
        ("٨٥٠٫٥٠٠ د.ك.", 850_500),
        ("850.5", 850_500),
        ("850,5", 850_500),
        ("850,50", 850_500),
        ("راتبي ٨٥٠ دينار", 850_000),
        ("about 850 dinars a month", 850_000),
        ("850 دينار و 500 فلس", 850_500),
        ("850 KD 50 fils", 850_050),
        ("1,200", 1_200_000),
        ("1,200.250 KWD", 1_200_250),
        ("١٬٢٠٠", 1_200_000),
        ("1،200", 1_200_000),
        ("1.200", 1_200_000),  # nobody's work permit states one dinar
        ("75.500", 75_500),
        ("799.999", 799_999),
        ("\u200f800\u200f", 800_000),
        ("0", 0),
    ],
)
def test_a_salary_in_any_spelling(text: str, fils: int) -> None:
    assert salary(text, TODAY) == fils


@pytest.mark.parametrize(
    "text",
    [
        "",
        "كثير",
        "800 - 900",
        "400 and 500",
        "850 500",
        "285011500029",
        "850.5005",
        "12,34,5",
        "850 KD 1000 fils",
        "1000000",
    ],
)
def test_no_salary(text: str) -> None:
    fault = salary(text, TODAY)
    assert isinstance(fault, Invalid)
    assert isinstance(fault.text, Text)
    assert str(fault.text.msg).startswith("I need one amount")


@given(st.integers(0, 999_999_999), st.sampled_from(SCRIPTS))
def test_every_salary_is_read_back_as_written(fils: int, script: str) -> None:
    written = f"{fils // 1000:,}.{fils % 1000:03}".translate(str.maketrans("0123456789", script))
    assume(fils // 1000 > 9)
    assert salary(written, TODAY) == fils
