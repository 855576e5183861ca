"""Find reference: which is my MOI reference number? Called by others; returns the number."""

from datetime import date
from enum import StrEnum
from typing import Any

import msgspec

from bot.dialogs.verify import Held
from bot.i18n.text import N_, Arg, Code, say
from bot.parse import civil_id, day, passport
from bot.ports import Effect
from bot.spec import Ask, Call, Choose, Decide, Dialog, Do, End, Go


class FindReference(Effect, frozen=True, tag="find_reference"):
    """Ask the registry for the MOI reference number. Result: `Reference`, or `Held`.

    Source of the three fields: the ministry's reference-number enquiry (civil ID, passport number,
    passport expiry date).
    """

    civil_id: str
    passport: str
    expiry: str  # ISO 8601 date


class Reference(msgspec.Struct, frozen=True):
    """The number found: 6 to 12 digits."""

    number: str


class FindReferenceRefused(StrEnum):
    """The registry's refusals."""

    NO_MATCH = "no_match"  # the three do not belong together, or nobody has them


class S(StrEnum):
    """States."""

    CIVIL_ID = "civil_id"
    PASSPORT = "passport"
    EXPIRY = "expiry"
    LOOKUP = "lookup"
    ANSWERED = "answered"
    HELD = "held"
    NO_MATCH = "no_match"
    DOWN = "down"
    FOUND = "found"
    LEFT = "left"


class Holder(msgspec.Struct, frozen=True):
    """Whose number is looked for."""

    civil_id: str = ""
    passport: str = ""
    expiry: date = date.min
    number: str = ""
    held: Held | None = None


def find(holder: Holder) -> FindReference:
    """The look-up."""
    return FindReference(holder.civil_id, holder.passport, holder.expiry.isoformat())


def found(holder: Holder, answer: Reference | Held) -> Holder:
    """Keep the number; the passport is not needed any more, unless nothing was looked up yet."""
    if isinstance(answer, Held):
        return msgspec.structs.replace(holder, held=answer)
    return msgspec.structs.replace(forgotten(holder), number=answer.number)


def is_held(holder: Holder) -> bool:
    """Open look-ups are used up for now."""
    return holder.held is not None


def hold(holder: Holder) -> Held:
    """What `verify` is given."""
    return holder.held or Held()


def forgotten(holder: Holder) -> Holder:
    """The answer came, if not the one wished for: the passport is not kept."""
    return msgspec.structs.replace(holder, passport="", expiry=date.min, held=None)


def found_text(holder: Holder) -> Arg:
    """The number, to be kept."""
    return say(N_("Your MOI reference number, to keep:\n{number}"), number=Code(holder.number))


def number(holder: Holder) -> str:
    """What the caller is given."""
    return holder.number


def as_before(answers: dict[str, Any]) -> dict[str, Any]:
    """Version 2 adds what happens when open look-ups are used up."""
    return answers


DIALOG = Dialog[Holder](
    id="find_reference",
    version=2,
    migrations={1: as_before},
    title=N_("My MOI reference number"),
    answers=Holder,
    start=S.CIVIL_ID,
    cancel=S.LEFT,
    help=N_("The MOI reference number is found by civil ID, passport number and the passport's expiry date."),
    states={
        S.CIVIL_ID: Ask(
            N_("To find the reference number: enter the 12-digit civil ID."),
            parse=civil_id,
            into="civil_id",
            then=S.PASSPORT,
            hint=N_(
                "The civil ID is printed on the front of the civil ID card and shown in the Kuwait Mobile ID app."
            ),
        ),
        S.PASSPORT: Ask(
            N_(
                "Enter the passport number. I delete your message where the app lets me, and keep the number only until the answer comes."
            ),
            parse=passport,
            into="passport",
            then=S.EXPIRY,
            hint=N_("It stands at the top right of the page with your photo. Mind O and 0."),
            secret=True,
        ),
        S.EXPIRY: Ask(
            N_("When does the passport expire? For example 12/03/2027."),
            parse=day,
            into="expiry",
            then=S.LOOKUP,
            hint=N_("Day first, then month, then year."),
        ),
        S.LOOKUP: Do(
            FindReference,
            find,
            then=S.ANSWERED,
            otherwise=S.DOWN,
            keep=found,
            refused=FindReferenceRefused,
            failed={FindReferenceRefused.NO_MATCH: S.NO_MATCH},
            slow=N_("The ministry's records are slow today; I am still asking."),
        ),
        S.ANSWERED: Decide(((is_held, S.HELD),), otherwise=S.FOUND),
        S.HELD: Call("verify", given=hold, then=S.LOOKUP, left=S.LEFT),
        S.NO_MATCH: Choose(
            N_("The records hold nobody with these three together. One of them may have a slip in it."),
            (Go(N_("Enter them again"), S.CIVIL_ID, put=forgotten),),
            entry=False,
        ),
        S.DOWN: Choose(
            N_("The ministry's records do not answer now. Nothing is lost."),
            (Go(N_("Try again"), S.LOOKUP),),
            entry=False,
        ),
        S.FOUND: End(found_text, value=number),
        S.LEFT: End(N_("Stopped. Nothing was looked up.")),
    },
)
