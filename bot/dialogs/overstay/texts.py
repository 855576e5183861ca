"""What is said of a stay that is too long."""

from datetime import date, timedelta
from typing import Final

from bot.dialogs.overstay.effects import Stay
from bot.dialogs.overstay.stay import Question, payable, settling, total, unpayable
from bot.domain import RESIDENCY_PHONE
from bot.i18n.text import EMPTY, N_, NP_, Arg, Code, Day, Lines, Money, Msg, say
from bot.residency.overstay import Assumes, Case, Estimate

_ASK_LAST: Final[dict[Case, Msg]] = {
    Case.EXPIRED: N_("What was the last day of the residency? For example 12/03/2026."),
    Case.NEWBORN: N_("On which day was the child born? For example 12/03/2026."),
    Case.DOMESTIC: N_("What was the last day of the domestic worker's residency? For example 12/03/2026."),
    Case.VISIT: N_("What was the last allowed day of the visit? For example 12/03/2026."),
    Case.TEMPORARY: N_("What was the last day of the temporary residency? For example 12/03/2026."),
    Case.WORK_CANCELLED: N_(
        "What was the last allowed day after the work residency was cancelled? For example 12/03/2026."
    ),
}


def last_prompt(question: Question) -> Arg:
    """The one date that an estimate needs."""
    return say(_ASK_LAST[question.case])


def _day(iso: str) -> Day:
    return Day(date.fromisoformat(iso))


def residency_affairs() -> Arg:
    """Whom to ask."""
    return say(N_("Residency Affairs, phone {phone}"), phone=Code(RESIDENCY_PHONE))


def recording(count: int) -> tuple[Arg, ...]:
    """A line on fines that were paid a moment ago, where some were."""
    if not count:
        return ()
    return (
        say(
            NP_(
                "{n} violation was paid a moment ago. The records follow within 15 minutes; do not pay it again.",
                "{n} violations were paid a moment ago. The records follow within 15 minutes; do not pay them again.",
            ),
            n=count,
        ),
    )


def stay_text(question: Question) -> Arg:
    """How late, what is recorded and due, what it comes to by an estimate, whom to ask."""
    stay = question.stay
    if stay is None:
        return EMPTY
    parts: list[Arg] = (
        [say(N_("Your own civil ID {number}"), number=Code(stay.subject))] if stay.subject else []
    )
    parts.append(_when(stay))
    if stay.subject:
        parts += _recorded(question)
    if stay.estimate:
        parts += [EMPTY, *_estimated(stay, stay.estimate), *_whom(stay)]
    return Lines(tuple(parts))


def _when(stay: Stay) -> Arg:
    if stay.late > 0:
        return say(
            NP_("Late by {n} day, since {day}.", "Late by {n} days, since {day}."),
            n=stay.late,
            day=Day(date.fromisoformat(stay.last) + timedelta(days=1)),
        )
    if stay.late == 0:
        return say(N_("Nothing is late, but today is the last day."))
    return say(
        NP_(
            "Nothing is late: {n} day is left, until {day}.",
            "Nothing is late: {n} days are left, until {day}.",
        ),
        n=-stay.late,
        day=_day(stay.last),
    )


def _recorded(question: Question) -> list[Arg]:
    due, barred = payable(question), unpayable(question)
    parts: list[Arg] = []
    if due:
        parts.append(
            say(
                NP_(
                    "Recorded and due: {n} residency violation, *{amount}*",
                    "Recorded and due: {n} residency violations, *{amount}*",
                ),
                n=len(due),
                amount=Money(total(due)),
            )
        )
    if barred:
        parts.append(
            say(
                NP_(
                    "Recorded, not payable online: {n} residency violation, *{amount}*",
                    "Recorded, not payable online: {n} residency violations, *{amount}*",
                ),
                n=len(barred),
                amount=Money(total(barred)),
            )
        )
        parts.append(residency_affairs())
    parts += recording(settling(question))
    return parts or [say(N_("No residency violation is recorded so far."))]


