"""Violations: what do I owe? By civil ID or by MOI reference number, then `checkout`.

Sources: the ministry's enquiry pages as described in docs/services/violations.md.
"""

import re
from datetime import date
from enum import StrEnum
from typing import Final

import msgspec

from bot.domain import RESIDENCY_PHONE, TRAFFIC_WHATSAPP, Bill, Fine, FineKind, Item, Subject, Unpayable
from bot.i18n.text import EMPTY, N_, NP_, Arg, Code, Day, Lines, Money, Msg, lines, masked, say
from bot.parse import civil_id, digits, is_civil_id, reference
from bot.ports import Effect
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
    Invalid,
    Opening,
    Option,
    Pick,
)
from bot.spelling import clean


class FindFines(Effect, frozen=True, tag="find_fines"):
    """Ask the registry what is owed. Result: `Owed`. Unknown and clean numbers answer alike."""

    by: Subject
    number: str


class Owed(msgspec.Struct, frozen=True):
    """What the registry answers, oldest fine first."""

    fines: tuple[Fine, ...]


class FindFinesRefused(StrEnum):
    """The registry's refusals that have an answer of their own."""

    BUSY = "busy"  # too many look-ups; try again in a while


SHOWN: Final = 6
"""Fines listed in one message; more would not be read on a phone."""
RETRY_EVERY: Final = 60
"""Seconds between tries while the registry is down."""
RETRIES: Final = 10
_RUNS: Final = re.compile(r"\d[\d\s.\-_/]*\d")
"""Digits in groups, as on the card: ``2850 1150 0029``."""


class S(StrEnum):
    """States."""

    SCOPE = "scope"
    METHOD = "method"
    CIVIL_ID = "civil_id"
    REFERENCE = "reference"
    WHICH = "which"
    DOUBT = "doubt"
    CHECK = "check"
    FINDING = "finding"
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


class Search(msgspec.Struct, frozen=True):
    """What the resident asked and what was found.

    Attributes:
        scope: a `FineKind` value, or empty for every kind.
        on: the day of the question, ISO 8601, for a number that was sent without being asked for.
        tries: failed look-ups in a row.
    """

    scope: str = ""
    by: Subject = Subject.CIVIL_ID
    number: str = ""
    on: str = ""
    fines: tuple[Fine, ...] = ()
    chosen: tuple[str, ...] = ()
    tries: int = 0


# --- what the answers say ------------------------------------------------------------------------


def shown(search: Search) -> tuple[Fine, ...]:
    """The fines of the kind asked for."""
    return tuple(fine for fine in search.fines if search.scope in ("", fine.kind))


def payable(search: Search) -> tuple[Fine, ...]:
    """Those the registry lets be paid online."""
    return tuple(fine for fine in shown(search) if fine.payable)


def unpayable(search: Search) -> tuple[Fine, ...]:
    """Those it does not, but for those just paid."""
    return tuple(fine for fine in shown(search) if not fine.payable and fine.barrier != Unpayable.SETTLING)


def settling(search: Search) -> tuple[Fine, ...]:
    """Those paid a moment ago, which the records still show."""
    return tuple(fine for fine in shown(search) if fine.barrier == Unpayable.SETTLING)


def none_owed(search: Search) -> bool:
    """Nothing of the kind asked for, but perhaps what was just paid."""
    return not payable(search) and not unpayable(search)


def none_payable(search: Search) -> bool:
    """Something is owed, and none of it can be paid here."""
    return not payable(search)


def several(search: Search) -> bool:
    """There is something to choose among."""
    return len(payable(search)) > 1


def total(fines: tuple[Fine, ...]) -> int:
    """Their sum in fils."""
    return sum(fine.fils for fine in fines)


# --- what changes the answers --------------------------------------------------------------------


def only_residency(search: Search) -> Search:
    return msgspec.structs.replace(search, scope=FineKind.RESIDENCY)


def only_traffic(search: Search) -> Search:
    return msgspec.structs.replace(search, scope=FineKind.TRAFFIC)


def every_kind(search: Search) -> Search:
    return msgspec.structs.replace(search, scope="")


def by_civil_id(search: Search) -> Search:
    return msgspec.structs.replace(search, by=Subject.CIVIL_ID)


def by_reference(search: Search) -> Search:
    return msgspec.structs.replace(search, by=Subject.REFERENCE)


def everything(search: Search) -> Search:
    return msgspec.structs.replace(search, chosen=tuple(fine.id for fine in payable(search)))


def reference_found(search: Search, number: str) -> Search:
    return msgspec.structs.replace(search, by=Subject.REFERENCE, number=number)


