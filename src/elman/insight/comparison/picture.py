"""Runs in, one picture of them side by side out: scores by step and by second, sizes, speeds, samples.

Knows nothing of folders, torch or terminals. matplotlib draws, without a window and without changing what
the program that calls has set.
"""

import io
import math
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len

from elman.errors import RequestError
from elman.packages import require
from elman.runs.compared import Shown, rank

from .lettering import font_families, shorten, wrap
from .panels import COLOURS, MARKERS, Look, draw_bars, draw_curves, draw_sample, legend_name

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FORMATS = (".svg", ".png")
WIDTH, PAD, CURVES, BAR, LINE, LETTER = 11.0, 0.1, 3.2, 0.26, 0.142, 0.07  # inches
NAME_COLUMNS, SAMPLE_LINES = 28, 12
IN_A_ROW = 4  # samples, and at most names in the legend
STYLE: dict[str, Any] = {
    "axes.axisbelow": True,
    "axes.edgecolor": "#999999",
    "axes.grid": True,
    "axes.labelcolor": "#333333",
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 9.5,
    "axes.titleweight": "bold",
    "figure.dpi": 150,
    "font.size": 8.5,
    "grid.color": "#e8e8e8",
    "legend.frameon": False,
    "lines.linewidth": 1.6,
    "lines.markersize": 4.5,
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "elman",  # the same input gives the same bytes
    "text.parse_math": False,  # a dollar is a dollar
    "xtick.color": "#555555",
    "ytick.color": "#555555",
}


def picture_format(suffix: str) -> str:
    """Return the format, svg or png, of a file with this suffix.

    Raises:
        RequestError: another suffix.
        MissingPackageError: matplotlib is not installed.
    """
    if suffix.lower() not in FORMATS:
        found = f"ends in {suffix}" if suffix else "has no suffix"
        raise RequestError(f"the file of the plot {found}, expected {' or '.join(FORMATS)}; name it so")
    require("plots", "matplotlib")
    return suffix.lower().removeprefix(".")


def draw(runs: Sequence[Shown], samples_title: str, notes: Sequence[str], suffix: str) -> bytes:
    """Return the picture as the bytes of a file with this suffix; the same runs give the same bytes.

    Raises what `picture_format` raises.
    """
    file, file_format = io.BytesIO(), picture_format(suffix)
    unsaid = {"svg": ("Date", "Creator"), "png": ("Software",)}[file_format]
    with _style(runs):
        picture = compose(runs, samples_title, notes)
        picture.savefig(file, format=file_format, metadata=dict.fromkeys(unsaid))
    return file.getvalue()


def compose(runs: Sequence[Shown], samples_title: str, notes: Sequence[str] = ()) -> "Figure":
    """Lay out the picture: curves; scores, sizes and speeds of finished runs, best first; samples; notes."""
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    looks = [
        Look(run, shorten(run.name, NAME_COLUMNS), COLOURS[n % len(COLOURS)], MARKERS[n % len(MARKERS)])
        for n, run in enumerate(runs)
    ]
    finished = sorted((look for look in looks if look.run.row), key=lambda look: rank(look.run.row or {}))
    rows = math.ceil(len(runs) / IN_A_ROW)
    columns = math.ceil(len(runs) / rows)
    letters = int((WIDTH / columns - 3 * PAD) / LETTER)
    samples = [wrap(run.sample.text, letters, SAMPLE_LINES) for run in runs]
    cards_high = [
        LINE * max(map(len, samples[first : first + columns])) + 0.55
        for first in range(0, len(runs), columns)
    ]
    longest = max(cell_len(legend_name(look)) for look in looks)
    in_legend = min(IN_A_ROW, int(WIDTH / (LETTER * longest + 5 * PAD)))
    heights = {
        "curves": CURVES + 0.2 * math.ceil(len(runs) / in_legend),
        "bars": BAR * len(finished) + 0.85 if finished else 0.0,
        "samples": sum(cards_high) + 0.3,
        "notes": 0.25 * len(notes),
    }
    heights = {name: height for name, height in heights.items() if height}
    with _style(runs):
        figure = Figure((WIDTH, sum(heights.values())), layout=ConstrainedLayoutEngine(w_pad=PAD, h_pad=0.05))
        grid = figure.subfigures(len(heights), 1, squeeze=False, height_ratios=list(heights.values()))
        parts = dict(zip(heights, grid[:, 0], strict=True))
        draw_curves(parts["curves"], looks, in_legend)
        if finished:
            draw_bars(parts["bars"], finished)
        parts["samples"].suptitle(samples_title, x=PAD / WIDTH, ha="left", size=9.5, weight="bold")
        cards = parts["samples"].subplots(rows, columns, squeeze=False, height_ratios=cards_high).flatten()
        for axes, look, lines in zip(cards, looks, samples, strict=False):
            draw_sample(axes, look, lines)
        for axes in cards[len(runs) :]:
            axes.set_axis_off()
        if notes:
            parts["notes"].text(0.01, 0.5, "\n".join(notes), va="center", color="#a33b00")
    return figure


@contextmanager
def _style(runs: Sequence[Shown]) -> Iterator[None]:
    """Draw with settings of our own, and with fonts that have the characters of names and samples."""
    from matplotlib import style

    text = "".join(run.name + run.sample.text for run in runs)
    sans, monospace = (font_families(first, text) for first in ("DejaVu Sans", "DejaVu Sans Mono"))
    fonts = {"font.family": [*sans, "sans-serif"], "font.sans-serif": sans[:1], "font.monospace": monospace}
    with style.context(["default", {**STYLE, **fonts}]), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from")  # no font has it: a box stands for it
        yield
