"""Which path runs a cell over a sequence, and why. Nothing falls back in silence."""

from collections.abc import Callable
from typing import NamedTuple

from torch import Tensor

from elman.cells import Cell, State
from elman.errors import SettingsError

from . import fused, reference

Unroll = Callable[[Cell, Tensor, State], tuple[Tensor, State]]
PATHS: dict[str, Unroll] = {"reference": reference.unroll, "fused": fused.unroll}


class Choice(NamedTuple):
    """A path by name, and the reason for it."""

    name: str
    reason: str
    unroll: Unroll


def choose(cell: Cell, wanted: str = "auto") -> Choice:
    """Return the path for a cell.

    Raises:
        SettingsError: the wanted path cannot run this cell.
    """
    served = isinstance(cell, fused.SERVED)
    if wanted == "fused" and not served:
        raise SettingsError(f"torch has no kernel for {type(cell).__name__}; use train.recurrence=reference")
    if wanted == "auto":
        name, reason = (
            ("fused", "torch's kernel for this cell") if served else ("reference", "torch has no kernel")
        )
    else:
        name, reason = wanted, "asked for"
    return Choice(name, reason, PATHS[name])
