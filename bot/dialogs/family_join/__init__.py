"""Family join (التحاق بعائل, article 22): may I bring my family, what do I bring, what does it cost?

A check before a first visa; it asks only what decides and changes nothing anywhere. Whoever is here already is
renewed by `renewal`. Rules and sources: docs/services/family_join.md.
"""

from enum import StrEnum

from bot.dialogs.family_join.check import (
    OTHER_ARTICLE,
    Check,
    age,
    anew,
    article,
    asking_day,
    puts,
    take_day,
    wants,
)
from bot.dialogs.family_join.effects import AskDay, Today
from bot.dialogs.family_join.texts import professions_text, verdict_text, visa_page
from bot.i18n.text import N_, Msg
from bot.parse import salary
from bot.residency.family_join import Joining, Question
from bot.spec import Ask, Call, Choose, Decide, Dialog, Do, End, Go, Link, Show

__all__ = ["DIALOG", "AskDay", "Check", "S", "Today"]


class S(StrEnum):
    """States."""

    DATING = "dating"
    JOINING = "joining"
    NEXT = "next"
    ARTICLE = "article"
    SALARY = "salary"
    LISTED = "listed"
    DEGREE = "degree"
    FITS = "fits"
    HERE = "here"
    AGE = "age"
    PARENTS = "parents"
    VERDICT = "verdict"
    RENEWAL = "renewal"
    DOWN = "down"
    LEFT = "left"


def _yes_or_no(question: Show[Check], answer: Question, noun: Msg) -> Choose[Check]:
    """A question with two answers."""
    return Choose(
        question,
        (
            Go(N_("Yes"), S.NEXT, put=puts(**{answer.value: True}), id="yes"),
            Go(N_("No"), S.NEXT, put=puts(**{answer.value: False}), id="no"),
        ),
        noun=noun,
    )


_RENEW = Go[Check](N_("They are here: renew"), S.RENEWAL)

DIALOG = Dialog[Check](
    id="family_join",
    version=1,
    title=N_("Bringing my family"),
    answers=Check,
    start=S.DATING,
    cancel=S.LEFT,
    help=N_(
        "A few questions tell whether the published conditions for a family visa are met and what to bring. "
        "The ministry decides; nothing is sent anywhere."
    ),
    states={
        S.DATING: Do(AskDay, asking_day, then=S.JOINING, otherwise=S.DOWN, keep=take_day),
        S.JOINING: Choose(
            N_("Who is to join you in Kuwait?"),
            (
                Go(N_("Wife or husband"), S.NEXT, put=puts(joining=Joining.SPOUSE), id="spouse"),
                Go(N_("Son or daughter"), S.NEXT, put=puts(joining=Joining.CHILD), id="child"),
                Go(N_("Another relative"), S.NEXT, put=puts(joining=Joining.OTHER), id="relative"),
                _RENEW,
            ),
            noun=N_("To join"),
            listens=True,
        ),
        S.NEXT: Decide(
            (
                (wants(Question.JOINING), S.JOINING),
                (wants(Question.ARTICLE), S.ARTICLE),
                (wants(Question.SALARY), S.SALARY),
                (wants(Question.LISTED), S.LISTED),
                (wants(Question.DEGREE), S.DEGREE),
                (wants(Question.FITS), S.FITS),
                (wants(Question.HERE), S.HERE),
                (wants(Question.AGE), S.AGE),
                (wants(Question.PARENTS), S.PARENTS),
            ),
            otherwise=S.VERDICT,
        ),
        S.ARTICLE: Ask(
            N_("Which article is your own residency?"),
            parse=article,
            into="article",
            then=S.NEXT,
            choices=(
                Go(N_("18, private sector"), S.NEXT, put=puts(article=18), id="private"),
                Go(N_("17, government"), S.NEXT, put=puts(article=17), id="government"),
                Go(N_("19, partner"), S.NEXT, put=puts(article=19), id="partner"),
                Go(N_("24, self-sponsor"), S.NEXT, put=puts(article=24), id="self_sponsor"),
                Go(N_("None of these"), S.NEXT, put=puts(article=OTHER_ARTICLE), id="another"),
            ),
            hint=N_("It stands on the residency in the Kuwait Mobile ID and Sahel apps."),
        ),
        S.SALARY: Ask(
            N_("What is the monthly salary on your work permit, in dinars? For example 850."),
            parse=salary,
            into="salary",
            then=S.NEXT,
            hint=N_(
                "The salary on the work permit counts, not what is really paid. The Ashal system shows it."
            ),
        ),
        S.LISTED: _yes_or_no(professions_text, Question.LISTED, N_("Profession in the list")),
        S.DEGREE: _yes_or_no(
            N_("Do you hold a university degree?"), Question.DEGREE, N_("University degree")
        ),
        S.FITS: _yes_or_no(
            N_("Does your profession on the work permit fit that degree?"),
            Question.FITS,
            N_("Profession fits the degree"),
        ),
        S.HERE: _yes_or_no(
            N_("Was whoever is to join born in Kuwait, or are they in Kuwait already?"),
            Question.HERE,
            N_("Born in Kuwait or there already"),
        ),
        S.AGE: Ask(
            N_("How old is the child, in whole years?"),
            parse=age,
            into="age",
            then=S.NEXT,
            hint=N_("Completed years, as of today; 0 in the first year."),
        ),
        S.PARENTS: _yes_or_no(
            N_("Do both parents of the child live in Kuwait?"),
            Question.PARENTS,
            N_("Both parents in Kuwait"),
        ),
        S.VERDICT: Choose(
            verdict_text,
            (
                Link(N_("🔗 Visa page"), visa_page),
                Go(N_("Check someone else"), S.JOINING, put=anew),
                _RENEW,
            ),
            rest=True,
        ),
        S.RENEWAL: Call("renewal", then=S.NEXT, left=S.NEXT),
        S.DOWN: Choose(
            N_("The conditions cannot be read just now. Nothing is lost."),
            (Go(N_("Try again"), S.DATING, id="again"),),
            entry=False,
        ),
        S.LEFT: End(N_("Stopped. Nothing was sent.")),
    },
)
