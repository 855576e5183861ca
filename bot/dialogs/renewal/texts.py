"""What the renewal dialog says of the file and of the people on it, up to the choice of a duration."""

from datetime import date
from typing import Final

from bot.dialogs.renewal.blocks import what_blocks
from bot.dialogs.renewal.choices import (
    ALL,
    EACH,
    WHY,
    asked_for,
    common,
    digit,
    fines_total,
    limiting,
    longest,
    may_ask_why,
    may_differ,
)
from bot.dialogs.renewal.effects import QuoteRefused
from bot.dialogs.renewal.file import (
    GONE,
    SHOWN,
    Renewing,
    Standing,
    blocked,
    chosen,
    fines_of,
    person,
    ready,
    standing,
)
from bot.i18n.text import EMPTY, N_, NP_, Arg, Day, Lines, Money, Msg, lines, say
from bot.residency.facts import Kin
from bot.residency.verdict import Block, Candidate, Cap, Offer
from bot.residency.words import KINS
from bot.spec import Option

_NEWS: Final[dict[str, Msg]] = {
    QuoteRefused.BLOCKED: N_("Meanwhile something blocks one of those chosen. Nothing was paid."),
    QuoteRefused.NOT_OFFERED: N_(
        "A duration that was chosen is not offered any more. Nothing was paid; please choose again."
    ),
    GONE: N_("Somebody who was chosen is not on your file any more. Nothing was paid."),
}
_NAMELESS: Final = frozenset(Kin) - {Kin.OTHER, Kin.WORKER, Kin.DOMESTIC}
"""Kin that say who is meant, as long as the file has only one of them."""


def who(renewing: Renewing, one: Candidate) -> Arg:
    """The relation; with the name where that alone does not say who is meant."""
    kin = say(KINS[one.kin])
    alone = sum(other.kin is one.kin for other in renewing.people) == 1
    if (alone and one.kin in _NAMELESS) or not (one.name.ar or one.name.en):
        return kin
    return say(N_("{kin} {name}"), kin=kin, name=one.name)


def _date(iso: str) -> Day:
    return Day(date.fromisoformat(iso))


def left(one: Candidate) -> Arg:
    """How many days are left, or since when it is over."""
    if one.days < 0:
        return say(NP_("ended {n} day ago", "ended {n} days ago"), n=-one.days)
    if one.days == 0:
        return say(N_("ends today"))
    return say(NP_("ends in {n} day", "ends in {n} days"), n=one.days)


def line(renewing: Renewing, one: Candidate) -> Arg:
    """One person: who, days left, whether it can be renewed."""
    name, days = who(renewing, one), left(one)
    match standing(one):
        case Standing.READY:
            return say(N_("✓ {who}: {days}; can be renewed now"), who=name, days=days)
        case Standing.BLOCKED:
            blocks = say(NP_("{n} block", "{n} blocks"), n=len(one.barriers))
            return say(N_("✕ {who}: {days}; {blocks}"), who=name, days=days, blocks=blocks)
        case Standing.LATER:
            opens = next((each.day for each in one.barriers if each.block is Block.WINDOW), "")
            if opens:
                return say(
                    N_("· {who}: {days}; renewal opens on {day}"), who=name, days=days, day=_date(opens)
                )
            return say(N_("· {who}: {days}; too early for renewal"), who=name, days=days)
        case Standing.EMPLOYER:
            return say(N_("· {who}: {days}; the employer renews it"), who=name, days=days)
        case _:
            return say(N_("· {who}: {days}; being recorded just now"), who=name, days=days)


def _news(renewing: Renewing) -> tuple[Arg, ...]:
    said = _NEWS.get(renewing.news)
    return (say(said), EMPTY) if said else ()


def file_text(renewing: Renewing) -> Arg:
    """Everyone on the file, one line each."""
    people = renewing.people
    parts: list[Arg] = [
        *_news(renewing),
        say(NP_("{n} residency on your file:", "{n} residencies on your file:"), n=len(people)),
        *(line(renewing, one) for one in people[:SHOWN]),
    ]
    if len(people) > SHOWN:
        parts.append(say(NP_("and {n} more person", "and {n} more people"), n=len(people) - SHOWN))
    if len(people) == 1 and people[0].kin is Kin.SELF:
        parts += [EMPTY, say(N_("Nobody else is on it: those you sponsor would stand here, too."))]
    return Lines(tuple(parts))


def renew_label(renewing: Renewing) -> Arg:
    return say(NP_("Renew the ready one", "Renew the {n} ready"), n=len(ready(renewing)))


def block_label(renewing: Renewing) -> Arg:
    """The one person's blocks, by their number."""
    count = len(renewing.people[int(blocked(renewing)[0])].barriers)
    return say(NP_("What is the block?", "What are the {n} blocks?"), n=count)


def _option(renewing: Renewing, place: str) -> Option:
    one = renewing.people[int(place)]
    return Option(place, say(N_("{who}: {days}"), who=who(renewing, one), days=left(one)))


def blocked_options(renewing: Renewing) -> tuple[Option, ...]:
    return tuple(_option(renewing, place) for place in blocked(renewing))


