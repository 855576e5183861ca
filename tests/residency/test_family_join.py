"""Who may bring whom: only what must be asked is asked, and what comes of each answer."""

from datetime import date
from itertools import product
from typing import Any

import msgspec
import pytest

from bot.residency.family_join import (
    Answers,
    Approver,
    Joining,
    Outcome,
    Paper,
    Question,
    Reason,
    Verdict,
    next_question,
    professions,
    salary,
    verdict,
    young,
)
from tests.residency.permits import TODAY

Q = Question
FEBRUARY_2024, AUGUST_2024 = date(2024, 2, 15), date(2024, 8, 15)
EVERYBODY = (Paper.FORM, Paper.PASSPORT, Paper.CIVIL_ID, Paper.KINSHIP)


def ask(today: date = TODAY, **answers: Any) -> tuple[list[Question], Verdict]:
    """The questions in their order, as long as there are any, and the verdict."""
    known, asked = Answers(), list[Question]()
    while (question := next_question(known, today)) is not None:
        assert verdict(known, today) is None
        asked.append(question)
        known = msgspec.structs.replace(known, **{question.value: answers[question.value]})
    found = verdict(known, today)
    assert found is not None
    return asked, found


def test_the_shortest_way() -> None:
    asked, found = ask(joining=Joining.SPOUSE, article=18, salary=800_000)
    assert asked == [Q.JOINING, Q.ARTICLE, Q.SALARY]
    assert found == Verdict(
        Outcome.ELIGIBLE,
        papers=(*EVERYBODY, Paper.WORK_PERMIT),
        passport_until="2027-05-22",
        fee=20_000,
        insurance=100_000,
    )


def test_below_the_salary_with_nothing_that_excuses_it() -> None:
    asked, found = ask(joining=Joining.SPOUSE, article=17, salary=799_999, listed=False, here=False)
    assert asked == [Q.JOINING, Q.ARTICLE, Q.SALARY, Q.LISTED, Q.HERE]
    assert found == Verdict(Outcome.REFUSED, reason=Reason.SALARY, fee=20_000, insurance=100_000)


def test_a_listed_profession_with_a_degree_that_fits_excuses_the_salary() -> None:
    asked, found = ask(
        joining=Joining.SPOUSE, article=18, salary=500_000, listed=True, degree=True, fits=True
    )
    assert asked == [Q.JOINING, Q.ARTICLE, Q.SALARY, Q.LISTED, Q.DEGREE, Q.FITS]
    assert found.outcome is Outcome.ELIGIBLE
    assert found.papers == (*EVERYBODY, Paper.WORK_PERMIT, Paper.DEGREE)


@pytest.mark.parametrize(("degree", "fits"), [(False, None), (True, False)])
def test_a_listed_profession_without_a_degree_that_fits_does_not(*, degree: bool, fits: bool | None) -> None:
    _, found = ask(
        joining=Joining.SPOUSE, article=18, salary=500_000, listed=True, degree=degree, fits=fits, here=False
    )
    assert (found.outcome, found.reason) == (Outcome.REFUSED, Reason.SALARY)


def test_whoever_is_in_kuwait_already_needs_the_director_general() -> None:
    asked, found = ask(joining=Joining.CHILD, article=18, salary=0, listed=False, here=True)
    assert asked[-1] is Q.HERE
    assert (found.outcome, found.approver, found.reason) == (
        Outcome.APPROVAL,
        Approver.DIRECTOR_GENERAL,
        Reason.SALARY,
    )
    assert found.papers == (*EVERYBODY, Paper.WORK_PERMIT, Paper.APPROVAL)


@pytest.mark.parametrize(
    ("age", "parents", "outcome", "last"),
    [
        (5, True, Outcome.APPROVAL, Q.PARENTS),
        (5, False, Outcome.REFUSED, Q.PARENTS),
        (0, True, Outcome.APPROVAL, Q.PARENTS),
        (6, None, Outcome.REFUSED, Q.AGE),
    ],
)
def test_a_child_up_to_five_whose_parents_are_both_there(
    *, age: int, parents: bool | None, outcome: Outcome, last: Question
) -> None:
    asked, found = ask(
        joining=Joining.CHILD, article=18, salary=1, listed=False, here=False, age=age, parents=parents
    )
    assert asked[-1] is last
    assert found.outcome is outcome


def test_self_sponsors_and_partners() -> None:
    asked, found = ask(joining=Joining.SPOUSE, article=24)
    assert asked == [Q.JOINING, Q.ARTICLE]
    assert (found.outcome, found.approver, found.reason) == (
        Outcome.APPROVAL,
        Approver.DIRECTOR_GENERAL,
        Reason.SPONSOR,
    )
    assert (found.papers, found.fee) == ((*EVERYBODY, Paper.APPROVAL), 100_000)
    asked, found = ask(joining=Joining.CHILD, article=19)
    assert asked == [Q.JOINING, Q.ARTICLE]
    assert (found.outcome, found.approver, found.papers) == (
        Outcome.ELIGIBLE,
        None,
        (*EVERYBODY, Paper.CONTRACT),
    )
    assert found.fee == 40_000


