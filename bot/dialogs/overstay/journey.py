"""What is said before a journey: everything that stands in the way, each with what to do and where."""

from datetime import date
from typing import Final

from bot.dialogs.overstay.effects import Clearance
from bot.dialogs.overstay.stay import Question, total
from bot.dialogs.overstay.texts import recording
from bot.domain import RESIDENCY_PHONE, TRAFFIC_WHATSAPP, FineKind
from bot.i18n.text import EMPTY, N_, NP_, Arg, Code, Day, Lines, Money, Msg, say
from bot.residency.travel import Found, Hurdle
from bot.residency.words import CREDITORS

JUSTICE_PAGE: Final = "https://eservices.moj.gov.kw/"
"""The Ministry of Justice's enquiry of travel bans (several public guides agree, read 2026-11)."""


def _day(iso: str) -> Day:
    return Day(date.fromisoformat(iso))


def _fines(one: Found) -> Arg:
    if one.kind == FineKind.TRAFFIC:
        return say(N_("Traffic violations, payable here: *{amount}*"), amount=Money(one.fils))
    return say(N_("Residency violations, payable here: *{amount}*"), amount=Money(one.fils))


def _barred(one: Found) -> Arg:
    if one.kind == FineKind.TRAFFIC:
        return say(
            N_("Traffic violations not payable online: *{amount}*. Traffic Department, WhatsApp {phone}"),
            amount=Money(one.fils),
            phone=Code(TRAFFIC_WHATSAPP),
        )
    return say(
        N_("Residency violations not payable online: *{amount}*. Residency Affairs, phone {phone}"),
        amount=Money(one.fils),
        phone=Code(RESIDENCY_PHONE),
    )


def _debt(one: Found) -> Arg:
    creditor = say(CREDITORS[one.creditor])
    owed = (
        say(N_("Owed to {creditor}: *{amount}*"), creditor=creditor, amount=Money(one.fils))
        if one.fils
        else say(N_("Something is owed to {creditor}."), creditor=creditor)
    )
    must = N_("It must be paid before leaving, in the Sahel app or there.")
    may = N_("It may keep you from leaving: pay it in the Sahel app or ask there.")
    return Lines((owed, say(must if one.must else may)))


def _exit_permit(one: Found) -> Arg:
    if one.day:
        return say(
            N_(
                "The exit permit ended on {day}. Ask for a new one in the Sahel app; the employer agrees there."
            ),
            day=_day(one.day),
        )
    return say(
        N_("There is no exit permit (article 18). Ask for it in the Sahel app; the employer agrees there.")
    )


_WHAT: Final[dict[Hurdle, Msg]] = {
    Hurdle.BAN: N_(
        "A travel ban is recorded. It comes from a court or the prosecution; the enquiry below says which."
    ),
    Hurdle.RESIDENCY: N_(
        "The residency ended on {day}. How to settle that before leaving: Residency Affairs, phone {phone}"
    ),
    Hurdle.PASSPORT: N_("The passport ended on {day}. The embassy renews it."),
    Hurdle.ABROAD: N_(
        "Longer abroad than the law allows, since {day}; the residency may have lapsed. Residency Affairs, phone {phone}"
    ),
    Hurdle.BIOMETRIC: N_(
        "The biometric fingerprint has not been taken. Book an appointment in Sahel or Meta."
    ),
}


def line(one: Found) -> Arg:
    """One hurdle: what it is, what to do and where."""
    match one.hurdle:
        case Hurdle.FINES:
            return _fines(one)
        case Hurdle.BARRED:
            return _barred(one)
        case Hurdle.DEBT:
            return _debt(one)
        case Hurdle.EXIT_PERMIT:
            return _exit_permit(one)
        case _:
            day = _day(one.day) if one.day else ""
            return say(_WHAT[one.hurdle], day=day, phone=Code(RESIDENCY_PHONE))


def hurdles_text(question: Question) -> Arg:
    """Everything at once."""
    clearance = question.clearance
    if clearance is None:
        return EMPTY
    return Lines(
        (
            say(N_("Your own civil ID {number}"), number=Code(clearance.subject)),
            say(
                NP_("{n} thing stands before a journey:", "{n} things stand before a journey:"),
                n=len(clearance.found),
            ),
            *(
                say(N_("{number}. {what}"), number=number, what=line(one))
                for number, one in enumerate(clearance.found, 1)
            ),
            *((EMPTY, *recording(clearance.settling)) if clearance.settling else ()),
        )
    )


def clear_text(question: Question) -> Arg:
    """Nothing is recorded: that in one line, what records may not show, and until when to be back."""
    clearance = question.clearance
    if clearance is None:
        return EMPTY
    return Lines(
        (
            say(N_("Your own civil ID {number}"), number=Code(clearance.subject)),
            say(N_("✓ Nothing that keeps you from leaving is recorded. A court's ban may not show here.")),
            *recording(clearance.settling),
            *_stay_away(clearance),
        )
    )


def _stay_away(clearance: Clearance) -> tuple[Arg, ...]:
    """How long one may be away, and that the residency lasts so long."""
    parts: list[Arg] = []
    if clearance.abroad_since:
        parts.append(say(N_("Abroad since {day}."), day=_day(clearance.abroad_since)))
    if clearance.back_by:
        parts.append(
            say(
                N_("Be back by {day}: longer ends the residency, without an absence permit given before."),
                day=_day(clearance.back_by),
            )
        )
    if not clearance.back_by or clearance.expires < clearance.back_by:
        parts.append(say(N_("The residency itself lasts until {day}."), day=_day(clearance.expires)))
    return (EMPTY, *parts)


def justice_page(_question: Question) -> str:
    """Where travel bans are enquired about."""
    return JUSTICE_PAGE


def pay_fines(question: Question) -> Arg:
    """The label of paying every fine that can be paid here."""
    fines = question.clearance.fines if question.clearance else ()
    return say(N_("Pay {total}"), total=Money(total(fines)))
