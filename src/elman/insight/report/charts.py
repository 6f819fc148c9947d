"""Numbers in, charts out: SVG without script or style of its own, which a page colours and can read aloud.

Each chart carries its points, so that a page may show them where a pointer or a key stands. Knows no model.
"""

import json
import math
from collections.abc import Callable, Sequence
from html import escape
from typing import NamedTuple

WIDTH, HEIGHT = 480, 270
LEFT, RIGHT, TOP, FOOT = 54, 14, 30, HEIGHT - 44  # of the area in which lines are drawn
BAR_WIDTH, BAR_HEIGHT = 144, 34

Write = Callable[[float], str]


class Line(NamedTuple):
    """One line of a chart."""

    name: str
    x: Sequence[float]
    y: Sequence[float]


class Axis(NamedTuple):
    """What is measured along one side of a chart, and how a value of it is written."""

    name: str
    write: Write
    logarithmic: bool = False


class Scale(NamedTuple):
    """Values to places in the picture."""

    low: float
    high: float
    start: float
    stop: float
    logarithmic: bool

    def __call__(self, value: float) -> float:
        """Return where a value stands."""
        low, high, at = self.low, self.high, value
        if self.logarithmic:
            low, high, at = math.log10(low), math.log10(high), math.log10(at)
        return self.start + (at - low) / (high - low) * (self.stop - self.start)


def line_chart(
    label: str, lines: Sequence[Line], x_axis: Axis, y_axis: Axis, marked: tuple[float, str] | None = None
) -> str:
    """Draw lines; `label` says in words what is drawn, and `marked` is a value of x with its name.

    On a logarithmic axis a line leaves out what is below a hundred-millionth of the highest.
    """
    x = _scale([value for line in lines for value in line.x], LEFT, WIDTH - RIGHT, x_axis.logarithmic)
    y = _scale([value for line in lines for value in line.y], FOOT, TOP, y_axis.logarithmic)
    parts = [
        f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(label)}" '
        f'tabindex="0" data-points="{escape(json.dumps(_points(lines, x, x_axis, y_axis)))}">',
        f'<line class="axis" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{FOOT}" y2="{FOOT}"/>',
    ]
    for value in _ticks(y):
        at = f"{y(value):.1f}"
        parts.append(f'<line class="rule" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{at}" y2="{at}"/>')
        parts.append(f'<text x="{LEFT - 7}" y="{at}" dy="4" class="end">{escape(y_axis.write(value))}</text>')
    for value in _ticks(x):
        place = f'x="{x(value):.1f}" y="{FOOT + 17}"'
        parts.append(f'<text {place} class="middle">{escape(x_axis.write(value))}</text>')
    middle = (LEFT + WIDTH - RIGHT) / 2
    parts.append(f'<text x="{middle}" y="{HEIGHT - 8}" class="middle name">{escape(x_axis.name)}</text>')
    parts.append(f'<text x="0" y="13" class="name">{escape(y_axis.name)}</text>')
    if marked is not None and x.low <= marked[0] <= x.high:
        edge, left = x(marked[0]), marked[0] > (x.low + x.high) / 2
        place = (
            f'x="{edge + (-6 if left else 6):.1f}" y="{TOP + 11}" class="{"end" if left else "start"} name"'
        )
        parts.append(f'<line class="mark" x1="{edge:.1f}" x2="{edge:.1f}" y1="{TOP}" y2="{FOOT}"/>')
        parts.append(f"<text {place}>{escape(marked[1])}</text>")
    for number, line in enumerate(lines):
        inside = [(a, b) for a, b in zip(line.x, line.y, strict=True) if b >= y.low]
        points = " ".join(f"{x(a):.1f},{y(b):.1f}" for a, b in inside)
        parts.append(f'<polyline class="line line-{number % 4}" points="{points}"/>')
    parts.append(f'<line class="guide" x1="0" x2="0" y1="{TOP}" y2="{FOOT}"/></svg>')
    return "".join(parts)


def histogram(label: str, counts: Sequence[int]) -> str:
    """Draw counts in bins of equal width as bars, the fullest at full height."""
    width, most = BAR_WIDTH / len(counts), max(*counts, 1)
    bars = "".join(
        f'<rect x="{number * width:.1f}" y="{BAR_HEIGHT - height:.1f}" width="{width - 1:.1f}" '
        f'height="{height:.1f}"/>'
        for number, count in enumerate(counts)
        if (height := max(BAR_HEIGHT * count / most, 0.6 if count else 0))
    )
    return (
        f'<svg class="bars" viewBox="0 0 {BAR_WIDTH} {BAR_HEIGHT + 1}" role="img" '
        f'aria-label="{escape(label)}">{bars}'
        f'<line class="axis" x1="0" x2="{BAR_WIDTH}" y1="{BAR_HEIGHT + 0.5}" y2="{BAR_HEIGHT + 0.5}"/></svg>'
    )


def _scale(values: Sequence[float], start: float, stop: float, logarithmic: bool) -> Scale:
    if logarithmic:
        positive = [value for value in values if value > 0] or [1.0]
        high = max(positive)
        low = max(min(positive), high * 1e-8)  # below that nothing is learned
        low = 10.0 ** math.floor(math.log10(low))
        return Scale(low, max(high, low * 10), start, stop, True)
    low, high = min(values), max(values)
    high = high if high > low else low + 1
    step = _step(high - low)
    return Scale(math.floor(low / step) * step, high, start, stop, False)


def _ticks(scale: Scale) -> list[float]:
    """Return some five round values within a scale."""
    if scale.logarithmic:
        last, first = math.floor(math.log10(scale.high)), round(math.log10(scale.low))
        return [10.0**power for power in range(last, first - 1, -1 - (last - first) // 6)]
    step = _step(scale.high - scale.low)
    return [step * n for n in range(math.ceil(scale.low / step), math.floor(scale.high / step) + 1)]


def _step(span: float) -> float:
    """Return a round number that goes into a span some five times."""
    power = 10.0 ** math.floor(math.log10(span / 5))
    return next(size * power for size in (1, 2, 5, 10) if size * power >= span / 5)


def _points(lines: Sequence[Line], x: Scale, x_axis: Axis, y_axis: Axis) -> list[tuple[float, str]]:
    """Return for each value of x that some line has its place, and what all lines have nearest to it."""
    points = []
    for value in sorted({value for line in lines for value in line.x}):
        nearest = [f"{line.name} {y_axis.write(_nearest(line, value))}" for line in lines]
        points.append((round(x(value), 1), f"{x_axis.name} {x_axis.write(value)}: {', '.join(nearest)}"))
    return points


def _nearest(line: Line, x: float) -> float:
    """Return the y of a line at its point nearest to a value of x."""
    return line.y[min(range(len(line.x)), key=lambda number: abs(line.x[number] - x))]