@pytest.mark.parametrize("article", [20, 21, 22, 23, 25, 31])
def test_where_the_conditions_are_not_known_the_department_says(article: int) -> None:
    asked, found = ask(joining=Joining.SPOUSE, article=article)
    assert asked == [Q.JOINING, Q.ARTICLE]
    assert (found.outcome, found.approver, found.reason) == (
        Outcome.APPROVAL,
        Approver.RESIDENCY_AFFAIRS,
        Reason.ARTICLE,
    )


def test_other_relatives_are_for_the_department_and_cost_300() -> None:
    asked, found = ask(joining=Joining.OTHER, article=18)
    assert asked == [Q.JOINING, Q.ARTICLE]
    assert (found.outcome, found.approver, found.reason) == (
        Outcome.APPROVAL,
        Approver.RESIDENCY_AFFAIRS,
        Reason.RELATIVE,
    )
    assert (found.fee, found.insurance) == (300_000, 100_000)


def test_in_february_2024_everybody_needed_a_degree_that_fits() -> None:
    enough = {"joining": Joining.SPOUSE, "article": 18, "salary": 800_000}
    asked, found = ask(FEBRUARY_2024, **enough, degree=True, fits=True)
    assert asked == [Q.JOINING, Q.ARTICLE, Q.SALARY, Q.DEGREE, Q.FITS]
    assert (found.outcome, found.fee, found.insurance) == (Outcome.ELIGIBLE, 10_000, 40_000)
    _, found = ask(FEBRUARY_2024, **enough, degree=False, listed=False)
    assert (found.outcome, found.reason) == (Outcome.REFUSED, Reason.DEGREE)
    _, found = ask(FEBRUARY_2024, **enough, degree=True, fits=False, listed=False)
    assert (found.outcome, found.reason) == (Outcome.REFUSED, Reason.PROFESSION)
    _, found = ask(FEBRUARY_2024, **enough, degree=False, listed=True)
    assert (found.outcome, found.papers) == (Outcome.ELIGIBLE, (*EVERYBODY, Paper.WORK_PERMIT))
    asked, found = ask(FEBRUARY_2024, **{**enough, "salary": 700_000}, here=False)
    assert asked[-1] is Q.HERE
    assert found.outcome is Outcome.REFUSED


def test_since_15_july_2024_only_for_children_of_14_and_more() -> None:
    enough = {"article": 18, "salary": 800_000}
    assert ask(AUGUST_2024, joining=Joining.SPOUSE, **enough)[1].outcome is Outcome.ELIGIBLE
    asked, found = ask(AUGUST_2024, joining=Joining.CHILD, age=13, **enough)
    assert (asked[-1], found.outcome) == (Q.AGE, Outcome.ELIGIBLE)
    asked, found = ask(AUGUST_2024, joining=Joining.CHILD, age=14, degree=False, listed=False, **enough)
    assert (asked[-1], found.outcome) == (Q.LISTED, Outcome.REFUSED)
    asked, _ = ask(date(2024, 7, 14), joining=Joining.SPOUSE, degree=True, fits=True, **enough)
    assert Q.DEGREE in asked
    asked, _ = ask(date(2024, 7, 15), joining=Joining.SPOUSE, **enough)
    assert Q.DEGREE not in asked


def test_a_grown_child_is_insured_like_other_relatives() -> None:
    day = date(2025, 6, 1)
    grown = Answers(Joining.CHILD, 18, 800_000, age=18, degree=True, fits=True)
    child = msgspec.structs.replace(grown, age=17)
    assert [getattr(verdict(one, day), "insurance", None) for one in (grown, child)] == [50_000, 30_000]


def test_what_the_dialog_shows_of_the_rules() -> None:
    assert (salary(TODAY), young(TODAY)) == (800_000, 5)
    assert len(professions(TODAY)) == 9
    assert len(professions(date(2025, 12, 22))) == 14
    assert all(one.ar and one.en for day in (TODAY, AUGUST_2024) for one in professions(day))


def test_any_answers_end_in_a_verdict_and_no_question_comes_twice() -> None:
    flags = (False, True)
    for today, joining, article, sum_, listed, degree, fits, here, age, parents in product(
        (FEBRUARY_2024, AUGUST_2024, TODAY),
        Joining,
        (18, 19, 20, 24),
        (0, 900_000),
        flags,
        flags,
        flags,
        flags,
        (3, 15),
        flags,
    ):
        asked, found = ask(
            today,
            joining=joining,
            article=article,
            salary=sum_,
            listed=listed,
            degree=degree,
            fits=fits,
            here=here,
            age=age,
            parents=parents,
        )
        assert len(asked) == len(set(asked))
        assert (found.outcome is Outcome.REFUSED) is not bool(found.papers)
        assert (found.approver is not None) is (found.outcome is Outcome.APPROVAL)
        assert (found.reason is None) is (found.outcome is Outcome.ELIGIBLE)
