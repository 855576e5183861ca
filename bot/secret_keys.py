"""The secret keys of the data folder: made once, rotated in place, followed by every running process.

The file is only ever replaced whole, and is on the disk before anything can be sealed with a key of it: a
crash at any moment leaves the old ring or the new one. A process follows it without a restart: it looks when it
meets a key it does not know, and every few seconds (`bot.bootstrap`).
"""

import contextlib
import fcntl
import os
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Final

import msgspec

from bot.config import Settings
from bot.crypto import Keyring, announced, only_newest, rotated
from bot.errors import ConfigError

SETTLES: Final = 60
"""Seconds after a rotation before older keys may be dropped: running processes look every few seconds."""


class Rotation(msgspec.Struct, frozen=True):
    """What a rotation comes to.

    Attributes:
        steps: values for SECRET_KEYS, one after the other, each for all processes; none where the file of the
            data folder was rotated.
    """

    steps: tuple[str, ...] = ()


def load_keyring(settings: Settings) -> Keyring:
    """The encryption keys: the given ones, or those made once and kept in the data folder.

    Raises:
        ConfigError: the given ones are malformed.
    """
    given = settings.secret_keys.get_secret_value()
    if given:
        return Keyring.parse(given)
    path = _path(settings)
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        # Made under another name first: a process that starts at the same moment never reads half a key.
        draft = _draft(path, Keyring.generate())
        try:
            os.link(draft, path)
            _sync(path.parent)
        finally:
            draft.unlink()
    follow = _Followed(path)
    return Keyring.parse(follow() or "", follow)


def rotate(settings: Settings) -> Rotation:
    """Put a fresh key before the others in the data folder's file, or say what to put into SECRET_KEYS.

    Keys from the environment change with a restart only. There, all processes are first given the new key
    second, so that each opens what the first restarted one will seal; then first.

    Raises:
        ConfigError: there are no keys to rotate, or they are malformed.
    """
    given = settings.secret_keys.get_secret_value()
    if given:
        fresh = rotated(given)
        return Rotation((announced(fresh), fresh))
    _replace(_path(settings), rotated)
    return Rotation()


def drop_older(settings: Settings, now: int) -> Rotation:
    """Keep the newest key only. The caller has made sure that nothing is sealed with another one.

    Args:
        settings: where the keys are.
        now: epoch seconds.

    Raises:
        ConfigError: the newest key is younger than `SETTLES`, there are no keys, or they are malformed.
    """
    given = settings.secret_keys.get_secret_value()
    if given:
        return Rotation((only_newest(given),))
    path = _path(settings)
    with contextlib.suppress(OSError):
        if now - int(path.stat().st_mtime) < SETTLES:
            raise ConfigError(
                f"DATA_DIR: the keys changed less than {SETTLES} seconds ago; wait for that long"
            )
    _replace(path, only_newest)
    return Rotation()


class _Followed:
    """Reads the file when it is another one than at the last call."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: tuple[int, int, int] | None = None

    def __call__(self) -> str | None:
        try:
            found = self._path.stat()
            mark = found.st_ino, found.st_mtime_ns, found.st_size
            if mark == self._known:
                return None
            text = self._path.read_text("ascii")
        except (OSError, ValueError):
            return None  # the ring in memory still holds
        self._known = mark
        return text


def _path(settings: Settings) -> Path:
    return settings.data_dir / "secret_keys"


def _replace(path: Path, change: Callable[[str], str]) -> None:
    with _alone(path):
        try:
            text = path.read_text("ascii")
        except (OSError, ValueError):
            raise ConfigError(
                "DATA_DIR: no keys are kept there; has the service run with these settings?"
            ) from None
        draft = _draft(path, change(text))
        draft.replace(path)
        _sync(path.parent)


@contextlib.contextmanager
def _alone(path: Path) -> Generator[None, None, None]:
    """One rotation at a time: two would each keep only their own fresh key."""
    try:
        lock = path.with_suffix(".lock").open("w")
    except OSError as error:
        raise ConfigError(f"DATA_DIR: {path.parent} cannot be used ({error.strerror})") from None
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _draft(path: Path, text: str) -> Path:
    """A file of this process beside ``path``, on the disk."""
    draft = path.with_suffix(f".{os.getpid()}")
    draft.unlink(missing_ok=True)  # of a process that died with the same number
    with os.fdopen(
        os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii"
    ) as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    return draft


def _sync(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
