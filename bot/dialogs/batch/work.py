"""A list of workers on its way: the answers, what holds of them, what changes them."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from bot.dialogs.company.effects import (
    Batch,
    BatchQuote,
    FindTemplate,
    QuoteBatch,
    ReadBatch,
    StartBatch,
    StopBatch,
    Stopped,
    Template,
)
from bot.domain import Basket, Bill
from bot.i18n.text import Local

LOOK_EVERY: Final = 60
"""Seconds after which the service is asked how a list stands, should its own word not have come."""


class Sheet(msgspec.Struct, frozen=True):
    """A list and what became of it. The first two are the caller's.

    Attributes:
        body: unified number of the body.
        name: its name.
        template: the empty list.
        file: reference of the file that was sent.
        batch: how it stands.
        plan: years chosen.
        quote: the price for those.
        fines: whether workers' own fines are paid along.
    """

    body: str = ""
    name: Local = Local("", "")
    template: Template = Template("", "", 0)
    file: str = ""
    batch: Batch = Batch("", 0)
    plan: str = ""
    quote: BatchQuote = BatchQuote("", "", 0, 0, 0)
    fines: bool = False


def as_before(answers: dict[str, Any]) -> dict[str, Any]:
    """Version 2 asks what becomes of workers' fines; a price asked for before covers them all."""
    batch = dict(answers.get("batch", {}))
    batch["offers"] = [[years, count, fils, count, fils] for years, count, fils in batch.get("offers", ())]
    return {**answers, "batch": batch, "fines": True}


# --- the file ------------------------------------------------------------------------------------


def finding_template(_sheet: Sheet) -> FindTemplate:
    return FindTemplate()


def take_template(sheet: Sheet, template: Template) -> Sheet:
    return msgspec.structs.replace(sheet, template=template)


def has_template(sheet: Sheet) -> bool:
    return bool(sheet.template.excel)


def template_excel(sheet: Sheet) -> str:
    return sheet.template.excel


def template_text(sheet: Sheet) -> str:
    return sheet.template.text


def starting(sheet: Sheet) -> StartBatch:
    return StartBatch(sheet.body, sheet.file)


def take_batch(sheet: Sheet, batch: Batch) -> Sheet:
    return msgspec.structs.replace(sheet, batch=batch, plan="")


# --- its checking --------------------------------------------------------------------------------


def ref_of(sheet: Sheet) -> str:
    return sheet.batch.ref


def take_news(sheet: Sheet, data: Mapping[str, Any]) -> Sheet:
    return take_batch(sheet, news(data))


def news(data: Mapping[str, Any]) -> Batch:
    """A happening's data: how the batch stands, as plain values."""
    return msgspec.convert(data, Batch)


def finished(sheet: Sheet) -> bool:
    return sheet.batch.finished


def reading(sheet: Sheet) -> ReadBatch:
    return ReadBatch(sheet.body, sheet.batch.ref)


def reading_anew(sheet: Sheet) -> ReadBatch:
    return ReadBatch(sheet.body, sheet.batch.ref, anew=True)


def look_again(_sheet: Sheet, now: int) -> int:
    """When to ask how it stands."""
    return now + LOOK_EVERY


def stopping(sheet: Sheet) -> StopBatch:
    return StopBatch(sheet.body, sheet.batch.ref)


def take_stopped(sheet: Sheet, _stopped: Stopped) -> Sheet:
    return another(sheet)


def drop(sheet: Sheet, _data: Mapping[str, Any]) -> Sheet:
    return another(sheet)


def another(sheet: Sheet) -> Sheet:
    """Begin anew with another file."""
    return Sheet(sheet.body, sheet.name, sheet.template)


# --- its verdicts and its price ------------------------------------------------------------------


def any_ready(sheet: Sheet) -> bool:
    return bool(sheet.batch.offers)


def has_verdicts(sheet: Sheet) -> bool:
    return bool(sheet.batch.url)


def verdicts_excel(sheet: Sheet) -> str:
    return sheet.batch.url


def verdicts_text(sheet: Sheet) -> str:
    """The same address in the other form."""
    return f"{sheet.batch.url.removesuffix('.xlsx')}.csv"


def quoting(sheet: Sheet) -> QuoteBatch:
    years = int(sheet.plan) if sheet.plan.isdecimal() else 0
    return QuoteBatch(sheet.body, sheet.batch.ref, years, fines=sheet.fines)


def any_fined(sheet: Sheet) -> bool:
    """Some who can be renewed have fines of their own."""
    return any(offer.fined for offer in sheet.batch.offers)


def any_clean(sheet: Sheet) -> bool:
    return any(offer.clean for offer in sheet.batch.offers)


def without_fines(sheet: Sheet) -> Sheet:
    return msgspec.structs.replace(sheet, fines=False)


def with_fines(sheet: Sheet) -> Sheet:
    return msgspec.structs.replace(sheet, fines=True)


def take_quote(sheet: Sheet, quote: BatchQuote) -> Sheet:
    return msgspec.structs.replace(sheet, quote=quote)


def price_ends(sheet: Sheet, _now: int) -> int:
    """When the price does not hold any more."""
    return sheet.quote.until


def is_large(sheet: Sheet) -> bool:
    return sheet.quote.large


def bill(sheet: Sheet) -> Bill:
    """What `checkout` is given; the service keeps the lines."""
    quote = sheet.quote
    return Bill(quote.subject, body=sheet.body, basket=Basket(quote.ref, quote.count, quote.fils))
