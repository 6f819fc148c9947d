"""Units and what can be said of a text in, the units that tell most about it out, each with its number.

Karpathy, Johnson and Li 2016 ("Visualizing and Understanding Recurrent Networks") found units that follow
quotes or line length by looking; here each unit is measured. For a feature of the text, the means that a unit
has in its groups (of a number: the straight line) are learned on one half of the text, and it counts how much
of the unit's variance in the other half they predict, both ways together. What holds in one half by chance
predicts nothing in the other, so that the best of a thousand units may be believed.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .features import Feature
from .observation import Floats, Layer

UNITS = 8  # at most
STAYS = 5  # at least in a half of the text; a group that was seldomer entered is not learned
NAMED = 5  # groups in a sentence
SHARE = 0.1  # of the variance: what explains less tells nothing


class Telling(NamedTuple):
    """A unit, and what it tells."""

    layer: str
    unit: int
    feature: str
    share: float  # of its variance in a half of the text, predicted from the other half
    sentence: str  # its activations in words
    values: Floats  # (P,) its activation at each piece


def find_telling(
    layers: Sequence[Layer], places: Sequence[int], features: Sequence[Feature]
) -> list[Telling]:
    """Return the most telling units of all layers, the clearest first: no unit and no feature twice.

    `places` (P,) are the steps at which the features are said.
    """
    names = [(layer.name, unit) for layer in layers for unit in range(layer.hidden.shape[1])]
    units = np.concatenate([layer.hidden[places] for layer in layers], axis=1).astype(np.float64)  # (P, L*H)
    shares = np.stack([explained_share(units, feature) for feature in features])  # (features, L*H)
    found: list[Telling] = []
    while len(found) < UNITS and shares.size and shares.max() >= SHARE:
        feature, unit = map(int, np.unravel_index(int(shares.argmax()), shares.shape))
        values, told = units[:, unit], features[feature]
        share = float(shares[feature, unit])
        found.append(Telling(*names[unit], told.name, share, _sentence(values, told), values))
        shares[feature], shares[:, unit] = -np.inf, -np.inf
    return found


def explained_share(units: Floats, feature: Feature) -> Floats:
    """Return for units (P, N) the share (N,) of their variance in each half that the other half predicts.

    Below zero where the prediction is worse than the half's own mean; of a unit that never moves, zero.
    """
    said = ~np.isnan(feature.values)
    units, values = units[said], feature.values[said]
    middle = len(units) // 2
    left = moved = np.zeros(units.shape[1])
    if middle == 0:
        return moved
    for learn, test in ((slice(0, middle), slice(middle, None)), (slice(middle, None), slice(0, middle))):
        predicted = _predict(feature, values[learn], units[learn], values[test])
        left = left + np.square(units[test] - predicted).sum(axis=0)
        moved = moved + np.square(units[test] - units[test].mean(axis=0)).sum(axis=0)
    still = moved <= 1e-12 * np.square(units).sum(axis=0)  # rounding apart
    shares: Floats = np.where(still, 0.0, 1 - left / np.where(still, 1.0, moved))
    return shares


def _predict(feature: Feature, seen: Floats, units: Floats, asked: Floats) -> Floats:
    """Return what units (P, N), learned at the places of `seen` (P,), do at those of `asked`: (Q, N)."""
    overall = units.mean(axis=0)
    if not feature.groups:
        if _stays(seen > seen.mean()) < STAYS:
            return np.tile(overall, (len(asked), 1))
        spread = seen - seen.mean()
        slope = spread @ units / max(float(spread @ spread), 1e-12)
        line: Floats = overall + (asked - seen.mean())[:, np.newaxis] * slope
        return line
    means = np.tile(overall, (len(feature.groups), 1))
    for group in range(len(feature.groups)):
        here = seen == group
        if _stays(here) >= STAYS:
            means[group] = units[here].mean(axis=0)
    return means[asked.astype(np.int64)]


def _stays(here: NDArray[np.bool_]) -> int:
    """Return how many times a text enters a group, where `here` (P,) says which places are in it."""
    return int(here[:1].sum()) + int((here[1:] & ~here[:-1]).sum())


def _sentence(values: Floats, feature: Feature) -> str:
    """Say in words where a unit (P,) is high and where it is low."""
    said = ~np.isnan(feature.values)
    values, told = values[said], feature.values[said]
    if not feature.groups:
        slope, base = np.polyfit(told, values, 1)
        ends = np.quantile(told, (0.05, 0.95), method="nearest")
        first, last = (f"{signed(base + slope * end)} at {end:.1f}".removesuffix(".0") for end in ends)
        return f"It {'rises' if slope > 0 else 'falls'} from {first} to {last}."
    means = {
        name: float(values[told == group].mean())
        for group, name in enumerate(feature.groups)
        if _stays(told == group) >= STAYS
    }
    overall = float(values.mean())
    ranked = sorted(means, key=lambda name: -abs(means[name] - overall))
    if len(feature.groups) == 2:
        return "Its mean is " + " and ".join(f"{signed(means[name])} {name}" for name in ranked) + "."
    far = abs(means[ranked[0]] - overall) / 2
    named = ", ".join(
        f"{name} ({signed(means[name])})" for name in ranked[:NAMED] if abs(means[name] - overall) >= far
    )
    return f"Its mean is {signed(overall)}; it is furthest from it where this is {named}."


def signed(value: float) -> str:
    """Write an activation; what rounds to zero has no sign."""
    return f"{value + 0.0:+.2f}".replace("-0.00", "0.00").replace("+0.00", "0.00").replace("-", "\u2212")
