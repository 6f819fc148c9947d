"""fp32 or bf16 for the training steps: measured on the real model and the real batch, never assumed."""

import copy
import time
from typing import NamedTuple

import torch

from elman.errors import SettingsError
from elman.model import Network, States

from .loss import batch_loss

SECONDS = 0.2  # spent on timing each precision
GAIN = 1.05  # how much faster bf16 must be to be worth its rounding


class Precision(NamedTuple):
    """What training steps compute in, and why."""

    name: str
    reason: str


def choose_precision(
    network: Network, inputs: torch.Tensor, targets: torch.Tensor, states: States, wanted: str
) -> Precision:
    """Return the wanted precision, or of `auto` the faster one on this batch; weights stay as they are.

    On a processor without bf16 primitives, on which torch refuses the step, `auto` gives fp32 and says so.

    Raises:
        SettingsError: bf16 was asked for and cannot run.
    """
    if wanted == "fp32":
        return Precision("fp32", "asked for")
    trial = copy.deepcopy(network)
    with torch.random.fork_rng(devices=[inputs.device] if inputs.device.type == "cuda" else []):
        try:
            bf16 = _seconds_per_step(trial, inputs, targets, states, "bf16")
        except RuntimeError as error:
            refused = f"bf16 cannot run here ({str(error).partition('. ')[0].splitlines()[0]})"
            if wanted == "bf16":
                raise SettingsError(f"{refused}; train with --precision fp32 or auto") from None
            return Precision("fp32", refused)
        if wanted == "bf16":
            return Precision("bf16", "asked for")
        fp32 = _seconds_per_step(trial, inputs, targets, states, "fp32")
    ratio = fp32 / bf16
    if ratio > GAIN:
        return Precision("bf16", f"{ratio:.2f} times as fast as fp32 on this model")
    return Precision("fp32", f"bf16 is only {ratio:.2f} times as fast on this model")


def _seconds_per_step(
    network: Network, inputs: torch.Tensor, targets: torch.Tensor, states: States, precision: str
) -> float:
    """Return the shortest time of a forward and backward pass, after one that is not counted."""
    shortest, until = float("inf"), float("inf")
    while time.perf_counter() < until:
        start = time.perf_counter()
        batch_loss(network, inputs, targets, states, precision)[0].backward()  # type: ignore[no-untyped-call]
        if inputs.device.type == "cuda":
            torch.cuda.synchronize()
        if until == float("inf"):
            until = time.perf_counter() + SECONDS
        else:
            shortest = min(shortest, time.perf_counter() - start)
    return shortest
