"""The printed page: shaped, ordered, whole, and the same each time."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import pytest
import segno

from bot.dialogs.home import Operator
from bot.domain import Item, ItemKind
from bot.errors import ConfigError
from bot.i18n.render import Renderer
from bot.i18n.text import Local
from bot.services.receipts import GivenBack, Printer, Receipt, Standing
from bot.services.receipts.paper import summed
from tests.receipts.desk import NOON, SUBJECT
from tests.receipts.ink import Found, Probe, Sheet, pixels

PROOF = "https://pay.example.com/r/IQ-7F3C-9A1D_0123456789abcdef01234567"
SPEEDING = Local("مخالفة تجاوز السرعة المقررة", "Exceeding the speed limit")
WIFE = Local("الزوجة", "Wife")
AMOUNT = "32.500"


def fine(number: int, title: Local = SPEEDING, fils: int = 32_500) -> Item:
    return Item(f"1003{number:05}", ItemKind.TRAFFIC, title, fils)


def receipt(*items: Item, **changes: Any) -> Receipt:
    items = items or (fine(1),)
    made = Receipt(
        order="IQ-7F3C-9A1D",
        subject=SUBJECT,
        items=items,
        total=sum(item.fils for item in items),
        paid_at=NOON,
        provider="knet",
        bank="600100000001",
        payment="100202600000000001",
        track="KB7F3C9A1D2E40518XY",
        transaction="600100000002",
        auth="999554",
        standing=Standing.RECORDED,
        proof=PROOF,
    )
    return msgspec.structs.replace(made, **changes)


@pytest.fixture(scope="module")
def probe() -> Probe:
    return Probe()


def sheets(printer: Printer, paper: Receipt) -> list[Sheet]:
    return [Sheet(page) for page in printer.pages(paper, "svg")]


def only(found: Sequence[Found]) -> Found:
    assert len(found) == 1
    return found[0]


# --- Arabic ---------------------------------------------------------------------------------------


def test_letters_are_joined(printer: Printer, probe: Probe) -> None:
    (sheet,) = sheets(printer, receipt(fine(1, Local("مخالفة", "Fine"))))
    joined = probe.word("مخالفة", "rtl")
    letters = [probe.word(letter, "rtl") for letter in reversed("مخالفة")]
    apart = tuple(tuple(glyph for (glyph,) in size) for size in zip(*letters, strict=True))
    assert sheet.find(joined)
    assert not sheet.find(apart)
    alone = sum(probe.sheet(letter, "rtl").width for letter in "مخالفة")
    assert probe.sheet("مخالفة", "rtl").width < 0.9 * alone


def test_words_run_from_right_to_left(printer: Printer, probe: Probe) -> None:
    (sheet,) = sheets(printer, receipt())
    first, second, third = (
        only(sheet.find(probe.word(word, "rtl"))) for word in ("تجاوز", "السرعة", "المقررة")
    )
    assert first.x > second.x > third.x
    assert first.y == second.y == third.y
    english, other = (only(sheet.find(probe.word(word))) for word in ("Exceeding", "limit"))
    assert english.x < other.x


def test_a_foreign_word_stands_between_its_arabic_neighbours(printer: Printer, probe: Probe) -> None:
    (sheet,) = sheets(printer, receipt(fine(1, Local("تجاوز XYZ السرعة", "Fine السرعة QRS"))))
    first, second = only(sheet.find(probe.word("تجاوز", "rtl"))), only(sheet.find(probe.word("XYZ")))
    third = max(sheet.find(probe.word("السرعة", "rtl")), key=lambda found: found.x)
    assert first.x > second.x > third.x
    before, after = only(sheet.find(probe.word("Fine"))), only(sheet.find(probe.word("QRS")))
    between = min(sheet.find(probe.word("السرعة", "rtl")), key=lambda found: found.x)
    assert before.x < between.x < after.x


def test_each_language_keeps_its_side(printer: Printer, probe: Probe) -> None:
    (sheet,) = sheets(printer, receipt())
    english = only(sheet.find(probe.word("Exceeding")))
    amount = min(sheet.find(probe.word(AMOUNT)), key=lambda found: abs(found.y - english.y))
    arabic = only(sheet.find(probe.word("المقررة", "rtl")))
    assert english.x < sheet.width / 3 < amount.x < 2 * sheet.width / 3
    assert amount.x < arabic.x
    gateway = only(sheet.find(probe.word("كي", "rtl")))
    brand = only(sheet.find(probe.word("K-Net")))
    assert brand.x < sheet.width / 2 < gateway.x


@pytest.mark.parametrize(
    "code",
    [
        SUBJECT,
        "IQ-7F3C-9A1D",
        "600100000001",
        "100202600000000001",
        "KB7F3C9A1D2E40518XY",
        "600100000002",
        "999554",
    ],
)
def test_numbers_are_never_turned_round(printer: Printer, probe: Probe, code: str) -> None:
    (sheet,) = sheets(printer, receipt())
    assert sheet.find(probe.word(code))
    assert not sheet.find(tuple(glyphs[::-1] for glyphs in probe.word(code)))


def test_an_arabic_amount_has_its_currency_on_its_left(printer: Printer, probe: Probe) -> None:
    (sheet,) = sheets(printer, receipt(fine(1, fils=1_234_500)))
    number, currency = probe.word("1,234.500"), probe.word("د.ك", "rtl")
    field = sheet.find(number)
    # Twice in the field of the amount, once in its line; the total is set bold.
    assert len(field) == 3
    right = max(field, key=lambda found: found.x)
    mark = [found for found in sheet.find(currency) if found.y == right.y]
    assert only(mark).x < right.x
    assert right.x - only(mark).x < 30
    english = min(field, key=lambda found: found.x)
    assert [found.y for found in sheet.find(probe.word("KWD")) if found.x > english.x].count(english.y) == 1


def test_the_total_is_bold_in_both_languages(printer: Printer, probe: Probe) -> None:
    (sheet,) = sheets(printer, receipt(fine(1), fine(2)))
    bold = sheet.find(probe.word("65.000", weight="bold"))
    assert len(bold) == 2
    assert bold[0].y == bold[1].y


def test_no_character_is_without_a_glyph(printer: Printer, probe: Probe) -> None:
    unknown = probe.word("\u4e2d")
    for paper in (
        receipt(operator=Operator("جمعية «المساعدة»", "وزارة الداخلية"), standing=Standing.REVIEW),
        receipt(refunds=(GivenBack(1_000, NOON),), standing=Standing.RECORDING, provider="sandbox"),
        receipt(standing=Standing.REFUNDED, provider="tap"),
        receipt(provider="myfatoorah"),
        receipt(provider="another"),
    ):
        for sheet in sheets(printer, paper):
            assert not sheet.find(unknown)
    (sheet,) = sheets(printer, receipt(fine(1, Local("中", "中"))))
    assert sheet.find(unknown)


# --- how much ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("lines", "pages"), [(1, 1), (12, 1), (100, 4)])
def test_lines_flow_over_pages(printer: Printer, probe: Probe, lines: int, pages: int) -> None:
    paper = receipt(*(fine(number, fils=20_000 + number) for number in range(lines)))
    made = sheets(printer, paper)
    assert len(made) == pages
    for number in range(lines):
        amounts = probe.word(f"20.{number:03}")
        assert sum(len(sheet.find(amounts)) for sheet in made) >= 1
    for number, sheet in enumerate(made, start=1):
        # At the foot of each page: its number, then how many there are.
        (foot,) = [found for found in sheet.find(probe.word(f"{number}/{pages}")) if found.y > 780]
        assert foot.x > sheet.width / 2
        assert all(0 < glyph.x < sheet.width - 20 and glyph.y < sheet.height - 20 for glyph in sheet.glyphs)
    assert len(made[-1].images) == 1


def test_twelve_lines_with_everything_else_still_fit_one_page(printer: Printer) -> None:
    paper = receipt(
        *(fine(number) for number in range(12)),
        provider="sandbox",
        standing=Standing.REVIEW,
        refunds=(GivenBack(1_000, NOON), GivenBack(2_000, NOON)),
        operator=Operator("جمعية المساعدة"),
    )
    assert len(sheets(printer, paper)) == 1


@pytest.mark.parametrize(
    "title",
    [
        Local("مخالفة قواعد الوقوف في الأماكن الممنوعة " * 5, "Parking where it is forbidden " * 7),
        Local("ا" * 200, "W" * 200),
        Local("م" * 200, "x" * 200),
        Local("", "Only in English"),
    ],
)
def test_the_longest_titles_stay_in_their_columns(printer: Printer, probe: Probe, title: Local) -> None:
    cut = Local(title.ar[:200], title.en[:200])
    (sheet,) = sheets(printer, receipt(fine(1, cut)))
    amount = min(sheet.find(probe.word(AMOUNT)), key=lambda found: abs(found.x - sheet.width / 2))
    line = [glyph for glyph in sheet.glyphs if round(glyph.y, 1) == amount.y]
    assert all(40 < glyph.x < sheet.width - 40 for glyph in sheet.glyphs)
    # Nobody else's ink where the amount stands.
    inside = [glyph for glyph in line if amount.x <= glyph.x <= amount.x + 32]
    assert len(inside) == len(AMOUNT)


# --- residencies ------------------------------------------------------------------------------------


def renewal(number: int, who: Local = WIFE, years: int = 2, fils: int = 40_000) -> Item:
    until = f"{2026 + years}-11-{1 + number % 28:02}"
    return Item(f"R-{number}", ItemKind.RENEWAL, who, fils, years, until, number)


def test_a_renewal_names_whose_and_the_new_last_day(printer: Printer, probe: Probe) -> None:
    masked = Local("2850****0029", "2850****0029")
    (sheet,) = sheets(printer, receipt(renewal(4), renewal(6, masked, 3), fine(1)))
    for word in ("Wife:", "November", "2028", "2029", "R-4", "R-6", "renewal,"):
        assert sheet.find(probe.word(word)), word
    assert sheet.find(probe.word("الزوجة:", "rtl"))
    assert len(sheet.find(probe.word("2850****0029"))) == 3, "of the order, and in each language of its line"
    assert sheet.find(probe.word("Exceeding")), "the fine is on the same receipt"
    assert sheet.find(probe.word("For", weight="bold")) or sheet.find(probe.word("for", weight="bold"))
    assert not sheet.find(probe.word("Violation", weight="bold"))


def test_what_the_registry_did_not_take_is_marked(printer: Printer, probe: Probe) -> None:
    both = renewal(4), renewal(6)
    (sheet,) = sheets(printer, receipt(*both, refused=frozenset({6}), standing=Standing.REVIEW))
    marked = probe.word("not")
    line = [
        found.y
        for found in sheet.find(marked)
        if found.y in {each.y for each in sheet.find(probe.word("R-6:"))}
    ]
    assert len(line) == 1
    assert not sheet.find(probe.word("R-4:"))
    (whole,) = sheets(printer, receipt(*both))
    assert not whole.find(probe.word("R-6:"))


def test_thousands_are_told_by_duration(printer: Printer, probe: Probe) -> None:
    many = tuple(renewal(number, years=1 + number % 3, fils=20_000) for number in range(3_600))
    (sheet,) = sheets(printer, receipt(*many, fine(1, fils=7_000), refused=frozenset({3_599})))
    assert len(sheet.find(probe.word("1200"))) == 2 * 2, "of one and of two years, in each language"
    assert len(sheet.find(probe.word("1199"))) == 2
    assert sheet.find(probe.word("24,000.000"))
    assert sheet.find(probe.word("23,980.000"))
    assert sheet.find(probe.word("7.000"))
    assert sheet.find(probe.word("recorded"))
    assert not sheet.find(probe.word("R-7"))
    sums = [fils for _, _, fils in summed(receipt(*many, fine(1, fils=7_000), refused=frozenset({3_599})))]
    assert sum(sums) == 3_600 * 20_000 + 7_000
    assert len(sums) == 5


def test_a_line_that_the_books_have_cleared_still_prints(printer: Printer, probe: Probe) -> None:
    cleared = Item("forgotten", ItemKind.RENEWAL, Local("", ""), 40_000, 2, "", 0)
    (sheet,) = sheets(printer, receipt(cleared))
    assert sheet.find(probe.word("renewal,"))


# --- what becomes of it -----------------------------------------------------------------------------


def test_a_refund_in_part_says_how_much_is_left(printer: Printer, probe: Probe) -> None:
    paper = receipt(fine(1, fils=45_000), refunds=(GivenBack(10_000, NOON), GivenBack(5_500, NOON + 86_400)))
    (sheet,) = sheets(printer, paper)
    assert len(sheet.find(probe.word("10.000"))) == 2
    assert len(sheet.find(probe.word("5.500"))) == 2
    assert len(sheet.find(probe.word("29.500", weight="bold"))) == 2
    (untouched,) = sheets(printer, receipt(fine(1, fils=45_000)))
    assert not untouched.find(probe.word("29.500", weight="bold"))


def test_a_trial_says_so_and_does_not_speak_of_the_ministry_s_registry(
    printer: Printer, probe: Probe
) -> None:
    trial, real = receipt(provider="sandbox"), receipt()
    (one,), (other,) = sheets(printer, trial), sheets(printer, real)
    warned, recorded = probe.word("trial:", weight="semibold"), probe.word("recorded")
    assert one.find(warned)
    assert not one.find(recorded)
    assert not other.find(warned)
    assert other.find(recorded)


def test_an_authority_replaces_the_disclaimer(printer: Printer, probe: Probe) -> None:
    unofficial, paper = probe.word("unofficial"), probe.word("paper")
    (ours,) = sheets(printer, receipt())
    (theirs,) = sheets(printer, receipt(operator=Operator("Helpers", "Interior")))
    assert ours.find(unofficial)
    assert ours.find(paper)
    assert not theirs.find(unofficial)
    assert not theirs.find(paper)
    assert theirs.find(probe.word("Interior."))


def test_what_the_gateway_did_not_give_is_left_out(printer: Printer, probe: Probe) -> None:
    label = probe.word("Transaction")
    (sheet,) = sheets(printer, receipt(transaction=""))
    assert not sheet.find(label)
    (sheet,) = sheets(printer, receipt())
    assert sheet.find(label)


# --- hostile values ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "hostile",
    [
        "#panic(1)",
        '"#read("x")',
        "\\#",
        "$x$",
        "*b*",
        "_i_",
        "`r`",
        "<a>",
        "@a",
        "//c",
        "[#",
        "\\u{41}",
        "= T",
    ],
)
def test_markup_stays_text(printer: Printer, probe: Probe, hostile: str) -> None:
    paper = receipt(
        fine(1, Local("عنوان", f"{hostile} end")),
        subject=hostile,
        bank=hostile,
        auth=hostile,
        provider=hostile,
        operator=Operator(hostile, hostile),
    )
    (sheet,) = sheets(printer, paper)
    # As the subject, the bank's reference, the code and in the title: four times at least.
    assert len(sheet.find(probe.word(hostile.replace(" ", "")))) >= 4
    assert sheet.find(probe.word("end"))


def test_a_title_cannot_turn_its_neighbours_round(printer: Printer, probe: Probe) -> None:
    override = "\u202e\u2067\u2069\u2069abc\u0000\n\u2028def\u202d"
    (sheet,) = sheets(printer, receipt(fine(1, Local(f"مخالفة {override}", override))))
    assert sheet.find(probe.word("abc"))
    assert sheet.find(probe.word("def"))
    assert not sheet.find(probe.word("cba"))
    assert sheet.find(probe.word(AMOUNT))
    assert sheet.find(probe.word(SUBJECT))


# --- the code ---------------------------------------------------------------------------------------


def test_the_code_on_the_page_is_the_proof_s_address(printer: Printer) -> None:
    ppi = 96
    paper = receipt()
    (sheet,) = sheets(printer, paper)
    ((x, y, width),) = sheet.images
    rows = pixels(printer.pages(paper, "png", ppi)[0])
    expected = [list(row) for row in segno.make_qr(PROOF, error="m").matrix]
    modules, scale = len(expected), ppi / 72
    step = width / (modules + 8)
    seen = [
        [
            int(rows[int((y + (r + 4.5) * step) * scale)][int((x + (c + 4.5) * step) * scale)] < 128)
            for c in range(modules)
        ]
        for r in range(modules)
    ]
    assert seen == expected


# --- as a file --------------------------------------------------------------------------------------


def test_the_same_receipt_is_the_same_file(printer: Printer, renderer: Renderer) -> None:
    first = printer.render(receipt())
    printer.render(receipt(fine(1), fine(2)))
    assert printer.render(receipt()) == first
    assert Printer(renderer).render(receipt()) == first
    assert b"CreationDate" not in first
    assert b"ModDate" not in first


async def test_many_receipts_at_once_are_each_their_own(printer: Printer) -> None:
    papers = [receipt(auth=f"{number:06}") for number in range(6)]
    alone = [printer.render(paper) for paper in papers]
    assert len(set(alone)) == 6
    together = await asyncio.gather(*(printer.print(paper) for paper in papers * 2))
    assert together == alone * 2
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(printer.render, papers)) == alone


async def test_the_event_loop_goes_on_meanwhile(printer: Printer) -> None:
    work = asyncio.ensure_future(  # noqa: TID251 - awaited below
        printer.print(receipt(*(fine(number) for number in range(100))))
    )
    turns = 0
    while not work.done():
        await asyncio.sleep(0)
        turns += 1
    assert (await work).startswith(b"%PDF-")
    assert turns > 2


def test_a_missing_font_is_the_operator_s_to_mend(renderer: Renderer, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="IBM Plex Sans Arabic"):
        Printer(renderer, fonts=tmp_path)
