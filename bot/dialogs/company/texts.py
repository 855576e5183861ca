"""What the dialog for companies and government bodies says."""

from datetime import date
from typing import Final

from bot.dialogs.company.office import (
    SHOWN,
    WHY,
    Office,
    bill,
    body,
    fines_of,
    insurance_limits,
    is_government,
    total,
    wanted,
)
from bot.dialogs.renewal.blocks import what_blocks
from bot.dialogs.renewal.texts import cap_text, left, years_text
from bot.domain import ItemKind
from bot.i18n.text import EMPTY, N_, NP_, Arg, Code, Day, Hour, Lines, Money, lines, masked, say
from bot.residency.verdict import Candidate
from bot.spec import Option

CHANGED: Final = N_("Something has changed meanwhile, so this cannot be renewed as chosen. Nothing was paid.")
_GUIDE: Final = N_(
    "In this order: health insurance is paid first, at the Ministry of Health; renewal opens when less than two "
    "months remain; the duration follows the insurance; the Latin name is compared with the passport; then the fee."
)


def _date(iso: str) -> Day:
    return Day(date.fromisoformat(iso))


# --- for whom ------------------------------------------------------------------------------------


def nobody_text(_office: Office) -> Arg:
    """How an authorised user is registered (the ministry's user guide, 2020)."""
    return lines(
        say(N_("For your civil ID no company and no government body is on record.")),
        EMPTY,
        say(
            N_(
                "The body's main user adds you by your civil ID on the ministry's page, up to 10 users each; you "
                "open the link sent by e-mail. A company without a main user asks there for a user code, with its "
                "licence, the approved signature and the signatory's civil ID."
            )
        ),
    )


def bodies(office: Office) -> tuple[Option, ...]:
    """Each body with how many workers are due."""
    return tuple(
        Option(str(place), say(N_("{name}, due: {count}"), name=each.name, count=each.due))
        for place, each in enumerate(office.bodies)
    )


def desk_text(office: Office) -> Arg:
    """The chosen body, how many are due, and of a government body the order of things."""
    mine = body(office)
    kind = N_("*{name}*, government body") if mine.government else N_("*{name}*, company")
    parts: list[Arg] = [
        say(kind, name=mine.name),
        say(N_("Unified number {number}"), number=masked(mine.number)),
        say(
            NP_("{n} worker can be renewed by the date.", "{n} workers can be renewed by their dates."),
            n=mine.due,
        ),
    ]
    if mine.government:
        parts += [EMPTY, say(_GUIDE)]
    return Lines((*parts, EMPTY, say(N_("Send the worker's civil ID, or choose:"))))


# --- which worker --------------------------------------------------------------------------------


def due_text(office: Office) -> Arg:
    """The list; whoever has more than it shows can send a file."""
    asked = say(N_("Which worker? Those whose residency ends first stand first."))
    if not office.more:
        return asked
    return lines(
        asked, say(N_("These are the first {count}. All at once: send a list as a file."), count=SHOWN)
    )


def due_options(office: Office) -> tuple[Option, ...]:
    return tuple(
        Option(str(place), say(N_("{name}, {day}"), name=each.name, day=_date(each.expires)))
        for place, each in enumerate(office.due)
    )


def stranger_text(office: Office) -> Arg:
    """Nobody of this body has the number."""
    return say(
        N_(
            "No worker of {name} has the number {number}. Check the number, and for whom the person works; "
            "a transfer takes a while to reach the records. Send another number, or choose:"
        ),
        name=body(office).name,
        number=masked(wanted(office)),
    )


def who(one: Candidate) -> Arg:
    """The worker: the name where there is one, and the masked number."""
    if one.name.ar or one.name.en:
        return say(N_("{name}, civil ID {number}"), name=one.name, number=masked(one.civil_id))
    return say(N_("Civil ID {number}"), number=masked(one.civil_id))


def _head(one: Candidate) -> Arg:
    return say(N_("*{who}*: {days}"), who=who(one), days=left(one))


def blocked_text(office: Office) -> Arg:
    """Every block at once, each with the way to clear it."""
    one = office.worker
    if one is None:
        return say(CHANGED)
    return what_blocks(_head(one), one, fines_of(office))


