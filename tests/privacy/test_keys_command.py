"""``iqamati keys`` beside a running service."""

import os
from pathlib import Path

import pytest

from tests.e2e.command import Home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def test_keys_rotate_beside_a_running_service(home: Home) -> None:
    with home.running() as run:
        before = home.chat("٢٨٥٠١١٥٠٠٠٢٩")
        assert home.command("keys", "rotate").code == 0
        newest, older = home.command("keys", "status").lines
        assert "newest" in newest
        assert int(older.split()[3]) > 0, "the chat is still under the older key"
        refused = home.command("keys", "drop")
        assert refused.code == 1
        assert "still sealed with older keys" in refused.errors[0]
        after = home.chat("/menu")
        assert before
        assert after
        newest = home.command("keys", "rotate", "--status").lines[0]
        assert int(newest.split()[3]) > 0, "what was touched is under the newest"
        ended = run.interrupt()
        assert ended.errors == []


def test_unused_keys_are_dropped(home: Home) -> None:
    with home.running() as run:
        run.interrupt()
    home.command("keys", "rotate")
    too_soon = home.command("keys", "drop")
    assert (too_soon.code, len(too_soon.errors)) == (1, 1)
    assert "less than 60 seconds ago" in too_soon.errors[0]
    file = home.folder / "data" / "secret_keys"
    os.utime(file, (file.stat().st_atime, file.stat().st_mtime - 61))
    assert home.command("keys", "drop").lines == ["older keys dropped: 1"]
    assert len(home.command("keys", "status").lines) == 1
    assert not home.valkey()


def test_keys_of_the_environment(home: Home) -> None:
    keys = home.command("keys", "new").lines[0]
    lines = home.command("keys", "rotate", SECRET_KEYS=keys).lines
    assert [line for line in lines if line.startswith("SECRET_KEYS=")]
    assert home.command("keys", "rotate", SECRET_KEYS="nothing").errors == [
        "iqamati: SECRET_KEYS: expected index:key[,older key] in base64"
    ]
