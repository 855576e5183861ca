"""The bidi gate bites; the harness holds every Arabic line of every transcript against it."""

from datetime import date

import pytest

from bot.i18n.render import FSI, LRI, PDI
from bot.i18n.text import Code, Day, Hour, Local, Ltr, Money, Msg, Text, lines, masked
from bot.model import Span
from tests.dialogs.bidi_gate import identifiers, shown_wrong
from tests.dialogs.harness import CATALOG, MESSAGES, RENDERER, message_id
from tests.dialogs.places import PLACES, stand

WRONG = [
    "الرقم 2850****0029 عليه مخالفة",
    "واتساب +96599324092 للمرور",
    "الخدمات: /menu",
    "من 600-100 إلى",
]


@pytest.mark.parametrize("line", WRONG)
def test_the_gate_bites(line: str) -> None:
    assert shown_wrong((Span(line),), "ar")
    assert not shown_wrong((Span(line),), "en")


@pytest.mark.parametrize(
    "identifier", ["2850****0029", "+96599324092", "/menu", "7F3C-9A1D-22", "600-100", "-1.500", "a (b)"]
)
def test_isolated_it_passes(identifier: str) -> None:
    isolated = f"الرقم {LRI}{identifier}{PDI} عليه {LRI}{identifier}{PDI}."
    assert not shown_wrong((Span(isolated),), "ar")


def test_a_code_span_without_isolates_is_found() -> None:
    spans = (Span("الرقم "), Span("28 50", "code"), Span(" عليه"))
    assert shown_wrong(spans, "ar") == ["28 50"]


def test_a_latin_title_in_an_arabic_list_is_held_together() -> None:
    assert "No parking (zone B)" in identifiers((Span(f"المرور: {FSI}No parking (zone B){PDI}"),))


ARGUMENTS = [
    masked("285011500029"),
    Code("IQ-7F3C-9A1D"),
    Code("2850 1150 0029"),
    Money(1_234_500),
    Money(-500),
    Ltr("pay.example.kw"),
    Hour(1_795_251_600),
    Local("", "Red light (camera 2)"),
    "+965 9932 4092",
    "Mutual Help Society, Ltd.",
    42,
]


@pytest.mark.parametrize("key", MESSAGES)
@pytest.mark.parametrize("argument", ARGUMENTS, ids=str)
def test_every_arabic_text_with_every_kind_of_argument(key: str, argument: object) -> None:
    msg = message_id(key)
    for n in (0, 1, 2, 3, 11, 100) if not isinstance(msg, Msg) else (0,):
        names = {piece.name for piece in CATALOG.template(msg, "ar", n) if piece.name}
        text: Text = Text(msg, dict.fromkeys(names, argument), n)  # type: ignore[arg-type]
        assert not shown_wrong(RENDERER.render(text, "ar"), "ar")


def test_a_date_in_arabic_is_isolated() -> None:
    spans = RENDERER.render(lines(Day(date(2026, 11, 21)), Money(45_000)), "ar")
    assert not shown_wrong(spans, "ar")


@pytest.mark.parametrize(("dialog", "state"), PLACES)
def test_every_question_and_help_in_arabic(dialog: str, state: str) -> None:
    """The harness raises on a line shown wrong; here every state speaks."""
    for text in ("/resume", "/help", "/xx", "🙂", "🙂", "🙂"):
        stand("ar", dialog, state).says(text)
