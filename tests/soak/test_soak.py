"""A small soak: rounds of residents, and after each the process holds what it held after the one before."""

import asyncio
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from bench.soak import measure
from bench.soak.residents import GOOD, HABITS
from bench.soak.run import crowd_of, together
from bench.soak.verdict import KEPT, REMEMBERED, grown
from bench.soak.world import World, world

WALKS = 10
ROUNDS = 6
BACK = 3
"""Connections that the gateway keeps to us for its next notification, at most."""
OURS = ("bot.", "asyncio.", "_asyncio.", "builtins.list", "builtins.dict", "builtins.set")
"""Kinds of objects that are looked at; drivers fill caches of their own, which are bounded."""


async def rest(here: World, before: dict[str, Any] | None) -> dict[str, Any]:
    """The census once the outbox is empty, and there is nothing more open than after the round before."""
    assert await measure.settled(here, 60) == (0, 0)
    loop = asyncio.get_running_loop()
    end = loop.time() + 60
    found = await measure.rested(here, 60, pause=0.2)
    while before is not None and (more := left_open(before, found)):
        assert loop.time() < end, more
        found = await measure.rested(here, 60, pause=0.2)
    return found


def left_open(before: dict[str, Any], after: dict[str, Any]) -> dict[str, int]:
    """Tasks and descriptors that there are more of, without connections that are kept."""
    both = {**grown(before, after, "tasks by kind"), **grown(before, after, "fds by kind")}
    return {
        name: more
        for name, more in both.items()
        if more > (BACK if name == "inbound" else 0) and name not in KEPT
    }


def grown_each_time(rounds: list[dict[str, Any]]) -> dict[str, int]:
    """Kinds of objects of which every round left some behind, and the fewest: a cache fills once, a leak each time."""
    each_time = [grown(before, after, "objects by kind") for before, after in pairwise(rounds)]
    return {
        name: fewest
        for name in each_time[0]
        if name.startswith(OURS) and name not in REMEMBERED
        if (fewest := min(more.get(name, 0) for more in each_time)) > 0
    }


@pytest.mark.long
async def test_after_each_round_the_process_holds_what_it_held_before() -> None:
    async with world(7, 1.0, "", sqlite=True) as here, asyncio.TaskGroup() as behind:
        crowd = crowd_of(here, behind, 7)
        crowd.think, crowd.habits = 0.05, replace(HABITS, lingers=0.1)
        rounds: list[dict[str, Any]] = []
        for _ in range(ROUNDS):
            await together(crowd, WALKS)
            rounds.append(await rest(here, rounds[-1] if rounds else None))

        assert set(crowd.ends) <= set(GOOD)
        assert crowd.ends.total() == ROUNDS * WALKS
        assert not here.service.errors()
        assert {name: few for name, few in grown_each_time(rounds).items() if few >= WALKS} == {}
        assert await here.service.end() == 0
