"""Bringing family to Kuwait (article 22, التحاق بعائل): what must be asked, and what comes of it. Texts are the dialog's."""

from collections.abc import Sequence
from datetime import date
from enum import StrEnum

import msgspec

from bot.i18n.text import Local
from bot.residency.calendar import add_months
from bot.rules import RULES, Approver, Degree, Excused, Paper, Rules, Terms, Who, at, now
from bot.rules.family import SponsorKind
from bot.rules.tables import Price

__all__ = [
    "Answers",
    "Approver",
    "Joining",
    "Outcome",
    "Paper",
    "Question",
    "Reason",
    "Verdict",
    "next_question",
    "professions",
    "salary",
    "verdict",
    "young",
]


class Joining(StrEnum):
    """Who is to join."""

    SPOUSE = "spouse"
    CHILD = "child"
    OTHER = "other"


class Question(StrEnum):
    """What may have to be asked; the values are the fields of `Answers`."""

    JOINING = "joining"  # who is to join
    ARTICLE = "article"  # of the sponsor's own residency
    SALARY = "salary"  # a month, by the work permit
    LISTED = "listed"  # whether the sponsor's profession is one of `professions`
    DEGREE = "degree"  # whether the sponsor has a university degree
    FITS = "fits"  # whether the profession fits the degree
    HERE = "here"  # whether who joins was born in Kuwait or is there already
    AGE = "age"  # of the child, in whole years
    PARENTS = "parents"  # whether both parents of the child live in Kuwait


class Answers(msgspec.Struct, frozen=True):
    """What is known so far; None: not asked yet. ``salary`` is in fils."""

    joining: Joining | None = None
    article: int | None = None
    salary: int | None = None
    listed: bool | None = None
    degree: bool | None = None
    fits: bool | None = None
    here: bool | None = None
    age: int | None = None
    parents: bool | None = None


class Outcome(StrEnum):
    """What comes of it."""

    ELIGIBLE = "eligible"
    APPROVAL = "approval"  # somebody must agree
    REFUSED = "refused"


class Reason(StrEnum):
    """Why it is not simply `Outcome.ELIGIBLE`."""

    RELATIVE = "relative"  # neither spouse nor child: the conditions are not known
    ARTICLE = "article"  # the conditions for sponsors of this article are not known
    SPONSOR = "sponsor"  # sponsors of this article need somebody's approval
    SALARY = "salary"  # too low
    DEGREE = "degree"  # none
    PROFESSION = "profession"  # does not fit the degree


class Verdict(msgspec.Struct, frozen=True):
    """What comes of the answers, with the sponsor's personal checklist.

    Attributes:
        outcome: whether the family may join.
        approver: who must agree, None for nobody.
        reason: why approval is needed or it is refused, None for neither.
        papers: what to bring; none where it is refused.
        passport_until: the earliest last day of the passports of those who join, ISO 8601.
        fee: fils of residency fee a year, 0 where the rules know none.
        insurance: fils of health insurance a year, 0 where the rules know none.
    """

    outcome: Outcome
    approver: Approver | None = None
    reason: Reason | None = None
    papers: tuple[Paper, ...] = ()
    passport_until: str = ""
    fee: int = 0
    insurance: int = 0


class _Found(msgspec.Struct, frozen=True):
    """Where the questions lead."""

    outcome: Outcome
    approver: Approver | None = None
    reason: Reason | None = None
    degree: bool = False


def next_question(answers: Answers, today: date, rules: Rules = RULES) -> Question | None:
    """What must be asked next, None when the verdict stands. Answers that are not needed are not asked for."""
    found = _walk(answers, today, rules)
    return found if isinstance(found, Question) else None


def verdict(answers: Answers, today: date, rules: Rules = RULES) -> Verdict | None:
    """What comes of the answers, None while something must be asked."""
    found = _walk(answers, today, rules)
    if isinstance(found, Question):
        return None
    refused = found.outcome is Outcome.REFUSED
    months = now(rules.family.passports, today).months
    near = Who.OTHER if answers.joining is Joining.OTHER else Who.NEAR
    return Verdict(
        outcome=found.outcome,
        approver=found.approver,
        reason=found.reason,
        papers=() if refused else _papers(answers, found, today, rules),
        passport_until="" if refused else add_months(today, months).isoformat(),
        fee=_price(rules.fees.fee, near, answers, today, rules),
        insurance=_price(rules.insurance.insurance, _insured(answers, today, rules), answers, today, rules),
    )


def professions(today: date, rules: Rules = RULES) -> tuple[Local, ...]:
    """The professions that are excused."""
    return now(rules.family.professions, today).names


def salary(today: date, rules: Rules = RULES) -> int:
    """The lowest monthly salary, in fils."""
    return now(rules.family.terms, today).salary


