"""Values of the field that dialogs and services share. The words are those of the ministry's pages."""

from datetime import date
from enum import StrEnum
from typing import Final

import msgspec

from bot.i18n.text import Local

TRAFFIC_WHATSAPP: Final = "99324092"
RESIDENCY_PHONE: Final = "25582960"
"""Contacts printed on the ministry's enquiry pages (www.moi.gov.kw, read 2026-11)."""


class FineKind(StrEnum):
    """Whose fine it is: residency affairs (``مخالفة إقامة``) or traffic (``مخالفة مرور``)."""

    RESIDENCY = "residency"
    TRAFFIC = "traffic"


class Subject(StrEnum):
    """What a person is looked up by."""

    CIVIL_ID = "civil_id"
    REFERENCE = "reference"


class Relation(StrEnum):
    """By what right somebody acts for another person, as the registry knows it."""

    SPONSOR = "sponsor"  # كفيل، عائل: the person is on their file
    COMPANY = "company"  # authorised user of the company the person works for
    GOVERNMENT = "government"  # authorised user of the government body the person works for


class Unpayable(StrEnum):
    """Why a fine cannot be paid online, as the registry says. Anything else it says reads as `OTHER`."""

    COURT = "court"  # referred to court or prosecution
    IMPOUND = "impound"  # the vehicle must be seen first
    OFFICE = "office"  # payable at the department's counter only
    SETTLING = "settling"  # paid or being paid a moment ago; records are being updated
    OTHER = "other"


class Fine(msgspec.Struct, frozen=True, array_like=True):
    """One violation with what it costs.

    Attributes:
        id: the registry's number of the fine; not personal data.
        kind: residency or traffic.
        title: what for, in both languages.
        on: day of the violation, ISO 8601 (``2026-03-12``).
        fils: amount due.
        barrier: empty when payable online, else a value of `Unpayable`.
    """

    id: str
    kind: FineKind
    title: Local
    on: str
    fils: int
    barrier: str = ""

    @property
    def payable(self) -> bool:
        """Whether the registry lets it be paid online (its flag; never derived from the offence)."""
        return not self.barrier


class ItemKind(StrEnum):
    """What a line of an order pays for; the first two are fines, named as in `FineKind`."""

    RESIDENCY = "residency"
    TRAFFIC = "traffic"
    RENEWAL = "renewal"


class Item(msgspec.Struct, frozen=True, array_like=True):
    """One line of an order.

    Attributes:
        number: the registry's number of the fine, or of the residency permit that is renewed; no personal data.
            At most one live order holds it.
        kind: what is paid for.
        title: of a fine, what for; of a renewal, whose: the relation (``الزوجة``) or the masked number, no name.
        fils: amount.
        years: whole years of a renewal, 0 for a fine.
        until: the new last day of a renewed residency, ISO 8601; empty for a fine.
        part: lines of one part are recorded at the registry together, each part apart from the others; from 0.
    """

    number: str
    kind: ItemKind
    title: Local
    fils: int
    years: int = 0
    until: str = ""
    part: int = 0


class Basket(msgspec.Struct, frozen=True):
    """Lines kept by the service because they are too many for a chat's session.

    Attributes:
        ref: under which the service finds them.
        count: how many persons.
        fils: their sum.
    """

    ref: str
    count: int
    fils: int


class Bill(msgspec.Struct, frozen=True):
    """What a service hands to `checkout`.

    Attributes:
        subject: the masked number it is for (``2850****0029``).
        items: what to pay; empty where there is a basket, else at least one.
        owners: civil IDs of those whose residencies are renewed; whoever pays must stand for them.
        body: unified number of the company or government body whose workers they are, empty for a family.
        basket: the lines, where they are kept by the service.
    """

    subject: str
    items: tuple[Item, ...] = ()
    owners: tuple[str, ...] = ()
    body: str = ""
    basket: Basket | None = None


class Agreement(msgspec.Struct, frozen=True):
    """One version of a text that a resident agrees to."""

    version: int
    date: date
    ar: str
    en: str

    @property
    def text(self) -> Local:
        """In both languages."""
        return Local(self.ar, self.en)
