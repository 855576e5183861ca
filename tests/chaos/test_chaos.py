"""The fault run, small: two processes, two of them killed, a Redis primary lost, and everybody accounted for.

Counts only. What needs time to be sure of (what a failover loses, how soon a payment is recorded) is the command's.
"""

import pytest

from tests.chaos.__main__ import table
from tests.chaos.run import Size, run

SMALL = Size(
    walks=40,
    at_once=20,
    processes=2,
    seconds=240.0,
    settle=90.0,
    kills=2,
    cuts=1,
    failovers=1,
    restarts=1,
    every=(2.0, 4.0, 5.0, 3.0),
    failing=0.1,
    think=1.0,
    wrong=0.0,
)

SURE = (
    "walks lost",
    "walks without an end",
    "web entries doubled",
    "money taken for no order",
    "money taken twice",
    "another amount taken than ordered",
    "called paid, nothing taken",
    "a fine in two live orders",
    "a fine paid in two orders",
    "orders recorded twice",
    "lines recorded twice",
    "called posted, not recorded",
    "recorded, not paid",
    "outbox entries left",
    "sessions put aside",
)


@pytest.mark.cluster
async def test_everybody_is_accounted_for() -> None:
    report = await run(SMALL, seed=20261122)
    told = table(report)
    assert report.counts["walks"] == SMALL.walks, told
    assert report.troubles["kill"] == 2, told
    assert report.troubles["failover"] == 1, told
    assert {what: report.must_be_nothing[what] for what in SURE} == dict.fromkeys(SURE, 0), told
    assert report.counts["orders paid"] > 0, told
