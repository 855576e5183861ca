"""The tables of docs/rules.md, written from the rule files themselves.

python -m tools.rules
"""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from bot.residency.overstay import Case, estimate, since

ROOT: Final = Path(__file__).parents[1]
PAGE: Final = ROOT / "docs" / "rules.md"
FOLDER: Final = ROOT / "bot" / "rules"
_PART: Final = re.compile(r"(<!-- ([\w. ]+): written by tools/rules.py -->\n).*?(<!-- end -->)", re.DOTALL)
_MONEY: Final = {"fils", "first_month", "after", "cap", "salary"}
_LAST: Final = ("mark", "source")
_FAR: Final = date(2999, 1, 1)
"""After every change of the amounts, and long after everything that was waived."""

_LATE: Final = (1, 10, 30, 31, 45, 60, 90, 200, 300, 314, 315, 515)


def page(text: str) -> str:
    """``text`` with all tables as they are now."""
    named = {part[2] for part in _PART.finditer(text)}
    return _PART.sub(lambda part: f"{part[1]}\n{_written(part[2], named)}\n{part[3]}", text)


def dated(file: Path) -> list[str]:
    """The keys of ``file`` that are rules: their entries have a day they hold from and a mark."""
    table = tomllib.loads(file.read_text("utf-8"))
    return [key for key, value in table.items() if any("mark" in row for row in _rows(value))]


def _written(name: str, named: set[str]) -> str:
    if name == "examples":
        return _examples()
    if name == "rest":
        return _rest(named)
    file, *keys = name.split()
    table = tomllib.loads((FOLDER / file).read_text("utf-8"))
    if len(keys) == 1:
        return _table(list(_rows(table[keys[0]])))
    return "\n".join(f"`{key}`:\n\n{_table(list(_rows(table[key])))}" for key in keys)


def _rest(named: set[str]) -> str:
    """Every rule that no table before shows."""
    shown = {(file, key) for name in named for file, *keys in [name.split()] for key in keys}
    parts: list[str] = []
    for file in sorted(FOLDER.glob("*.toml")):
        table = tomllib.loads(file.read_text("utf-8"))
        parts += [
            f"`{file.name}`, `{key}`:\n\n{_table(list(_rows(table[key])))}"
            for key in dated(file)
            if (file.name, key) not in shown
        ]
    return "\n".join(parts)


def _rows(value: Any) -> Iterator[dict[str, Any]]:
    """A row for every period of an entry: a setting, a setting that changed, or cases with periods of their own."""
    for entry in value if isinstance(value, list) else [value]:
        if not isinstance(entry, Mapping):
            continue
        if "from" in entry:
            yield dict(entry)
        for period in entry.get("period", ()):
            yield {**{key: one for key, one in entry.items() if key != "period"}, **period}


def _table(rows: Sequence[Mapping[str, Any]]) -> str:
    keys: list[str] = []
    for row in rows:
        for before, key in pairwise(["", *row]):
            if key not in keys:  # beside its neighbour, wherever another row has it
                keys.insert(keys.index(before) + 1 if before else 0, key)
    keys = [key for key in keys if key not in _LAST] + [key for key in _LAST if key in keys]
    lines = [keys, ["---"] * len(keys), *([_cell(key, row.get(key)) for key in keys] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _cell(key: str, value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case int() if key in _MONEY:
            return f"{value // 1000}.{value % 1000:03d}"
        case date():
            return value.isoformat()
        case list():
            return "; ".join(_cell("", one) for one in value) or "none"
        case Mapping():
            return str(value.get("en", ""))
        case _:
            return str(value).replace("|", r"\|")


def _examples() -> str:
    """What so many late days come to, by the code that residents are answered by."""
    rows = [
        {"case": case, **{str(days): estimate(case, since(days, _FAR), _FAR).fils // 1000 for days in _LATE}}
        for case in Case
    ]
    return _table(rows)


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text("utf-8")), "utf-8")
