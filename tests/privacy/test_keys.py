"""Keys: a ring follows its file, rotations are whole or not at all, and no process is left behind."""

import base64
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pydantic import SecretStr

from bot.config import Settings
from bot.crypto import Keyring, announced, key_of, only_newest, rotated
from bot.errors import ConfigError, Unreadable
from bot.secret_keys import SETTLES, drop_older, load_keyring, rotate

PLACE = b"s:{p017}:x"
LATER = 4_000_000_000
"""Long after any file of a test was written."""


def at(folder: Path, keys: str = "") -> Settings:
    return Settings(_env_file=None, data_dir=folder, secret_keys=SecretStr(keys))


def kept(folder: Path) -> str:
    return (folder / "secret_keys").read_text("ascii")


def test_a_rotation_puts_a_fresh_key_first_and_keeps_the_index(tmp_path: Path) -> None:
    ring = load_keyring(at(tmp_path))
    before = kept(tmp_path)
    assert rotate(at(tmp_path)).steps == ()
    after = kept(tmp_path)
    assert after.split(":")[0] == before.split(":")[0]
    assert after.endswith(f",{before.partition(':')[2]}")
    assert ring.refresh()
    assert len(ring.ids) == 2
    assert ring.newest == ring.ids[0] == Keyring.parse(after).newest
    assert not ring.refresh(), "nothing has changed since"
    assert (tmp_path / "secret_keys").stat().st_mode & 0o777 == 0o600


def test_what_another_process_sealed_with_a_newer_key_opens_at_once(tmp_path: Path) -> None:
    slow, fast = load_keyring(at(tmp_path)), load_keyring(at(tmp_path))
    old = slow.seal(b"x", PLACE)
    rotate(at(tmp_path))
    assert fast.refresh()
    new = fast.seal(b"y", PLACE)
    assert key_of(new) != key_of(old)
    assert slow.open(new, PLACE) == b"y"
    assert fast.open(old, PLACE) == b"x"
    assert key_of(slow.seal(b"z", PLACE)) == key_of(new), "and seals with it from now on"


def test_older_keys_are_dropped_when_all_had_time_to_see_the_new_one(tmp_path: Path) -> None:
    ring = load_keyring(at(tmp_path))
    old = ring.seal(b"x", PLACE)
    rotate(at(tmp_path))
    changed = int((tmp_path / "secret_keys").stat().st_mtime)
    with pytest.raises(ConfigError, match="less than 60 seconds ago"):
        drop_older(at(tmp_path), changed + SETTLES - 1)
    drop_older(at(tmp_path), changed + SETTLES)
    assert ring.refresh()
    assert len(ring.ids) == 1
    with pytest.raises(Unreadable, match="unknown key"):
        ring.open(old, PLACE)


def test_keys_of_the_environment_rotate_in_two_steps(tmp_path: Path) -> None:
    given = Keyring.generate()
    first, second = rotate(at(tmp_path, given)).steps
    before, between, after = (Keyring.parse(text) for text in (given, first, second))
    assert before.newest == between.newest != after.newest
    assert set(between.ids) == set(after.ids)
    assert between.open(after.seal(b"x", PLACE), PLACE) == b"x", "restarted or not, each opens the other's"
    assert after.open(between.seal(b"x", PLACE), PLACE) == b"x"
    assert Keyring.parse(drop_older(at(tmp_path, second), LATER).steps[0]).ids == (after.newest,)
    assert not (tmp_path / "secret_keys").exists()


def test_rotations_at_once_lose_no_key(tmp_path: Path) -> None:
    load_keyring(at(tmp_path))
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _n: rotate(at(tmp_path)), range(8)))
    assert len(Keyring.parse(kept(tmp_path)).ids) == 9


CRASH = """
import os, sys
from pathlib import Path
from bot import secret_keys
from bot.config import Settings
step = sys.argv[2]
def die(*_):
    os.kill(os.getpid(), 9)
if step == "before":
    Path.replace = die
else:
    secret_keys._sync = die
secret_keys.rotate(Settings(_env_file=None, data_dir=Path(sys.argv[1])))
"""


@pytest.mark.parametrize(("step", "keys"), [("before", 1), ("after", 2)])
def test_a_crash_leaves_the_old_ring_or_the_new_one(tmp_path: Path, step: str, keys: int) -> None:
    ring = load_keyring(at(tmp_path))
    old = ring.seal(b"x", PLACE)
    root = Path(__file__).parents[2]
    died = subprocess.run(
        [sys.executable, "-c", CRASH, str(tmp_path), step],
        check=False,
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(root)},
    )
    assert died.returncode == -9
    ring.refresh()
    assert len(ring.ids) == keys
    rotate(at(tmp_path))  # the lock of the dead is free, its draft in nobody's way
    ring.refresh()
    assert len(ring.ids) == keys + 1
    assert ring.open(old, PLACE) == b"x"


@pytest.mark.parametrize(
    "wrong",
    ["", "x", "AAAA:AAAA", Keyring.generate()],
    ids=["empty", "no ring", "short keys", "a foreign ring"],
)
def test_a_broken_or_foreign_ring_does_not_replace_the_one_in_memory(tmp_path: Path, wrong: str) -> None:
    ring = load_keyring(at(tmp_path))
    sealed = ring.seal(b"x", PLACE)
    (tmp_path / "secret_keys").write_text(wrong)
    with pytest.raises(ConfigError):
        ring.refresh()
    assert ring.open(sealed, PLACE) == b"x"
    with pytest.raises(Unreadable):
        ring.open(b"\x01abcd" + sealed[5:], PLACE)


def test_a_file_that_is_gone_changes_nothing(tmp_path: Path) -> None:
    ring = load_keyring(at(tmp_path))
    (tmp_path / "secret_keys").unlink()
    assert not ring.refresh()
    with pytest.raises(ConfigError, match="no keys are kept there"):
        rotate(at(tmp_path))


def test_rings_as_text() -> None:
    keys = [base64.b64encode(bytes([n]) * 32).decode() for n in range(1, 4)]
    ring = f"{keys[0]}:{keys[1]},{keys[2]}\n"
    assert only_newest(ring) == f"{keys[0]}:{keys[1]}"
    assert announced(ring) == f"{keys[0]}:{keys[2]},{keys[1]}"
    assert rotated(ring).endswith(f",{keys[1]},{keys[2]}")
    assert key_of(b"") == key_of(b"\x01abcd") == key_of(b"\x02" + bytes(40)) == b""
    with pytest.raises(ConfigError):
        rotated("nothing")
