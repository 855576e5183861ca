"""Violations: what do I owe? By civil ID, by MOI reference number or signed in, then `checkout`.

Sources: the ministry's enquiry pages as described in docs/services/violations.md.
"""

from enum import StrEnum
from typing import Any

from bot.dialogs.my_data import Recall
from bot.dialogs.violations.effects import FindFines, FindFinesRefused, Owed
from bot.dialogs.violations.search import (
    Search,
    bill,
    by_civil_id,
    by_reference,
    by_sign_in,
    count_try,
    deep_link,
    doubtful_number,
    every_kind,
    everything,
    find,
    from_zero,
    has_number,
    has_unpayable,
    hold,
    in_a_minute,
    is_held,
    may_be_civil_id,
    may_retry,
    none_owed,
    none_payable,
    number_in,
    only_residency,
    only_traffic,
    recalled,
    recalling,
    reference_found,
    several,
    take_fines,
)
from bot.dialogs.violations.texts import (
    clean_text,
    doubt_text,
    options,
    owed_text,
    pay_all,
    pay_chosen,
    unpayable_text,
    why_label,
    why_text,
)
from bot.i18n.text import N_
from bot.parse import civil_id, reference
from bot.spec import (
    After,
    Ask,
    Call,
    Choose,
    Decide,
    Dialog,
    Do,
    End,
    Go,
    Identify,
    Opening,
    Pick,
)

__all__ = ["DIALOG", "FindFines", "FindFinesRefused", "Owed", "S", "Search"]


class S(StrEnum):
    """States."""

    SCOPE = "scope"
    METHOD = "method"
    RECALL = "recall"
    RECALLED = "recalled"
    UNSAVED = "unsaved"
    CIVIL_ID = "civil_id"
    REFERENCE = "reference"
    WHICH = "which"
    DOUBT = "doubt"
    CHECK = "check"
    FINDING = "finding"
    OWN = "own"
    HELD = "held"
    LOOKUP = "lookup"
    FOUND = "found"
    CLEAN = "clean"
    UNPAYABLE = "unpayable"
    OWED = "owed"
    WHY = "why"
    SOME = "some"
    PAYING = "paying"
    BUSY = "busy"
    DOWN = "down"
    RETRY = "retry"
    COUNT = "count"
    STILL_DOWN = "still_down"
    GAVE_UP = "gave_up"
    LEFT = "left"


def as_before(answers: dict[str, Any]) -> dict[str, Any]:
    """Version 2 adds one's own fines, and what happens when open look-ups are used up."""
    return answers