def people_options(renewing: Renewing) -> tuple[Option, ...]:
    return tuple(_option(renewing, str(place)) for place in range(len(renewing.people)))


def ready_options(renewing: Renewing) -> tuple[Option, ...]:
    return tuple(_option(renewing, place) for place in ready(renewing))


def some_done(_renewing: Renewing, picked: tuple[str, ...]) -> Arg:
    return say(NP_("Renew the one picked", "Renew the {n} picked"), n=len(picked))


def person_text(renewing: Renewing) -> Arg:
    """One person: all that blocks the renewal, each with the way to clear it; or that nothing does."""
    one = person(renewing)
    if one is None:
        return say(_NEWS[GONE])
    head = say(N_("*{who}*: {days}"), who=who(renewing, one), days=left(one))
    if one.ready:
        return lines(head, say(N_("✓ Nothing blocks this renewal.")))
    return what_blocks(head, one, fines_of(one))


def fines_label(renewing: Renewing) -> Arg:
    one = person(renewing)
    return say(N_("Fines: {amount}"), amount=Money(fines_of(one) if one else 0))


# --- for how long --------------------------------------------------------------------------------


def years_text(years: int) -> Arg:
    return say(NP_("{n} year", "{n} years"), n=years)


def _cap(renewing: Renewing, one: Candidate) -> Arg:
    return cap_text(who(renewing, one), one)


def cap_text(name: Arg, one: Candidate) -> Arg:
    """Why this person's longest duration is the longest."""
    years = years_text(one.offers[-1].years)
    match one.cap:
        case Cap.INSURANCE if one.cap_day:
            return say(
                N_("{who}: at most {years}, as health insurance is paid until {day}."),
                who=name,
                years=years,
                day=_date(one.cap_day),
            )
        case Cap.INSURANCE:
            return say(
                N_("{who}: at most {years}, as health insurance is paid for no longer."),
                who=name,
                years=years,
            )
        case Cap.PASSPORT if one.cap_day:
            return say(
                N_("{who}: at most {years}, as the passport is valid until {day}."),
                who=name,
                years=years,
                day=_date(one.cap_day),
            )
        case Cap.REGISTRY:
            return say(
                N_("{who}: at most {years}, as the ministry's records say just now."), who=name, years=years
            )
        case _:
            return say(
                N_("{who}: at most {years}, the law's limit for article {article}."),
                who=name,
                years=years,
                article=one.article,
            )


def duration_text(renewing: Renewing) -> Arg:
    """Whom it is for, whether fines are in the amounts, why no longer durations are offered."""
    people = chosen(renewing)
    if len(people) == 1:
        asked = say(N_("For how long? {who}"), who=who(renewing, people[0]))
    else:
        asked = say(
            NP_(
                "For how long? The amounts are for {n} person.",
                "For how long? The amounts are for {n} people together.",
            ),
            n=len(people),
        )
    if not common(renewing):
        if may_differ(renewing):
            return lines(asked, say(N_("No one duration fits all of them, so each is asked for.")))
        return say(N_("No one duration fits all of them. Please go back and choose fewer."))
    parts: list[Arg] = [asked, *_with_fines(fines_total(renewing))]
    if insured := [one for one in limiting(renewing) if one.cap is Cap.INSURANCE]:
        parts.append(_cap(renewing, insured[0]))
    return Lines(tuple(parts))


def _with_fines(fils: int) -> tuple[Arg, ...]:
    if not fils:
        return ()
    return (say(N_("Each amount includes fines of {amount}."), amount=Money(fils)),)


def _duration(years: int, fils: int) -> Arg:
    return say(NP_("{n} year: {amount}", "{n} years: {amount}"), n=years, amount=Money(fils))


def durations(renewing: Renewing) -> tuple[Option, ...]:
    """Each duration with its total, then the other ways on."""
    options = [Option(f"{ALL}{digit(years)}", _duration(years, fils)) for years, fils in common(renewing)]
    if may_differ(renewing):
        options.append(Option(EACH, say(N_("Different for each"))))
    if may_ask_why(renewing):
        missing = longest(renewing) + 1
        options.append(Option(WHY, say(NP_("Why not {n} year?", "Why not {n} years?"), n=missing)))
    return tuple(options)


def each_text(renewing: Renewing) -> Arg:
    """One of those chosen."""
    one = asked_for(renewing)
    if one is None:
        return say(_NEWS[GONE])
    return lines(
        say(N_("For how long? {who}"), who=who(renewing, one)),
        *_with_fines(fines_of(one)),
        *((_cap(renewing, one),) if one.offers and one.cap is Cap.INSURANCE else ()),
    )


def each_options(renewing: Renewing) -> tuple[Option, ...]:
    one = asked_for(renewing)
    offers: tuple[Offer, ...] = one.offers if one is not None else ()
    plan = renewing.plan or EACH
    return tuple(
        Option(f"{plan}{digit(offer.years)}", _duration(offer.years, offer.fils)) for offer in offers
    )


def why_text(renewing: Renewing) -> Arg:
    """Who keeps the duration from being longer, and what can be done."""
    parts: list[Arg] = [_cap(renewing, one) for one in limiting(renewing)[:SHOWN]]
    if any(one.cap is Cap.INSURANCE for one in limiting(renewing)):
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
