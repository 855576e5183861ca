"""Made-up residencies, and rules read from a changed copy of the files."""

import shutil
from datetime import date
from pathlib import Path
from typing import Any, Final

from bot.domain import Fine, FineKind
from bot.i18n.text import Local
from bot.residency.facts import Kin, Permit

RULES_FOLDER: Final = Path(__file__).parents[2] / "bot" / "rules"
TODAY: Final = date(2026, 11, 22)
OLD: Final = date(2025, 12, 22)
NEW: Final = date(2025, 12, 23)


def permit(**other: Any) -> Permit:
    """A wife's residency that nothing blocks on `TODAY`: 28 days left, insured for five years."""
    given: dict[str, Any] = {
        "number": "P-1001",
        "civil_id": "290063001017",
        "kin": Kin.WIFE,
        "name": Local("أمينة", "Amina"),
        "latin": "AMINA YUSUF",
        "passport_latin": "AMINA YUSUF",
        "article": 22,
        "sponsor_article": 18,
        "born": date(1990, 6, 30),
        "expires": date(2026, 12, 20),
        "insured_until": date(2032, 1, 1),
        "passport_expires": date(2030, 1, 1),
        **other,
    }
    return Permit(**given)


def worker(**other: Any) -> Permit:
    """A private-sector worker, as the company sees them."""
    return permit(**{"kin": Kin.WORKER, "article": 18, "sponsor_article": 0, **other})


def fine(number: str, fils: int = 5_000, *, on: str = "2026-10-01", barrier: str = "") -> Fine:
    """A residency fine; payable unless there is a barrier."""
    return Fine(number, FineKind.RESIDENCY, Local("مخالفة إقامة", "Residency violation"), on, fils, barrier)


def changed(folder: Path, file: str, old: str, new: str, *, all_of_them: bool = False) -> Path:
    """A copy of the rule files in which ``old`` reads ``new``, once unless told otherwise."""
    copy = folder / "rules"
    shutil.copytree(RULES_FOLDER, copy, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    text = (copy / file).read_text("utf-8")
    assert old in text
    (copy / file).write_text(text.replace(old, new, -1 if all_of_them else 1), "utf-8")
    return copy
