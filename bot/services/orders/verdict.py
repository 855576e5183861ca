"""What an enquiry's answer means for an attempt: pure, so that every case can be read and tested.

An attempt is paid only when the gateway, asked by our server, agrees on track id, amount and currency.
Paid is final. An attempt we gave up may still turn out paid. A second capture of one order, and an answer
that contradicts what was asked for, become a person's business.
"""

from enum import StrEnum
from typing import Final

import msgspec

from bot.services.ledger import Attempt, AttemptStatus, Order, OrderStatus
from bot.services.orders.parts import GIVE_UP, PAGE_LIFE
from bot.services.payments import Enquiry, Result

SILENT: Final = "silent"
"""Reason of a review that a later answer may still end."""


class Deed(StrEnum):
    """What to do with the attempt."""

    KEEP = "keep"  # nothing new
    CAPTURE = "capture"  # it is paid, and so is its order
    REVIEW = "review"  # a person must look at it
    REFUSE = "refuse"  # nothing was taken
    EXPIRE = "expire"  # its page was never used
    WAIT = "wait"  # ask again later
    NOTE = "note"  # paid is final: write the contradiction down and change nothing


class Verdict(msgspec.Struct, frozen=True):
    """What to do, why, and for `Deed.WAIT` the status to wait in.

    ``asks_on``: for `Deed.EXPIRE`, the gateway is still asked now and then, because its page may be used.
    """

    deed: Deed
    reason: str = ""
    status: AttemptStatus = AttemptStatus.PENDING
    asks_on: bool = False


_KEEP = Verdict(Deed.KEEP)
_LAST_WORDS = (Result.FAILED, Result.EXPIRED, Result.SUSPECT)
_FINAL = (AttemptStatus.PAID, AttemptStatus.REFUNDED)
_UNTOUCHED = (Result.OPEN, Result.MISSING)


def judge(order: Order, attempt: Attempt, enquiry: Enquiry, *, age: int) -> Verdict:
    """What ``enquiry`` means for an attempt that began ``age`` seconds ago."""
    if enquiry.status is Result.PAID:
        return _captured(order, attempt, enquiry)
    if attempt.status in _FINAL:
        late = enquiry.status in _LAST_WORDS
        return Verdict(Deed.NOTE, f"late answer not applied: {enquiry.status}") if late else _KEEP
    if attempt.status is AttemptStatus.REVIEW:
        return _KEEP
    match enquiry.status:
        case Result.FAILED | Result.EXPIRED if enquiry.track_id != attempt.track:
            return Verdict(Deed.REVIEW, "track")
        case Result.FAILED:
            return _KEEP if attempt.status is AttemptStatus.FAILED else Verdict(Deed.REFUSE, enquiry.reason)
        case Result.EXPIRED:
            return _KEEP if attempt.status is AttemptStatus.FAILED else Verdict(Deed.EXPIRE)
        case Result.SUSPECT | Result.REFUNDED:
            return Verdict(Deed.REVIEW, str(enquiry.status))
        case _:
            return _unsaid(attempt, enquiry.status, age)


def _captured(order: Order, attempt: Attempt, enquiry: Enquiry) -> Verdict:
    wrong = _difference(attempt, enquiry)
    if attempt.status in _FINAL:
        return Verdict(Deed.NOTE, f"another {wrong} reported after payment") if wrong else _KEEP
    if attempt.status is AttemptStatus.REVIEW and attempt.reason != SILENT:
        return _KEEP
    if wrong:
        return Verdict(Deed.REVIEW, wrong)
    takes = order.status in {OrderStatus.OPEN, OrderStatus.CANCELLED}
    if takes or (order.status is OrderStatus.REVIEW and order.reason == SILENT):
        return Verdict(Deed.CAPTURE)
    return Verdict(Deed.REVIEW, "second")


def _difference(attempt: Attempt, enquiry: Enquiry) -> str:
    if enquiry.track_id != attempt.track:
        return "track"
    if enquiry.currency != attempt.currency:
        return "currency"
    return "" if enquiry.fils == attempt.fils else "amount"


def _unsaid(attempt: Attempt, said: Result, age: int) -> Verdict:
    """Neither paid nor refused: nobody tried, somebody is at it, or nobody knows."""
    if attempt.status is AttemptStatus.FAILED:
        return _KEEP
    if said in _UNTOUCHED:
        return _untouched(attempt, said, age)
    if age >= GIVE_UP:
        return Verdict(Deed.REVIEW, SILENT)
    if attempt.status is AttemptStatus.EXPIRED:
        return Verdict(Deed.WAIT, status=AttemptStatus.EXPIRED)
    unknown = said is Result.UNKNOWN
    return Verdict(Deed.WAIT, status=AttemptStatus.UNKNOWN if unknown else AttemptStatus.PENDING)


def _untouched(attempt: Attempt, said: Result, age: int) -> Verdict:
    """The gateway knows of no try: its page waits, or was never used."""
    made = attempt.status is not AttemptStatus.CREATED
    if age >= GIVE_UP or not (made or said is Result.OPEN):
        return Verdict(Deed.EXPIRE)  # not made: nobody was sent there
    if attempt.status is AttemptStatus.EXPIRED:
        return Verdict(Deed.WAIT, status=AttemptStatus.EXPIRED)
    if said is Result.MISSING and age >= PAGE_LIFE:
        return Verdict(Deed.EXPIRE, asks_on=True)
    return Verdict(Deed.WAIT, status=AttemptStatus.LINKED)
