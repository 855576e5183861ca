"""Texts become spans: plurals, money, isolates, marks, and English where Arabic is missing."""

from datetime import date
from pathlib import Path

import pytest

from bot.errors import ConfigError
from bot.i18n.catalog import Catalog
from bot.i18n.render import FSI, ISOLATES, LRI, PDI, RLI, Renderer, amount, bare
from bot.i18n.template import compile_template
from bot.i18n.text import (
    EMPTY,
    N_,
    NP_,
    Arg,
    Code,
    Day,
    Hour,
    Lines,
    Local,
    Ltr,
    Money,
    Msg,
    Plural,
    lines,
    masked,
    say,
)
from bot.model import Span, plain

RENDERER = Renderer(Catalog())
OTHERS = Plural(
    Msg("{n} other violation cannot be paid online."), Msg("{n} other violations cannot be paid online.")
)


@pytest.mark.parametrize(
    ("n", "ar", "en"),
    [
        (0, "لا مخالفات أخرى.", "0 other violations cannot be paid online."),
        (1, "مخالفة واحدة أخرى لا تُدفع إلكترونياً.", "1 other violation cannot be paid online."),
        (2, "مخالفتان أخريان لا تُدفعان إلكترونياً.", "2 other violations cannot be paid online."),
        (3, "عليه 3 مخالفات أخرى لا تُدفع إلكترونياً.", "3 other violations cannot be paid online."),
        (10, "عليه 10 مخالفات أخرى لا تُدفع إلكترونياً.", "10 other violations cannot be paid online."),
        (11, "عليه 11 مخالفة أخرى لا تُدفع إلكترونياً.", "11 other violations cannot be paid online."),
        (99, "عليه 99 مخالفة أخرى لا تُدفع إلكترونياً.", "99 other violations cannot be paid online."),
        (100, "عليه 100 مخالفة أخرى لا تُدفع إلكترونياً.", "100 other violations cannot be paid online."),
        (103, "عليه 103 مخالفات أخرى لا تُدفع إلكترونياً.", "103 other violations cannot be paid online."),
    ],
)
def test_plurals(n: int, ar: str, en: str) -> None:
    assert bare(RENDERER.plain(say(OTHERS, n=n), "ar")) == ar
    assert bare(RENDERER.plain(say(OTHERS, n=n), "en")) == en


@pytest.mark.parametrize(
    ("fils", "text"),
    [
        (0, "0.000"),
        (5, "0.005"),
        (250, "0.250"),
        (1000, "1.000"),
        (45_000, "45.000"),
        (32_500, "32.500"),
        (1_234_500, "1,234.500"),
        (-1_500, "-1.500"),
        (123_456_789_012, "123,456,789.012"),
    ],
)
def test_money(fils: int, text: str) -> None:
    assert amount(fils) == text
    signed = text if fils >= 0 else f"{LRI}{text}{PDI}"  # else the sign would stand behind
    assert RENDERER.plain(Money(fils), "ar") == f"{RLI}{signed}\u00a0د.ك.{PDI}"
    assert RENDERER.plain(Money(fils), "en") == f"{LRI}{signed}\u00a0KWD{PDI}"


@pytest.mark.parametrize(
    ("arg", "ar", "en"),
    [
        (Day(date(2026, 11, 21)), f"{RLI}21 نوفمبر 2026{PDI}", f"{LRI}21 November 2026{PDI}"),
        (Hour(1_795_251_600), f"{LRI}12:00{PDI}", f"{LRI}12:00{PDI}"),
        (Ltr("pay.example.kw"), f"{LRI}pay.example.kw{PDI}", f"{LRI}pay.example.kw{PDI}"),
        (Local("مرور", "Traffic"), f"{FSI}مرور{PDI}", f"{FSI}Traffic{PDI}"),
        (Local("", "Traffic"), f"{FSI}Traffic{PDI}", f"{FSI}Traffic{PDI}"),
        (Local("مرور", ""), f"{FSI}مرور{PDI}", f"{FSI}مرور{PDI}"),
        (Local("", ""), "", ""),
        ("", "", ""),
        ("name", f"{FSI}name{PDI}", f"{FSI}name{PDI}"),
        (7, "7", "7"),
        (EMPTY, "", ""),
        (lines(1, 2, 3), "1\n2\n3", "1\n2\n3"),
        (Lines((1, EMPTY, 2)), "1\n\n2", "1\n\n2"),
    ],
)
def test_arguments(arg: Arg, ar: str, en: str) -> None:
    assert RENDERER.plain(arg, "ar") == ar
    assert RENDERER.plain(arg, "en") == en


