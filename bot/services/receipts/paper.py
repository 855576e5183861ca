"""A paid order on paper, by Typst.

The words come from the catalogues in both languages, the layout from ``receipt.typ``. Values reach it as
JSON and are printed as they are. The font is that of a package and no other is looked at, so that the same
receipt is the same file on every machine; nothing in it tells when it was printed.
"""

import asyncio
import re
import threading
from datetime import date
from enum import StrEnum
from importlib.resources import files
from importlib.resources.abc import Traversable
from io import BytesIO
from typing import Any, Final, Literal
from urllib.parse import urlsplit

import msgspec
import typst

from bot.clock import local
from bot.dialogs.checkout import counts, describe
from bot.dialogs.home import Operator
from bot.dialogs.home import standing as run_by
from bot.domain import Item, ItemKind
from bot.errors import ConfigError
from bot.i18n.render import Renderer, amount
from bot.i18n.text import EMPTY, Arg, Day, Hour, Local, Money, say
from bot.services.receipts import words as w

_TEMPLATE: Final = files("bot.services.receipts").joinpath("receipt.typ").read_bytes()
_FONT: Final = "IBM Plex Sans Arabic"
_FONTS: Final = files("fontpkg_ibm_plex_sans_arabic").joinpath("files")
MOST_LINES: Final = 60
"""Lines listed one by one where residencies are renewed, on three pages; of more only the sums are told."""

KEPT: Final = 32
"""Printed receipts kept in memory, of some 60 kB each."""
KEPT_FOR = 600.0
"""Seconds for which one is: nothing of a resident's stays in memory for ever."""

_QUIET_ZONE: Final = 4
"""Light modules around the code (ISO/IEC 18004)."""

_LONG_WORD: Final = re.compile(r"\S{24}(?=\S)")
"""Narrower than a column, even in capitals; a longer word would run over its neighbours."""

# What moves or hides other text: directions, isolates and controls. Titles come from outside.
_UNSEEN: Final = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff]+")


class Standing(StrEnum):
    """What became of a payment that was made."""

    RECORDED = "recorded"  # the registry has it
    RECORDING = "recording"  # the registry does not have it yet
    REVIEW = "review"  # a person must look at it
    REFUNDED = "refunded"  # all of it was given back


class GivenBack(msgspec.Struct, frozen=True):
    """``fils`` that went back to the payer at ``at`` (epoch seconds)."""

    fils: int
    at: int


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """All that a receipt says. An empty text is a line left out.

    Attributes:
        order: public reference, ``IQ-7F3C-9A1D``.
        subject: the masked number it was paid for, ``2850****0029``.
        items: what was paid, at least one.
        total: fils.
        paid_at: epoch seconds.
        provider: the gateway's name in our settings, such as ``knet``.
        bank: the reference a resident quotes to the bank.
        payment: the gateway's payment id.
        track: our number at the gateway.
        transaction: the bank's number.
        auth: the bank's authorisation code.
        refunds: oldest first.
        refused: parts (`bot.domain.Item.part`) that the registry did not take.
        standing: what became of it.
        proof: address of the page that proves it.
        operator: who runs this service.
    """

    order: str
    subject: str
    items: tuple[Item, ...]
    total: int
    paid_at: int
    provider: str
    bank: str
    payment: str
    track: str
    transaction: str
    auth: str
    refunds: tuple[GivenBack, ...] = ()
    refused: frozenset[int] = frozenset()
    standing: Standing
    proof: str
    operator: Operator = Operator()


