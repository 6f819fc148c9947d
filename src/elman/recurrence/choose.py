"""Which path runs a cell over a sequence, and why. Nothing falls back in silence."""

from collections.abc import Callable
from typing import NamedTuple

from torch import Tensor

from elman.cells import Cell, State
from elman.errors import SettingsError

from . import fused, native, reference, scan
from .lookup import Lookup

Unroll = Callable[[Cell, Tensor, State], tuple[Tensor, State]]
UnrollLookup = Callable[[Cell, Lookup, State], tuple[Tensor, State]]
PATHS: dict[str, Unroll] = {
    "reference": reference.unroll,
    "fused": fused.unroll,
    "native": native.unroll,
    "scan": scan.unroll,
}
LOOKUP_PATHS: dict[str, UnrollLookup] = {"native": native.unroll, "scan": scan.unroll}
SMALLEST_NATIVE = 128  # hidden units from which the native path can be faster


class Choice(NamedTuple):
    """A path by name, and the reason for it."""

    name: str
    reason: str
    unroll: Unroll
    unroll_lookup: UnrollLookup | None = None  # the same over rows of a table, of a path that can


def choose(cell: Cell, wanted: str = "auto") -> Choice:
    """Return the path for a cell; of `auto` the one that every machine has.

    Raises:
        SettingsError: the wanted path cannot run this cell.
    """
    if wanted == "fused" and not isinstance(cell, fused.SERVED):
        raise SettingsError(f"torch has no kernel for {type(cell).__name__}; use train.recurrence=reference")
    if wanted == "native" and (refusal := native.refusal(cell)):
        raise SettingsError(f"the native recurrence cannot run: {refusal}; use train.recurrence=auto")
    if wanted == "scan" and not isinstance(cell, scan.SERVED):
        raise SettingsError(
            f"the state of {type(cell).__name__} is not linear, so its steps cannot run in parallel; use "
            "train.recurrence=auto"
        )
    if wanted != "auto":
        return _path(wanted, "asked for")
    if isinstance(cell, scan.SERVED):
        return _path("scan", "all steps in parallel")
    if isinstance(cell, fused.SERVED):
        return _path("fused", "torch's kernel for this cell")
    return _path("reference", "torch has no kernel")


def rivals(cell: Cell) -> list[Choice]:
    """Return the paths that may be the fastest for a cell here, the one that every machine has first.

    Where the native path is none of them although it knows the cell, the first one's reason says why.
    """
    usual = choose(cell)
    if not isinstance(cell, native.SERVED) or cell.hidden_size < SMALLEST_NATIVE:
        return [usual]
    if refusal := native.refusal(cell):
        return [usual._replace(reason=f"{usual.reason}; no native one: {refusal}")]
    return [usual, _path("native", "")]


def _path(name: str, reason: str) -> Choice:
    return Choice(name, reason, PATHS[name], LOOKUP_PATHS.get(name))
