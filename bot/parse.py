"""Readers of what people type: pure, shared by dialogs. Rules: the civil ID's check digit and friends.

A reader returns its value, or `Invalid` with a text that names what is wrong.
"""

import re
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Final, cast

from babel.dates import get_month_names

from bot.i18n.text import N_, NP_, Code, say
from bot.spec import Invalid
from bot.spelling import clean, fold

CIVIL_ID_DIGITS: Final = 12
_WEIGHTS: Final = (2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
"""Weights of the civil ID's first eleven digits; K = 11 - sum mod 11 (domain notes, several sources)."""

_CENTURIES: Final = {"1": 1800, "2": 1900, "3": 2000}
REFERENCE_DIGITS: Final = (6, 12)
"""Lengths seen of the MOI reference number; the ministry's field stops at 12, guides differ below."""
PASSPORT: Final = re.compile(r"[A-Z0-9]{5,15}")
"""The ministry's field length is 15; ICAO documents hold up to 9."""

_SEPARATORS: Final = re.compile(r"[\s.\-_/\\,،٬٫–—‐‑]+")
_SPREADSHEET: Final = re.compile(r"\d[.,٫]\d+e\+?\d+", re.IGNORECASE)


def digits(text: str) -> str:
    """``text`` with digits of any script as 0-9 and separators dropped; may still hold letters."""
    return _SEPARATORS.sub("", clean(text))


def check_digit(stem: str) -> int | None:
    """The twelfth digit of a civil ID's first eleven; None for stems that are never issued."""
    rest = sum(int(d) * w for d, w in zip(stem, _WEIGHTS, strict=True)) % 11
    return None if rest in (0, 1) else 11 - rest


def birth_date(number: str) -> date | None:
    """The birth date inside a civil ID; None where it is no date."""
    try:
        return date(_CENTURIES[number[0]] + int(number[1:3]), int(number[3:5]), int(number[5:7]))
    except (KeyError, ValueError):
        return None


def _grouped(number: str) -> Code:
    return Code(" ".join(number[i : i + 4] for i in range(0, len(number), 4)))


def civil_id(text: str, today: date) -> str | Invalid:
    """The twelve digits of a civil ID."""
    if _SPREADSHEET.fullmatch(clean(text).replace(" ", "")):
        return Invalid(
            say(
                N_(
                    "A spreadsheet has shortened this number and its last digits are lost. Type all 12 digits."
                )
            )
        )
    number = digits(text)
    if fault := _not_a_number(number, CIVIL_ID_DIGITS):
        return fault
    born = birth_date(number)
    if number[0] not in _CENTURIES:
        return Invalid(
            say(N_("A civil ID begins with 1, 2 or 3; this one begins with {digit}."), digit=number[0])
        )
    if born is None:
        return Invalid(
            say(
                N_("Digits 2 to 7 of a civil ID are the birth date (year, month, day); {part} is no date."),
                part=Code(number[1:7]),
            )
        )
    if born > today:
        return Invalid(
            say(
                N_("Digits 2 to 7 of a civil ID are the birth date; {part} lies in the future."),
                part=Code(number[1:7]),
            )
        )
    if check_digit(number[:11]) != int(number[11]):
        return Invalid(
            say(
                N_(
                    "Twelve digits, but the last one does not fit the rest:\n{number}\nOften two digits are swapped."
                ),
                number=_grouped(number),
            )
        )
    return number


def _not_a_number(number: str, length: int) -> Invalid | None:
    count = len(number)
    if not any(char.isdigit() for char in number):
        return Invalid(say(N_("I need the number in digits.")))
    if not number.isascii() or not number.isdigit():
        return Invalid(say(N_("There are letters or signs in it; I need digits only.")))
    if count != length:
        return Invalid(
            say(
                NP_(
                    "That is {n} digit; a civil ID has {length}.",
                    "That is {n} digits; a civil ID has {length}.",
                ),
                n=count,
                length=length,
            )
        )
    return None


def is_civil_id(number: str, today: date) -> bool:
    """Whether ``number`` passes every check of a civil ID."""
    return isinstance(civil_id(number, today), str)


def reference(text: str, today: date) -> str | Invalid:  # noqa: ARG001 - every reader has this shape
    """An MOI reference number: 6 to 12 digits, no check digit."""
    number = digits(text)
    least, most = REFERENCE_DIGITS
    if not any(char.isdigit() for char in number):
        return Invalid(say(N_("I need the number in digits.")))
    if not number.isascii() or not number.isdigit():
        return Invalid(say(N_("There are letters or signs in it; I need digits only.")))
    if not least <= len(number) <= most:
        return Invalid(
            say(
                NP_(
                    "That is {n} digit; an MOI reference number has {least} to {most}.",
                    "That is {n} digits; an MOI reference number has {least} to {most}.",
                ),
                n=len(number),
                least=least,
                most=most,
            )
        )
    return number


def passport(text: str, today: date) -> str | Invalid:  # noqa: ARG001 - every reader has this shape
    """A passport number: 5 to 15 Latin letters and digits, upper-cased."""
    number = digits(text).upper()
    if PASSPORT.fullmatch(number) and any(char.isdigit() for char in number):
        return number
    return Invalid(
        say(
            N_(
                "A passport number is 5 to 15 Latin letters and digits, as printed on the passport's first page."
            )
        )
    )


_CODE: Final = re.compile(r"\d{6}", re.ASCII)


def short_code(text: str, _today: date) -> str | Invalid:
    """The six digits of a sign-in page, however they were spaced."""
    digits = re.sub(r"[\s-]", "", clean(text))
    if _CODE.fullmatch(digits):
        return digits
    return Invalid(say(N_("The code has six digits, like {example}."), example=Code("402 917")))


def _months() -> dict[str, int]:
    names: dict[str, int] = {}
    for locale in ("ar", "en", "ar_SY"):
        for width in ("wide", "abbreviated"):
            table = cast("Mapping[int, str]", get_month_names(width, locale=locale))
            names |= {fold(name): number for number, name in table.items()}
    return names


_MONTHS: Final = _months()
_SHORT: Final = re.compile(r"[0-9]{1,4}")
"""A part of a date. There are digits that are no decimals (``፩``), and numbers too long for a calendar."""
_YEARS_AHEAD: Final = 50


def day(text: str, today: date) -> date | Invalid:
    """A calendar day: ``12/3/2027``, ``2027-03-12``, ``12 مارس 2027``. Day before month, as in Kuwait."""
    words = re.findall(r"\d+|[^\W\d_]+", fold(text))
    numbers = [_MONTHS.get(word, int(word) if _SHORT.fullmatch(word) else 0) for word in words]
    fault = Invalid(
        say(N_("I need a full date: day, month, year, like {example}."), example=Code("12/03/2027"))
    )
    if len(numbers) != 3:  # noqa: PLR2004 - day, month, year
        return fault
    named = [index for index, word in enumerate(words) if word in _MONTHS]
    first, second, third = numbers
    if first > 31:  # noqa: PLR2004 - the year comes first
        year, month, of_month = first, second, third
    elif named == [0]:
        year, month, of_month = third, first, second
    else:
        year, month, of_month = third, second, first
    if year < 100:  # noqa: PLR2004 - two digits: this century
        year += 2000
    try:
        found = date(year, month, of_month)
    except ValueError:
        return fault
    return found if abs(found - today) < timedelta(days=366 * _YEARS_AHEAD) else fault


_LONGEST_AMOUNT: Final = 40
"""Characters; Python reads no number of thousands of digits."""
_AMOUNT: Final = re.compile(r"\d+(?:[.,٫٬،']\d+)*")
_FILS: Final = re.compile(r"\bfils\b|فلس|فلوس")
_DINAR: Final = 1000
"""Fils in a dinar."""
_MOST_DINARS: Final = 1_000_000
"""More a month is no salary but another number, such as a civil ID."""


def salary(text: str, today: date) -> int | Invalid:  # noqa: ARG001 - every reader has this shape
    """A monthly salary in fils: ``850``, ``٨٥٠``, ``850.500 د.ك``, ``1,200 KD``, ``850 دينار و 500 فلس``."""
    words = clean(text).lower()
    found = _AMOUNT.findall(words)
    fils = int(found[1]) if len(found) == 2 and _SHORT.fullmatch(found[1]) and _FILS.search(words) else 0  # noqa: PLR2004
    if len(found) == 1 or fils:
        amount = _dinars(found[0])
        if amount is not None and fils < _DINAR and amount < _MOST_DINARS * _DINAR:
            return amount + fils
    return Invalid(
        say(N_("I need one amount in dinars a month, like {example}."), example=Code("850 or 850.500"))
    )


def _dinars(number: str) -> int | None:
    """``number`` in fils; None where it is no amount.

    A comma before three digits groups, and a point divides, as Kuwait's papers do. A single digit before a point and
    three more is the other way round: nobody's work permit states one dinar.
    """
    if len(number) > _LONGEST_AMOUNT:
        return None
    plain = number.replace("٫", ".").replace("٬", ",").replace("،", ",").replace("'", ",")
    if re.fullmatch(r"\d\.\d{3}", plain):
        plain = plain.replace(".", ",")
    grouped = re.fullmatch(r"(\d{1,3}(?:,\d{3})+|\d+)(?:\.(\d{1,3}))?", plain)
    if grouped is None:
        grouped = re.fullmatch(r"(\d+),(\d{1,2})", plain)  # a comma that divides, as on some keyboards
    if grouped is None:
        return None
    whole, part = grouped.groups()
    return int(whole.replace(",", "")) * _DINAR + int((part or "").ljust(3, "0"))
