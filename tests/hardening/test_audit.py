"""The audit of the dependencies: a hole is a failure, and silence is not taken for "no holes"."""

import pytest

from tools.audit import LOCKED, answer, report, status

SOUND = {"name": "sound", "version": "1.0", "vulns": []}
HOLED = {"name": "holed", "version": "1.0", "vulns": [{"id": "PYSEC-1", "fix_versions": ["1.1"]}]}
SKIPPED = {"name": "skipped", "skip_reason": "Dependency not found"}


def test_what_is_said() -> None:
    assert report([SOUND]) == (["audit: no known hole in 1 packages"], True)
    assert report([SOUND, HOLED]) == (["holed 1.0: PYSEC-1, mended in 1.1"], True)
    assert report([SOUND, SKIPPED]) == (["audit: nobody answers for 1 packages: skipped"], False)
    assert report(None)[1] is False


def test_a_hole_is_a_failure_and_silence_is_one_unless_allowed() -> None:
    assert status([SOUND], if_able=False) == 0
    assert [status([SOUND, HOLED, SKIPPED], if_able=able) for able in (True, False)] == [1, 1]
    assert [status([SOUND, SKIPPED], if_able=able) for able in (True, False)] == [0, 1]
    assert [status(None, if_able=able) for able in (True, False)] == [0, 1]


def test_without_the_database_nothing_was_audited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")  # nobody is there
    assert LOCKED.exists()
    assert answer(LOCKED) is None
