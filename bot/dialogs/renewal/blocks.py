"""What each block on a renewal means and how it is cleared, one fact a line."""

from datetime import date
from typing import Final

from bot.domain import RESIDENCY_PHONE, TRAFFIC_WHATSAPP
from bot.i18n.text import EMPTY, N_, NP_, Arg, Code, Day, Lines, Ltr, Money, Msg, say
from bot.residency.verdict import Barrier, Block, Candidate
from bot.residency.words import CREDITORS

_ASK_EMPLOYER: Final = N_("The employer renews it at the Public Authority of Manpower (Ashal).")
_ASK_RESIDENCY: Final = N_("Residency Affairs tells what is needed.")
_HOW: Final[dict[Block, Msg]] = {
    Block.DEBTS: N_("Pay it in the Sahel app, then check again."),
    Block.INSURANCE: N_("Pay it on the insurance page, then check again."),
    Block.PASSPORT_EXPIRY: N_("Renew it at the embassy, then have its data moved on the ministry's page."),
    Block.PASSPORT_DATA: N_(
        "Ask for “passport data transfer” on the ministry's page. "
        "Have copies of both passports and the civil ID card ready."
    ),
    Block.LATIN_NAME: N_(
        "Ask for “Latin name correction” on the ministry's page. Have a copy of the passport ready."
    ),
    Block.WORK_PERMIT: _ASK_EMPLOYER,
    Block.SPONSOR_FILE: N_("The sponsor or employer can see it there and clear it."),
    Block.ABSENCE_REPORT: N_("The Public Authority of Manpower or Residency Affairs says what can be done."),
    Block.BIOMETRIC: N_("Book an appointment in Sahel or Meta."),
    Block.ABROAD: _ASK_RESIDENCY,
    Block.MEDICAL: _ASK_RESIDENCY,
    Block.PHOTO: _ASK_RESIDENCY,
    Block.ADDRESS: N_("Update it at the Public Authority for Civil Information, or in Sahel."),
    Block.EMPLOYER: N_("Remind them in time. Your family's can be renewed here."),
    Block.UNDERWAY: N_("That takes up to 15 minutes as a rule. Do not pay again."),
    Block.FEE: N_("Residency Affairs can name it; I do not guess."),
    Block.OTHER: N_("The department can explain it; I do not guess."),
}
_ASKED: Final = frozenset(
    {
        Block.SPONSOR_FILE,
        Block.ABSENCE_REPORT,
        Block.ABROAD,
        Block.MEDICAL,
        Block.PHOTO,
        Block.FEE,
        Block.OTHER,
    }
)
"""Blocks that somebody has to be asked about: a phone number is given."""


def _day(iso: str) -> Day:
    return Day(date.fromisoformat(iso))


def _fines(barrier: Barrier) -> tuple[Arg, ...]:
    what = (
        say(N_("Fines of *{amount}* cannot be paid online."), amount=Money(barrier.fils))
        if barrier.fils
        else say(N_("There are fines that cannot be paid online."))
    )
    return (
        what,
        say(
            N_("Residency Affairs {residency}, traffic WhatsApp {traffic}"),
            residency=Code(RESIDENCY_PHONE),
            traffic=Code(TRAFFIC_WHATSAPP),
        ),
    )


def _debts(barrier: Barrier) -> tuple[Arg, ...]:
    creditor = say(CREDITORS[barrier.creditor])
    if barrier.fils:
        return (say(N_("Owed to {creditor}: *{amount}*"), creditor=creditor, amount=Money(barrier.fils)),)
    return (say(N_("Something is owed to {creditor}."), creditor=creditor),)


def _insurance(barrier: Barrier) -> tuple[Arg, ...]:
    if barrier.day and barrier.until:
        what = say(
            N_("Health insurance is paid until {day} only; it must reach {until}."),
            day=_day(barrier.day),
            until=_day(barrier.until),
        )
    elif barrier.day:
        what = say(N_("Health insurance is paid until {day} only."), day=_day(barrier.day))
    else:
        what = say(N_("Health insurance is not paid."))
    cost = (say(N_("A year costs {amount}."), amount=Money(barrier.fils)),) if barrier.fils else ()
    return (what, *cost)


def _passport(barrier: Barrier) -> tuple[Arg, ...]:
    if barrier.day and barrier.until:
        return (
            say(
                N_("The passport ends on {day}; it must be valid until {until} at least."),
                day=_day(barrier.day),
                until=_day(barrier.until),
            ),
        )
    return (say(N_("The passport is valid for too short a time.")),)