def young(today: date, rules: Rules = RULES) -> int:
    """Up to which age a child may be let off the sponsor's salary."""
    return now(rules.family.terms, today).young


def _walk(answers: Answers, today: date, rules: Rules) -> Question | _Found:
    if answers.joining is None:
        return Question.JOINING
    if answers.article is None:
        return Question.ARTICLE
    if answers.joining is Joining.OTHER:
        return _Found(Outcome.APPROVAL, Approver.RESIDENCY_AFFAIRS, Reason.RELATIVE)
    kind = _kind(answers.article, today, rules)
    if kind is None:
        return _Found(Outcome.APPROVAL, Approver.RESIDENCY_AFFAIRS, Reason.ARTICLE)
    if kind.work_permit:
        return _by_work_permit(answers, now(rules.family.terms, today))
    if kind.approval is not None:
        return _Found(Outcome.APPROVAL, kind.approval, Reason.SPONSOR)
    return _Found(Outcome.ELIGIBLE)


def _by_work_permit(answers: Answers, terms: Terms) -> Question | _Found:
    """Salary, degree and profession."""
    if answers.salary is None:
        return Question.SALARY
    if answers.salary < terms.salary:
        return _below_salary(answers, terms)
    match terms.degree:
        case Degree.NOBODY:
            needed = False
        case Degree.EVERYONE:
            needed = True
        case Degree.OLDER_CHILD:
            if answers.joining is Joining.CHILD and answers.age is None:
                return Question.AGE
            needed = answers.joining is Joining.CHILD and (answers.age or 0) >= terms.degree_age
    return _by_degree(answers, terms) if needed else _Found(Outcome.ELIGIBLE)


def _by_degree(answers: Answers, terms: Terms) -> Question | _Found:
    """A degree that fits the profession, or one of the professions that need none."""
    if answers.degree is None:
        return Question.DEGREE
    if answers.degree and answers.fits is None:
        return Question.FITS
    if answers.degree and answers.fits:
        return _Found(Outcome.ELIGIBLE, degree=True)
    if terms.excused is Excused.DEGREE:
        if answers.listed is None:
            return Question.LISTED
        if answers.listed:
            return _Found(Outcome.ELIGIBLE)
    return _Found(Outcome.REFUSED, reason=Reason.PROFESSION if answers.degree else Reason.DEGREE)


def _below_salary(answers: Answers, terms: Terms) -> Question | _Found:
    """First what excuses the salary by itself, then what somebody may excuse."""
    if terms.excused is Excused.SALARY:
        if answers.listed is None:
            return Question.LISTED
        if answers.listed:
            fitting = _by_degree(answers, terms)
            if isinstance(fitting, Question) or fitting.outcome is Outcome.ELIGIBLE:
                return fitting
    waived = _Found(Outcome.APPROVAL, Approver.DIRECTOR_GENERAL, Reason.SALARY)
    if answers.here is None:
        return Question.HERE
    if answers.here:
        return waived
    if answers.joining is Joining.CHILD:
        if answers.age is None:
            return Question.AGE
        if answers.age <= terms.young:
            if answers.parents is None:
                return Question.PARENTS
            if answers.parents:
                return waived
    return _Found(Outcome.REFUSED, reason=Reason.SALARY)


def _kind(article: int, today: date, rules: Rules) -> SponsorKind | None:
    return next(
        (one for one in rules.family.sponsor if article in one.articles and at(one.period, today)), None
    )


def _papers(answers: Answers, found: _Found, today: date, rules: Rules) -> tuple[Paper, ...]:
    papers = list(now(rules.family.papers, today).needed)
    kind = None if answers.article is None else _kind(answers.article, today, rules)
    if kind is not None and kind.work_permit:
        papers.append(Paper.WORK_PERMIT)
    if kind is not None and kind.paper is not None:
        papers.append(kind.paper)
    if found.degree:
        papers.append(Paper.DEGREE)
    if found.approver is not None:
        papers.append(Paper.APPROVAL)
    return tuple(papers)


def _price(prices: Sequence[Price], who: Who, answers: Answers, today: date, rules: Rules) -> int:
    """What a year costs whoever joins, 0 where the rules know no price."""
    article = now(rules.family.residency, today).article
    for price in prices:
        if price.fits(who, article, kuwaiti=False, sponsor_article=answers.article or 0):
            amount = at(price.period, today)
            return 0 if amount is None else amount.fils
    return 0


def _insured(answers: Answers, today: date, rules: Rules) -> Who:
    """A grown child is insured like other relatives."""
    if answers.joining is Joining.SPOUSE:
        return Who.SPOUSE
    grown = (answers.age or 0) >= now(rules.insurance.grown, today).age
    return Who.CHILD if answers.joining is Joining.CHILD and not grown else Who.OTHER