def take_fines(search: Search, owed: Owed) -> Search:
    return msgspec.structs.replace(search, fines=owed.fines, chosen=(), tries=0)


def count_try(search: Search) -> Search:
    return msgspec.structs.replace(search, tries=search.tries + 1)


def from_zero(search: Search) -> Search:
    return msgspec.structs.replace(search, tries=0)


# --- questions -----------------------------------------------------------------------------------

_KINDS: Final = {FineKind.RESIDENCY: N_("Residency"), FineKind.TRAFFIC: N_("Traffic")}
_BARRIERS: Final[dict[str, Msg]] = {
    Unpayable.COURT: N_("it has gone to court; ask the General Traffic Department"),
    Unpayable.IMPOUND: N_("the vehicle must be inspected first; visit the General Traffic Department"),
    Unpayable.OFFICE: N_("it is paid at the department's counter only"),
    Unpayable.OTHER: N_("the ministry's records do not open it for payment; ask the department"),
}


def contacts() -> Arg:
    return say(
        N_("General Traffic Department, WhatsApp {traffic}\nResidency Affairs {residency}"),
        traffic=Code(TRAFFIC_WHATSAPP),
        residency=Code(RESIDENCY_PHONE),
    )


def subject(search: Search) -> Arg:
    """Whose fines: the masked number."""
    if search.by is Subject.REFERENCE:
        return say(N_("MOI reference number {number}"), number=masked(search.number))
    return say(N_("Civil ID {number}"), number=masked(search.number))


def line(number: int, fine: Fine) -> Arg:
    """One fine: what, when, how much."""
    return say(
        N_("{number}. {kind}: {title}\n{day}, *{amount}*"),
        number=number,
        kind=say(_KINDS[fine.kind]),
        title=fine.title,
        day=Day(date.fromisoformat(fine.on)),
        amount=Money(fine.fils),
    )


def listing(fines: tuple[Fine, ...]) -> tuple[Arg, ...]:
    """The first fines, one below the other, and how many more there are."""
    parts: list[Arg] = [line(number, fine) for number, fine in enumerate(fines[:SHOWN], 1)]
    if len(fines) > SHOWN:
        parts.append(say(NP_("and {n} more", "and {n} more"), n=len(fines) - SHOWN))
    return tuple(parts)


def recording(search: Search) -> tuple[Arg, ...]:
    """A line on what was paid a moment ago, where something was."""
    count = len(settling(search))
    if not count:
        return ()
    return (
        EMPTY,
        say(
            NP_(
                "{n} violation was paid a moment ago. The records follow within 15 minutes; do not pay it again.",
                "{n} violations were paid a moment ago. The records follow within 15 minutes; do not pay them again.",
            ),
            n=count,
        ),
    )


def owed_text(search: Search) -> Arg:
    """The list of what is owed."""
    fines, others = payable(search), unpayable(search)
    parts: list[Arg] = [
        subject(search),
        say(
            NP_(
                "It has {n} violation that can be paid here: *{total}*",
                "It has {n} violations that can be paid here, in all *{total}*",
            ),
            n=len(fines),
            total=Money(total(fines)),
        ),
        EMPTY,
        *listing(fines),
    ]
    if others:
        parts += [
            EMPTY,
            say(
                NP_(
                    "{n} other violation cannot be paid online.",
                    "{n} other violations cannot be paid online.",
                ),
                n=len(others),
            ),
        ]
    return Lines((*parts, *recording(search)))


def clean_text(search: Search) -> Arg:
    """Nothing owed; a clean number and an unknown one read the same."""
    what = {
        "": N_("There are no recorded violations on it."),
        FineKind.RESIDENCY: N_("There are no recorded residency violations on it."),
        FineKind.TRAFFIC: N_("There are no recorded traffic violations on it."),
    }
    said = N_("Nothing else is owed on it.") if settling(search) else what[search.scope]
    return lines(subject(search), say(said), *recording(search))


def reasons(search: Search) -> tuple[Arg, ...]:
    """Each unpayable fine with its reason."""
    return tuple(
        lines(
            line(number, fine),
            say(N_("Why: {reason}."), reason=say(_BARRIERS.get(fine.barrier, _BARRIERS[Unpayable.OTHER]))),
        )
        for number, fine in enumerate(unpayable(search)[:SHOWN], 1)
    )


def unpayable_text(search: Search) -> Arg:
    """Owed, but nothing of it payable here."""
    fines = unpayable(search)
    return Lines(
        (
            subject(search),
            say(
                NP_(
                    "It has {n} violation, *{total}*, which cannot be paid online.",
                    "It has {n} violations, in all *{total}*, none of which can be paid online.",
                ),
                n=len(fines),
                total=Money(total(fines)),
            ),
            EMPTY,
            *reasons(search),
            EMPTY,
            contacts(),
            *recording(search),
        )
    )


