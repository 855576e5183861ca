"""Renewing residencies: one's own and those of everyone on one's file, in one pass and with one payment.

Sources: the ministry's user guide and the services described in docs/services/renewal.md.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from bot.dialogs.renewal.choices import (
    asks_why,
    bill,
    insurance_limits,
    is_large,
    planned,
    price_ends,
    quoting,
    take_quote,
)
from bot.dialogs.renewal.effects import File, ListFile, Quoted, QuoteRefused, QuoteRenewals, Wish
from bot.dialogs.renewal.file import (
    Renewing,
    any_ready,
    at_duration,
    at_person,
    choose_person,
    choose_ready,
    count_try,
    fines_bill,
    from_zero,
    has_fines,
    in_a_minute,
    listing,
    look_at_blocked,
    may_retry,
    more_to_tell,
    nobody,
    one_blocked,
    pages,
    person_blocked,
    person_ready,
    several_blocked,
    several_ready,
    take_blocked,
    take_file,
    take_gone,
    take_not_offered,
    to_duration,
    to_list,
    to_person,
)
from bot.dialogs.renewal.pages import INSURANCE, RESIDENCY, Page, links, opens
from bot.dialogs.renewal.paying import expired_text, names_text, pay_label, summary_text
from bot.dialogs.renewal.texts import (
    block_label,
    blocked_options,
    duration_text,
    durations,
    each_options,
    each_text,
    file_text,
    fines_label,
    people_options,
    person_text,
    ready_options,
    renew_label,
    some_done,
    why_text,
)
from bot.i18n.text import N_
from bot.spec import After, Call, Choose, Decide, Dialog, Do, End, Fault, Go, Identify, Link, Pick

__all__ = [
    "DIALOG",
    "File",
    "ListFile",
    "QuoteRefused",
    "QuoteRenewals",
    "Quoted",
    "Renewing",
    "S",
    "Wish",
]


class S(StrEnum):
    """States."""

    SIGN_IN = "sign_in"
    LISTING = "listing"
    LISTED = "listed"
    FILE = "file"
    EMPTY = "empty"
    BLOCKED = "blocked"
    PEOPLE = "people"
    PERSON = "person"
    FINES = "fines"
    SOME = "some"
    DURATION = "duration"
    PLANNED = "planned"
    EACH = "each"
    WHY = "why"
    NAMES = "names"
    WRONG = "wrong"
    TERMS = "terms"
    QUOTING = "quoting"
    QUOTE_SIGN = "quote_sign"
    NOW_BLOCKED = "now_blocked"
    NOT_OFFERED = "not_offered"
    GONE = "gone"
    QUOTE_DOWN = "quote_down"
    SUMMARY = "summary"
    EXPIRED = "expired"
    SIGN_AGAIN = "sign_again"
    PAYING = "paying"
    PAID = "paid"
    REMINDING = "reminding"
    DOWN = "down"
    RETRY = "retry"
    COUNT = "count"
    STILL_DOWN = "still_down"
    GAVE_UP = "gave_up"
    UNKNOWN = "unknown"
    LEFT = "left"


_LINKS: Final = links(pages)
_SLOW: Final = N_("The ministry's records are slow today; I am still asking.")
_SIGN_IN: Final[Mapping[StrEnum, StrEnum]] = {Fault.UNSIGNED: S.SIGN_IN}
_TRY_NOW: Final = Go[Renewing](N_("Try now"), S.LISTING, put=from_zero)
_STOP: Final = Go[Renewing](N_("Stop trying"), S.LEFT)

DIALOG = Dialog[Renewing](
    id="renewal",
    version=1,
    title=N_("Renew residency"),
    answers=Renewing,
    start=S.SIGN_IN,
    cancel=S.LEFT,
    help=N_(
        "We are renewing residencies: you see everyone on your file and what blocks whom, choose durations, and pay once."
    ),
    # Every way back is named, so that the same step leads to the same place whichever way one came.
    states={
        S.SIGN_IN: Identify(then=S.LISTING, left=S.UNKNOWN),
        S.LISTING: Do(
            ListFile, listing, then=S.LISTED, otherwise=S.DOWN, keep=take_file, failed=_SIGN_IN, slow=_SLOW
        ),
        S.LISTED: Decide(
            ((nobody, S.EMPTY), (at_person, S.PERSON), (at_duration, S.DURATION)), otherwise=S.FILE
        ),
        S.FILE: Choose(
            file_text,
            (
                Go(renew_label, S.DURATION, when=any_ready, put=choose_ready),
                Go(block_label, S.PERSON, when=one_blocked, put=look_at_blocked),
                Go(N_("What blocks them?"), S.BLOCKED, when=several_blocked),
                Go(N_("Choose some"), S.SOME, when=several_ready),
                Go(N_("One person"), S.PEOPLE, when=more_to_tell),
                Go(N_("Check again"), S.LISTING, put=to_list),
            ),
            listens=True,
            entry=False,
        ),
        S.EMPTY: Choose(
            N_(
                "There is no residency on your file that can be renewed here. Those you sponsor would stand here; "
                "a work residency is renewed by the employer."
            ),
            (Go(N_("Check again"), S.LISTING, put=to_list),),
            rest=True,
        ),
        S.BLOCKED: Pick(
            N_("Whose blocks?"),
            options=blocked_options,
            into="person",
            then=S.PERSON,
            back=S.FILE,
            page=6,
            entry=False,
        ),
        S.PEOPLE: Pick(
            N_("Which person?"),
            options=people_options,
            into="person",
            then=S.PERSON,
            back=S.FILE,
            page=6,
            entry=False,
        ),
        S.PERSON: Choose(
            person_text,
            (
                Go(N_("Renew"), S.DURATION, when=person_ready, put=choose_person),
                *_LINKS,
                Go(fines_label, S.FINES, when=has_fines, put=to_person),
                Go(N_("Check again"), S.LISTING, when=person_blocked, put=to_person),
            ),
            back=S.FILE,
            listens=True,
            entry=False,
        ),
        S.FINES: Call("checkout", given=fines_bill, then=S.LISTING, left=S.LISTING),
        S.SOME: Pick(
            N_("Whom? Press each you want to renew."),
            options=ready_options,
            into="chosen",
            then=S.DURATION,
            done=some_done,
            page=5,  # with turning, going on and the ways back: ten rows, WhatsApp's most
            back=S.FILE,
            entry=False,
        ),
        S.DURATION: Pick(
            duration_text,
            options=durations,
            into="plan",
            then=S.PLANNED,
            page=6,
            back=S.FILE,
            entry=False,
        ),
        S.PLANNED: Decide(((asks_why, S.WHY), (planned, S.NAMES)), otherwise=S.EACH),
        S.EACH: Pick(
            each_text,
            options=each_options,
            into="plan",
            then=S.PLANNED,
            page=6,
            back=S.DURATION,
            entry=False,
        ),
        S.WHY: Choose(
            why_text,
            (
                Link(INSURANCE, opens(Page.INSURANCE), when=insurance_limits),
                Go(N_("Check again"), S.LISTING, put=to_duration),
            ),
            back=S.DURATION,
            entry=False,
        ),
        S.NAMES: Choose(
            names_text,
            (Go(N_("They are right"), S.TERMS), Go(N_("A name is wrong"), S.WRONG)),
            noun=N_("Latin names"),
            back=S.DURATION,
            entry=False,
        ),
        S.WRONG: Choose(
            N_(
                "Then correct it before renewing: ask for “Latin name correction” on the ministry's page, with a copy of "
                "the passport. The civil ID follows at the Public Authority for Civil Information."
            ),
            (
                Link(RESIDENCY, opens(Page.RESIDENCY)),
                Go(N_("Check again"), S.LISTING, put=to_list),
            ),
            back=S.NAMES,
            entry=False,
        ),
        S.TERMS: Choose(
            N_(
                "By going on you agree: the data are right as shown; a fee paid is not returned once the renewal is "
                "recorded; what the ministry's records say decides. Nothing is paid yet."
            ),
            (Go(N_("I agree"), S.QUOTING),),
            noun=N_("Terms"),
            back=S.NAMES,
            entry=False,
        ),
        S.QUOTING: Do(
            QuoteRenewals,
            quoting,
            then=S.SUMMARY,
            otherwise=S.QUOTE_DOWN,
            keep=take_quote,
            refused=QuoteRefused,
            failed={
                QuoteRefused.BLOCKED: S.NOW_BLOCKED,
                QuoteRefused.NOT_OFFERED: S.NOT_OFFERED,
                Fault.FORBIDDEN: S.GONE,
                Fault.UNSIGNED: S.QUOTE_SIGN,
            },
            slow=_SLOW,
        ),
        S.QUOTE_SIGN: Identify(then=S.QUOTING, left=S.TERMS),
        S.NOW_BLOCKED: Do(
            ListFile, listing, then=S.LISTED, otherwise=S.DOWN, keep=take_blocked, failed=_SIGN_IN, slow=_SLOW
        ),
        S.NOT_OFFERED: Do(
            ListFile,
            listing,
            then=S.LISTED,
            otherwise=S.DOWN,
            keep=take_not_offered,
            failed=_SIGN_IN,
            slow=_SLOW,
        ),
        S.GONE: Do(
            ListFile, listing, then=S.LISTED, otherwise=S.DOWN, keep=take_gone, failed=_SIGN_IN, slow=_SLOW
        ),
        S.QUOTE_DOWN: Choose(
            N_("The ministry's records do not answer now, so there is no price yet. Nothing was paid."),
            (Go(N_("Try again"), S.QUOTING),),
            back=S.TERMS,
            entry=False,
        ),
        S.SUMMARY: Choose(
            summary_text,
            (Go(pay_label, S.SIGN_AGAIN, put=to_list),),
            after=After(price_ends, S.EXPIRED),
            back=S.DURATION,
            entry=False,
        ),
        S.EXPIRED: Choose(expired_text, (Go(N_("New price"), S.QUOTING),), back=S.DURATION, entry=False),
        S.SIGN_AGAIN: Identify(then=S.PAYING, left=S.SUMMARY, again=is_large),
        S.PAYING: Call("checkout", given=bill, then=S.PAID, left=S.LISTING),
        S.PAID: Choose(
            N_("The ministry's records show the new dates within 15 minutes as a rule. Anything else?"),
            (Go(N_("Remind me in time"), S.REMINDING), Go(N_("My file again"), S.LISTING, put=to_list)),
            rest=True,
        ),
        S.REMINDING: Call("reminders", then=S.PAID, left=S.PAID),
        S.DOWN: Choose(
            N_(
                "The ministry's records do not answer now. I will try again for ten minutes and write to you."
            ),
            (_TRY_NOW, _STOP),
            after=After(in_a_minute, S.RETRY),
            entry=False,
        ),
        S.RETRY: Do(
            ListFile,
            listing,
            then=S.LISTED,
            otherwise=S.COUNT,
            keep=take_file,
            failed=_SIGN_IN,
            missed=count_try,
        ),
        S.COUNT: Decide(((may_retry, S.STILL_DOWN),), otherwise=S.GAVE_UP),
        S.STILL_DOWN: Choose(
            N_("The ministry's records still do not answer. I keep trying and will write to you."),
            (_TRY_NOW, _STOP),
            after=After(in_a_minute, S.RETRY),
            entry=False,
            silent=True,
        ),
        S.GAVE_UP: Choose(
            N_("The ministry's records did not answer for ten minutes, so I stopped. Nothing was lost."),
            (Go(N_("Try again"), S.LISTING, put=from_zero),),
            rest=True,
        ),
        S.UNKNOWN: End(),
        S.LEFT: End(N_("Stopped. Nothing was paid.")),
    },
)
