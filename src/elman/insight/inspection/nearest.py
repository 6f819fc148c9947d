"""States in, for a place in the text the places with the most similar state out. Knows no text."""

from typing import NamedTuple

import numpy as np

from .observation import Floats

NEAREST = 4
WINDOW = 10  # places around one that are too near to be news
EVENLY_SPACED = MOST_SURPRISING = 4


class Neighbour(NamedTuple):
    """A place with a similar state."""

    place: int
    cosine: float  # of the angle between the states


def find_nearest(states: Floats, place: int) -> list[Neighbour]:
    """Return the places whose states (P, H) are most similar to that of one place, the nearest first."""
    lengths = np.linalg.norm(states, axis=1)
    cosines = states @ states[place] / np.maximum(lengths * lengths[place], 1e-12)  # (P,)
    cosines[max(0, place - WINDOW) : place + WINDOW + 1] = -np.inf
    order = np.argsort(-cosines, kind="stable")[:NEAREST]
    return [Neighbour(int(p), float(cosines[p])) for p in order if np.isfinite(cosines[p])]


def ask_nearest(states: Floats, surprise: Floats) -> dict[int, list[Neighbour]]:
    """Ask at the places with the most surprise (P,), and at some evenly spaced ones; in the text's order.

    Left out are the first place, before which nothing stands, what is near a place that was asked, and what
    has the same neighbours as one.
    """
    asked: dict[int, list[Neighbour]] = {}

    def ask(places: list[int], most: int) -> None:
        for place in places:
            if len(asked) == most:
                return
            known = {near.place for neighbours in asked.values() for near in neighbours}
            if place > 0 and place not in known and all(abs(place - other) > WINDOW for other in asked):
                found = find_nearest(states, place)
                if found and known.isdisjoint(near.place for near in found):
                    asked[place] = found

    ask(np.argsort(-surprise, kind="stable").tolist(), MOST_SURPRISING)
    even = np.linspace(0, len(surprise) - 1, EVENLY_SPACED + 2)[1:-1].astype(int).tolist()
    ask(even, MOST_SURPRISING + EVENLY_SPACED)
    return dict(sorted(asked.items()))
