"""What was asked and what was found: the answers, what holds of them, what changes them."""

from collections.abc import Callable
from datetime import date
from typing import Final

import msgspec

from bot.dialogs.overstay.effects import (
    CheckOverstay,
    CheckTravel,
    Clearance,
    EstimateOverstay,
    Stay,
)
from bot.domain import Bill, Fine, Item, ItemKind, Unpayable
from bot.residency.overstay import Case
from bot.residency.travel import Hurdle

RETRY_EVERY: Final = 60
"""Seconds between tries while the registry is down."""
RETRIES: Final = 10


class Question(msgspec.Struct, frozen=True):
    """What is asked, and the last answer.

    Attributes:
        case: why somebody stays without a residency, for an estimate by a date.
        last: the last allowed day, or the day of birth.
        stay: what was found of an overstay.
        clearance: what was found of a journey.
        journey: the last question that failed was about a journey.
        tries: failed questions in a row.
    """

    case: Case = Case.EXPIRED
    last: date = date.min
    stay: Stay | None = None
    clearance: Clearance | None = None
    journey: bool = False
    tries: int = 0


def of_case(case: Case) -> Callable[[Question], Question]:
    """Takes ``case`` into the answers."""

    def take(question: Question) -> Question:
        return msgspec.structs.replace(question, case=case)

    return take


def checking(_question: Question) -> CheckOverstay:
    return CheckOverstay()


def estimating(question: Question) -> EstimateOverstay:
    return EstimateOverstay(question.case, question.last.isoformat())


def weighing(_question: Question) -> CheckTravel:
    return CheckTravel()


def take_stay(question: Question, stay: Stay) -> Question:
    return msgspec.structs.replace(question, stay=stay, tries=0)


def take_clearance(question: Question, clearance: Clearance) -> Question:
    return msgspec.structs.replace(question, clearance=clearance, tries=0)


def no_stay(question: Question) -> Question:
    """The records did not answer about an overstay."""
    return msgspec.structs.replace(question, journey=False, tries=question.tries + 1)


def no_clearance(question: Question) -> Question:
    """The records did not answer about a journey."""
    return msgspec.structs.replace(question, journey=True, tries=question.tries + 1)


def of_journey(question: Question) -> bool:
    return question.journey


def from_zero(question: Question) -> Question:
    return msgspec.structs.replace(question, tries=0)


def in_a_minute(_question: Question, now: int) -> int:
    """When to try again."""
    return now + RETRY_EVERY


def may_retry(question: Question) -> bool:
    """Not yet tried long enough; the first failure began it."""
    return question.tries <= RETRIES


def is_late(question: Question) -> bool:
    """A day or more."""
    return question.stay is not None and question.stay.late > 0


def payable(question: Question) -> tuple[Fine, ...]:
    """Residency fines that can be paid here."""
    return tuple(fine for fine in question.stay.fines if fine.payable) if question.stay else ()


def unpayable(question: Question) -> tuple[Fine, ...]:
    """Those that cannot, but for those just paid."""
    fines = question.stay.fines if question.stay else ()
    return tuple(fine for fine in fines if not fine.payable and fine.barrier != Unpayable.SETTLING)


def settling(question: Question) -> int:
    """How many were paid a moment ago."""
    fines = question.stay.fines if question.stay else ()
    return sum(fine.barrier == Unpayable.SETTLING for fine in fines)


def has_payable(question: Question) -> bool:
    return bool(payable(question))


def in_order(question: Question) -> bool:
    """Nothing is late and nothing is recorded."""
    return not is_late(question) and not payable(question) and not unpayable(question)


def is_clear(question: Question) -> bool:
    """Nothing stands between the person and leaving, as far as the registry knows."""
    return question.clearance is not None and not question.clearance.found


def may_pay(question: Question) -> bool:
    """Some fines can be paid before the journey."""
    return question.clearance is not None and bool(question.clearance.fines)


def found(question: Question, hurdle: Hurdle) -> bool:
    """Whether ``hurdle`` is among what stands in the way."""
    clearance = question.clearance
    return clearance is not None and any(one.hurdle is hurdle for one in clearance.found)


def is_over(question: Question) -> bool:
    """The residency has ended."""
    return found(question, Hurdle.RESIDENCY)


def is_banned(question: Question) -> bool:
    return found(question, Hurdle.BAN)


def bill(question: Question) -> Bill:
    """The residency fines, as `checkout` is given them."""
    return _bill(question.stay.subject if question.stay else "", payable(question))


def journey_bill(question: Question) -> Bill:
    """Every fine that keeps from leaving and can be paid here."""
    clearance = question.clearance
    return _bill(clearance.subject, clearance.fines) if clearance else _bill("", ())


def _bill(subject: str, fines: tuple[Fine, ...]) -> Bill:
    return Bill(subject, tuple(Item(fine.id, ItemKind(fine.kind), fine.title, fine.fils) for fine in fines))


def total(fines: tuple[Fine, ...]) -> int:
    """Their sum in fils."""
    return sum(fine.fils for fine in fines)
