"""The panels of a comparison: runs and axes of matplotlib in, the axes drawn on. Knows not where they lie."""

import math
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from elman.runs.compared import LEAK, Shown

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import SubFigure

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#8c8c8c")
MARKERS = "os^Dv<>P"  # beside the colours (Okabe and Ito 2008), for whom they are not enough
LOGARITHMIC_FROM = 50  # times the first validation
EARLY = 0.15  # share of the points, those of the worst scores, that may lie above a panel of curves
MARKED = 12  # points of a curve
GREY = "#666666"


class Look(NamedTuple):
    """A run, and how it looks wherever it stands."""

    run: Shown
    name: str
    colour: str
    marker: str


def draw_curves(part: "SubFigure", looks: Sequence[Look], columns: int) -> None:
    """Draw scores by step and by second, with the legend of the whole picture above them."""
    by_step, by_second = part.subplots(1, 2, sharey=True)
    for run, _, colour, marker in looks:
        bits, line = [point.bits_per_byte for point in run.curve], "--" if run.leak else "-"
        for axes, places in (
            (by_step, [point.step for point in run.curve]),
            (by_second, [point.seconds for point in run.curve]),
        ):
            every = max(1, len(bits) // MARKED)
            axes.plot(places, bits, line, color=colour, marker=marker, markevery=every, markeredgewidth=0)
    points = [point for look in looks for point in look.run.curve]
    _scale(by_step, [point.step for point in points])
    _scale(by_second, [point.seconds for point in points])
    if limits := score_limits([look.run for look in looks]):
        by_step.set_ylim(*limits)
    by_step.set(title="Score by step", xlabel="step")
    by_second.set(title="Score by second", xlabel="seconds of training")
    by_step.set_ylabel(
        "validation: bits per byte, lower is better\n(nats per token \u00d7 tokens per byte / ln 2)"
    )
    part.legend(by_step.lines, [legend_name(look) for look in looks], loc="outside upper left", ncols=columns)


def draw_bars(part: "SubFigure", looks: Sequence[Look]) -> None:
    """Draw score, parameters and speed of finished runs, a line for each, the first on top."""
    from matplotlib.ticker import EngFormatter

    score, size, speed = part.subplots(1, 3, sharey=True)
    rows = [look.run.row or {} for look in looks]
    places = range(len(looks))
    for place, (look, row) in enumerate(zip(looks, rows, strict=True)):
        label = score.get_yaxis_transform()
        if look.run.leak:
            score.text(0.02, place, f"no quality: {LEAK}", color=GREY, va="center", transform=label)
        else:
            score.plot([row["bits_per_byte"]], [place], look.marker, color=look.colour, markersize=7)
            score.text(1.03, place, f"{row['bits_per_byte']:.3f}", va="center", transform=label)
        if row["baselines"] and not look.run.leak:
            score.vlines(min(row["baselines"].values()), place - 0.5, place + 0.5, GREY, "dashed")
    for axes, title, key in ((size, "Parameters", "parameters"), (speed, "Speed", "tokens_per_second")):
        values = [row[key] for row in rows]
        bars = axes.barh(places, values, color=[look.colour for look in looks], height=0.6)
        axes.bar_label(bars, [f"{value:,.0f}" for value in values], padding=3)
        axes.set(title=title, xlim=(0, 1.3 * max(*values, 1)))
        axes.grid(visible=False, axis="y")
        axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    named = {min(row["baselines"], key=row["baselines"].__getitem__) for row in rows if row["baselines"]}
    baseline = f"\ndashed: the best baseline{', ' + named.pop() if len(named) == 1 else ''}" if named else ""
    score.margins(x=0.1)
    score.set(title="Score of the result", xlabel=f"held out: bits per byte{baseline}")
    score.set_yticks(places, [look.name for look in looks])
    score.set_ylim(len(looks) - 0.5, -0.5)
    size.set_xlabel("weights")
    speed.set_xlabel("tokens per second of training")


def draw_sample(axes: "Axes", look: Look, lines: Sequence[str]) -> None:
    """Write lines of a sample under the name of its model; in grey where they say why there is none."""
    from matplotlib import rcParams

    written = look.run.sample.written
    axes.set(xlim=(0, 1), ylim=(0, 1), xticks=[], yticks=[], facecolor="#f7f7f7")
    axes.set_title(look.name, weight="normal")
    axes.spines["bottom"].set_visible(False)
    axes.spines["left"].set(color=look.colour, linewidth=4)
    text = axes.annotate(
        re.sub(r"(?m)^ | (?= )", "\u00a0", "\n".join(lines)),  # SVG would show one space for many
        (0, 1),
        (8, -6),
        textcoords="offset points",
        annotation_clip=False,
        family=[*rcParams["font.monospace"], "monospace"],
        size=8,
        style="normal" if written else "italic",
        color="#222222" if written else GREY,
        va="top",
    )
    text.set_in_layout(False)


def score_limits(runs: Sequence[Shown]) -> tuple[float, float] | None:
    """Return the scores between which runs differ: each run's best is among them, early ones may not be.

    Runs that leak do not count where others are; None where there is no score.
    """
    honest = [run for run in runs if not run.leak] or runs
    curves = [[bits for *_, bits in run.curve if math.isfinite(bits)] for run in honest]
    curves = [curve for curve in curves if curve]
    if not curves:
        return None
    bits = [score for curve in curves for score in curve]
    low, high = min(bits), max(float(np.quantile(bits, 1 - EARLY)), *map(min, curves), 0.0)
    margin = 0.08 * (high - low) or 0.1
    return low - margin, high + margin


def legend_name(look: Look) -> str:
    """Return the name of a run with what has to be known of its curve."""
    state = LEAK if look.run.leak else "not finished"
    return look.name if look.run.row and not look.run.leak else f"{look.name} ({state})"


def _scale(axes: "Axes", values: Sequence[float]) -> None:
    """Set the axis of steps or seconds: logarithmic where the runs, or their validations, differ so much."""
    from matplotlib.ticker import LogLocator, NullLocator, StrMethodFormatter

    if values and max(values) >= LOGARITHMIC_FROM * min(values) > 0:
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.10g}"))
