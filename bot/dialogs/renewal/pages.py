"""Pages of state bodies that clear a block, from ``bot/rules/clearing.toml``, and which block needs which."""

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from importlib.resources import files
from typing import Final

import msgspec

from bot.residency.facts import Creditor
from bot.residency.verdict import Barrier, Block


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
