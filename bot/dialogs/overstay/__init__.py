"""Overstay: what does it cost, what does waiting add, am I clear to travel? Then `checkout`.

What is due is the registry's to say; everything reckoned from the rules is called an estimate. Rules and sources:
docs/services/overstay.md.
"""

from enum import StrEnum
from typing import Final

from bot.dialogs.overstay.effects import (
    CheckOverstay,
    CheckTravel,
    Clearance,
    EstimateOverstay,
    NoPermit,
    Rates,
    Stay,
)
from bot.dialogs.overstay.journey import clear_text, hurdles_text, justice_page, pay_fines
from bot.dialogs.overstay.stay import (
    Question,
    bill,
    checking,
    estimating,
    from_zero,
    has_payable,
    in_a_minute,
    in_order,
    is_banned,
    is_clear,
    is_late,
    is_over,
    journey_bill,
    may_pay,
    may_retry,
    no_clearance,
    no_stay,
    of_case,
    of_journey,
    take_clearance,
    take_stay,
    weighing,
)
from bot.dialogs.overstay.texts import counted_text, last_prompt, no_permit_text, pay_label, stay_text
from bot.i18n.text import N_
from bot.parse import day
from bot.residency.overstay import Case
from bot.spec import After, Ask, Call, Choose, Decide, Dialog, Do, End, Fault, Go, Identify, Link

__all__ = [
    "DIALOG",
    "CheckOverstay",
    "CheckTravel",
    "Clearance",
    "EstimateOverstay",
    "NoPermit",
    "Question",
    "Rates",
    "S",
    "Stay",
]


class S(StrEnum):
    """States."""

    ASKING = "asking"
    OWN = "own"
    CHECKING = "checking"
    CHECKED = "checked"
    IN_ORDER = "in_order"
    STAY = "stay"
    PAYING = "paying"
    COUNTED = "counted"
    CASE = "case"
    LAST = "last"
    ESTIMATING = "estimating"
    ESTIMATED = "estimated"
    TRAVELLER = "traveller"
    WEIGHING = "weighing"
    WEIGHED = "weighed"
    CLEAR = "clear"
    HURDLES = "hurdles"
    PAYING_ALL = "paying_all"
    NO_PERMIT = "no_permit"
    DOWN = "down"
    AGAIN = "again"
    RETRY = "retry"
    RECHECKING = "rechecking"
    REWEIGHING = "reweighing"
    COUNT = "count"
    STILL_DOWN = "still_down"
    GAVE_UP = "gave_up"
    NO_FIGURE = "no_figure"
    LEFT = "left"


_SLOW = N_("The ministry's records are slow today; I am still asking.")
_TRY_AGAIN = N_("Try again")
_COUNTED = Go[Question](N_("How is it counted?"), S.COUNTED, when=is_late)
_TRAVEL = Go[Question](N_("Clear to travel?"), S.TRAVELLER)
_BANS = N_("🔗 Travel-ban enquiry")
_WHILE_DOWN: Final = (
    Go[Question](N_("Try now"), S.AGAIN, put=from_zero),
    Go[Question](N_("Stop trying"), S.LEFT),
)
_CASES: Final = (
    (N_("Residency expired"), Case.EXPIRED),
    (N_("Newborn unregistered"), Case.NEWBORN),
    (N_("Domestic worker"), Case.DOMESTIC),
    (N_("Visit visa"), Case.VISIT),
    (N_("Temporary residency"), Case.TEMPORARY),
    (N_("Work permit cancelled"), Case.WORK_CANCELLED),
)

