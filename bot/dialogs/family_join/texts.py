"""What the family-join check says."""

from datetime import date
from typing import Final

from bot.dialogs.family_join.check import Check, answers, day_of, fees_since, verdict_of
from bot.domain import RESIDENCY_PHONE
from bot.i18n.text import EMPTY, N_, NP_, Arg, Code, Day, Lines, Money, Msg, say
from bot.residency.family_join import (
    Approver,
    Outcome,
    Paper,
    Reason,
    Verdict,
    professions,
    salary,
    young,
)

VISA_PAGE: Final = "https://kuwaitvisa.moi.gov.kw/"
"""The ministry's page for entry visas (public lists of visa portals agree, read 2026-11)."""


def visa_page(_check: Check) -> str:
    """Where the visa is asked for."""
    return VISA_PAGE


def professions_text(check: Check) -> Arg:
    """The professions that are excused, to be looked through."""
    return Lines(
        (
            say(N_("Is your profession on the work permit one of these?")),
            *(say(N_("- {what}"), what=name) for name in professions(day_of(check))),
        )
    )


_OUTCOME: Final[dict[Outcome, Msg]] = {
    Outcome.ELIGIBLE: N_("✓ By these answers the conditions for a family visa are met."),
    Outcome.REFUSED: N_("✕ By these answers the conditions for a family visa are not met."),
}
_APPROVAL: Final[dict[Approver, Msg]] = {
    Approver.DIRECTOR_GENERAL: N_(
        "Possible, if the director general of Residency Affairs or an assistant agrees."
    ),
    Approver.RESIDENCY_AFFAIRS: N_("Residency Affairs decides this case; I do not guess."),
}
_PAPERS: Final[dict[Paper, Msg]] = {
    Paper.FORM: N_("the application form for this visa"),
    Paper.PASSPORT: N_("a copy of their passport, valid until {day} at least"),
    Paper.CIVIL_ID: N_("a copy of your civil ID card"),
    Paper.KINSHIP: N_("a passport or certificate that shows how you are related"),
    Paper.WORK_PERMIT: N_("a copy of the work permit, which shows the salary"),
    Paper.DEGREE: N_("the university degree"),
    Paper.CONTRACT: N_("a copy of the company's contract or licence"),
    Paper.APPROVAL: N_("the approval in writing"),
}


def verdict_text(check: Check) -> Arg:
    """The verdict in one line, why, what to bring, what it costs."""
    verdict = verdict_of(check)
    if verdict is None:
        return EMPTY
    parts: list[Arg] = [_outcome(verdict), *_why(check, verdict)]
    if verdict.papers:
        parts += [EMPTY, say(N_("To bring:")), *_checklist(verdict)]
    if verdict.outcome is not Outcome.REFUSED:
        parts += [EMPTY, *_fees(check, verdict)]
    if verdict.outcome is not Outcome.ELIGIBLE:
        parts += [EMPTY, say(N_("Residency Affairs, phone {phone}"), phone=Code(RESIDENCY_PHONE))]
    return Lines(tuple(parts))


def _outcome(verdict: Verdict) -> Arg:
    if verdict.approver is not None:
        return say(_APPROVAL[verdict.approver])
    return say(_OUTCOME[verdict.outcome])


def _why(check: Check, verdict: Verdict) -> tuple[Arg, ...]:
    """What decided it."""
    given, least = answers(check), salary(day_of(check))
    match verdict.reason:
        case Reason.RELATIVE:
            return (say(N_("The published conditions are for a wife, a husband and children.")),)
        case Reason.ARTICLE:
            return (say(N_("The published conditions do not name sponsors of your residency.")),)
        case Reason.SPONSOR:
            return (say(N_("That is asked of sponsors of article {article}."), article=given.article or 0),)
        case Reason.SALARY:
            below = _salaries(N_("The salary, {salary}, is below the minimum, {least}."), check)
            return (below, _excused(check)) if verdict.approver else (below,)
        case Reason.DEGREE:
            return (say(N_("A university degree is needed, and your profession is not excused it.")),)
        case Reason.PROFESSION:
            return (say(N_("Your profession does not fit your degree, and is not excused that.")),)
        case None if given.salary is None:
            return ()
        case None if check.salary < least:
            excused = N_("The salary, {salary}, is below {least}, but your profession is excused it.")
            return (_salaries(excused, check),)
        case None:
            return (_salaries(N_("The salary, {salary}, reaches the minimum, {least}."), check),)


def _salaries(msg: Msg, check: Check) -> Arg:
    return say(msg, salary=Money(check.salary), least=Money(salary(day_of(check))))


def _excused(check: Check) -> Arg:
    """What the approval can overlook a low salary for."""
    if check.here:
        return say(N_("It can be overlooked for whoever was born in Kuwait or is there already."))
    return say(
        NP_(
            "It can be overlooked for a child of up to {n} year whose parents both live in Kuwait.",
            "It can be overlooked for a child of up to {n} years whose parents both live in Kuwait.",
        ),
        n=young(day_of(check)),
    )


def _checklist(verdict: Verdict) -> tuple[Arg, ...]:
    until = Day(date.fromisoformat(verdict.passport_until))
    return tuple(
        say(
            N_("- {what}"),
            what=say(_PAPERS[paper], day=until) if paper is Paper.PASSPORT else say(_PAPERS[paper]),
        )
        for paper in verdict.papers
    )


def _fees(check: Check, verdict: Verdict) -> tuple[Arg, ...]:
    """What a year costs, by the schedule with its date; what the rules do not know is said to be unknown."""
    lines: list[Arg] = []
    if verdict.fee:
        lines.append(
            say(
                N_("Residency fee {fee} a year, by the schedule since {day}."),
                fee=Money(verdict.fee),
                day=Day(fees_since(check)),
            )
        )
    else:
        lines.append(say(N_("The published fees do not name this case.")))
    if verdict.insurance:
        lines.append(say(N_("Health insurance {fee} a year, paid before."), fee=Money(verdict.insurance)))
    return tuple(lines)
