"""A network and token ids in, what happened inside it out: states, activations and predictions of a real run.

The cells' own `step` runs, in a recurrence path that keeps what passes by; no equation is written a second
time. Knows no text. Axes: T steps, H hidden units, V vocabulary.
"""

from collections import defaultdict
from collections.abc import Callable
from typing import Any, NamedTuple, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.overrides import TorchFunctionMode

from elman.cells import Cell, State
from elman.engine import Ids
from elman.model import Network, running_by

FUNCTIONS = ("sigmoid", "tanh", "relu")
LIKELIEST = 5  # tokens that are kept of each prediction
LOGITS_AT_MOST = 4_000_000  # numbers in one block of logits: bounds memory

Floats = NDArray[np.floating[Any]]


class Activation(NamedTuple):
    """What one activation function gave, step by step."""

    name: str  # as the cell names it: forget gate
    function: str  # sigmoid, tanh or relu
    values: Floats  # (T, H)


class Layer(NamedTuple):
    """One cell over the tokens."""

    name: str  # layer 1, layer 1 backward
    states: State  # the cell's named tuple; each part (T, H), after each token
    activations: list[Activation]

    @property
    def hidden(self) -> Floats:
        """The state h after each token: (T, H)."""
        hidden: Floats = self.states[0]
        return hidden


class Predictions(NamedTuple):
    """What was expected at each token, given those before it; at the first, each token alike."""

    nats: Floats  # (T,) surprise of the token that came
    entropy: Floats  # (T,) mean surprise that was expected, in nats
    likeliest: NDArray[np.int64]  # (T, 5) ids, the likeliest first
    probabilities: Floats  # (T, 5)


class Observation(NamedTuple):
    """What a network does with tokens."""

    layers: list[Layer]  # forward before backward
    predictions: Predictions


class Recorder(TorchFunctionMode):
    """A recurrence path that keeps every state a cell passes on, and what its activation functions give."""

    def __init__(self) -> None:
        super().__init__()
        self.states: dict[Cell, list[State]] = defaultdict(list)  # for each step; each part (B, H)
        self.activations: dict[Cell, list[list[Tensor]]] = defaultdict(list)  # for each step
        self.functions: dict[Cell, list[str]] = {}  # that gave these
        self._seen: list[tuple[str, Tensor]] = []

    def __torch_function__(
        self, function: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        output = function(*args, **(kwargs or {}))
        name = getattr(function, "__name__", "")
        if name in FUNCTIONS:
            self._seen.append((name, output))
        return output

    def unroll(self, cell: Cell, x: Tensor, state: State) -> tuple[Tensor, State]:
        """Run a cell over a sequence: x (T, B, D) and a state -> outputs (T, B, H) and the last state."""
        outputs = []
        for projected in cell.project(x).unbind(0):
            self._seen = []
            with self:
                state = cell.step(projected, state)
            # a copy is what is passed on: its gradient leaves out how its parts made one another
            state = cell.state_type(*(part.clone() for part in state))
            self.states[cell].append(state)
            self.activations[cell].append([output for _, output in self._seen])
            outputs.append(cell.output(state))
        self.functions[cell] = [name for name, _ in self._seen]
        return torch.stack(outputs), state


def observe(network: Network, ids: Ids) -> Observation:
    """Run a network over token ids (T,) from a fresh state. Its weights, mode and path stay as they are."""
    recorder, states = Recorder(), network.initial_state(1)
    column = torch.from_numpy(ids.astype(np.int64))[:, None].to(network.device)  # (T, 1)
    # a backward cell begins at the end: then the whole is one block
    block = len(ids) if network.sees_ahead else max(1, LOGITS_AT_MOST // network.vocabulary_size)
    expected = next(network.parameters()).new_zeros(1, network.vocabulary_size)
    blocks = []
    with running_by(recorder.unroll, network), torch.no_grad():
        for part in torch.split(column, block):
            logits, states = network(part, states)  # (T, 1, V)
            blocks.append(_predictions(torch.cat([expected, logits[:-1, 0]]), part))
            expected = logits[-1]
    predictions = Predictions(*(np.concatenate(field) for field in zip(*blocks, strict=True)))
    return Observation(_layers(network, recorder), predictions)


def _predictions(logits: Tensor, ids: Tensor) -> Predictions:
    """Read logits (T, V) of the tokens ids (T, 1)."""
    logs = logits.log_softmax(dim=-1)
    likeliest = logs.topk(min(LIKELIEST, logs.shape[-1]), dim=-1)
    return Predictions(
        -logs.gather(-1, ids)[:, 0].cpu().numpy(),
        -(logs.exp() * logs).sum(dim=-1).cpu().numpy(),
        likeliest.indices.cpu().numpy(),
        likeliest.values.exp().cpu().numpy(),
    )


def _layers(network: Network, recorder: Recorder) -> list[Layer]:
    directions, layers = network.stack.directions, []
    for place, module in enumerate(network.stack.cells):
        cell, (layer, backward) = cast(Cell, module), divmod(place, directions)
        order = -1 if backward else 1  # a backward cell saw the last token first
        parts = [torch.cat(part).cpu().numpy()[::order] for part in zip(*recorder.states[cell], strict=True)]
        outputs = [torch.cat(o).cpu().numpy()[::order] for o in zip(*recorder.activations[cell], strict=True)]
        noted = zip(cell.activations, recorder.functions[cell], outputs, strict=True)
        name = f"layer {layer + 1}" + (" backward" if backward else " forward" if directions == 2 else "")
        layers.append(Layer(name, cell.state_type(*parts), [Activation(*item) for item in noted]))
    return layers
