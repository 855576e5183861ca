"""The bench's dialog of eight turns in the service's words, and its two look-ups: what both channels' contenders share."""

from datetime import date
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from bot.crypto import Keyring
from bot.i18n.text import Msg, say
from bot.ports import Asked, Effect
from bot.services.http import Http, decoded
from bot.spec import Ask, Choose, Dialog, Do, End, Go, Invalid, Link

KEYRING = Keyring([bytes(range(32))], bytes(range(32, 64)))
"""The same after a restart, as the service's are."""

TEXTS: dict[str, dict[str, str]] = msgspec.json.decode((Path(__file__).parent / "texts.json").read_bytes())


@cache
def text(key: str, lang: str) -> Msg:
    """A text of the bench, a constant as ``N_`` makes them; both languages are message ids, so that one catalogue path serves both."""
    return Msg(TEXTS[key][lang])


class Fine(msgspec.Struct, frozen=True, array_like=True):
    id: str
    date: str
    place: str
    amount: int


class FoundFine(msgspec.Struct, frozen=True):
    id: str
    date: str
    place: str
    amount: int


class FoundFines(msgspec.Struct, frozen=True):
    fines: tuple[FoundFine, ...]


class MadePayment(msgspec.Struct, frozen=True):
    url: str


class Search(msgspec.Struct, frozen=True):
    lang: str = "en"
    civil_id: str = ""
    fines: tuple[Fine, ...] = ()
    url: str = ""


class Find(Effect, frozen=True, tag="bench_find"):
    civil_id: str


class Pay(Effect, frozen=True, tag="bench_pay"):
    civil_id: str
    fines: tuple[Fine, ...]


class Found(msgspec.Struct, frozen=True):
    fines: tuple[Fine, ...]


class Paid(msgspec.Struct, frozen=True):
    url: str


S = StrEnum("S", "LANGUAGE SERVICE METHOD CIVIL_ID_EN CIVIL_ID_AR FINDING OWED PAYING LINK BYE DOWN")


def civil_id(lang: str) -> Any:
    """A reader of 12 digits whose refusal is in ``lang``."""

    def read(written: str, _today: date) -> str | Invalid:
        if len(written) == 12 and written.isdecimal():
            return written
        return Invalid(say(text("bad_civil_id", lang)))

    return read


def speaks(lang: str) -> Any:
    return lambda search: search.lang == lang


def total(search: Search) -> int:
    return sum(fine.amount for fine in search.fines)


def shown(key: str) -> Any:
    said = {lang: say(text(key, lang)) for lang in TEXTS[key]}
    return lambda search: said[search.lang]


def owed(search: Search) -> Any:
    listed = "\n".join(f"- {fine.date} {fine.place}: {fine.amount} KWD" for fine in search.fines)
    return say(text("fines", search.lang), count=len(search.fines), total=total(search), lines=listed)


def in_language(lang: str) -> Any:
    return lambda search: msgspec.structs.replace(search, lang=lang)


DIALOG = Dialog[Search](
    id="bench",
    version=1,
    title=Msg("Bench"),
    answers=Search,
    start=S.LANGUAGE,
    cancel=S.BYE,
    states={
        S.LANGUAGE: Choose(
            text("choose_language", "en"),
            (
                Go(text("lang_en", "en"), S.SERVICE, put=in_language("en"), id="en"),
                Go(text("lang_ar", "en"), S.SERVICE, put=in_language("ar"), id="ar"),
            ),
            entry=False,
        ),
        S.SERVICE: Choose(
            shown("choose_service"),
            (Go(shown("violations"), S.METHOD), Go(shown("renewals"), S.DOWN)),
            entry=False,
        ),
        S.METHOD: Choose(
            shown("choose_method"),
            (
                Go(shown("by_civil_id"), S.CIVIL_ID_EN, when=speaks("en")),
                Go(shown("by_civil_id"), S.CIVIL_ID_AR, when=speaks("ar")),
                Go(shown("by_plate"), S.DOWN),
            ),
            entry=False,
        ),
        S.CIVIL_ID_EN: Ask(
            shown("ask_civil_id"), parse=civil_id("en"), into="civil_id", then=S.FINDING, entry=False
        ),
        S.CIVIL_ID_AR: Ask(
            shown("ask_civil_id"), parse=civil_id("ar"), into="civil_id", then=S.FINDING, entry=False
        ),
        S.FINDING: Do(
            Find,
            lambda search: Find(search.civil_id),
            then=S.OWED,
            otherwise=S.DOWN,
            keep=lambda search, found: msgspec.structs.replace(search, fines=found.fines),
        ),
        S.OWED: Choose(owed, (Go(shown("pay_all"), S.PAYING), Go(shown("cancel"), S.BYE)), entry=False),
        S.PAYING: Do(
            Pay,
            lambda search: Pay(search.civil_id, search.fines),
            then=S.LINK,
            otherwise=S.DOWN,
            keep=lambda search, paid: msgspec.structs.replace(search, url=paid.url),
        ),
        S.LINK: Choose(
            lambda search: say(text("pay_link", search.lang), total=total(search)),
            (Link(shown("pay_now"), lambda search: search.url), Go(shown("done"), S.BYE)),
            entry=False,
        ),
        S.DOWN: Choose(Msg("Not now."), (Go(Msg("Again"), S.SERVICE),), entry=False),
        S.BYE: End(shown("goodbye")),
    },
)


def executors(http: Http) -> dict[type[Effect], Any]:
    fines, payment = msgspec.json.Decoder(FoundFines), msgspec.json.Decoder(MadePayment)

    async def find(effect: Find, _asked: Asked) -> Found:
        answer = await http.ask("GET", f"fines?civil_id={effect.civil_id}", repeatable=True)
        found = decoded("bench", answer, fines).fines
        return Found(tuple(Fine(fine.id, fine.date, fine.place, fine.amount) for fine in found))

    async def pay(effect: Pay, _asked: Asked) -> Paid:
        order = {
            "civil_id": effect.civil_id,
            "fines": [fine.id for fine in effect.fines],
            "amount": sum(fine.amount for fine in effect.fines),
        }
        answer = await http.ask("POST", "payments", content=msgspec.json.encode(order), repeatable=True)
        return Paid(decoded("bench", answer, payment).url)

    return {Find: find, Pay: pay}
