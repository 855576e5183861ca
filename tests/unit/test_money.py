"""Dinars as text, to gateways and to people: any amount, both languages, read back to the fils."""

import ast
import inspect
import re
import textwrap
from collections.abc import Callable
from decimal import Decimal
from html import unescape
from itertools import pairwise

import pytest
from babel.numbers import format_decimal, get_currency_precision
from bidi import get_display
from hypothesis import example, given
from hypothesis import strategies as st

from bot.dialogs.checkout import Payment, Standing, Status, receipt
from bot.dialogs.checkout.texts import summary_text
from bot.domain import Item, ItemKind
from bot.handlers.pay.page import Pages
from bot.i18n.catalog import Catalog
from bot.i18n.render import ISOLATES, LRI, PDI, RLI, Renderer, amount, bare
from bot.i18n.text import N_, Code, Local, Money, lines, say
from bot.model import Chat, plain
from bot.services.orders import Bill
from bot.services.payments import amount_text, fils_of

MOST = 999_999_999
"""Fils; ``999999.999`` is the most KNET takes (payments reference, 1.3)."""

RENDERER = Renderer(Catalog())
LANGUAGES = ("ar", "en")
CURRENCY = {"ar": "د.ك.", "en": "KWD"}
MARKS = frozenset("\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e") | ISOLATES
NOTORIOUS = {
    "0.000": 0,
    "0.001": 1,
    "0.010": 10,
    "0.100": 100,
    "1.005": 1_005,
    "1.860": 1_860,
    "4.350": 4_350,
    "5.000": 5_000,
    "18.600": 18_600,
    "50.000": 50_000,
    "1234.500": 1_234_500,
    "16777.217": 16_777_217,
    "999999.999": MOST,
}
"""Amounts that other projects charged or showed wrongly (payments reference, 4), and their neighbours."""

any_fils = st.integers(0, MOST)
huge = st.integers(0, 10**24)
"""Beyond 2**53 a float would show."""


def exactly(fils: int) -> str:
    """The same by the decimal module."""
    return f"{Decimal(fils).scaleb(-3):.3f}"


def read_back(shown: str) -> int:
    """The fils a person reads."""
    groups, decimals = bare(shown).replace("\u00a0", " ").split(" ")[0].split(".")
    return int(groups.replace(",", "")) * 1000 + int(decimals)


# --- to gateways ---------------------------------------------------------------------------------


@given(any_fils)
def test_every_amount_comes_back(fils: int) -> None:
    text = amount_text(fils)
    assert fils_of(text) == fils
    assert re.fullmatch(r"(0|[1-9][0-9]{0,5})\.[0-9]{3}", text, re.ASCII)
    assert text == exactly(fils)


@pytest.mark.parametrize(("text", "fils"), NOTORIOUS.items())
def test_notorious_amounts(text: str, fils: int) -> None:
    assert amount_text(fils) == text
    assert fils_of(text) == fils


@given(any_fils, any_fils)
def test_larger_amounts_are_larger_texts(one: int, other: int) -> None:
    assert (one < other) == (Decimal(amount_text(one)) < Decimal(amount_text(other)))


def _digits(zero: str) -> Callable[[str], str]:
    return lambda text: "".join(chr(ord(zero) + int(c)) if c.isdigit() else c for c in text)


SPOILT: dict[str, Callable[[str], str]] = {
    "two decimals": lambda text: text[:-1],
    "four decimals": lambda text: f"{text}0",
    "no decimals": lambda text: text.partition(".")[0],
    "a point and nothing": lambda text: text.partition(".")[0] + ".",
    "no dinars": lambda text: "." + text.partition(".")[2],
    "plus": lambda text: f"+{text}",
    "minus": lambda text: f"-{text}",
    "minus in front of nothing": lambda text: f"\u2212{text}",
    "space before": lambda text: f" {text}",
    "space after": lambda text: f"{text} ",
    "no-break space": lambda text: f"\u00a0{text}",
    "newline": lambda text: f"{text}\n",
    "nul": lambda text: f"{text}\0",
    "leading zero": lambda text: f"0{text}",
    "comma for the point": lambda text: text.replace(".", ","),
    "Arabic point": lambda text: text.replace(".", "\u066b"),
    "full-width point": lambda text: text.replace(".", "\uff0e"),
    "group": lambda text: f"1,{text.zfill(7)}",
    "apostrophe group": lambda text: f"1'{text.zfill(7)}",
    "underscore": lambda text: f"1_{text.zfill(7)}",
    "exponent": lambda text: f"{text}e0",
    "capital exponent": lambda text: f"{text}E3",
    "hexadecimal": lambda text: f"0x{text}",
    "currency": lambda text: f"KWD {text}",
    "isolates": lambda text: f"{LRI}{text}{PDI}",
    "mark": lambda text: f"\u200f{text}",
    "Arabic-Indic digits": _digits("٠"),
    "Persian digits": _digits("۰"),
    "Devanagari digits": _digits("०"),
    "full-width digits": _digits("\uff10"),
    "bold digits": _digits("\U0001d7ce"),
    "superscript": lambda text: text[:-1] + "³",
    "seven digits": lambda text: f"1{text.zfill(10)}",
    "twice": lambda text: text * 2,
    "two amounts": lambda text: f"{text}\n{text}",
    "words": lambda _: "nan",
    "more words": lambda _: "Infinity",
    "nothing": lambda _: "",
}


