"""How far back a network could learn: the norm of the gradient of its loss, step by step back through time.

A network, token ids and what was observed of them in; norms by layer out. The gradient is torch's own, on the
cells' own steps. Axes: T steps, P places, K steps back, L layers.
"""

from typing import NamedTuple, cast

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from elman.cells import Cell
from elman.engine import Ids
from elman.model import Network, running_by

from .observation import Floats, Observation, Recorder

STEPS = 100  # back, at most
PLACES = 64  # at most


class Reach(NamedTuple):
    """How strongly the loss of a prediction depends on the state so many steps before it."""

    layers: list[str]
    norms: Floats  # (L, K+1): |d loss at t / d state after t-k|, the mean over places t
    places: int

    def fallen(self, layer: int, share: float) -> int | None:
        """Return after how many steps the norm is at most that share of the one at the step itself."""
        norms = self.norms[layer]
        below = np.flatnonzero(norms <= share * norms[0])
        return int(below[0]) if len(below) and norms[0] > 0 else None


def measure_reach(network: Network, ids: Ids, observation: Observation) -> Reach | None:
    """Return how far the gradient of a prediction reaches back in a text of ids (T,).

    The state is what a cell passes on to the next step: all of its parts, of the LSTM h and c. None where the
    text is too short, or where cells look backward, so that there is no one way back.
    """
    steps = min(STEPS, (len(ids) - 3) // 2)
    if steps < 1 or network.sees_ahead:
        return None
    # each place t has a window of its own: the states after t-K-1, then the tokens up to t
    places = np.unique(np.linspace(steps + 1, len(ids) - 2, PLACES).astype(np.int64))  # (P,)
    window = places - steps + np.arange(steps + 1)[:, np.newaxis]  # (K+1, P)
    tokens = torch.from_numpy(ids.astype(np.int64)).to(network.device)
    before = tuple(
        type(layer.states)(
            *(torch.from_numpy(part[places - steps - 1]).to(network.device) for part in layer.states)
        )
        for layer in observation.layers
    )
    recorder = Recorder()
    with running_by(recorder.unroll, network), torch.enable_grad():
        logits, _ = network(tokens[torch.from_numpy(window)], before, last=1)  # (1, P, V)
        loss = functional.cross_entropy(logits[0], tokens[torch.from_numpy(places + 1)], reduction="sum")
        norms = [_norms(loss, recorder, cast(Cell, cell)) for cell in network.stack.cells]
    names = [layer.name for layer in observation.layers]
    return Reach(names, torch.stack(norms).cpu().numpy(), len(places))


def _norms(loss: Tensor, recorder: Recorder, cell: Cell) -> Tensor:
    """Return the norms (K+1,) of the gradient of a loss by the states of a cell, the last state first."""
    states = recorder.states[cell][::-1]
    parts = [part for state in states for part in state]
    gradients = torch.autograd.grad(loss, parts, retain_graph=True, materialize_grads=True)
    stacked = torch.stack(gradients).view(len(states), -1, *parts[0].shape)  # (K+1, parts, P, H)
    return stacked.square().sum(dim=(1, 3)).sqrt().mean(dim=1)