class Printer:
    """Prints receipts.

    Args:
        renderer: turns texts into words.
        fonts: folder of the receipt's font; that of the font's package by default.

    Raises:
        ConfigError: the font is missing.
    """

    def __init__(self, renderer: Renderer, fonts: Traversable = _FONTS) -> None:
        self._renderer = renderer
        found = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(fonts)])
        if _FONT not in found.families():
            raise ConfigError(f"receipts: the font {_FONT} is missing; install the service again")
        self._compiler = typst.Compiler(font_paths=found, ignore_system_fonts=True)
        # A compiler refuses a second caller ("Already borrowed"); a cancelled `print` may leave one behind.
        self._alone = threading.Lock()
        self._turn = asyncio.Semaphore(1)
        self._kept: dict[Receipt, bytes] = {}

    async def print(self, receipt: Receipt) -> bytes:
        """`render` in a thread, one at a time; the compiler lets go of the interpreter meanwhile.

        The last few are kept: one address is opened by a preview, a phone's viewer and whoever it was passed on to, and
        the same receipt is the same file. One whose standing has changed is another receipt.
        """
        if (made := self._kept.get(receipt)) is None:
            async with self._turn:
                made = self._kept.get(receipt)  # somebody further ahead may have asked for the same
                if made is None:
                    made = await asyncio.to_thread(self.render, receipt)
                    self._keep(receipt, made)
        return made

    def _keep(self, receipt: Receipt, made: bytes) -> None:
        self._kept[receipt] = made
        asyncio.get_running_loop().call_later(KEPT_FOR, self._kept.pop, receipt, None)
        if len(self._kept) > KEPT:
            del self._kept[next(iter(self._kept))]

    def render(self, receipt: Receipt) -> bytes:
        """The receipt as PDF; the same receipt gives the same bytes. Takes tens of milliseconds of a core."""
        return self._compile(receipt, "pdf", 0)[0]

    def pages(self, receipt: Receipt, form: Literal["png", "svg"], ppi: float = 96) -> list[bytes]:
        """The receipt's pages as pictures; ``ppi`` pixels per inch."""
        return self._compile(receipt, form, ppi)

    def _compile(self, receipt: Receipt, form: Literal["pdf", "png", "svg"], ppi: float) -> list[bytes]:
        data = msgspec.json.encode(self._data(receipt)).decode()
        with self._alone:
            made = self._compiler.compile(
                _TEMPLATE, format=form, ppi=ppi or None, sys_inputs={"receipt": data}
            )
        return made if isinstance(made, list) else [made or b""]

    # --- what the template gets ------------------------------------------------------------------

    def _data(self, receipt: Receipt) -> dict[str, Any]:
        return {
            "ref": receipt.order,
            "brand": self._both(w.BRAND),
            "title": self._both(w.TITLE),
            "notices": [self._both(text) for text in _notices(receipt)],
            "fields": [
                [self._both(label), value if isinstance(value, str) else self._both(value)]
                for label, value in _fields(receipt)
                if value
            ],
            "columns": {
                "what": self._both(w.PAID_FOR if counts(receipt.items)[1] else w.VIOLATION),
                "amount": self._both(w.AMOUNT_COLUMN),
            },
            "items": self._lines(receipt),
            "sums": [{"text": self._both(text), "strong": strong} for text, strong in _sums(receipt)],
            "notes": [self._both(note) for note in _notes(receipt)],
            "scan": self._both(w.SCAN),
            "proof": receipt.proof,
            "address": f"{urlsplit(receipt.proof).netloc}/r/…",
            "qr": qr(receipt.proof),
        }

    def _lines(self, receipt: Receipt) -> list[dict[str, Any]]:
        if counts(receipt.items)[1] and len(receipt.items) > MOST_LINES:
            return [
                {"title": self._both(title), "kind": self._both(kind), "sum": amount(fils)}
                for title, kind, fils in summed(receipt)
            ]
        return [self._item(item, refused=item.part in receipt.refused) for item in receipt.items]

    def _item(self, item: Item, *, refused: bool) -> dict[str, Any]:
        title = Local(
            _wrapped(item.title.ar or item.title.en),
            _wrapped(item.title.en or item.title.ar),
        )
        shown = {"ar": title.ar, "en": title.en}
        if item.kind is ItemKind.RENEWAL:
            shown = self._both(describe(msgspec.structs.replace(item, title=title)))
        words = w.NOT_RECORDED if refused else w.KIND
        kind = self._both(say(words, kind=say(w.KINDS[item.kind]), number=w.number(_seen(item.number))))
        return {"title": shown, "kind": kind, "sum": amount(item.fils)}

    def _both(self, text: Arg) -> dict[str, str]:
        return {language: self._renderer.plain(text, language) for language in ("ar", "en")}