def _estimated(stay: Stay, estimate: Estimate) -> list[Arg]:
    parts: list[Arg] = [
        say(
            N_("Estimate, not the ministry's figure: settling today comes to about *{amount}*."),
            amount=Money(estimate.fils),
        )
    ]
    if estimate.capped:
        parts.append(say(N_("That is the highest settlement amount.")))
    else:
        week = estimate.weeks[0]
        parts.append(
            say(
                N_("A week of waiting adds {more}, making {amount}."),
                more=Money(week.more),
                amount=Money(week.fils),
            )
        )
    return [*parts, *waiver(stay)]


def waiver(stay: Stay) -> tuple[Arg, ...]:
    """A window in which the ministry waives such fines, where it covers today or late days."""
    if not stay.waived:
        return ()
    first, last = stay.waived
    return (
        say(
            N_("The ministry waives these fines from {first} to {last}; the estimate leaves those days out."),
            first=_day(first),
            last=_day(last),
        ),
    )


def _whom(stay: Stay) -> tuple[Arg, ...]:
    due = (
        (say(N_("It is for the whole stay, not on top of what is recorded.")),)
        if stay.fines
        else (say(N_("What is really due stands in the ministry's records alone.")),)
    )
    return (
        *due,
        EMPTY,
        say(N_("To settle it: Residency Affairs, phone {phone}"), phone=Code(RESIDENCY_PHONE)),
    )


_ASSUMED: Final[dict[Assumes, Msg]] = {
    Assumes.NEXT_DAY: N_("the day after the last one is the first late day, without grace"),
    Assumes.ONE_SCHEDULE: N_("today's rates hold for the whole stay"),
    Assumes.WAIVED: N_("days that the ministry waived are left out"),
}


def counted_text(question: Question) -> Arg:
    """How the estimate is made: rates, weeks to come, what is assumed, what is left to others."""
    stay = question.stay
    if stay is None or stay.estimate is None:
        return EMPTY
    estimate = stay.estimate
    return Lines(
        (
            _rates(stay, estimate),
            EMPTY,
            *_weeks(estimate),
            EMPTY,
            *_assumed(stay, estimate),
            EMPTY,
            say(
                N_(
                    "A court can decide otherwise. I give no advice on that; ask Residency Affairs, phone {phone}"
                ),
                phone=Code(RESIDENCY_PHONE),
            ),
        )
    )


def _rates(stay: Stay, estimate: Estimate) -> Arg:
    rates = stay.rates
    if rates.first == rates.after:
        return say(
            N_("By the rates since {day}: {first} a day, {cap} at most."),
            day=_day(rates.since),
            first=Money(rates.first),
            cap=Money(estimate.cap),
        )
    return say(
        N_("By the rates since {day}: {first} a day in the first month, then {after} a day, {cap} at most."),
        day=_day(rates.since),
        first=Money(rates.first),
        after=Money(rates.after),
        cap=Money(estimate.cap),
    )


def _weeks(estimate: Estimate) -> tuple[Arg, ...]:
    if estimate.capped:
        return (say(N_("That is reached; waiting adds nothing to the estimate.")),)
    growing = [week for week in estimate.weeks if week.more]
    return (
        say(N_("Settled on:")),
        *(
            say(N_("{day}: {amount}, {more} more"), day=_day(w.day), amount=Money(w.fils), more=Money(w.more))
            for w in growing
        ),
        say(N_("The most is reached on {day}."), day=_day(estimate.capped_on)),
    )


def _assumed(stay: Stay, estimate: Estimate) -> tuple[Arg, ...]:
    month = say(
        NP_("the first month has {n} day", "the first month has {n} days"),
        n=estimate.month_days,
    )
    told = () if stay.rates.first == stay.rates.after else (month,)
    others = [say(_ASSUMED[one]) for one in estimate.assumes if one in _ASSUMED]
    return (
        say(N_("Assumed, because no published text says it:")),
        *(say(N_("- {what}"), what=what) for what in (*told, *others)),
    )


def pay_label(question: Question) -> Arg:
    """The label of paying what is recorded."""
    return say(N_("Pay {total}"), total=Money(total(payable(question))))


def no_permit_text(_question: Question) -> Arg:
    """Whoever is signed in has no residency in the records."""
    return Lines(
        (
            say(N_("The records hold no residency under your civil ID. A citizen has none.")),
            say(N_("If you have one: Residency Affairs, phone {phone}"), phone=Code(RESIDENCY_PHONE)),
        )
    )
