"""A small rehearsal: nothing is lost, and everything that could have gone wrong was there to go wrong."""

import pytest

from bot.dialogs import dialogs
from bot.dialogs.home import Operator
from bot.graph import faults
from tests.deploy.next.dialogs import next_release
from tests.deploy.rehearsal import SMALL, rehearse


def test_the_next_release_s_dialogs_are_sound() -> None:
    assert faults(next_release(dialogs(Operator()))) == []


@pytest.mark.long
async def test_a_deploy_loses_nothing() -> None:
    report = await rehearse(SMALL, seed=5)
    assert report.findings == []
    assert report.counts["walks ended honestly"] == report.counts["walks"] == SMALL.walks