def summed(receipt: Receipt) -> list[tuple[Arg, Arg, int]]:
    """The lines of an order of many, by duration: what, until when, and their sum.

    What is not recorded stands apart; fines come last.
    """
    groups: dict[tuple[bool, int, bool], list[Item]] = {}
    for item in receipt.items:
        key = item.kind is not ItemKind.RENEWAL, item.years, item.part in receipt.refused
        groups.setdefault(key, []).append(item)
    return [
        (_what(items, years), w.MISSING if refused else _days(items), sum(item.fils for item in items))
        for (_, years, refused), items in sorted(groups.items())
    ]


def _what(items: list[Item], years: int) -> Arg:
    if not years:
        return say(w.VIOLATIONS, n=len(items))
    return say(w.RESIDENCIES, n=len(items), years=say(w.YEARS, n=years))


def _days(items: list[Item]) -> Arg:
    """The new last day, or the first and the last of several."""
    days = sorted({item.until for item in items if item.until})
    if not days:
        return EMPTY
    first, last = (Day(date.fromisoformat(day)) for day in (days[0], days[-1]))
    if first == last:
        return say(w.LAST_DAY, day=first)
    return say(w.LAST_DAYS, first=first, last=last)


def qr(address: str) -> str:
    """``address`` as a QR code, an SVG picture."""
    import segno  # noqa: PLC0415 - not before somebody asks for a receipt

    out = BytesIO()
    segno.make_qr(address, error="m").save(out, kind="svg", border=_QUIET_ZONE, xmldecl=False, svgns=True)
    return out.getvalue().decode()


def is_trial(provider: str) -> bool:
    """Whether no money moves through the gateway."""
    return provider == "sandbox"


def _seen(text: str) -> str:
    return _UNSEEN.sub(" ", text).strip()


def _wrapped(title: str) -> str:
    """``title`` with places to break inside words that are too long for a column."""
    return _LONG_WORD.sub(lambda part: f"{part[0]}\u200b", _seen(title))


def _fields(receipt: Receipt) -> list[tuple[Arg, Arg]]:
    """Labels and values; the ones KNET wants on every receipt (K-064, 5) are among them."""
    when = say(w.WHEN, day=Day(local(receipt.paid_at).date()), hour=Hour(receipt.paid_at))
    return [
        (w.RECEIPT_NUMBER, receipt.order),
        (w.SUBJECT, _seen(receipt.subject)),
        (w.DATE, when),
        (w.RESULT, w.PAID),
        (w.AMOUNT, Money(receipt.total)),
        (w.GATEWAY, w.gateway(receipt.provider)),
        (w.BANK, _seen(receipt.bank)),
        (w.PAYMENT, _seen(receipt.payment)),
        (w.TRACK, _seen(receipt.track)),
        (w.TRANSACTION, _seen(receipt.transaction)),
        (w.AUTH, _seen(receipt.auth)),
    ]


def _notices(receipt: Receipt) -> list[Arg]:
    """What nobody may overlook."""
    said: list[Arg] = [w.TRIAL] if is_trial(receipt.provider) else []
    if receipt.standing is Standing.REFUNDED:
        said.append(w.REFUNDED)
    if receipt.standing is Standing.REVIEW:
        said.append(w.REVIEW)
    return said


def _sums(receipt: Receipt) -> list[tuple[Arg, bool]]:
    """The lines under the items, and whether in bold."""
    lines: list[tuple[Arg, bool]] = [(say(w.TOTAL, total=Money(receipt.total)), True)]
    for back in receipt.refunds:
        day = Day(local(back.at).date())
        lines.append((say(w.GIVEN_BACK, amount=Money(back.fils), day=day), False))
    if receipt.refunds:
        kept = receipt.total - sum(back.fils for back in receipt.refunds)
        lines.append((say(w.KEPT, amount=Money(max(0, kept))), True))
    return lines


def _notes(receipt: Receipt) -> list[Arg]:
    """What the paper is and what it is not."""
    notes: list[Arg] = [w.THROUGH_US]
    if not is_trial(receipt.provider):
        notes += w.RECORD.get(receipt.standing.value, ())
    notes.append(run_by(receipt.operator))
    if not receipt.operator.authority:
        notes.append(w.NOT_THE_MINISTRYS)
    return [*notes, w.SCAN]
