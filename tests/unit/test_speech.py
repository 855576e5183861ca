"""Words: spelling folded, commands as whole messages, services inside messages, languages by letters."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.i18n.catalog import Catalog
from bot.i18n.render import Renderer
from bot.i18n.speech import Keywords, guess_language
from bot.i18n.text import N_, Money, say
from bot.spelling import clean, fold

SPEECH = Keywords(Renderer(Catalog()))


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("٢٨٥٠", "2850"),
        ("۲۸۵۰", "2850"),
        ("\u200f285\u200e", "285"),
        ("مـــخالفة", "مخالفة"),
        ("مُخَالَفَةٌ", "مخالفة"),
        ("a\nb\tc", "a b c"),
        ("ﻻ", "لا"),
        ("\u2067٤٥\u2069", "45"),
        ("  x  ", "x"),
        ("", ""),
    ],
)
def test_clean(text: str, cleaned: str) -> None:
    assert clean(text) == cleaned


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("إقامتي", "اقامتي"),
        ("القائمة", "القايمه"),
        ("مؤسسة", "موسسه"),
        ("ابيييييي", "ابي"),
        ("PLZZZ", "plz"),
        ("1000", "1000"),
        ("أبي   أجدد", "ابي اجدد"),
        ("على", "علي"),
    ],
)
def test_fold(text: str, folded: str) -> None:
    assert fold(text) == folded


@given(st.text(max_size=60))
def test_folding_twice_changes_nothing_more(text: str) -> None:
    once = clean(text)
    assert clean(once) == once
    assert fold(fold(text)) == fold(fold(fold(text)))


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("رجوع", "back"), ("ارجع", "back"), ("Back", "back"), ("القائمه", "menu"), ("MENU", "menu"),
        ("خلاص", "cancel"), ("مابي", "cancel"), ("وقف", "cancel"), ("stop", "cancel"), ("إلغاء", "cancel"),
        ("موظف", "help"), ("مساعده", "help"), ("agent", "help"), ("السلام عليكم", "start"), ("هلاااا", "start"),
        ("hi", "start"), ("عربي", "language ar"), ("English", "language en"), ("اللغة", "language"),
    ],
)  # fmt: skip
def test_commands(text: str, command: str) -> None:
    assert SPEECH.command(text) == command


@pytest.mark.parametrize("text", ["", "مخالفات", "رجوع المبلغ", "my menu please", "285011500029"])
def test_no_commands(text: str) -> None:
    assert SPEECH.command(text) is None


@pytest.mark.parametrize(
    ("text", "dialog"),
    [
        ("أبي أعرف المخالفات", "violations"), ("علي شي؟", "violations"), ("عليا كام؟", "violations"),
        ("شو علي", "violations"), ("mo5alafat", "violations"), ("3'arama", "violations"),
        ("any traffic fines?", "violations"), ("magkano ang multa ko", "violations"), ("जुर्माना", "violations"),
        ("میرا جرمانہ", "violations"), ("জরিমানা কত", "violations"), ("نسيت المرجع", "find_reference"),
        ("what is my reference number", "find_reference"), ("وين رقم المرجع", "find_reference"),
    ],
)  # fmt: skip
def test_services(text: str, dialog: str) -> None:
    assert SPEECH.dialog(text) == dialog


@pytest.mark.parametrize("text", ["", "hello", "finest", "مخالفاتك؟؟", "285011500029"])
def test_no_services(text: str) -> None:
    assert SPEECH.dialog(text) is None


def test_the_longest_phrase_wins() -> None:
    assert SPEECH.dialog("reference number of my fine") == "find_reference"
    assert SPEECH.dialog("fine, what is my reference") == "find_reference"


def test_choices() -> None:
    assert "checking" in SPEECH.choices("دفعت")
    assert "paying" in SPEECH.choices("ادفع")
    assert not SPEECH.choices("أبي أدفع بكرة")


def test_a_label_is_matched_as_it_is_typed() -> None:
    label = say(N_("Pay {total}"), total=Money(45_000))
    assert SPEECH.same("دفع 45.000 د.ك.", label, "ar")
    assert SPEECH.same("دفع ٤٥.٠٠٠ د.ك.", label, "ar")
    assert SPEECH.same("pay 45.000 kwd", label, "en")
    assert not SPEECH.same("pay 44.000 kwd", label, "en")


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("هل هذا الرابط حقيقي https://moi.gov.kw@evil.example/pay/now", "ar"),
        ("https://moi.gov.kw/pay", ""),
        ("www.moi.gov.kw", ""),
        ("is moi-kw.example/pay real", "en"),
        ("مرحبا", "ar"),
        ("٢٨٥", "ar"),
        ("hello", "en"),
        ("285", ""),
        ("", ""),
        ("🙂", ""),
        ("ok تمام شكرا", "ar"),
        ("नमस्ते", ""),
    ],
)
def test_guessing_the_language(text: str, language: str) -> None:
    assert guess_language(text) == language