def fines_label(office: Office) -> Arg:
    return say(N_("Fines: {amount}"), amount=Money(fines_of(office)))


# --- for how long, and for how much --------------------------------------------------------------


def duration_text(office: Office) -> Arg:
    """Whom it is for, that nothing blocks, whether fines are in the amounts, why no longer durations are offered."""
    one = office.worker
    if one is None or not one.offers:
        return say(CHANGED)
    parts: list[Arg] = [_head(one), say(N_("✓ Nothing blocks this renewal."))]
    if one.fines:
        parts.append(say(N_("Each amount includes fines of {amount}."), amount=Money(fines_of(office))))
    if insurance_limits(office) or is_government(office):
        parts.append(cap_text(say(N_("Duration")), one))
    return Lines((*parts, EMPTY, say(N_("For how long?"))))


def durations(office: Office) -> tuple[Option, ...]:
    """Each duration with its total, then the question why not more."""
    offers = office.worker.offers if office.worker is not None else ()
    options = [
        Option(
            str(offer.years),
            say(NP_("{n} year: {amount}", "{n} years: {amount}"), n=offer.years, amount=Money(offer.fils)),
        )
        for offer in offers
    ]
    if offers:
        missing = offers[-1].years + 1
        options.append(Option(WHY, say(NP_("Why not {n} year?", "Why not {n} years?"), n=missing)))
    return tuple(options)


def why_text(office: Office) -> Arg:
    """What keeps the duration from being longer, and what can be done."""
    one = office.worker
    if one is None or not one.offers:
        return say(CHANGED)
    parts: list[Arg] = [cap_text(who(one), one)]
    if insurance_limits(office):
        parts += [
            EMPTY,
            say(
                N_(
                    "A residency is never longer than its insurance. Pay for more years on the insurance page, "
                    "then check again."
                )
            ),
        ]
    return Lines(tuple(parts))


def check_text(office: Office) -> Arg:
    """The worker's data, to be compared with the papers as the ministry's page asks for."""
    one = office.worker
    if one is None:
        return say(CHANGED)
    parts: list[Arg] = [
        say(N_("Check the worker's data; the Latin name letter by letter with the passport:")),
        EMPTY,
        who(one),
        Code(one.latin),
        say(N_("Residency by article {article}, until {day}"), article=one.article, day=_date(one.expires)),
    ]
    if office.passport:
        parts.append(say(N_("Passport valid until {day}"), day=_date(office.passport)))
    if office.work_permit:
        parts.append(say(N_("Work permit valid until {day}"), day=_date(office.work_permit)))
    return Lines(tuple(parts))


def summary_text(office: Office) -> Arg:
    """Who, until when, what it costs, and how long the price holds."""
    items = bill(office).items
    name = who(office.worker) if office.worker is not None else ""
    if office.before:
        head = say(
            N_("The price changed meanwhile: *{total}* instead of {before}."),
            total=Money(total(office)),
            before=Money(office.before),
        )
    else:
        head = say(N_("In all *{total}*"), total=Money(total(office)))
    parts: list[Arg] = [head, EMPTY]
    parts += [
        say(
            N_("{who}: {years}, until {day}: {amount}"),
            who=name,
            years=years_text(item.years),
            day=_date(item.until),
            amount=Money(item.fils),
        )
        for item in items
        if item.kind is ItemKind.RENEWAL
    ]
    if fines := [item for item in items if item.kind is not ItemKind.RENEWAL]:
        parts.append(
            say(
                NP_("{who}, {n} fine: {amount}", "{who}, {n} fines: {amount}"),
                n=len(fines),
                who=name,
                amount=Money(sum(item.fils for item in fines)),
            )
        )
    return Lines((*parts, EMPTY, say(N_("This price holds until {until}."), until=Hour(office.until))))


def pay_label(office: Office) -> Arg:
    return say(N_("Pay {total}"), total=Money(total(office)))


def expired_text(office: Office) -> Arg:
    return lines(
        say(N_("The price held until {until}. Nothing was paid."), until=Hour(office.until)),
        say(N_("I can ask for it anew; your choices are kept.")),
    )
