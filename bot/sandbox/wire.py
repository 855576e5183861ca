"""What travels: the requests and answers of `openapi/registry.yaml`."""

from datetime import date
from typing import Annotated, Any, Final

import msgspec
from msgspec import UNSET, UnsetType

from bot.i18n.text import Local
from bot.residency.facts import Permit
from bot.sandbox.bodies import Employer
from bot.sandbox.fines import FineRecord, Words
from bot.sandbox.records import Residency

MOST_NUMBERS: Final = 100
"""Permits or workers asked for at once."""

MOST_WORKERS: Final = 200
"""Workers of a page of those who are due."""


def _text(pattern: str, most: int) -> Any:
    # \Z and not $: the latter would let a newline through.
    return msgspec.Meta(pattern=rf"^{pattern}\Z", max_length=most)


CivilId = Annotated[str, _text("[0-9]{12}", 12)]
PermitNumber = Annotated[str, _text("[A-Z0-9-]{1,40}", 40)]
Unified = Annotated[str, _text("[0-9]{6,12}", 12)]
Fils = Annotated[int, msgspec.Meta(ge=1, le=1_000_000_000)]


class Asked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A request: nothing that the document does not name."""


class ByCivilId(Asked, frozen=True, tag_field="by", tag="civil_id"):
    """Fines of whoever has the civil ID."""

    number: CivilId


class ByReference(Asked, frozen=True, tag_field="by", tag="reference"):
    """Fines of whoever has the MOI reference number."""

    number: Annotated[str, _text("[0-9]{6,12}", 12)]


class WhoseReference(Asked, frozen=True):
    """Three that must belong together."""

    civil_id: CivilId
    passport: Annotated[str, _text("[A-Z0-9]{5,15}", 15)]
    expiry: date


class WhoForWhom(Asked, frozen=True):
    """What one is to the other."""

    actor: CivilId
    person: CivilId


class WhoseFamily(Asked, frozen=True):
    """Everyone on the file of a sponsor."""

    sponsor: CivilId


class WhichPermits(Asked, frozen=True):
    """Permits by their numbers."""

    permits: Annotated[tuple[PermitNumber, ...], msgspec.Meta(min_length=1, max_length=MOST_NUMBERS)]


class WhoseBodies(Asked, frozen=True):
    """Companies and government bodies somebody may act for."""

    actor: CivilId


class After(Asked, frozen=True):
    """Where a page ended."""

    expires: date
    permit: PermitNumber


class WhoIsDue(Asked, frozen=True):
    """Workers of a body whose last day is not after ``by``."""

    body: Unified
    by: date
    limit: Annotated[int, msgspec.Meta(ge=1, le=MOST_WORKERS)]
    after: After | None = None


class WhichWorkers(Asked, frozen=True):
    """Workers of a body by their civil IDs."""

    body: Unified
    civil_ids: Annotated[tuple[CivilId, ...], msgspec.Meta(min_length=1, max_length=MOST_NUMBERS)]


class PaidItem(Asked, frozen=True):
    """A fine, or a renewal; in a fine ``permit`` and ``years`` are missing, in a renewal ``fine`` is."""

    fils: Fils
    fine: Annotated[str, _text("[A-Za-z0-9-]{1,40}", 40)] | UnsetType = UNSET
    permit: PermitNumber | UnsetType = UNSET
    years: Annotated[int, msgspec.Meta(ge=1, le=20)] | UnsetType = UNSET

    def __post_init__(self) -> None:
        """Refuse what is neither.

        Raises:
            ValueError: both, none, or half of one.
        """
        missing = [part is UNSET for part in (self.fine, self.permit, self.years)]
        if missing not in ([False, True, True], [True, False, False]):
            raise ValueError("either a fine or a renewal")


class Paid(Asked, frozen=True):
    """A payment to be recorded."""

    order: Annotated[str, _text("[A-Z0-9-]{4,40}", 40)]
    paid_at: Annotated[int, msgspec.Meta(ge=1_577_836_800, le=4_102_444_800)]  # years 2020 to 2100
    gateway_reference: Annotated[str, _text("[A-Za-z0-9._:-]{1,64}", 64)]
    items: Annotated[tuple[PaidItem, ...], msgspec.Meta(min_length=1, max_length=100)]


class Key(msgspec.Struct, frozen=True):
    """An idempotency key."""

    key: Annotated[str, _text("[A-Za-z0-9._:-]{1,128}", 128)]


class Renewed(msgspec.Struct, frozen=True):
    """A renewal that is recorded, with the new last day."""

    permit: str
    until: date


class Receipt(msgspec.Struct, frozen=True, omit_defaults=True):
    """A payment that is recorded."""

    order: str
    recorded_at: int
    renewed: tuple[Renewed, ...] = ()


class ShownDebt(msgspec.Struct, frozen=True):
    """A debt; no amount where it is not known."""

    creditor: str
    fils: int | None


class ShownStop(msgspec.Struct, frozen=True):
    """A further block."""

    code: str
    department: Words | None
    phone: str | None


class ShownBody(msgspec.Struct, frozen=True):
    """A company or a government body."""

    number: str
    name: Words
    government: bool
    due: int


class ShownPermit(msgspec.Struct, frozen=True, kw_only=True):
    """A residency; `bot.residency.facts.Permit` says what the fields mean."""

    number: str
    civil_id: str
    kin: str
    sponsor_kin: str | None
    name: Words
    latin: str
    passport_latin: str | None
    article: int
    sponsor_article: int | None
    kuwaiti_sponsor: bool
    kuwaiti_mother: bool
    kuwaiti_widow: bool
    farm_work: bool
    born: date
    expires: date
    insured_until: date | None
    insurance_exempt: bool
    passport_expires: date
    passport_moved: bool
    work_permit_until: date | None
    abroad_since: date | None
    absence_permit_until: date | None
    biometric: bool
    travel_ban: bool
    exit_permit_until: date | None
    debts: tuple[ShownDebt, ...]
    fines: tuple[FineRecord, ...]
    stops: tuple[ShownStop, ...]
    most_years: int | None


_ALIKE: Final = frozenset(ShownPermit.__struct_fields__) - {"fines"}


def shown(residency: Residency, fines: tuple[FineRecord, ...]) -> ShownPermit:
    """``residency`` as it travels, with ``fines``."""
    permit = residency.permit
    fields: dict[str, Any] = {name: getattr(permit, name) for name in _ALIKE}
    return ShownPermit(**fields | _different(permit), fines=fines)


def _different(permit: Permit) -> dict[str, Any]:
    """Fields that a permit has in another form than the document."""
    return {
        "name": _words(permit.name),
        "passport_latin": permit.passport_latin or None,
        "sponsor_article": permit.sponsor_article or None,
        "debts": tuple(ShownDebt(debt.creditor, debt.fils or None) for debt in permit.debts),
        "stops": tuple(
            ShownStop(stop.code, _words(stop.department) if stop.department.ar else None, stop.phone or None)
            for stop in permit.stops
        ),
    }


def shown_body(body: Employer, due: int) -> ShownBody:
    """``body`` as it travels."""
    return ShownBody(body.number, _words(body.name), body.government, due)


def _words(text: Local) -> Words:
    return Words(text.ar, text.en)