def _name(barrier: Barrier) -> tuple[Arg, ...]:
    what = say(N_("The Latin name differs from the passport."))
    if not (barrier.written and barrier.printed):
        return (what,)
    return (
        what,
        say(N_("On the residency: {name}"), name=Ltr(barrier.written)),
        say(N_("In the passport: {name}"), name=Ltr(barrier.printed)),
    )


def _work_permit(barrier: Barrier) -> tuple[Arg, ...]:
    if barrier.day:
        return (say(N_("The work permit is valid until {day} only."), day=_day(barrier.day)),)
    return (say(N_("There is no valid work permit.")),)


def _abroad(barrier: Barrier) -> tuple[Arg, ...]:
    if barrier.day:
        return (
            say(
                N_("Abroad since {day}, longer than the law allows without an absence permit."),
                day=_day(barrier.day),
            ),
        )
    return (say(N_("Longer abroad than the law allows without an absence permit.")),)


_WHAT: Final[dict[Block, Msg]] = {
    Block.PASSPORT_DATA: N_("The new passport's data are not on the residency yet."),
    Block.SPONSOR_FILE: N_("The sponsor's or employer's own file is blocked."),
    Block.ABSENCE_REPORT: N_("An absence report is on record."),
    Block.BIOMETRIC: N_("The biometric fingerprint has not been taken."),
    Block.MEDICAL: N_("A medical examination is missing."),
    Block.PHOTO: N_("A newer personal photo is asked for."),
    Block.ADDRESS: N_("The address on record is out of date."),
    Block.EMPLOYER: N_("The employer renews a work residency, not you yourself."),
    Block.UNDERWAY: N_("This renewal is being paid or recorded just now."),
    Block.FEE: N_("The published fees do not name this case."),
    Block.OTHER: N_("The ministry's records give a reason of their own."),
}


def _what(barrier: Barrier) -> tuple[Arg, ...]:
    match barrier.block:
        case Block.WINDOW:
            if barrier.day:
                return (say(N_("It is too early: renewal opens on {day}."), day=_day(barrier.day)),)
            return (say(N_("It is too early for renewal.")),)
        case Block.FINES:
            return _fines(barrier)
        case Block.DEBTS:
            return _debts(barrier)
        case Block.INSURANCE:
            return _insurance(barrier)
        case Block.PASSPORT_EXPIRY:
            return _passport(barrier)
        case Block.LATIN_NAME:
            return _name(barrier)
        case Block.WORK_PERMIT:
            return _work_permit(barrier)
        case Block.ABROAD:
            return _abroad(barrier)
        case _:
            return (say(_WHAT[barrier.block]),)


def _contact(barrier: Barrier) -> tuple[Arg, ...]:
    """Whom to ask: the registry's own word, else Residency Affairs where somebody must be asked."""
    named = barrier.department.ar or barrier.department.en
    if named and barrier.phone:
        return (
            say(N_("{department}, phone {phone}"), department=barrier.department, phone=Code(barrier.phone)),
        )
    if named:
        return (say(N_("Ask here: {department}"), department=barrier.department),)
    if barrier.phone or barrier.block in _ASKED:
        return (say(N_("Residency Affairs, phone {phone}"), phone=Code(barrier.phone or RESIDENCY_PHONE)),)
    return ()


def block_text(number: int, barrier: Barrier) -> Arg:
    """One block: what it is, how it is cleared, whom to ask."""
    what, *more = _what(barrier)
    how = _HOW.get(barrier.block)
    return Lines(
        (
            say(N_("{number}. {what}"), number=number, what=what),
            *more,
            *((say(how),) if how else ()),
            *_contact(barrier),
        )
    )


def what_blocks(head: Arg, one: Candidate, fils: int) -> Arg:
    """Every block on one person's renewal, each with the way to clear it, and what can be paid here besides.

    Args:
        head: who it is.
        one: the person.
        fils: sum of the person's fines.
    """
    parts: list[Arg] = [
        head,
        say(NP_("Before the renewal, {n} thing:", "Before the renewal, {n} things:"), n=len(one.barriers)),
    ]
    for number, barrier in enumerate(one.barriers, 1):
        parts += [EMPTY, block_text(number, barrier)]
    if one.fines:
        parts += [
            EMPTY,
            say(
                NP_(
                    "Besides, {n} fine of {amount} can be paid here now.",
                    "Besides, {n} fines, {amount} in all, can be paid here now.",
                ),
                n=len(one.fines),
                amount=Money(fils),
            ),
        ]
    return Lines(tuple(parts))
