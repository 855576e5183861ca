"""What the violations dialog says."""

from datetime import date
from typing import Final

from bot.dialogs.violations.search import Search, payable, settling, several, total, unpayable
from bot.domain import RESIDENCY_PHONE, TRAFFIC_WHATSAPP, Fine, FineKind, Subject, Unpayable
from bot.i18n.text import EMPTY, N_, NP_, Arg, Code, Day, Lines, Money, Msg, lines, masked, say
from bot.parse import civil_id
from bot.spec import (
    Invalid,
    Option,
)

SHOWN: Final = 6
"""Fines listed in one message; more would not be read on a phone."""
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
    if not search.number:
        return say(N_("Your own civil ID {number}"), number=Code(search.own))
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


def doubt_text(search: Search) -> Arg:
    """A number came unasked that is no valid civil ID: what is wrong with it, and what else it may be."""
    fault = civil_id(search.number, date.fromisoformat(search.on))
    what = fault.text if isinstance(fault, Invalid) else say(N_("This number fits a civil ID."))
    return lines(what, say(N_("Or is it your MOI reference number?")))