@pytest.mark.parametrize("how", SPOILT)
@given(fils=any_fils)
@example(fils=0)
@example(fils=MOST)
def test_nothing_else_is_an_amount(how: str, fils: int) -> None:
    with pytest.raises(ValueError, match="exactly three decimals"):
        fils_of(SPOILT[how](amount_text(fils)))


@given(st.text(max_size=14) | st.text("0123456789.,+-eE_ ٠١٢٣٫٬\u2066\u2069\n", max_size=14))
def test_whatever_is_read_as_an_amount_is_written_like_that(text: str) -> None:
    """So no two texts are one amount, and no text is guessed at."""
    try:
        fils = fils_of(text)
    except ValueError:
        return
    assert amount_text(fils) == text
    assert 0 <= fils <= MOST


@given(st.integers(MOST + 1, 10**24))
def test_what_no_gateway_takes_is_not_read(fils: int) -> None:
    with pytest.raises(ValueError, match="exactly three decimals"):
        fils_of(amount_text(fils))


@pytest.mark.interpreted
@pytest.mark.parametrize("function", [amount_text, fils_of, amount])
def test_no_float_comes_near(function: Callable[..., object]) -> None:
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    for node in ast.walk(tree):
        assert not isinstance(node, ast.Div)
        assert not (isinstance(node, ast.Constant) and isinstance(node.value, float))
        assert not (isinstance(node, ast.Name) and node.id in {"float", "round"})


# --- to people -----------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
@given(fils=huge)
@example(fils=0)
@example(fils=999)
@example(fils=1000)
@example(fils=999_999)
@example(fils=1_000_000)
@example(fils=MOST)
def test_any_amount_is_shown(language: str, fils: int) -> None:
    shown = RENDERER.plain(Money(fils), language)
    number, currency = bare(shown).split("\u00a0")
    assert currency == CURRENCY[language]
    assert re.fullmatch(r"[0-9]{1,3}(,[0-9]{3})*\.[0-9]{3}", number, re.ASCII)
    assert number.replace(",", "") == exactly(fils)
    assert read_back(shown) == fils
    assert " " not in shown


@given(huge)
@example(1_234_500)
def test_groups_are_those_of_the_locale_data(fils: int) -> None:
    """Formatted from a decimal by Babel, which knows KWD's three decimals and where thousands go."""
    assert get_currency_precision("KWD") == 3
    wanted = format_decimal(
        Decimal(fils).scaleb(-3), format="#,##0.000", locale="en", decimal_quantization=False
    )
    assert amount(fils) == wanted


@given(st.integers(-(10**12), -1))
def test_what_is_owed_the_other_way_has_a_sign_and_nothing_else_changes(fils: int) -> None:
    assert amount(fils) == f"-{amount(-fils)}"


@given(st.integers(-(10**12), -1))
def test_no_gateway_hears_of_less_than_nothing(fils: int) -> None:
    with pytest.raises(ValueError, match="not negative"):
        amount_text(fils)


@pytest.mark.parametrize("language", LANGUAGES)
@given(st.integers(-(10**12), -1))
@example(fils=-1)
@example(fils=-45_000)
def test_the_sign_stands_before_the_number_in_both_languages(language: str, fils: int) -> None:
    """As the screen shows it, by the bidirectional algorithm itself."""
    line = RENDERER.plain(Money(fils), language)
    shown = bare(str(get_display(line, base_dir="R" if language == "ar" else "L")))
    assert amount(fils) in shown
    assert bare(line) == f"{amount(fils)}\u00a0{CURRENCY[language]}"


@pytest.mark.parametrize(("language", "mark"), [("ar", RLI), ("en", LRI)])
@given(fils=huge)
def test_an_amount_is_one_isolate(language: str, mark: str, fils: int) -> None:
    shown = RENDERER.plain(Money(fils), language)
    assert (shown[0], shown[-1]) == (mark, PDI)
    assert not MARKS & set(shown[1:-1])


