"""What of a dialog is stored or drawn: its shape, its diagram. ``python -m tests.dialogs.shapes`` writes both.

A shape holds the names and kinds of states and the answers' schema. It is refused to write another shape
under the same version: raise it, and say in ``migrations`` what becomes of the old answers.
"""

import json
from pathlib import Path
from typing import Any, Final, cast

import msgspec

from bot.dialogs import RETIRED, dialogs
from bot.dialogs.home import Operator
from bot.graph import mermaid
from bot.spec import Dialog

ROOT: Final = Path(__file__).parents[2]
GOLDEN: Final = Path(__file__).with_name("shapes.json")
DIAGRAMS: Final = ROOT / "docs" / "dialogs"
DIALOGS: Final = dialogs(Operator())

Shape = dict[str, Any]


def shape(dialog: Dialog[Any]) -> Shape:
    """What stored sessions depend on."""
    found = {
        "version": dialog.version,
        "states": {name.value: type(state).__name__ for name, state in sorted(dialog.states.items())},
        "answers": _without_words(msgspec.json.schema(dialog.answers)),
    }
    return cast("Shape", json.loads(json.dumps(found)))


def _without_words(schema: Any) -> Any:
    """A schema without titles and docstrings, whose wording may change."""
    match schema:
        case dict():
            table = cast("dict[str, Any]", schema)
            return {
                key: _without_words(value)
                for key, value in table.items()
                if key not in ("title", "description")
            }
        case list():
            return [_without_words(item) for item in schema]
        case _:
            return schema


def stored() -> dict[str, Shape]:
    """The shapes as last written."""
    return cast("dict[str, Shape]", json.loads(GOLDEN.read_text("utf-8"))) if GOLDEN.exists() else {}


def unraised(dialog: Dialog[Any], golden: dict[str, Shape]) -> bool:
    """Whether the dialog changed its shape and kept its version."""
    old, new = golden.get(dialog.id), shape(dialog)
    return old is not None and old != new and old["version"] == new["version"]


def unretired(golden: dict[str, Shape]) -> list[str]:
    """Ids of dialogs that are gone without a word: their sessions would wait for a newer release."""
    return sorted(set(golden) - RETIRED - {dialog.id for dialog in DIALOGS})


def main() -> None:
    """Write shapes and diagrams."""
    golden = stored()
    if gone := unretired(golden):
        raise SystemExit(f"{', '.join(gone)}: gone; name it in bot.dialogs.RETIRED")
    for dialog in DIALOGS:
        if unraised(dialog, golden):
            raise SystemExit(f"{dialog.id}: states or answers changed; raise its version, with a migration")
        (DIAGRAMS / f"{dialog.id}.mmd").write_text(mermaid(dialog), "utf-8")
    shapes = {dialog.id: shape(dialog) for dialog in DIALOGS}
    GOLDEN.write_text(json.dumps(shapes, indent=1, ensure_ascii=False, sort_keys=True) + "\n", "utf-8")


if __name__ == "__main__":
    main()
