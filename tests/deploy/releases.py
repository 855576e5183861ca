"""The two releases as folders: copies of `bot`, one of them with `tests.deploy.next` laid over it."""

import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.deploy import next as following

ROOT: Final = Path(__file__).resolve().parents[2]
OVERLAY: Final = Path(next(iter(following.__path__)))
REVISION: Final = "next"
"""The ledger's revision that the new release brings."""

_LAID: Final = """

from bot.dialogs.following import next_release  # noqa: E402

_today = dialogs


def dialogs(operator: Operator) -> tuple[Dialog[Any], ...]:
    return next_release(_today(operator))
"""


WITHOUT: Final = ("migrations", "successor", "caution")
"""What can be left out on purpose, to see the rehearsal notice: of the new release the steps that turn older answers into
its own, or the state that takes a retired one's place; of the old one its leaving alone what is newer."""


@dataclass(frozen=True)
class Release:
    """A release: its name, and the folder its `bot` is imported from."""

    name: str
    folder: Path


def old_release(folder: Path, *, without: str = "") -> Release:
    """Today's code, as it is now: what is edited while the rehearsal runs does not get in."""
    _copy(folder)
    if without == "caution":
        _cut(folder / "bot" / "engine" / "machine.py", "if frame.version > dialog.version:", "if False:")
    return Release("old", folder)


def new_release(folder: Path, *, without: str = "") -> Release:
    """Today's code with the next release's changes."""
    _copy(folder)
    dialogs = folder / "bot" / "dialogs"
    shutil.copy(OVERLAY / "dialogs.py", dialogs / "following.py")
    if without == "migrations":
        _cut(dialogs / "following.py", "{**now.migrations, now.version: step}", "{**now.migrations}")
    elif without == "successor":
        _cut(dialogs / "following.py", ", retired={old: offer}", "")
    with (dialogs / "__init__.py").open("a", encoding="utf-8") as file:
        file.write(_LAID)
    versions = folder / "bot" / "services" / "ledger" / "migrations" / "versions"
    text = (OVERLAY / "revision.py").read_text("utf-8").replace('"HEAD"', f'"{_head(versions)}"')
    (versions / "v9999_next.py").write_text(text, "utf-8")
    return Release("new", folder)


def _copy(folder: Path) -> None:
    for part in ("bot", "locales"):
        shutil.copytree(ROOT / part, folder / part)


def _cut(path: Path, found: str, instead: str) -> None:
    text = path.read_text("utf-8")
    assert text.count(found) == 1, f"not there to be cut: {found}"
    path.write_text(text.replace(found, instead), "utf-8")


def _head(versions: Path) -> str:
    """The newest revision: the one that no other follows."""
    texts = [path.read_text("utf-8") for path in versions.glob("v*.py")]
    made = {found for text in texts for found in re.findall(r'^revision = "(\w+)"', text, re.MULTILINE)}
    followed = {
        found for text in texts for found in re.findall(r'^down_revision = "(\w+)"', text, re.MULTILINE)
    }
    (head,) = made - followed
    return str(head)
