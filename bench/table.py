"""What the benches share: a table in columns, figures in a file, a free port."""

import json
import socket
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

Row = dict[str, Any]


def shown(rows: Sequence[Row], columns: Mapping[str, str]) -> str:
    """``rows`` under the headings of ``columns``, which names their fields."""
    lines = [list(columns.values()), *([str(row.get(name, "")) for name in columns] for row in rows)]
    widths = [max(len(line[at]) for line in lines) for at in range(len(columns))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if at == 0 else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        for line in lines
    )


def written(file: Path | None, found: object) -> None:
    """``found`` as JSON in ``file``, where one was named."""
    if file is not None:
        file.write_text(json.dumps(found, indent=1, ensure_ascii=False, default=str) + "\n", "utf-8")


def free_port() -> int:
    """A port of the loopback interface that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        found: int = probe.getsockname()[1]
    return found