@pytest.mark.parametrize("language", LANGUAGES)
@given(first=any_fils, second=any_fils)
def test_in_a_text_isolates_are_balanced_and_marks_apart(language: str, first: int, second: int) -> None:
    text = lines(
        say(N_("Total *{total}*"), total=Money(first)),
        say(N_("Pay {amount}"), amount=Money(second)),
        Money(first),
        say(N_("Order {order}"), order=Code("IQ-7F3C-9A1D")),
    )
    shown = plain(RENDERER.render(text, language))
    for line in shown.split("\n"):
        assert depth(line) == 0
    assert not [pair for pair in pairwise(shown) if set(pair) <= MARKS]
    assert [read_back(each) for each in amounts(shown, language)] == [first, second, first]


@pytest.mark.parametrize(
    ("fils", "ar", "en"),
    [
        (1_234_500, "1,234.500\u00a0د.ك.", "1,234.500\u00a0KWD"),
        (5_250, "5.250\u00a0د.ك.", "5.250\u00a0KWD"),
        (18_600, "18.600\u00a0د.ك.", "18.600\u00a0KWD"),
        (5_000, "5.000\u00a0د.ك.", "5.000\u00a0KWD"),
        (1, "0.001\u00a0د.ك.", "0.001\u00a0KWD"),
        (1_005, "1.005\u00a0د.ك.", "1.005\u00a0KWD"),
        (MOST, "999,999.999\u00a0د.ك.", "999,999.999\u00a0KWD"),
    ],
)
def test_the_table_of_the_reference(fils: int, ar: str, en: str) -> None:
    """Payments reference, 5: CLDR's characters, with isolates in place of its two marks."""
    assert RENDERER.plain(Money(fils), "ar") == f"{RLI}{ar}{PDI}"
    assert RENDERER.plain(Money(fils), "en") == f"{LRI}{en}{PDI}"


# --- sums ----------------------------------------------------------------------------------------


baskets = st.lists(st.integers(1, MOST), min_size=1, max_size=12)


@pytest.mark.parametrize("language", LANGUAGES)
@given(fils=baskets)
@example(fils=[100, 200, 700])
@example(fils=[1_005, 18_600, 5_000, 1])
def test_the_page_shows_lines_that_make_its_total(language: str, fils: list[int]) -> None:
    total = sum(fils)
    bill = Bill(
        order="IQ-7F3C-9A1D",
        chat=Chat("web", "w1"),
        language=language,
        subject="2850****0029",
        items=items(fils),
        fils=total,
        until=1_795_500_000,
        live=True,
        standing=Standing(Status.NONE),
    )
    html = Pages(RENDERER.render, "pay.example").bill(bill, language)
    shown = [read_back(each) for each in amounts(unescape(re.sub(r"<[^>]*>", "\n", html)), language)]
    *each, whole, button = shown
    assert each == fils
    assert sum(each) == whole == button == total


@pytest.mark.parametrize("language", LANGUAGES)
@given(fils=baskets)
def test_the_chat_shows_the_sum_and_so_does_the_receipt(language: str, fils: list[int]) -> None:
    payment = Payment(subject="2850****0029", items=items(fils), order="IQ-7F3C-9A1D", host="pay.example")
    asked = plain(RENDERER.render(summary_text(payment), language))
    given_back = sum(fils) // 2
    how = Standing(Status.POSTED, "IQ-7F3C-9A1D", fils=sum(fils), refunded=given_back)
    got = plain(RENDERER.render(receipt(how), language))
    assert [read_back(each) for each in amounts(asked, language)] == [sum(fils)]
    wanted = [sum(fils), given_back] if given_back else [sum(fils)]
    assert [read_back(each) for each in amounts(got, language)] == wanted


def items(fils: list[int]) -> tuple[Item, ...]:
    titles = Local("مخالفة مرور", "Traffic fine")
    return tuple(Item(f"F{number}", ItemKind.TRAFFIC, titles, each) for number, each in enumerate(fils))


def amounts(shown: str, language: str) -> list[str]:
    """What stands before the currency."""
    return re.findall(rf"[0-9,.]+\u00a0{re.escape(CURRENCY[language])}", shown)


def depth(text: str) -> int:
    """Isolates still open at the end; below nothing at no time."""
    inside = 0
    for char in text:
        inside += (char in ISOLATES and char != PDI) - (char == PDI)
        assert inside >= 0
    return inside
