"""Families of the named cast, and residents without one: always so, whatever day it is."""

from datetime import date, timedelta
from typing import Final

import msgspec

from bot.residency.facts import Creditor, Debt, Kin, Permit
from bot.sandbox import fines as law
from bot.sandbox.households import Place, standing
from bot.sandbox.names import misprinted
from bot.sandbox.people import Person
from bot.sandbox.residencies import stop
from bot.sandbox.scripts import (
    Change,
    Role,
    Script,
    as_it_is,
    born,
    insured,
    records,
    somebody,
)

_SPONSOR = somebody("285011500029")
_TROUBLED = somebody("276100302556")


def _member(
    head: Person, slot: int, kin: Kin, on: str, due: int, change: Change, *fines: Script, article: int = 22
) -> Role:
    """Somebody on the file of ``head``; ``slot``: last digit of the serial, or a later one that is issued."""
    person = born(date.fromisoformat(on), 3000 + slot)
    return Role(person, Place(kin, article, head), due, change, records(person, *fines))


def _alone(civil_id: str, article: int, due: int, change: Change = as_it_is) -> Role:
    """A role whose fines, if any, stand in `bot.sandbox.cast`; ``article`` 0 for a Kuwaiti."""
    return Role(somebody(civil_id), standing(article), due, change)


def _mother(permit: Permit, _today: date) -> Permit:
    return msgspec.structs.replace(
        permit, insured_until=None, latin=misprinted(permit.latin), passport_latin=permit.latin
    )


def _stopped(*codes: str) -> Change:
    def change(permit: Permit, _today: date) -> Permit:
        return msgspec.structs.replace(permit, stops=tuple(stop(code) for code in codes))

    return change


def _indebted(permit: Permit, _today: date) -> Permit:
    debts = (Debt(Creditor.ELECTRICITY, 41_350), Debt(Creditor.TELECOM))
    return msgspec.structs.replace(permit, debts=debts)


def _old_passport(permit: Permit, today: date) -> Permit:
    return msgspec.structs.replace(permit, passport_expires=today + timedelta(days=75), passport_moved=False)


def _left(permit: Permit, today: date) -> Permit:
    return msgspec.structs.replace(permit, biometric=False, abroad_since=today - timedelta(days=230))


def _ran_away(permit: Permit, _today: date) -> Permit:
    return msgspec.structs.replace(
        permit,
        insured_until=permit.expires + timedelta(days=120),
        stops=(stop("absence_report"),),
    )


_COURT: Final = Script(law.RECKLESS, "2026-05-02", 150_000, "court")
_LONG: Final = 200  # days left of those who are not due
ROLES: Final[tuple[Role, ...]] = (
    # The family of the journeys: two are due and in order, one has two blocks, one has months.
    Role(_SPONSOR, standing(18), 300, as_it_is),
    _member(_SPONSOR, 1, Kin.WIFE, "1988-07-09", 41, insured(2)),
    _member(_SPONSOR, 3, Kin.SON, "2014-04-12", 41, insured(2)),
    _member(_SPONSOR, 5, Kin.MOTHER, "1959-02-02", 20, _mother),
    _member(_SPONSOR, 7, Kin.DAUGHTER, "2017-11-23", 214, insured(2)),
    # A foreign partner whose family shows the other blocks of a family.
    Role(_TROUBLED, standing(19), _LONG, as_it_is),
    _member(_TROUBLED, 1, Kin.WIFE, "1980-05-04", 30, _indebted, _COURT),
    _member(_TROUBLED, 2, Kin.SON, "2012-08-30", 30, _old_passport),
    _member(_TROUBLED, 3, Kin.DAUGHTER, "2015-01-19", 25, _left),
    _member(_TROUBLED, 4, Kin.DAUGHTER, "2019-06-06", 25, as_it_is, article=14),
    _member(_TROUBLED, 6, Kin.FATHER, "1951-10-11", 12, _stopped("medical", "photo", "address")),
    _member(_TROUBLED, 7, Kin.BROTHER, "1985-12-01", 12, _stopped("sponsor_file", "file_review")),
    _member(_TROUBLED, 9, Kin.DOMESTIC, "1990-03-03", 8, _ran_away, article=20),
    # Alone: a self-sponsor in order, one 45 days late, a Kuwaiti with nobody.
    _alone("279051704121", 24, 33, insured(3)),
    _alone("283020807189", 19, -45, insured(2)),
    _alone("271031406032", 0, 0),
    # The rest of the cast is on private-sector residencies that are not due; children have none of their own.
    _alone("290063001017", 18, _LONG),
    _alone("272120100478", 18, _LONG),
    _alone("300022900127", 18, _LONG),
    _alone("299123190026", 18, _LONG),
    _alone("268032105138", 18, _LONG),
    _alone("286101901541", 18, _LONG),
    _alone("315090908042", 0, 0),
    _alone("324110503339", 0, 0),
)