DIALOG = Dialog[Search](
    id="violations",
    version=3,
    migrations={1: as_before, 2: as_before},
    title=N_("Violations"),
    answers=Search,
    start=S.SCOPE,
    cancel=S.LEFT,
    openings=(
        Opening(number_in, S.LOOKUP),
        Opening(doubtful_number, S.DOUBT, doubtful=True),
        Opening(deep_link, S.LOOKUP, deep=True),
    ),
    help=N_(
        "We are looking up violations: by civil ID or by MOI reference number, then you choose what to pay."
    ),
    states={
        S.SCOPE: Choose(
            N_("Which violations?"),
            (
                Go(N_("Residency"), S.METHOD, put=only_residency, id="residency"),
                Go(N_("Traffic"), S.METHOD, put=only_traffic, id="traffic"),
                Go(N_("All of them"), S.METHOD, put=every_kind, id="all"),
            ),
            noun=N_("Violations"),
            listens=True,
        ),
        S.METHOD: Choose(
            N_("Look them up by which number?"),
            (
                Go(N_("Civil ID"), S.CIVIL_ID, put=by_civil_id),
                Go(N_("MOI reference"), S.REFERENCE, put=by_reference),
                Go(N_("Find my reference"), S.FINDING),
                Go(N_("My own, signed in"), S.OWN, put=by_sign_in),
                Go(N_("The saved number"), S.RECALL, put=by_civil_id),
            ),
            noun=N_("Look-up by"),
            listens=True,
        ),
        S.RECALL: Do(Recall, recalling, then=S.RECALLED, otherwise=S.UNSAVED, keep=recalled),
        S.RECALLED: Decide(((has_number, S.LOOKUP),), otherwise=S.UNSAVED),
        S.UNSAVED: Choose(
            N_("No number is saved for this chat. It can be saved under “My data” in the menu."),
            (Go(N_("Enter a civil ID"), S.CIVIL_ID, put=by_civil_id),),
            entry=False,
        ),
        S.CIVIL_ID: Ask(
            N_("Enter the 12-digit civil ID."),
            parse=civil_id,
            into="number",
            then=S.LOOKUP,
            choices=(Go(N_("Use the reference"), S.REFERENCE, put=by_reference),),
            hint=N_(
                "The civil ID is printed on the front of the civil ID card and shown in the Kuwait Mobile ID app."
            ),
        ),
        S.REFERENCE: Ask(
            N_("Enter the MOI reference number."),
            parse=reference,
            into="number",
            then=S.CHECK,
            choices=(
                Go(N_("I do not know it"), S.FINDING),
                Go(N_("Use the civil ID"), S.CIVIL_ID, put=by_civil_id),
            ),
            hint=N_("The ministry gives it by civil ID and passport; “I do not know it” finds it."),
        ),
        S.CHECK: Decide(((may_be_civil_id, S.WHICH),), otherwise=S.LOOKUP),
        S.WHICH: Choose(
            N_("This number also fits a civil ID. Which of the two is it?"),
            (
                Go(N_("MOI reference"), S.LOOKUP, put=by_reference, id="reference"),
                Go(N_("Civil ID"), S.LOOKUP, put=by_civil_id, id="civil_id"),
            ),
            noun=N_("The number"),
            entry=False,
        ),
        S.DOUBT: Choose(
            doubt_text,
            (
                Go(N_("It is a reference"), S.LOOKUP, put=by_reference),
                Go(N_("Type the civil ID"), S.CIVIL_ID, put=by_civil_id),
            ),
            listens=True,
            entry=False,
        ),
        S.FINDING: Call("find_reference", then=S.LOOKUP, left=S.METHOD, keep=reference_found),
        S.OWN: Identify(then=S.LOOKUP, left=S.METHOD),
        S.HELD: Call("verify", given=hold, then=S.LOOKUP, left=S.METHOD),
        S.LOOKUP: Do(
            FindFines,
            find,
            then=S.FOUND,
            otherwise=S.DOWN,
            keep=take_fines,
            refused=FindFinesRefused,
            failed={FindFinesRefused.BUSY: S.BUSY, FindFinesRefused.NOBODY: S.OWN},
            slow=N_("The ministry's records are slow today; I am still asking."),
        ),
        S.FOUND: Decide(
            ((is_held, S.HELD), (none_owed, S.CLEAN), (none_payable, S.UNPAYABLE)), otherwise=S.OWED
        ),
        S.CLEAN: Choose(clean_text, (Go(N_("Another number"), S.METHOD),), rest=True),
        S.UNPAYABLE: Choose(unpayable_text, (Go(N_("Another number"), S.METHOD),), rest=True),
        S.OWED: Choose(
            owed_text,
            (
                Go(pay_all, S.PAYING, put=everything),
                Go(N_("Choose some"), S.SOME, when=several),
                Go(why_label, S.WHY, when=has_unpayable),
            ),
            listens=True,
        ),
        S.WHY: Choose(why_text, listens=True, back=S.OWED),
        S.SOME: Pick(
            N_("Which ones? Press each you want to pay."),
            options=options,
            into="chosen",
            then=S.PAYING,
            done=pay_chosen,
            page=5,  # with turning, paying and the ways back: ten rows, WhatsApp's most
            back=S.OWED,
        ),
        S.PAYING: Call("checkout", given=bill, then=S.LOOKUP, left=S.OWED),
        S.BUSY: Choose(
            N_("Too many look-ups in a short time. Wait a few minutes, then try again."),
            (Go(N_("Try again"), S.LOOKUP),),
            entry=False,
        ),
        S.DOWN: Choose(
            N_(
                "The ministry's records do not answer now. I will try again for ten minutes and write to you."
            ),
            (Go(N_("Try now"), S.LOOKUP, put=from_zero), Go(N_("Stop trying"), S.LEFT)),
            after=After(in_a_minute, S.RETRY),
            entry=False,
        ),
        S.RETRY: Do(
            FindFines,
            find,
            then=S.FOUND,
            otherwise=S.COUNT,
            keep=take_fines,
            refused=FindFinesRefused,
            failed={FindFinesRefused.BUSY: S.COUNT, FindFinesRefused.NOBODY: S.OWN},
            missed=count_try,
        ),
        S.COUNT: Decide(((may_retry, S.STILL_DOWN),), otherwise=S.GAVE_UP),
        S.STILL_DOWN: Choose(
            N_("The ministry's records still do not answer. I keep trying and will write to you."),
            (Go(N_("Try now"), S.LOOKUP, put=from_zero), Go(N_("Stop trying"), S.LEFT)),
            after=After(in_a_minute, S.RETRY),
            entry=False,
            silent=True,
        ),
        S.GAVE_UP: Choose(
            N_("The ministry's records did not answer for ten minutes, so I stopped. Nothing was lost."),
            (Go(N_("Try again"), S.LOOKUP, put=from_zero),),
            rest=True,
        ),
        S.LEFT: End(N_("Stopped. Nothing was paid.")),
    },
)
