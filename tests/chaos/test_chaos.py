"""The fault run, small: a round of troubles, each healed before the next, and everybody accounted for. Counts only.

The table is in the message of a failure, with the findings below it.
"""

import asyncio
import json
import sys
from pathlib import Path

import pytest

from tests.chaos.service import ROOT
from tests.chaos.size import SMALL

HUNG: float = 300.0
"""Seconds after which a run hangs: it ends by its counts."""

HAPPENED = ("kill", "failover", "network", "bot api refused", "outside refused")


@pytest.mark.cluster
@pytest.mark.long
async def test_everybody_is_accounted_for(tmp_path: Path) -> None:
    found = tmp_path / "run.json"
    told = await _run("--small", "--seed", "20261122", "--json", str(found))
    assert found.exists(), told
    report = json.loads(found.read_text())
    counts, troubles = report["counts"], report["troubles"]
    assert not any(report["must_be_nothing"].values()), told
    assert counts["walks"] == counts["walks ended honestly"] == SMALL.walks, told
    assert counts["walks out of time"] == counts["walks that there was no time for"] == 0, told
    assert {what for what in HAPPENED if troubles[what] == 0} == set(), told
    assert troubles["kill"] == 2 * SMALL.rounds, told
    assert troubles["failover"] == SMALL.rounds, told
    assert troubles["ledger restarted"] == SMALL.rounds * (report["about"]["ledger"] == "PostgreSQL"), told
    assert counts["updates refused and brought again"] > 0, told
    assert counts["updates brought twice by plan"] > 0, told
    assert counts["orders paid"] > 0, told
    assert counts["fils taken"] == counts["fils in the ledger"], told


async def _run(*arguments: str) -> str:
    """What the command prints; ended, with all its processes, where it hangs."""
    running = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.chaos", *arguments),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    told = asyncio.ensure_future(running.communicate())  # noqa: TID251 - awaited below
    done, _ = await asyncio.wait({told}, timeout=HUNG)
    if not done:
        running.terminate()
    return (await told)[0].decode()
