"""Line plots as SVG: the same bytes for the same figures, readable on light and on dark pages.

    line_plot(Path("docs/images/plots/size.svg"), "Cost against size", "sessions", "CPU µs a turn",
              {"process": [(1, 310.0), (1_000, 312.0)]}, log_x=True)

Plots lie in ``docs/images/plots/`` and are used in docs/performance.md, docs/reliability.md and docs/scale.md as
``![what it shows](images/plots/name.svg)``.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

SIZE: Final = (8.0, 4.2)
"""Inches; an SVG scales."""
COLOURS: Final = ("#0b6e99", "#d9480f", "#2b8a3e", "#862e9c", "#b08900", "#495057")
"""Apart for most kinds of colour blindness; each also has a marker or a dash of its own."""
MARKERS: Final = "os^Dv*"
DASHES: Final = ("-", "--", "-.", ":", (0, (5, 1)), (0, (1, 1)))
INK: Final = "#343a40"
PAPER: Final = "#ffffff"
"""A ground of its own: whichever theme the page has, the ink stands out."""
MARKED: Final = 40
"""A series of more points is a line without markers."""

_TERMS: Final = {
    "svg.hashsalt": "iqamati",  # ids inside the file, else drawn by chance
    "svg.fonttype": "none",  # text stays text: small, searchable, read aloud
    "svg.image_inline": True,
    "font.family": "sans-serif",
    "font.size": 10.0,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "text.parse_math": False,
}

Series = Mapping[str, Sequence[tuple[float, float]]]
"""Name of a line → its points."""


def line_plot(
    path: Path,
    title: str,
    x: str,
    y: str,
    series: Series,
    *,
    log_x: bool = False,
    log_y: bool = False,
    note: str = "",
) -> None:
    """Draw ``series`` into ``path``.

    Args:
        path: the SVG; its folder is made if missing.
        title: above the plot, and the picture's name for those who hear the page.
        x: what runs to the right, with its unit.
        y: what runs upwards, with its unit.
        series: at least one line.
        log_x: powers of ten to the right.
        log_y: powers of ten upwards; otherwise the axis begins at nought.
        note: below the plot: date, machine, what was assumed.
    """
    library: Any = mpl  # much of its annotations is left open under strict checking
    with library.rc_context(_TERMS):
        figure: Any = Figure(figsize=SIZE, layout="constrained", facecolor=PAPER)
        axes = figure.add_subplot()
        for number, (name, points) in enumerate(series.items()):
            axes.plot(
                [point[0] for point in points],
                [point[1] for point in points],
                label=name,
                color=COLOURS[number % len(COLOURS)],
                linestyle=DASHES[number % len(DASHES)],
                marker=MARKERS[number % len(MARKERS)] if len(points) <= MARKED else "",
                markersize=4.5,
                linewidth=1.6,
            )
        axes.set_title(title, fontsize=12, fontweight="bold", loc="left")
        axes.set_xlabel(x)
        axes.set_ylabel(y)
        for axis, scaled, set_scale in (
            (axes.xaxis, log_x, axes.set_xscale),
            (axes.yaxis, log_y, axes.set_yscale),
        ):
            if scaled:
                set_scale("log")
            axis.set_major_formatter(FuncFormatter(_number))
        if not log_y:
            axes.set_ylim(bottom=min(0.0, axes.get_ylim()[0] if _negative(series) else 0.0))
        axes.grid(visible=True, color="#dee2e6", linewidth=0.8)
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)
        if len(series) > 1:
            axes.legend(frameon=False)
        if note:
            figure.supxlabel(note, fontsize=8, x=0.01, ha="left")
        path.parent.mkdir(parents=True, exist_ok=True)
        canvas: Any = FigureCanvasSVG(figure)
        canvas.print_svg(path, metadata={"Title": title, "Date": None, "Creator": None})


def _negative(series: Series) -> bool:
    return any(point[1] < 0 for points in series.values() for point in points)


def _number(value: float, _position: int | None = None) -> str:
    """As people read it: thousands apart, no exponent, no tail of noughts."""
    if value == 0:
        return "0"
    text = f"{value:,.0f}" if abs(value) >= 100 else f"{value:,.4g}"
    return text.replace("-", "\u2212")
