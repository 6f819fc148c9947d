"""Ids and states in, logits and states out: embed or one-hot -> layers of cells -> logits. Knows nothing of
text.

Axes: T steps, B rows, D width in, H hidden units, L layers, V vocabulary.
"""

from typing import cast

import torch
from torch import Tensor, nn

from elman.cells import CELLS, Cell, State
from elman.config import ModelSettings
from elman.recurrence import Choice, choose

from .initialization import initialize

States = tuple[State, ...]  # one for each layer


class Network(nn.Module):
    """A recurrent language model without text: L layers of one cell between token ids and logits."""

    def __init__(self, settings: ModelSettings, vocabulary_size: int, recurrence: str = "auto") -> None:
        """Make the weights; draws from torch's random state."""
        super().__init__()
        self.settings, self.vocabulary_size = settings, vocabulary_size
        hidden, width = settings.hidden_size, settings.embedding_size or vocabulary_size
        self.embedding = nn.Embedding(vocabulary_size, width) if settings.embedding_size else None
        self.cells = nn.ModuleList(
            CELLS[settings.cell](width if layer == 0 else hidden, hidden, settings.bias)
            for layer in range(settings.layers)
        )
        self.dropout = nn.Dropout(settings.dropout)
        self.decoder = nn.Linear(hidden, vocabulary_size)
        if settings.tied and self.embedding is not None:
            self.decoder.weight = self.embedding.weight
        initialize(self, settings.initialization)
        self.choice: Choice = choose(cast(Cell, self.cells[0]), recurrence)

    def initial_state(self, rows: int) -> States:
        """Return zeros: one state for each layer, of B rows."""
        return tuple(cell.initial_state(rows) for cell in self.cells)  # type: ignore[operator]

    def forward(self, ids: Tensor, states: States, last: int = 0) -> tuple[Tensor, States]:
        """Run ids (T, B) from states on: logits (T, B, V), or of the `last` S steps (S, B, V), and the new
        states.
        """
        if self.embedding is not None:
            x = self.embedding(ids)  # (T, B, D)
        else:
            x = nn.functional.one_hot(ids, self.vocabulary_size).to(self.decoder.weight.dtype)  # (T, B, V)
        after = []
        for layer, (cell, state) in enumerate(zip(cast(list[Cell], self.cells), states, strict=True)):
            x, state = self.choice.unroll(cell, self.dropout(x) if layer else x, state)
            after.append(state)
        return self.decoder(self.dropout(x[-last:])), tuple(after)

    def parameter_count(self) -> int:
        """Return how many numbers the model learns."""
        return sum(parameter.numel() for parameter in self.parameters())


def renew(states: States, fresh: Tensor) -> States:
    """Set the states of the fresh (B,) rows to zero."""
    if not fresh.any():
        return states
    keep = ~fresh[:, None]  # (B, 1)
    return tuple(type(state)(*(part * keep for part in state)) for state in states)


def detach(states: States) -> States:
    """Cut the graph: the same states, without their history, in the precision of the weights."""
    return tuple(type(state)(*(part.detach().to(torch.float32) for part in state)) for state in states)
