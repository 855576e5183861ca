"""Answers of the registry, read strictly within limits; words that may grow read as `OTHER`."""

from collections.abc import Sequence
from datetime import date
from enum import StrEnum
from typing import Annotated, Final, TypeVar

import msgspec

from bot.domain import Fine, FineKind, Unpayable
from bot.i18n.text import Local
from bot.residency.facts import Body, Creditor, Debt, Kin, Permit, Stop

MOST_NUMBERS: Final = 100
"""Permits or workers asked for at once."""

MOST_WORKERS: Final = 200
"""Workers of a page of those who are due."""

E = TypeVar("E", bound=StrEnum)

_Words = Annotated[str, msgspec.Meta(max_length=200)]
_Word = Annotated[str, msgspec.Meta(pattern=r"^[a-z_]{1,32}\Z")]
_Fils = Annotated[int, msgspec.Meta(ge=1, le=1_000_000_000)]
_Article = Annotated[int, msgspec.Meta(ge=1, le=99)]
PermitNumber = Annotated[str, msgspec.Meta(pattern=r"^[A-Z0-9-]{1,40}\Z")]


class LocalAnswer(msgspec.Struct, frozen=True):
    """A text in both languages."""

    ar: _Words
    en: _Words


class FineAnswer(msgspec.Struct, frozen=True):
    """One fine."""

    id: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9-]{1,40}\Z")]
    kind: FineKind
    title: LocalAnswer
    on: date
    fils: _Fils
    barrier: str | None


class FinesAnswer(msgspec.Struct, frozen=True):
    """The fines of a person."""

    fines: Annotated[tuple[FineAnswer, ...], msgspec.Meta(max_length=1000)]


class ReferenceAnswer(msgspec.Struct, frozen=True):
    """A MOI reference number."""

    reference: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{6,12}\Z")]


class RelationsAnswer(msgspec.Struct, frozen=True):
    """What one is to the other."""

    relations: Annotated[tuple[Annotated[str, msgspec.Meta(max_length=20)], ...], msgspec.Meta(max_length=3)]


class DebtAnswer(msgspec.Struct, frozen=True):
    """A debt to a state body."""

    creditor: _Word
    fils: _Fils | None


class StopAnswer(msgspec.Struct, frozen=True):
    """A further block."""

    code: _Word
    department: LocalAnswer | None
    phone: Annotated[str, msgspec.Meta(pattern=r"^[+0-9 ]{3,20}\Z")] | None


class PermitAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """One residency; `bot.residency.facts.Permit` says what the fields mean."""

    number: PermitNumber
    civil_id: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{12}\Z")]
    kin: _Word
    sponsor_kin: _Word | None
    name: LocalAnswer
    latin: _Words
    passport_latin: _Words | None
    article: _Article
    sponsor_article: _Article | None
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
    debts: Annotated[tuple[DebtAnswer, ...], msgspec.Meta(max_length=100)]
    fines: Annotated[tuple[FineAnswer, ...], msgspec.Meta(max_length=1000)]
    stops: Annotated[tuple[StopAnswer, ...], msgspec.Meta(max_length=100)]
    most_years: Annotated[int, msgspec.Meta(ge=1, le=20)] | None


class FamilyAnswer(msgspec.Struct, frozen=True):
    """Everyone on a file."""

    permits: Annotated[tuple[PermitAnswer, ...], msgspec.Meta(max_length=100)]


class PermitsAnswer(msgspec.Struct, frozen=True):
    """Permits that were asked for by number."""

    permits: Annotated[tuple[PermitAnswer, ...], msgspec.Meta(max_length=MOST_NUMBERS)]


class DueAnswer(msgspec.Struct, frozen=True):
    """A page of workers who are due."""

    permits: Annotated[tuple[PermitAnswer, ...], msgspec.Meta(max_length=MOST_WORKERS)]
    more: bool


class BodyAnswer(msgspec.Struct, frozen=True):
    """A company or a government body."""

    number: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{6,12}\Z")]
    name: LocalAnswer
    government: bool
    due: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]


