"""What was seen in a model in, one HTML file out that asks for nothing else and says so to the browser.

The page can be read without its script, which adds figures under the pointer and tabs. Knows no network.
"""

import base64
import hashlib
import math
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from elman.insight.inspection.inspection import Inspection
from elman.insight.inspection.observation import Floats
from elman.insight.inspection.openness import Openness
from elman.insight.inspection.pieces import SIGNS, context, visible
from elman.insight.inspection.reach import Reach
from elman.insight.inspection.telling import Telling, signed

from .about import About
from .charts import Axis, Line, histogram, line_chart

LEVELS = (0.5, 1.0, 2.0, 4.0, 6.0, 9.0, 13.0)  # bits per character at which the colour changes
SHADES = 4  # of each sign of an activation
BEFORE, AFTER = 32, 20  # characters of context
SURPRISING = 8


class Span(NamedTuple):
    """A stretch of coloured text."""

    text: str
    level: str  # its class
    title: str = ""  # its figure, for those who have no script


def render(inspection: Inspection, about: About) -> str:
    """Return the report as HTML. jinja2 has to be installed."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    here = Path(__file__).parent
    style, script = ((here / f"report.{kind}").read_text(encoding="utf-8") for kind in ("css", "js"))
    environment = Environment(
        loader=FileSystemLoader(here),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "svg": Markup,
        "count": "{:,}".format,
        "percent": _percent,
        "signed": signed,
        "visible": visible,
    }
    policy = f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; img-src data:"
    return environment.get_template("report.html.jinja").render(
        version=version("elman"),
        about=about,
        inspection=inspection,
        policy=f"{policy}; base-uri 'none'; form-action 'none'",
        style=Markup(style),
        script=Markup(script),
        levels=_level_names(),
        surprise=_surprise(inspection),
        surprising=_surprising(inspection),
        units=[(unit, _activations(inspection, unit), _legend(unit)) for unit in inspection.telling],
        gates=_gates(inspection.openness),
        reach=_reach(inspection.reach, about.window) if inspection.reach else None,
        nearest=_nearest(inspection),
        figures=_figures(inspection),
    )


def _surprise(inspection: Inspection) -> list[Span]:
    spans = []
    for piece, bits in zip(inspection.pieces, inspection.bits.tolist(), strict=True):
        level = sum(bits / len(piece.text) >= bound for bound in LEVELS)
        spans.append(Span(_shown(piece.text), f"s{level}", f"{bits:.1f} bits"))
    return spans


def _shown(text: str) -> str:
    """Write a text for running text: a line breaks after the sign for its end, spaces stay."""
    return visible(text, " ").replace(SIGNS["\n"], SIGNS["\n"] + "\n")


def _level_names() -> list[tuple[str, str]]:
    bounds = [f"{bound:g}" for bound in LEVELS]
    names = [f"under {bounds[0]}", *(f"{a} to {b}" for a, b in zip(bounds, bounds[1:], strict=False))]
    return [(f"s{level}", name) for level, name in enumerate([*names, f"{bounds[-1]} and more"])]


def _surprising(inspection: Inspection) -> list[dict[str, Any]]:
    """Return the most surprising pieces but the first, each with its context and what was expected."""
    found: dict[tuple[str, str], int] = {}  # what comes again in the same words counts once
    for place in (np.argsort(-inspection.bits[1:], kind="stable") + 1).tolist():
        before, here, _ = context(inspection.pieces, place, 3, 0)
        found.setdefault((before, here), place)
    return [
        {
            "context": context(inspection.pieces, place, BEFORE, AFTER),
            "bits": float(inspection.bits[place]),
            "expected": [(visible(token), share) for token, share in inspection.expected[place][:3]],
        }
        for place in list(found.values())[:SURPRISING]
    ]


def _activations(inspection: Inspection, unit: Telling) -> list[Span]:
    """Colour the text by a unit: n4 .. n1, zero, p1 .. p4 over the range that it uses."""
    levels = np.rint(unit.values / (_scale(unit.values) or 1.0) * SHADES).astype(int).tolist()
    return [
        Span(_shown(piece.text), _shade(level))
        for piece, level in zip(inspection.pieces, levels, strict=True)
    ]


def _legend(unit: Telling) -> list[tuple[str, str]]:
    """Return the shades that a unit can have, with the activation at both ends."""
    lowest = -SHADES if unit.values.min() < 0 else 0
    names = [""] * (SHADES - lowest + 1)
    names[0], names[-1] = (signed(_scale(unit.values) * level / SHADES) for level in (lowest, SHADES))
    return list(zip(map(_shade, range(lowest, SHADES + 1)), names, strict=True))


def _shade(level: int) -> str:
    return f"{'p' if level > 0 else 'n'}{abs(level)}" if level else "zero"


def _scale(values: Floats) -> float:
    return float(np.abs(values).max())


def _gates(rows: Sequence[Openness]) -> dict[str, list[tuple[Openness, str]]]:
    """Return the rows of each layer, each with its picture."""
    layers: dict[str, list[tuple[Openness, str]]] = {}
    for row in rows:
        layers.setdefault(row.layer, []).append((row, _histogram(row)))
    return layers


def _histogram(row: Openness) -> str:
    start, stop = row.span
    label = f"{row.name} of {row.layer}, from {start:g} to {stop:.2g}: mean {row.mean:.2f}"
    return histogram(
        f"{label}, {_percent(row.low)} at the lower end, {_percent(row.high)} at the upper", row.counts
    )


def _reach(reach: Reach, window: int) -> dict[str, Any]:
    """Draw the norms relative to those at the step itself, and say where they have fallen."""
    lines, sentences = [], []
    for number, (layer, norms) in enumerate(zip(reach.layers, reach.norms, strict=True)):
        relative = norms / norms[0] if norms[0] > 0 else norms
        lines.append(Line(layer, range(len(norms)), relative.tolist()))
        fallen = [(share, reach.fallen(number, share)) for share in (0.1, 0.01)]
        said = [f"to {share:.0%} after {_steps(after)}" for share, after in fallen if after is not None]
        never = (
            f"stays above {fallen[len(said)][0]:.0%} for all {len(norms) - 1} steps" if len(said) < 2 else ""
        )
        falls = f"falls {' and '.join(said)}" if said else ""
        sentences.append(f"{layer.capitalize()}: the gradient {' and '.join(filter(None, (falls, never)))}.")
    chart = line_chart(
        f"Norm of the gradient through time. {' '.join(sentences)}",
        lines,
        Axis("steps back", lambda value: f"{value:.0f}"),
        Axis("norm, relative to that at the step itself", _ratio, logarithmic=True),
        (window, f"window of {window}"),
    )
    return {"chart": chart, "sentences": sentences, "layers": reach.layers, "places": reach.places}


def _steps(number: int) -> str:
    return "1 step" if number == 1 else f"{number} steps"


def _nearest(inspection: Inspection) -> list[dict[str, Any]]:
    return [
        {
            "context": context(inspection.pieces, place, BEFORE, AFTER),
            "found": [
                {"context": context(inspection.pieces, near.place, BEFORE, AFTER), "cosine": near.cosine}
                for near in found
            ],
        }
        for place, found in inspection.nearest.items()
    ]


def _figures(inspection: Inspection) -> dict[str, Any]:
    """Return what the script shows under the pointer."""
    return {
        "pieces": [
            [
                visible(piece.text),
                round(bits, 2),
                [[visible(token), round(share, 4)] for token, share in expected],
            ]
            for piece, bits, expected in zip(
                inspection.pieces, inspection.bits.tolist(), inspection.expected, strict=True
            )
        ],
        "units": [[round(value, 2) for value in unit.values.tolist()] for unit in inspection.telling],
    }


def _percent(share: float) -> str:
    """Write a share so that neither little becomes nothing nor most becomes all."""
    if share in (0.0, 1.0):
        return f"{share:.0%}"
    digits = max(0, -math.floor(math.log10(min(share, max(1 - share, 1e-9)))) - 2) if share < 1 else 0
    return f"{100 * share:.{min(digits, 6)}f}%"


def _ratio(value: float) -> str:
    """Write a ratio of any size: 0.034, or 3.4 times a power of ten."""
    if value >= 1e-3 or value == 0:
        return f"{value:.2g}"
    digits, power = f"{value:.1e}".split("e")
    raised = str(int(power)).translate(
        str.maketrans("-0123456789", "\u207b\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079")
    )
    return f"10{raised}" if digits == "1.0" else f"{digits}\u00b710{raised}"


def _hash(content: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}"
