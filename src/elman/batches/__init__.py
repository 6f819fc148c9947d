"""Batches: integers -> windows of T steps and B rows: adjacent, random, overlapping; the position can be
saved.
"""

from .pair import PairWindows as PairWindows
from .windows import AdjacentWindows as AdjacentWindows
from .windows import Batch as Batch
from .windows import GapWindows as GapWindows
from .windows import OverlappingWindows as OverlappingWindows
from .windows import RandomWindows as RandomWindows
from .windows import Windows as Windows

WINDOWS: dict[str, type[Windows]] = {
    "adjacent": AdjacentWindows,
    "random": RandomWindows,
    "overlapping": OverlappingWindows,
}
