"""In which precision and by which recurrence path a model trains fastest: measured on the real model and the
real batch, never assumed.
"""

import copy
import time
from collections.abc import Sequence
from typing import NamedTuple

import torch

from elman.errors import SettingsError
from elman.model import Network, States
from elman.recurrence import Choice

from .loss import batch_loss
from .memory import keep_memory
from .ranks import ALONE, Ranks

TURNS = 3  # in which each way is timed; the first one warms up
SECONDS = 0.07  # of a turn, about
GAIN = 1.05  # how much faster bf16 must be to be worth its rounding
PRECISIONS = ("fp32", "bf16")


class Precision(NamedTuple):
    """What training steps compute in, and why."""

    name: str
    reason: str


class Batch(NamedTuple):
    """What one step learns from."""

    inputs: torch.Tensor  # ids (T, B)
    targets: torch.Tensor  # ids (S, B)
    states: States


def choose_pace(
    network: Network, batch: Batch, wanted: str, paths: Sequence[Choice], ranks: Ranks = ALONE
) -> tuple[Precision, Choice]:
    """Return the wanted precision, or of `auto` the faster one; and of the paths the fastest in it.

    Processes that train together choose the same, by what the one that leads has measured.

    Weights and random states stay as they are. On a processor without bf16 primitives, on which the step is
    refused, `auto` gives fp32 and says so.

    Raises:
        SettingsError: bf16 was asked for and cannot run.
    """
    if wanted == "fp32" and len(paths) == 1:
        return Precision("fp32", "asked for"), paths[0]
    keep_memory()
    names = PRECISIONS if wanted == "auto" else (wanted,)
    times, refused = _seconds_per_step(network, batch, [(name, path) for name in names for path in paths])
    times = dict(zip(times, ranks.agree(*times.values()), strict=True))
    best = dict[str, float]()
    for (name, _), seconds in times.items():
        best[name] = min(seconds, best.get(name, seconds))
    if wanted not in ("auto", *best):
        raise SettingsError(f"{refused}; train with --precision fp32 or auto")
    precision = _compare_precisions(best, refused) if wanted == "auto" else Precision(wanted, "asked for")
    return precision, _compare_paths(paths, times, precision.name)


def _compare_precisions(best: dict[str, float], refused: str) -> Precision:
    if "bf16" not in best:
        return Precision("fp32", refused)
    ratio = best["fp32"] / best["bf16"]
    if ratio > GAIN:
        return Precision("bf16", f"{ratio:.2f} times as fast as fp32 on this model")
    return Precision("fp32", f"bf16 is only {ratio:.2f} times as fast on this model")


def _compare_paths(paths: Sequence[Choice], times: dict[tuple[str, str], float], precision: str) -> Choice:
    """Return the fastest path in a precision; the first one, unless another is faster."""
    usual, *others = paths
    timed = [path for path in others if (precision, path.name) in times]
    if not timed:
        return usual
    other = min(timed, key=lambda path: times[precision, path.name])
    ratio = times[precision, usual.name] / times[precision, other.name]
    if ratio > 1:
        return other._replace(reason=f"{ratio:.2f} times as fast as {usual.reason}")
    return usual._replace(reason=f"{usual.reason}; {other.name} is {ratio:.2f} times as fast")


def _seconds_per_step(
    network: Network, batch: Batch, ways: Sequence[tuple[str, Choice]]
) -> tuple[dict[tuple[str, str], float], str]:
    """Return the shortest time of a forward and backward pass each way, and why any of them cannot run.

    The ways take turns, so that whatever else the machine does meanwhile slows all of them.
    """
    trial = copy.deepcopy(network)
    cuda = batch.inputs.device.type == "cuda"
    times, refused = dict[tuple[str, str], float](), ""
    with torch.random.fork_rng(devices=[batch.inputs.device] if cuda else []):
        for _ in range(TURNS):
            for name, path in ways:
                trial.use(path)
                try:
                    seconds = _shortest_step(trial, batch, name)
                except RuntimeError as error:
                    refused = f"{name} cannot run here ({str(error).partition('. ')[0].splitlines()[0]})"
                    ways = [way for way in ways if way != (name, path)]
                    times.pop((name, path.name), None)
                else:
                    times[name, path.name] = min(times.get((name, path.name), seconds), seconds)
    return times, refused


def _shortest_step(network: Network, batch: Batch, precision: str) -> float:
    """Return the shortest of the steps that one turn has time for, at least one."""
    shortest, until = float("inf"), time.perf_counter() + SECONDS
    while shortest == float("inf") or time.perf_counter() < until:
        start = time.perf_counter()
        loss, _ = batch_loss(network, *batch, precision)
        torch.autograd.backward(loss)
        if batch.inputs.device.type == "cuda":
            torch.cuda.synchronize()
        shortest = min(shortest, time.perf_counter() - start)
    return shortest
