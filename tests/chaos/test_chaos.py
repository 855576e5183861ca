"""The fault run, small: two processes, two of them killed, a Redis primary lost, and everybody accounted for.

Counts only. What needs time to be sure of (what a failover loses, how soon a payment is recorded) is the command's.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.chaos.run import SMALL
from tests.chaos.service import ROOT

SAFETY = 600
"""Seconds after which a run that does not end is given up."""

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
def test_everybody_is_accounted_for(tmp_path: Path) -> None:
    found = tmp_path / "run.json"
    command = [sys.executable, "-m", "tests.chaos", "--small", "--seed", "20261122", "--json", str(found)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=SAFETY, check=False)
    told = ended.stdout + ended.stderr
    assert found.exists(), told
    report = json.loads(found.read_text())
    assert report["counts"]["walks"] == SMALL.walks, told
    assert report["troubles"]["kill"] == SMALL.kills, told
    assert report["troubles"]["failover"] == SMALL.failovers, told
    assert {what: report["must_be_nothing"][what] for what in SURE} == dict.fromkeys(SURE, 0), told
    assert report["counts"]["orders paid"] > 0, told