def test_isolates_stand_outside_what_is_copied() -> None:
    spans = RENDERER.render(say(N_("Civil ID {number}"), number=masked("285011500029")), "ar")
    assert Span("2850****0029", "code") in spans
    for span in spans:
        assert span.style != "code" or not ISOLATES & set(span.text)
    text = plain(spans)
    assert f"{LRI}2850****0029{PDI}" in text


def test_marks_are_read_in_texts_and_not_in_arguments() -> None:
    spans = RENDERER.render(say(N_("*{total}* and `{x}` {y}"), total="*5*", x="`", y="{total} *b* `c`"), "en")
    assert [span.style for span in spans] == ["b", "", "code", ""]
    assert bare(plain(spans)) == "*5* and ` {total} *b* `c`"


def test_texts_inside_texts_keep_the_style_around_them() -> None:
    inner = say(N_("plain *bold*"))
    spans = RENDERER.render(say(N_("*a {x} b* {x}"), x=inner), "en")
    assert spans == (Span("a plain bold b", "b"), Span(" plain "), Span("bold", "b"))


def test_code_inside_bold_stays_code() -> None:
    spans = RENDERER.render(say(N_("*{x}*"), x=Code("A1")), "en")
    assert [(span.text, span.style) for span in spans] == [(LRI, ""), ("A1", "code"), (PDI, "")]


def test_templates() -> None:
    assert [tuple(p) for p in map(_fields, compile_template("a *b {n}* `c`"))] == [
        ("", "a ", ""),
        ("b", "b ", ""),
        ("b", "", "n"),
        ("", " ", ""),
        ("code", "c", ""),
    ]
    assert compile_template("") == ()


def _fields(piece: object) -> tuple[str, ...]:
    return tuple(getattr(piece, name) for name in ("style", "text", "name"))


def catalogue(root: Path, language: str, body: str, forms: str = "nplurals=2; plural=(n != 1);") -> None:
    path = root / language / "LC_MESSAGES"
    path.mkdir(parents=True)
    header = f'msgid ""\nmsgstr ""\n"Language: {language}\\n"\n"Plural-Forms: {forms}\\n"\n'
    header += '"Content-Type: text/plain; charset=utf-8\\n"\n\n'
    (path / "bot.po").write_text(header + body, "utf-8")


SIX = (
    "nplurals=6; plural=(n==0 ? 0 : n==1 ? 1 : n==2 ? 2 :"
    " n%100>=3 && n%100<=10 ? 3 : n%100>=11 && n%100<=99 ? 4 : 5);"
)


def test_english_where_arabic_is_missing_or_unsure(tmp_path: Path) -> None:
    unsure = '#, fuzzy\nmsgid "Unsure"\nmsgstr "لا يقين"\n\nmsgid "Empty"\nmsgstr ""\n\n'
    partly = 'msgid "{n} day"\nmsgid_plural "{n} days"\n' + "".join(
        f'msgstr[{form}] "{"يومان" if form == 2 else ""}"\n' for form in range(6)
    )
    catalogue(tmp_path, "ar", unsure + partly, SIX)
    catalogue(tmp_path, "en", 'msgid "Better"\nmsgstr "Best"\n')
    renderer = Renderer(Catalog(tmp_path))
    assert renderer.plain(say(N_("Unsure")), "ar") == "Unsure"
    assert renderer.plain(say(N_("Empty")), "ar") == "Empty"
    assert renderer.plain(say(N_("Missing {x}"), x=1), "ar") == "Missing 1"
    assert renderer.plain(say(N_("Better")), "ar") == "Best", "the bettered English stands in"
    days = NP_("{n} day", "{n} days")
    assert [renderer.plain(say(days, n=n), "ar") for n in (1, 2, 3)] == ["1 day", "يومان", "3 days"]


def test_a_missing_catalogue_stops_the_start(tmp_path: Path) -> None:
    catalogue(tmp_path, "ar", "", SIX)
    with pytest.raises(ConfigError, match=r"locales/en/LC_MESSAGES/bot\.po"):
        Catalog(tmp_path)


@pytest.mark.parametrize(
    ("number", "shown"), [("285011500029", "2850****0029"), ("12345678", "12****78"), ("123456", "12**56")]
)
def test_masks(number: str, shown: str) -> None:
    assert masked(number) == Code(shown)
