"""A plot is the same file for the same figures, says what it shows, and stands on a ground of its own."""

from pathlib import Path
from xml.etree import ElementTree as ET

from bench.plots import PAPER, line_plot

SERIES = {"process": [(1, 200.0), (1_000_000, 210.0)], "Redis": [(1, 60.0), (1_000_000, 70.0)]}


def test_the_same_figures_make_the_same_file(tmp_path: Path) -> None:
    for name in ("a", "b"):
        line_plot(
            tmp_path / f"{name}.svg", "Cost against size", "sessions", "µs", SERIES, log_x=True, note="Today"
        )
    text = (tmp_path / "a.svg").read_text("utf-8")
    assert text == (tmp_path / "b.svg").read_text("utf-8")
    root = ET.fromstring(text)  # noqa: S314 - written three lines above
    said = {
        (element.text or "").strip() for element in root.iter() if element.tag.endswith(("text", "title"))
    }
    assert said >= {"Cost against size", "sessions", "µs", "process", "Redis", "Today", "1,000,000"}
    assert "date" not in text
    assert PAPER in text