class BodiesAnswer(msgspec.Struct, frozen=True):
    """The bodies somebody may act for."""

    bodies: Annotated[tuple[BodyAnswer, ...], msgspec.Meta(max_length=100)]


class RenewedAnswer(msgspec.Struct, frozen=True):
    """A renewal that is recorded, with the new last day."""

    permit: PermitNumber
    until: date


class RecordedAnswer(msgspec.Struct, frozen=True):
    """A payment that is recorded."""

    order: str
    renewed: Annotated[tuple[RenewedAnswer, ...], msgspec.Meta(max_length=100)] = ()


class ProblemAnswer(msgspec.Struct, frozen=True):
    """A refusal."""

    code: str


FINES: Final = msgspec.json.Decoder(FinesAnswer)
REFERENCE: Final = msgspec.json.Decoder(ReferenceAnswer)
RELATIONS: Final = msgspec.json.Decoder(RelationsAnswer)
FAMILY: Final = msgspec.json.Decoder(FamilyAnswer)
PERMITS: Final = msgspec.json.Decoder(PermitsAnswer)
DUE: Final = msgspec.json.Decoder(DueAnswer)
BODIES: Final = msgspec.json.Decoder(BodiesAnswer)
RECORDED: Final = msgspec.json.Decoder(RecordedAnswer)
PROBLEM: Final = msgspec.json.Decoder(ProblemAnswer)


def fine(answer: FineAnswer) -> Fine:
    """The fine as a value."""
    barrier = "" if answer.barrier is None else _known(Unpayable, answer.barrier, Unpayable.OTHER)
    return Fine(answer.id, answer.kind, _local(answer.title), answer.on.isoformat(), answer.fils, barrier)


def fines(answers: Sequence[FineAnswer]) -> tuple[Fine, ...]:
    """Fines as values, oldest first.

    Raises:
        ValueError: the same one twice.
    """
    if len({each.id for each in answers}) != len(answers):
        raise ValueError("the same fine twice")
    return tuple(fine(each) for each in sorted(answers, key=lambda each: each.on))


def permit(answer: PermitAnswer) -> Permit:
    """The residency as a value.

    Raises:
        ValueError: the same fine twice.
    """
    return Permit(
        number=answer.number,
        civil_id=answer.civil_id,
        kin=_known(Kin, answer.kin, Kin.OTHER),
        name=_local(answer.name),
        latin=answer.latin,
        passport_latin=answer.passport_latin or "",
        article=answer.article,
        sponsor_article=answer.sponsor_article or 0,
        kuwaiti_sponsor=answer.kuwaiti_sponsor,
        born=answer.born,
        expires=answer.expires,
        insured_until=answer.insured_until,
        insurance_exempt=answer.insurance_exempt,
        passport_expires=answer.passport_expires,
        passport_moved=answer.passport_moved,
        work_permit_until=answer.work_permit_until,
        abroad_since=answer.abroad_since,
        absence_permit_until=answer.absence_permit_until,
        biometric=answer.biometric,
        travel_ban=answer.travel_ban,
        exit_permit_until=answer.exit_permit_until,
        debts=tuple(
            Debt(_known(Creditor, debt.creditor, Creditor.OTHER), debt.fils or 0) for debt in answer.debts
        ),
        fines=fines(answer.fines),
        stops=tuple(
            Stop(
                stop.code,
                Local("", "") if stop.department is None else _local(stop.department),
                stop.phone or "",
            )
            for stop in answer.stops
        ),
        most_years=answer.most_years,
        sponsor_kin=None if answer.sponsor_kin is None else _known(Kin, answer.sponsor_kin, Kin.OTHER),
        kuwaiti_mother=answer.kuwaiti_mother,
        kuwaiti_widow=answer.kuwaiti_widow,
        farm_work=answer.farm_work,
    )


def body(answer: BodyAnswer) -> Body:
    """The company or government body as a value."""
    return Body(answer.number, _local(answer.name), answer.government, answer.due)


def _known(words: type[E], word: str, other: E) -> E:
    return words(word) if word in set(words) else other


def _local(answer: LocalAnswer) -> Local:
    return Local(answer.ar, answer.en)
