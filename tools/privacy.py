"""The tables of docs/privacy.md, written from the inventory that the code itself uses.

python -m tools.privacy
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from bot.dialogs.my_data import consent as number
from bot.dialogs.reminders import consent as reminders
from bot.services.privacy import INVENTORY, PERIODS, Kind

PAGE: Final = Path(__file__).parents[1] / "docs" / "privacy.md"
_PART: Final = re.compile(r"(<!-- (\w+): written by tools/privacy.py -->\n).*?(<!-- end -->)", re.DOTALL)
_FORMS: Final = ("sealed", "blind", "masked", "hashed", "clear")


def redis_table() -> str:
    """What is kept in Redis."""
    rows = [
        (
            f"`{kind.redis}`",
            kind.title.en,
            kind.form,
            kind.why.en,
            kind.until.en,
            kind.seen_by,
            kind.forgotten,
        )
        for kind in INVENTORY
        if kind.redis
    ]
    return _table(("Key", "What", "Form", "Why", "How long", "Seen by", "`/forget`"), rows)


def sql_table() -> str:
    """What is kept in the ledger."""
    rows = [
        (
            f"`{kind.table}`",
            _columns(kind),
            kind.form,
            kind.why.en,
            kind.until.en,
            kind.seen_by,
            kind.forgotten,
        )
        for kind in INVENTORY
        if kind.table
    ]
    return _table(("Table", "Columns", "Form", "Why", "How long", "Seen by", "`/forget`"), rows)


def periods_table() -> str:
    """How long, and where each figure comes from."""
    rows = [
        (name, f"{period.days} days" if period.days else f"{period.hours} hours", period.source)
        for name, period in PERIODS.items()
    ]
    return _table(("Period", "Length", "Source"), rows)


def consents_table() -> str:
    """The texts agreed to."""
    texts = {number.REMEMBER_NUMBER: number.VERSIONS, reminders.REMINDERS: reminders.VERSIONS}
    rows = [
        (f"`{what}`", str(terms.version), terms.date.isoformat(), terms.en, terms.ar)
        for what, versions in texts.items()
        for terms in versions
    ]
    return _table(("What", "Version", "Since", "Text", "In Arabic"), rows)


def page(text: str) -> str:
    """``text`` with all tables as they are now."""
    tables = {
        "redis": redis_table,
        "sql": sql_table,
        "periods": periods_table,
        "consents": consents_table,
    }
    return _PART.sub(lambda part: f"{part[1]}\n{tables[part[2]]()}\n{part[3]}", text)


def _columns(kind: Kind) -> str:
    parts = [(form, getattr(kind, form)) for form in _FORMS]
    return "; ".join(f"{form}: {', '.join(f'`{name}`' for name in names)}" for form, names in parts if names)


def _table(heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [heads, ("---",) * len(heads), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text("utf-8")), "utf-8")
