"""Curves in, a picture for the page of results out: SVG, legible on light and on dark.

matplotlib draws, without a window. The same curves give the same bytes. Knows nothing of what is measured.
"""

import io
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from elman.insight.comparison.picture import STYLE

from .report import Picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PICTURES = Path(__file__).parents[1] / "docs" / "pictures"
WIDTH, HEIGHT = 11.0, 2.8  # inches of the picture, and at least of a row of panels
IN_A_ROW, SHAPE = 4, 0.4  # panels in a row; height of a panel as a share of its width, where it is wide
COLOURS = ("#d9480f", "#0d9488", "#7c6cf0", "#3b82f6", "#b7791f", "#be4b8a", "#6b8e23")
INK = "#010203"  # becomes CanvasText, which matplotlib does not know
INKED = ("axes.edgecolor", "axes.labelcolor", "text.color", "grid.color", "xtick.color", "ytick.color")
PAGE = "svg{color-scheme: light dark; background: Canvas}"


class Curve(NamedTuple):
    """Points, and the band that their measurements lie in; dashed where it is there to compare with."""

    name: str  # in the legend; where it is empty, not in it
    x: Sequence[float]
    y: Sequence[float]
    low: Sequence[float] = ()
    high: Sequence[float] = ()
    dashed: bool = False


class Panel(NamedTuple):
    """Curves over one pair of axes."""

    title: str
    below: str  # what x is
    beside: str  # what y is
    curves: Sequence[Curve]
    logarithmic: bool = False  # both axes; x is then marked where the first curve has points


def write(name: str, alternative: str, panels: Sequence[Panel]) -> Picture:
    """Draw panels side by side into docs/pictures; return the picture as a table shows it."""
    (PICTURES / f"{name}.svg").write_text(draw(panels), encoding="utf-8")
    return Picture(f"pictures/{name}.svg", alternative)


def draw(panels: Sequence[Panel]) -> str:
    """Return the panels as SVG."""
    from matplotlib import style
    from matplotlib.figure import Figure

    rows, columns = math.ceil(len(panels) / IN_A_ROW), min(len(panels), IN_A_ROW)
    file = io.StringIO()
    with style.context(["default", {**STYLE, **dict.fromkeys(INKED, INK), "grid.alpha": 0.15}]):
        figure = Figure((WIDTH, rows * max(HEIGHT, SHAPE * WIDTH / columns)), layout="constrained")
        grid = figure.subplots(rows, columns, squeeze=False).flatten()
        for axes, panel in zip(grid, panels, strict=False):
            _draw(axes, panel)
        for axes in grid[len(panels) :]:
            axes.set_axis_off()
        figure.savefig(file, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    return file.getvalue().replace(INK, "CanvasText").replace("*{", f"{PAGE}*{{", 1)


def _draw(axes: "Axes", panel: Panel) -> None:
    from matplotlib.ticker import LogLocator

    for curve, colour in zip(panel.curves, COLOURS, strict=False):
        line, width = ("--", 1.0) if curve.dashed else ("o-" if panel.logarithmic else "-", 1.8)
        axes.plot(curve.x, curve.y, line, linewidth=width, color=colour, label=curve.name)
        if curve.low:
            axes.fill_between(curve.x, curve.low, curve.high, color=colour, alpha=0.25, linewidth=0)
    axes.set(title=panel.title, xlabel=panel.below, ylabel=panel.beside)
    if panel.logarithmic:
        axes.set(xscale="log", yscale="log")
        axes.minorticks_off()
        axes.set_xticks(panel.curves[0].x)
        axes.tick_params(axis="x", rotation=45)
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_formatter("{x:g}")
    if any(curve.name for curve in panel.curves):
        axes.legend()
