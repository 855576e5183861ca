"""Durations and plans: whatever is chosen, only what is offered is asked for, at the total that was shown."""

from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.dialogs.renewal import File, Renewing
from bot.dialogs.renewal.choices import (
    MOST_EACH,
    common,
    limiting,
    longest,
    may_ask_why,
    may_differ,
    planned,
    wishes,
)
from bot.dialogs.renewal.file import SHOWN, chosen, ready, take_file
from bot.dialogs.renewal.texts import durations, each_options, file_text
from bot.i18n.text import Money, Text
from bot.residency.facts import Kin
from bot.residency.verdict import Barrier, Block, Candidate, Offer
from tests.dialogs.family import candidate, overstay


@st.composite
def people(draw: st.DrawFn, most: int = 30) -> tuple[Candidate, ...]:
    """A file: some ready, with durations of their own, some blocked, some with a fine."""
    found: list[Candidate] = []
    for number in range(draw(st.integers(1, most))):
        years = draw(st.sets(st.integers(1, 15), max_size=6))
        fee = draw(st.sampled_from([10_000, 20_000, 300_000]))
        fines = (overstay(),) if draw(st.booleans()) else ()
        owed = sum(fine.fils for fine in fines)
        one = candidate(
            draw(st.sampled_from([*Kin])), f"2900630{number:05}", permit=f"P-{number}", fines=fines
        )
        offers = tuple(Offer(n, "2030-01-01", fee * n, fee * n + owed) for n in sorted(years))
        barriers = () if offers else (Barrier(draw(st.sampled_from([*Block]))),)
        found.append(msgspec.structs.replace(one, offers=offers, barriers=barriers))
    return tuple(found)


def shown(label: Any) -> int:
    """The total on a duration's button."""
    assert isinstance(label, Text)
    amount = label.args["amount"]
    assert isinstance(amount, Money)
    return amount.fils


@settings(max_examples=200, deadline=None)
@given(people())
def test_a_duration_for_all_costs_what_its_button_says(file: tuple[Candidate, ...]) -> None:
    renewing = Renewing(file)
    renewing = msgspec.structs.replace(renewing, chosen=ready(renewing))
    options = {option.value: option for option in durations(renewing)}
    assert len(options) == len(durations(renewing))
    assert len([value for value in options if value[0] == "a"]) == len(common(renewing))
    for value, option in options.items():
        assert len(value) <= 24
        if value[0] != "a":
            continue
        asked = wishes(msgspec.structs.replace(renewing, plan=value))
        assert sum(wish.fils for wish in asked) == shown(option.label)
        assert_offered(file, asked)


@settings(max_examples=200, deadline=None)
@given(people(MOST_EACH + 2), st.data())
def test_a_duration_for_each_costs_what_the_buttons_said(
    file: tuple[Candidate, ...], data: st.DataObject
) -> None:
    renewing = Renewing(file)
    renewing = msgspec.structs.replace(renewing, chosen=ready(renewing), plan="e")
    assert not (may_differ(renewing) and len(chosen(renewing)) > MOST_EACH)
    if not may_differ(renewing):
        return
    told = 0
    while not planned(renewing):
        option = data.draw(st.sampled_from(each_options(renewing)))
        assert len(option.value) <= 24
        told += shown(option.label)
        renewing = msgspec.structs.replace(renewing, plan=option.value)
    asked = wishes(renewing)
    assert len(asked) == len(chosen(renewing))
    assert sum(wish.fils for wish in asked) == told
    assert_offered(file, asked)


def assert_offered(file: tuple[Candidate, ...], asked: tuple[Any, ...]) -> None:
    by_number = {one.civil_id: one for one in file}
    for wish in asked:
        offer = by_number[wish.civil_id].offer(wish.years)
        assert offer is not None
        assert wish.fils == offer.fils


@settings(max_examples=100, deadline=None)
@given(people())
def test_why_has_an_answer_where_it_is_asked(file: tuple[Candidate, ...]) -> None:
    renewing = Renewing(file)
    renewing = msgspec.structs.replace(renewing, chosen=ready(renewing))
    if may_ask_why(renewing):
        assert all(one.offers[-1].years == longest(renewing) for one in limiting(renewing))
        assert limiting(renewing)
        assert len(durations(renewing)) <= 6, "all on one page"


@settings(max_examples=100, deadline=None)
@given(people(12), people(12), st.data())
def test_a_fresh_look_keeps_whoever_is_still_there(
    before: tuple[Candidate, ...], after: tuple[Candidate, ...], data: st.DataObject
) -> None:
    """People are known by their place, which may be another one afterwards."""
    renewing = Renewing(before)
    places = tuple(str(place) for place in range(len(before)))
    renewing = msgspec.structs.replace(renewing, chosen=tuple(data.draw(st.permutations(places))))
    mixed = tuple(data.draw(st.permutations(after)))
    fresh = take_file(renewing, File(mixed))
    still = {one.permit for one in after}
    assert [one.permit for one in chosen(fresh)] == [
        one.permit for one in chosen(renewing) if one.permit in still
    ]


@settings(max_examples=50, deadline=None)
@given(people())
def test_a_file_is_told_in_few_lines(file: tuple[Candidate, ...]) -> None:
    assert len(file_text(Renewing(file)).lines) <= SHOWN + 4  # type: ignore[union-attr]
