"""Reminders: residency, passport and health insurance before they end, for each person on one's file; opt-in.

Rules: docs/services/reminders.md.
"""

from enum import StrEnum

import msgspec

from bot.dialogs.reminders.consent import CURRENT
from bot.dialogs.reminders.effects import (
    Dropped,
    DropReminders,
    Ending,
    Known,
    ListReminders,
    Person,
    Remind,
    RemindRefused,
    Wanted,
)
from bot.dialogs.reminders.texts import (
    Wishes,
    chosen_people,
    dropped,
    due_notice,
    kind_options,
    kinds_done,
    one_options,
    open_kinds,
    open_people,
    people_done,
    person_options,
    remembered,
    saved,
    shown,
    terms,
)
from bot.i18n.text import N_
from bot.residency.reminding import Kind
from bot.spec import Choose, Command, Decide, Dialog, Do, End, Fault, Go, Identify, Notice, Pick

__all__ = [
    "DIALOG",
    "DropReminders",
    "Dropped",
    "Ending",
    "Known",
    "ListReminders",
    "Person",
    "Remind",
    "RemindRefused",
    "S",
    "Wanted",
    "Wishes",
]


class S(StrEnum):
    """States."""

    WHO = "who"
    UNSIGNED = "unsigned"
    LOOKING = "looking"
    SHOWN = "shown"
    ADDING = "adding"
    PEOPLE = "people"
    KINDS = "kinds"
    CONSENT = "consent"
    SAVING = "saving"
    SAVED = "saved"
    ONE = "one"
    DROPPING = "dropping"
    DROPPING_ALL = "dropping_all"
    DROPPED = "dropped"
    DOWN = "down"
    LEFT = "left"


def looking(_wishes: Wishes) -> ListReminders:
    return ListReminders()


def take(_wishes: Wishes, known: Known) -> Wishes:
    return Wishes(known)


def remind(wishes: Wishes) -> Remind:
    """What was picked; nothing when only a newer text is agreed to."""
    kinds = {Kind(kind) for kind in wishes.kinds}
    each = ((person, tuple(k for k in open_kinds(person) if k in kinds)) for person in chosen_people(wishes))
    return Remind(
        tuple(Wanted(person.civil_id, theirs) for person, theirs in each if theirs), CURRENT.version
    )


def drop_one(wishes: Wishes) -> DropReminders:
    person, ending = next((who, what) for name, who, what in remembered(wishes) if name == wishes.one)
    return DropReminders(person.permit, ending.kind)


def drop_all(_wishes: Wishes) -> DropReminders:
    return DropReminders()


def take_dropped(wishes: Wishes, done: Dropped) -> Wishes:
    return msgspec.structs.replace(wishes, dropped=done)


def afresh(wishes: Wishes) -> Wishes:
    """Nothing is picked."""
    return Wishes(wishes.known)


def can_add(wishes: Wishes) -> bool:
    return bool(open_people(wishes))


def outdated(wishes: Wishes) -> bool:
    return wishes.known.renew


def has_any(wishes: Wishes) -> bool:
    return any(remembered(wishes))


def holds_any(wishes: Wishes) -> bool:
    """Anybody's: whoever reads this chat may stop what is written to it."""
    return has_any(wishes) or wishes.known.others > 0


def is_one(wishes: Wishes) -> bool:
    return len(open_people(wishes)) == 1


_LIST = Go[Wishes](N_("Reminders"), S.LOOKING)
_ALL = Go[Wishes](N_("Take all back"), S.DROPPING_ALL)

DIALOG = Dialog[Wishes](
    id="reminders",
    version=1,
    title=N_("Reminders"),
    answers=Wishes,
    start=S.WHO,
    cancel=S.LEFT,
    notices={"due": Notice(due_notice, door=Command(N_("Renew residency"), "/renewal"))},
    help=N_("Here you choose whose dates I write about before they end, and take it back again."),
    states={
        S.WHO: Identify(then=S.LOOKING, left=S.UNSIGNED),
        S.UNSIGNED: Choose(
            N_("Reminders are set by whoever is signed in. To end all of this chat you need not be."),
            (Go(N_("Sign in"), S.WHO), _ALL),
            rest=True,
            entry=False,
        ),
        S.LOOKING: Do(
            ListReminders,
            looking,
            then=S.SHOWN,
            otherwise=S.DOWN,
            keep=take,
            failed={Fault.UNSIGNED: S.WHO},
        ),
        S.SHOWN: Choose(
            shown,
            (
                Go(N_("Add"), S.ADDING, when=can_add, put=afresh),
                Go(N_("Agree again"), S.CONSENT, when=outdated, put=afresh, id="renew"),
                Go(N_("Take one back"), S.ONE, when=has_any),
                Go(N_("Take all back"), S.DROPPING_ALL, when=holds_any),
            ),
            noun=N_("Reminders"),
            rest=True,
            entry=False,
        ),
        S.ADDING: Decide(((is_one, S.KINDS),), otherwise=S.PEOPLE),
        S.PEOPLE: Pick(
            N_("Whose dates?"), person_options, into="chosen", then=S.KINDS, done=people_done, back=S.SHOWN
        ),
        S.KINDS: Pick(
            N_("Which dates?"), kind_options, into="kinds", then=S.CONSENT, done=kinds_done, back=S.SHOWN
        ),
        S.CONSENT: Choose(
            terms,
            (Go(N_("I agree"), S.SAVING), Go(N_("No, thank you"), S.SHOWN)),
            noun=N_("Reminders"),
            back=S.SHOWN,
        ),
        S.SAVING: Do(
            Remind,
            remind,
            then=S.SAVED,
            otherwise=S.DOWN,
            keep=take,
            refused=RemindRefused,
            failed={
                RemindRefused.OUTDATED: S.CONSENT,
                RemindRefused.GONE: S.LOOKING,
                Fault.UNSIGNED: S.WHO,
                Fault.FORBIDDEN: S.LOOKING,
            },
        ),
        S.SAVED: Choose(saved, (_LIST,), rest=True, entry=False),
        S.ONE: Pick(N_("Which one?"), one_options, into="one", then=S.DROPPING, back=S.SHOWN),
        S.DROPPING: Do(DropReminders, drop_one, then=S.DROPPED, otherwise=S.DOWN, keep=take_dropped),
        S.DROPPING_ALL: Do(DropReminders, drop_all, then=S.DROPPED, otherwise=S.DOWN, keep=take_dropped),
        S.DROPPED: Choose(dropped, (_LIST,), rest=True, entry=False),
        S.DOWN: Choose(
            N_("Your reminders cannot be reached now. Nothing was changed."),
            (Go(N_("Try again"), S.WHO),),
            entry=False,
        ),
        S.LEFT: End(),
    },
)
