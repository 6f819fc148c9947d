"""How open gates are and how saturated units are, from the activations of a real run. Knows no equations.

A gate (sigmoid) is closed below 0.1 and open above 0.9. A tanh unit is saturated below -0.9 and above 0.9. A
relu unit is off at 0.
"""

from typing import NamedTuple

import numpy as np

from .observation import Activation, Floats, Layer

BINS = 24
MOSTLY = 0.9  # of the steps
RANGES = {"sigmoid": (0.0, 1.0), "tanh": (-1.0, 1.0)}
ENDS = {"sigmoid": (0.1, 0.9), "tanh": (-0.9, 0.9), "relu": (0.0, np.inf)}


class Openness(NamedTuple):
    """Where the activations of one kind lie, over all steps and units of a layer."""

    layer: str
    name: str
    function: str
    low: float  # share at the lower end: closed, saturated at -1, or off
    mean: float
    high: float  # share at the upper end: open, or saturated at 1
    mostly_low: float  # share of units that are at the lower end in nine steps of ten, or more
    mostly_high: float
    dead: float  # share of units that are at the lower end at every step
    counts: list[int]  # in bins of equal width over `span`
    span: tuple[float, float]


def measure_openness(layer: Layer) -> list[Openness]:
    """Return this of every activation of a layer, and of its state where that is not one of them and is
    bounded as tanh is.
    """
    activations = layer.activations
    if all(activation.name != "state" for activation in activations) and np.abs(layer.hidden).max() <= 1:
        activations = [*activations, Activation("state", "tanh", layer.hidden)]
    return [_openness(layer.name, *activation) for activation in activations]


def _openness(layer: str, name: str, function: str, values: Floats) -> Openness:
    lower, upper = ENDS[function]
    span = RANGES.get(function) or (0.0, float(values.max()) or 1.0)
    low, high = values <= lower, values >= upper
    counts, _ = np.histogram(values, BINS, span)
    return Openness(
        layer,
        name,
        function,
        float(low.mean()),
        float(values.mean()),
        float(high.mean()),
        float((low.mean(axis=0) >= MOSTLY).mean()),
        float((high.mean(axis=0) >= MOSTLY).mean()),
        float(low.all(axis=0).mean()),
        counts.tolist(),
        span,
    )