DIALOG = Dialog[Question](
    id="overstay",
    version=1,
    title=N_("Overstay and travel"),
    answers=Question,
    start=S.ASKING,
    cancel=S.LEFT,
    help=N_(
        "Signed in, I show what the ministry has recorded. From a date alone I can only estimate, and I say so. "
        "I give no advice on courts."
    ),
    states={
        S.ASKING: Choose(
            N_("What would you like to know?"),
            (
                Go(N_("My overstay's cost"), S.OWN),
                Go(N_("Estimate by a date"), S.CASE),
                _TRAVEL,
            ),
            noun=N_("Question"),
            listens=True,
        ),
        S.OWN: Identify(then=S.CHECKING, left=S.ASKING),
        S.CHECKING: Do(
            CheckOverstay,
            checking,
            then=S.CHECKED,
            otherwise=S.DOWN,
            keep=take_stay,
            missed=no_stay,
            refused=NoPermit,
            failed={NoPermit.NO_PERMIT: S.NO_PERMIT, Fault.UNSIGNED: S.OWN},
            slow=_SLOW,
        ),
        S.CHECKED: Decide(((in_order, S.IN_ORDER),), otherwise=S.STAY),
        S.IN_ORDER: Choose(stay_text, (_TRAVEL,), rest=True),
        S.STAY: Choose(
            stay_text,
            (Go(pay_label, S.PAYING, when=has_payable), _COUNTED, _TRAVEL),
            listens=True,
        ),
        S.PAYING: Call("checkout", given=bill, then=S.CHECKING, left=S.STAY),
        S.COUNTED: Choose(counted_text, (_TRAVEL,), listens=True),
        S.CASE: Choose(
            N_("An estimate for which case?"),
            tuple(Go(label, S.LAST, put=of_case(case), id=case.value) for label, case in _CASES),
            noun=N_("Case"),
            listens=True,
        ),
        S.LAST: Ask(
            last_prompt,
            parse=day,
            into="last",
            then=S.ESTIMATING,
            hint=N_("Day first, then month, then year."),
        ),
        S.ESTIMATING: Do(
            EstimateOverstay, estimating, then=S.ESTIMATED, otherwise=S.NO_FIGURE, keep=take_stay
        ),
        S.ESTIMATED: Choose(
            stay_text,
            (
                _COUNTED,
                Go(N_("What is recorded?"), S.OWN),
                Go(N_("Another date"), S.LAST),
                Go(N_("Another case"), S.CASE),
            ),
            listens=True,
        ),
        S.NO_FIGURE: Choose(
            N_("There is no estimate just now. Nothing is lost."),
            (Go(_TRY_AGAIN, S.ESTIMATING, id="again"),),
            entry=False,
        ),
        S.TRAVELLER: Identify(then=S.WEIGHING, left=S.ASKING),
        S.WEIGHING: Do(
            CheckTravel,
            weighing,
            then=S.WEIGHED,
            otherwise=S.DOWN,
            keep=take_clearance,
            missed=no_clearance,
            refused=NoPermit,
            failed={NoPermit.NO_PERMIT: S.NO_PERMIT, Fault.UNSIGNED: S.TRAVELLER},
            slow=_SLOW,
        ),
        S.WEIGHED: Decide(((is_clear, S.CLEAR),), otherwise=S.HURDLES),
        S.CLEAR: Choose(clear_text, (Link(_BANS, justice_page),), rest=True),
        S.HURDLES: Choose(
            hurdles_text,
            (
                Go(pay_fines, S.PAYING_ALL, when=may_pay, id="paying"),
                Go(N_("My overstay's cost"), S.CHECKING, when=is_over, id="cost"),
                Link(_BANS, justice_page, when=is_banned),
                Go(N_("Check again"), S.WEIGHING, id="again"),
            ),
            listens=True,
        ),
        S.PAYING_ALL: Call("checkout", given=journey_bill, then=S.WEIGHING, left=S.HURDLES),
        S.NO_PERMIT: Choose(no_permit_text, (Go(N_("Estimate by a date"), S.CASE),), rest=True),
        S.DOWN: Choose(
            N_(
                "The ministry's records do not answer now. I will try again for ten minutes and write to you."
            ),
            _WHILE_DOWN,
            after=After(in_a_minute, S.RETRY),
            entry=False,
        ),
        S.AGAIN: Decide(((of_journey, S.WEIGHING),), otherwise=S.CHECKING),
        S.RETRY: Decide(((of_journey, S.REWEIGHING),), otherwise=S.RECHECKING),
        S.RECHECKING: Do(
            CheckOverstay,
            checking,
            then=S.CHECKED,
            otherwise=S.COUNT,
            keep=take_stay,
            missed=no_stay,
            refused=NoPermit,
            failed={NoPermit.NO_PERMIT: S.NO_PERMIT, Fault.UNSIGNED: S.OWN},
        ),
        S.REWEIGHING: Do(
            CheckTravel,
            weighing,
            then=S.WEIGHED,
            otherwise=S.COUNT,
            keep=take_clearance,
            missed=no_clearance,
            refused=NoPermit,
            failed={NoPermit.NO_PERMIT: S.NO_PERMIT, Fault.UNSIGNED: S.TRAVELLER},
        ),
        S.COUNT: Decide(((may_retry, S.STILL_DOWN),), otherwise=S.GAVE_UP),
        S.STILL_DOWN: Choose(
            N_("The ministry's records still do not answer. I keep trying and will write to you."),
            _WHILE_DOWN,
            after=After(in_a_minute, S.RETRY),
            entry=False,
            silent=True,
        ),
        S.GAVE_UP: Choose(
            N_("The ministry's records did not answer for ten minutes, so I stopped. Nothing was lost."),
            (Go(_TRY_AGAIN, S.AGAIN, put=from_zero),),
            rest=True,
        ),
        S.LEFT: End(N_("Stopped. Nothing was paid.")),
    },
)
