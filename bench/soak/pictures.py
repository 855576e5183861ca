"""The soak's plots."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from bench.plots import line_plot
from bench.soak.verdict import MIB, Record, Sample, derived

PREFIX: Final = "soak-"
_MINUTE: Final = 60.0
_X: Final = "minutes"


def draw(record: Record, folder: Path, note: str) -> list[Path]:
    """Draw all of them into ``folder``."""
    samples = derived(record.samples)
    pictures: dict[str, tuple[str, str, dict[str, tuple[str, float]]]] = {
        "memory": (
            "Memory of the service",
            "MiB",
            {"resident": ("rss", MIB), "written": ("private", MIB)},
        ),
        "counts": (
            "What the process has open",
            "",
            {
                "tasks": ("tasks", 1.0),
                "file descriptors": ("fds", 1.0),
                "residents walking": ("walking", 1.0),
            },
        ),
        "objects": ("Objects the garbage collector knows", "", {"objects": ("objects", 1.0)}),
        "redis": (
            "Memory of Redis",
            "MiB",
            {"used": ("redis", MIB)},
        ),
        "keys": (
            "Keys in Redis",
            "",
            {
                name: (f"keys {name}", 1.0)
                for name in ("sessions", "languages", "logs", "windows", "outbox streams", "timer sets")
            },
        ),
        "cpu": ("CPU of a turn, over a minute", "µs", {"service": ("cpu per turn", 1.0)}),
        "ledger": ("Size of the ledger", "MiB", {record.ledger: ("ledger", MIB)}),
    }
    drawn: list[Path] = []
    for name, (title, unit, lines) in pictures.items():
        series = {label: _points(samples, what, factor) for label, (what, factor) in lines.items()}
        series = {label: points for label, points in series.items() if points}
        if series:
            path = folder / f"{PREFIX}{name}.svg"
            line_plot(path, title, _X, unit, series, note=note)
            drawn.append(path)
    return drawn


def _points(samples: Sequence[Sample], what: str, factor: float) -> list[tuple[float, float]]:
    return [(each["at"] / _MINUTE, each[what] / factor) for each in samples if what in each]
