"""Pages of state bodies that clear a block, from ``bot/rules/clearing.toml``, and which block needs which."""

from collections.abc import Callable, Collection, Mapping
from datetime import date
from enum import StrEnum
from importlib.resources import files
from typing import Final

import msgspec

from bot.i18n.text import N_, Msg
from bot.residency.facts import Creditor
from bot.residency.verdict import Barrier, Block
from bot.spec import A, Link


class Page(StrEnum):
    """A page by what it is for; keys of the data file."""

    INSURANCE = "insurance"
    RESIDENCY = "residency"
    APPOINTMENTS = "appointments"
    CIVIL_INFORMATION = "civil_information"
    VIOLATIONS = "violations"
    JUSTICE = "justice"
    COMPANIES = "companies"


class Address(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a page is, and how that is known."""

    address: str
    source: str
    read: date


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pages: dict[Page, Address]


PAGES: Final[Mapping[Page, Address]] = msgspec.toml.decode(
    (files("bot") / "rules" / "clearing.toml").read_bytes(), type=_File
).pages
"""Every page."""

_OF_BLOCK: Final[Mapping[Block, Page]] = {
    Block.INSURANCE: Page.INSURANCE,
    Block.PASSPORT_EXPIRY: Page.RESIDENCY,
    Block.PASSPORT_DATA: Page.RESIDENCY,
    Block.LATIN_NAME: Page.RESIDENCY,
    Block.BIOMETRIC: Page.APPOINTMENTS,
    Block.ADDRESS: Page.CIVIL_INFORMATION,
    Block.FINES: Page.VIOLATIONS,
}


def page_of(barrier: Barrier) -> Page | None:
    """The page where ``barrier`` is cleared, None where there is none to open."""
    if barrier.block is Block.DEBTS:
        return Page.JUSTICE if barrier.creditor is Creditor.JUSTICE else None
    return _OF_BLOCK.get(barrier.block)


def address(page: Page) -> str:
    """The page's address."""
    return PAGES[page].address


INSURANCE: Final = N_("🔗 Health insurance")
RESIDENCY: Final = N_("🔗 Residency page")
_LABELS: Final = {
    Page.INSURANCE: INSURANCE,
    Page.RESIDENCY: RESIDENCY,
    Page.APPOINTMENTS: N_("🔗 Appointments (Meta)"),
    Page.CIVIL_INFORMATION: N_("🔗 Civil ID and address"),
    Page.VIOLATIONS: N_("🔗 Violations page"),
    Page.JUSTICE: N_("🔗 Ministry of Justice"),
}


def opens(page: Page) -> Callable[[object], str]:
    """For a link that always leads to ``page``."""

    def url(_answers: object) -> str:
        return address(page)

    return url


def links(clearing: Callable[[A], Collection[Page]]) -> tuple[Link[A], ...]:
    """A link to each page; shown where ``clearing`` says that something is cleared there."""

    def link(label: Msg, page: Page) -> Link[A]:
        return Link(label, opens(page), when=lambda answers: page in clearing(answers))

    return tuple(link(label, page) for page, label in _LABELS.items())
