"""Renewing the residencies of a company's or a government body's workers one by one. Many at once: `bot.dialogs.batch`.

Sources: the ministry's user guide and the services described in docs/services/companies.md.
"""

from enum import StrEnum
from typing import Final

from bot.dialogs.company.effects import (
    Bodies,
    Due,
    FindWorker,
    FindWorkerRefused,
    Found,
    ListBodies,
    ListWorkers,
    QuoteWorkers,
    Workers,
)
from bot.dialogs.company.office import (
    Job,
    Office,
    asks_why,
    bill,
    by_list,
    chosen,
    clearing,
    finding,
    fines_bill,
    has_fines,
    insurance_limits,
    is_government,
    is_large,
    is_ready,
    job,
    list_due,
    listing,
    nobody,
    none_due,
    price_ends,
    quoting,
    several,
    some_due,
    take_bodies,
    take_due,
    take_quote,
    take_worker,
)
from bot.dialogs.company.texts import (
    CHANGED,
    blocked_text,
    bodies,
    check_text,
    desk_text,
    due_options,
    due_text,
    duration_text,
    durations,
    expired_text,
    fines_label,
    nobody_text,
    pay_label,
    stranger_text,
    summary_text,
    why_text,
)
from bot.dialogs.renewal import QuoteRefused
from bot.dialogs.renewal.pages import INSURANCE, RESIDENCY, Page, links, opens
from bot.i18n.text import N_
from bot.parse import civil_id
from bot.spec import After, Ask, Call, Choose, Decide, Dialog, Do, End, Fault, Go, Identify, Link, Pick

__all__ = [
    "DIALOG",
    "Bodies",
    "Due",
    "FindWorker",
    "FindWorkerRefused",
    "Found",
    "Job",
    "ListBodies",
    "ListWorkers",
    "Office",
    "QuoteWorkers",
    "S",
    "Workers",
]


class S(StrEnum):
    """States."""

    SIGN_IN = "sign_in"
    LISTING = "listing"
    LISTED = "listed"
    NOBODY = "nobody"
    BODIES = "bodies"
    DESK = "desk"
    BATCH = "batch"
    LISTING_DUE = "listing_due"
    LISTED_DUE = "listed_due"
    DUE = "due"
    NONE_DUE = "none_due"
    DUE_DOWN = "due_down"
    FINDING = "finding"
    FOUND = "found"
    FIND_SIGN = "find_sign"
    FIND_DOWN = "find_down"
    STRANGER = "stranger"
    BLOCKED = "blocked"
    FINES = "fines"
    DURATION = "duration"
    PLANNED = "planned"
    WHY = "why"
    CHECK = "check"
    WRONG = "wrong"
    TERMS = "terms"
    QUOTING = "quoting"
    QUOTE_SIGN = "quote_sign"
    QUOTE_DOWN = "quote_down"
    NOW_BLOCKED = "now_blocked"
    SUMMARY = "summary"
    EXPIRED = "expired"
    SIGN_AGAIN = "sign_again"
    PAYING = "paying"
    PAID = "paid"
    DOWN = "down"
    UNKNOWN = "unknown"
    LEFT = "left"


_LINKS: Final = links(clearing)
_SLOW: Final = N_("The ministry's records are slow today; I am still asking.")
_DOWN: Final = N_("The ministry's records do not answer now. Nothing was lost; try again in a moment.")
_AGAIN: Final = N_("Try again")
_WHERE: Final = N_(
    "The civil ID is printed on the front of the civil ID card and shown in the Kuwait Mobile ID app."
)
_BY_LIST: Final = Go[Office](N_("From the list"), S.LISTING_DUE, put=by_list)
_BY_FILE: Final = Go[Office](N_("A list as a file"), S.BATCH)
_CHECK_AGAIN: Final = Go[Office](N_("Check again"), S.FINDING)

