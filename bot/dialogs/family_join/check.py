"""The answers, what is asked next, and what comes of them: `bot.residency.family_join` with the day of the check."""

import re
from collections.abc import Callable
from datetime import date
from typing import Final

import msgspec

from bot.dialogs.family_join.effects import AskDay, Today
from bot.i18n.text import N_, Code, say
from bot.residency.family_join import Answers, Joining, Question, Verdict, next_question, verdict
from bot.rules import RULES, Who, at, now
from bot.spec import Invalid
from bot.spelling import fold

UNASKED: Final = -1
ARTICLES: Final = range(14, 32)
"""Articles of residency that the regulation has."""
OTHER_ARTICLE: Final = 0
_OLDEST: Final = 120
_MONTHS: Final = re.compile(r"\bmonths?\b|شهر|اشهر|شهور")
_MONTHS_OF_YEAR: Final = 12


class Check(msgspec.Struct, frozen=True):
    """What was answered; a negative number or None: not asked.

    Attributes:
        on: the day by whose rules it is looked at, ISO 8601.
        joining: who is to join.
        article: of the sponsor's own residency, 0 for one that has no button.
        salary: fils a month, by the work permit.
        listed: whether the profession is excused.
        degree: whether there is a university degree.
        fits: whether the profession fits it.
        here: whether who joins was born in Kuwait or is there already.
        age: of the child, in whole years.
        parents: whether both parents of the child live in Kuwait.
    """

    on: str = ""
    joining: Joining | None = None
    article: int = UNASKED
    salary: int = UNASKED
    listed: bool | None = None
    degree: bool | None = None
    fits: bool | None = None
    here: bool | None = None
    age: int = UNASKED
    parents: bool | None = None


def asking_day(_check: Check) -> AskDay:
    return AskDay()


def take_day(check: Check, today: Today) -> Check:
    return msgspec.structs.replace(check, on=today.on)


def day_of(check: Check) -> date:
    """By whose rules it is looked at."""
    return date.fromisoformat(check.on)


def answers(check: Check) -> Answers:
    """As the rules take them."""
    return Answers(
        joining=check.joining,
        article=_asked(check.article),
        salary=_asked(check.salary),
        listed=check.listed,
        degree=check.degree,
        fits=check.fits,
        here=check.here,
        age=_asked(check.age),
        parents=check.parents,
    )


def _asked(number: int) -> int | None:
    return None if number == UNASKED else number


def wants(question: Question) -> Callable[[Check], bool]:
    """Whether ``question`` comes next."""

    def guard(check: Check) -> bool:
        return next_question(answers(check), day_of(check)) is question

    guard.__name__ = f"{question.value}_missing"
    return guard


def verdict_of(check: Check) -> Verdict | None:
    """What comes of the answers."""
    return verdict(answers(check), day_of(check))


def puts(**fields: Joining | bool | int) -> Callable[[Check], Check]:
    """Takes ``fields`` into the answers."""

    def take(check: Check) -> Check:
        return msgspec.structs.replace(check, **fields)

    return take


def anew(check: Check) -> Check:
    """Somebody else, by the rules of the same day."""
    return Check(on=check.on)


def fees_since(check: Check) -> date:
    """From which day the residency fee of the verdict holds; that of the check where the rules know none."""
    on = day_of(check)
    who = Who.OTHER if check.joining is Joining.OTHER else Who.NEAR
    joins = now(RULES.family.residency, on).article
    for price in RULES.fees.fee:
        if price.fits(who, joins, kuwaiti=False, sponsor_article=check.article):
            period = at(price.period, on)
            return on if period is None else period.first
    return on


def article(text: str, today: date) -> int | Invalid:  # noqa: ARG001 - every reader has this shape
    """The number of an article of residency: ``18``, ``مادة 22``, ``visa 18``."""
    found = re.findall(r"\d+", fold(text))
    if len(found) == 1 and int(found[0]) in ARTICLES:
        return int(found[0])
    return Invalid(
        say(N_("I need the article's number as on the residency, like {example}."), example=Code("18"))
    )


def age(text: str, today: date) -> int | Invalid:  # noqa: ARG001 - every reader has this shape
    """An age in whole years: ``5``, ``٥ سنوات``, ``18 months``."""
    words = fold(text)
    found = re.findall(r"\d+", words)
    if len(found) == 1:
        years = int(found[0]) // (_MONTHS_OF_YEAR if _MONTHS.search(words) else 1)
        if years <= _OLDEST:
            return years
    return Invalid(say(N_("I need the age in whole years, like {example}."), example=Code("4")))