def why_text(search: Search) -> Arg:
    """Why some cannot be paid online."""
    return Lines(
        (
            *reasons(search),
            EMPTY,
            contacts(),
        )
    )


def pay_all(search: Search) -> Arg:
    """The label of paying everything."""
    if several(search):
        return say(N_("Pay all {total}"), total=Money(total(payable(search))))
    return say(N_("Pay {total}"), total=Money(total(payable(search))))


def why_label(search: Search) -> Arg:
    """The label of the question why."""
    count = len(unpayable(search))
    return say(NP_("Why not that one?", "Why not those {n}?"), n=count)


def has_unpayable(search: Search) -> bool:
    """Something cannot be paid online."""
    return bool(unpayable(search))


def options(search: Search) -> tuple[Option, ...]:
    """The payable fines as choices."""
    return tuple(
        Option(fine.id, say(N_("{amount}, {title}"), title=fine.title, amount=Money(fine.fils)))
        for fine in payable(search)
    )


def pay_chosen(search: Search, picked: tuple[str, ...]) -> Arg:
    """The label of paying what was picked."""
    fines = tuple(fine for fine in payable(search) if fine.id in picked)
    return say(N_("Pay {total}"), total=Money(total(fines)))


def bill(search: Search) -> Bill:
    """What `checkout` is given."""
    items = tuple(
        Item(fine.id, fine.kind, fine.title, fine.fils)
        for fine in payable(search)
        if fine.id in search.chosen
    )
    return Bill(masked(search.number).text, items)


def doubt_text(search: Search) -> Arg:
    """A number came unasked that is no valid civil ID: what is wrong with it, and what else it may be."""
    fault = civil_id(search.number, date.fromisoformat(search.on))
    what = fault.text if isinstance(fault, Invalid) else say(N_("This number fits a civil ID."))
    return lines(what, say(N_("Or is it your MOI reference number?")))


def may_be_civil_id(search: Search) -> bool:
    """Twelve digits given as a reference number that pass every check of a civil ID."""
    return is_civil_id(search.number, date.max)


# --- whole requests ------------------------------------------------------------------------------


def number_in(text: str, today: date) -> Search | None:
    """A valid civil ID, alone or among words ("do I have fines 2850…")."""
    written = (text, *text.split(), *_RUNS.findall(clean(text)))
    found = {number for number in (civil_id(run, today) for run in written) if isinstance(number, str)}
    return Search(number=found.pop()) if len(found) == 1 else None


def doubtful_number(text: str, today: date) -> Search | None:
    """A message of digits only that is no valid civil ID, but about as long."""
    number = digits(text)
    plausible = 6 <= len(number) <= 14 and number.isascii() and number.isdigit()  # noqa: PLR2004
    return Search(number=number, on=today.isoformat()) if plausible else None


def deep_link(argument: str, today: date) -> Search | None:
    """``/start pay-<reference>``: an operator's link to the list of one MOI reference number."""
    prefix, _, number = argument.partition("-")
    found = reference(number, today) if prefix == "pay" else None
    return Search(by=Subject.REFERENCE, number=found) if isinstance(found, str) else None


def find(search: Search) -> FindFines:
    """The look-up."""
    return FindFines(search.by, search.number)


def in_a_minute(_search: Search, now: int) -> int:
    """When to try again."""
    return now + RETRY_EVERY


def may_retry(search: Search) -> bool:
    """Not yet tried long enough."""
    return search.tries <= RETRIES


DIALOG = Dialog[Search](
    id="violations",
    version=1,
    title=N_("Violations"),
    answers=Search,
    start=S.SCOPE,
    cancel=S.LEFT,
    openings=(
        Opening(number_in, S.LOOKUP),
        Opening(doubtful_number, S.DOUBT),
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
            ),
            noun=N_("Look-up by"),
            listens=True,
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
        S.LOOKUP: Do(
            FindFines,
            find,
            then=S.FOUND,
            otherwise=S.DOWN,
            keep=take_fines,
            refused=FindFinesRefused,
            failed={FindFinesRefused.BUSY: S.BUSY},
            slow=N_("The ministry's records are slow today; I am still asking."),
        ),
        S.FOUND: Decide(((none_owed, S.CLEAN), (none_payable, S.UNPAYABLE)), otherwise=S.OWED),
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
        S.RETRY: Do(FindFines, find, then=S.FOUND, otherwise=S.COUNT, keep=take_fines, missed=count_try),
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