DIALOG = Dialog[Office](
    id="company",
    version=1,
    title=N_("My company's workers"),
    answers=Office,
    start=S.SIGN_IN,
    cancel=S.LEFT,
    help=N_(
        "We are renewing residencies of a body's workers: send a civil ID, choose from the list, or send a list as a file."
    ),
    states={
        S.SIGN_IN: Identify(then=S.LISTING, left=S.UNKNOWN),
        S.LISTING: Do(
            ListBodies,
            listing,
            then=S.LISTED,
            otherwise=S.DOWN,
            keep=take_bodies,
            failed={Fault.UNSIGNED: S.SIGN_IN},
            slow=_SLOW,
        ),
        S.LISTED: Decide(((nobody, S.NOBODY), (chosen, S.DESK)), otherwise=S.BODIES),
        S.NOBODY: Choose(
            nobody_text,
            (
                Link(N_("🔗 For companies"), opens(Page.COMPANIES)),
                Go(N_("Check again"), S.LISTING),
            ),
            rest=True,
            entry=False,
        ),
        S.BODIES: Pick(N_("For which body?"), options=bodies, into="body", then=S.DESK),
        S.DESK: Ask(
            desk_text,
            parse=civil_id,
            into="number",
            then=S.FINDING,
            choices=(
                Go(N_("From the list"), S.LISTING_DUE, when=some_due, put=by_list),
                _BY_FILE,
                Link(INSURANCE, opens(Page.INSURANCE), when=is_government),
                Go(N_("Another body"), S.BODIES, when=several),
            ),
            hint=_WHERE,
        ),
        S.BATCH: Call("batch", given=job, then=S.DESK, left=S.DESK),
        S.LISTING_DUE: Do(
            ListWorkers,
            list_due,
            then=S.LISTED_DUE,
            otherwise=S.DUE_DOWN,
            keep=take_due,
            failed={Fault.UNSIGNED: S.SIGN_IN, Fault.FORBIDDEN: S.LISTING},
            slow=_SLOW,
        ),
        S.LISTED_DUE: Decide(((none_due, S.NONE_DUE),), otherwise=S.DUE),
        S.DUE: Pick(due_text, options=due_options, into="place", then=S.FINDING, back=S.DESK),
        S.NONE_DUE: Choose(
            N_("Nobody's renewal is open by its date: it opens when less than two months remain."),
            back=S.DESK,
            entry=False,
        ),
        S.DUE_DOWN: Choose(_DOWN, (Go(_AGAIN, S.LISTING_DUE),), back=S.DESK, entry=False),
        S.FINDING: Do(
            FindWorker,
            finding,
            then=S.FOUND,
            otherwise=S.FIND_DOWN,
            keep=take_worker,
            refused=FindWorkerRefused,
            failed={
                FindWorkerRefused.UNKNOWN: S.STRANGER,
                Fault.UNSIGNED: S.FIND_SIGN,
                Fault.FORBIDDEN: S.LISTING,
            },
            slow=_SLOW,
        ),
        S.FIND_SIGN: Identify(then=S.FINDING, left=S.DESK),
        S.FOUND: Decide(((is_ready, S.DURATION),), otherwise=S.BLOCKED),
        S.FIND_DOWN: Choose(_DOWN, (Go(_AGAIN, S.FINDING),), back=S.DESK, entry=False),
        S.STRANGER: Ask(
            stranger_text,
            parse=civil_id,
            into="number",
            then=S.FINDING,
            choices=(_BY_LIST,),
            hint=_WHERE,
            back=S.DESK,
            entry=False,
        ),
        S.BLOCKED: Choose(
            blocked_text,
            (*_LINKS, Go(fines_label, S.FINES, when=has_fines), _CHECK_AGAIN),
            back=S.DESK,
            entry=False,
        ),
        S.FINES: Call("checkout", given=fines_bill, then=S.FINDING, left=S.FINDING),
        S.DURATION: Pick(duration_text, options=durations, into="plan", then=S.PLANNED, back=S.DESK),
        S.PLANNED: Decide(((asks_why, S.WHY),), otherwise=S.CHECK),
        S.WHY: Choose(
            why_text,
            (Link(INSURANCE, opens(Page.INSURANCE), when=insurance_limits), _CHECK_AGAIN),
            back=S.DURATION,
            entry=False,
        ),
        S.CHECK: Choose(
            check_text,
            (Go(N_("The data are right"), S.TERMS), Go(N_("Something is wrong"), S.WRONG)),
            noun=N_("Worker's data"),
            back=S.DURATION,
        ),
        S.WRONG: Choose(
            N_(
                "Then correct it before renewing: on the ministry's page ask for “Latin name correction” or "
                "“passport data transfer”, with a copy of the passport. The work permit is the Public Authority of "
                "Manpower's (Ashal)."
            ),
            (Link(RESIDENCY, opens(Page.RESIDENCY)), _CHECK_AGAIN),
            back=S.CHECK,
            entry=False,
        ),
        S.TERMS: Choose(
            N_(
                "By going on you agree: the data are right as shown; a fee paid is not returned once the renewal is "
                "recorded; what the ministry's records say decides. Nothing is paid yet."
            ),
            (Go(N_("I agree"), S.QUOTING),),
            noun=N_("Terms"),
        ),
        S.QUOTING: Do(
            QuoteWorkers,
            quoting,
            then=S.SUMMARY,
            otherwise=S.QUOTE_DOWN,
            keep=take_quote,
            refused=QuoteRefused,
            failed={
                QuoteRefused.BLOCKED: S.NOW_BLOCKED,
                QuoteRefused.NOT_OFFERED: S.NOW_BLOCKED,
                Fault.FORBIDDEN: S.LISTING,
                Fault.UNSIGNED: S.QUOTE_SIGN,
            },
            slow=_SLOW,
        ),
        S.QUOTE_SIGN: Identify(then=S.QUOTING, left=S.TERMS),
        S.NOW_BLOCKED: Choose(
            CHANGED,
            (_CHECK_AGAIN,),
            back=S.DESK,
            entry=False,
        ),
        S.QUOTE_DOWN: Choose(
            N_("The ministry's records do not answer now, so there is no price yet. Nothing was paid."),
            (Go(_AGAIN, S.QUOTING),),
            entry=False,
        ),
        S.SUMMARY: Choose(
            summary_text,
            (Go(pay_label, S.SIGN_AGAIN), Go(N_("Change the duration"), S.DURATION)),
            after=After(price_ends, S.EXPIRED),
            back=S.DURATION,
            entry=False,
        ),
        S.EXPIRED: Choose(expired_text, (Go(N_("New price"), S.QUOTING),), back=S.DURATION, entry=False),
        S.SIGN_AGAIN: Identify(then=S.PAYING, left=S.SUMMARY, again=is_large),
        S.PAYING: Call("checkout", given=bill, then=S.PAID, left=S.DESK),
        S.PAID: Ask(
            N_(
                "The ministry's records show the new date within 15 minutes as a rule. The next worker? Send the civil ID, or choose:"
            ),
            parse=civil_id,
            into="number",
            then=S.FINDING,
            choices=(_BY_LIST, _BY_FILE),
            hint=_WHERE,
            back=S.DESK,
            rest=True,
            entry=False,
        ),
        S.DOWN: Choose(_DOWN, (Go(_AGAIN, S.LISTING),), entry=False),
        S.UNKNOWN: End(),
        S.LEFT: End(N_("Stopped. Nothing was paid.")),
    },
)
