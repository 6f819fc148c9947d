"""Ids and states in, logits and states out: embed or one-hot -> layers of cells -> logits. Knows no text.

Axes: T steps, B rows, D width in, H hidden units, L layers, V vocabulary.
"""

import torch
from torch import Tensor, nn

from elman.config import ModelSettings

from .initialization import initialize
from .stack import Stack, States


class Network(nn.Module):
    """A recurrent language model without text: L layers of one cell between token ids and logits."""

    def __init__(self, settings: ModelSettings, vocabulary_size: int, recurrence: str = "auto") -> None:
        """Make the weights; draws from torch's random state."""
        super().__init__()
        self.settings, self.vocabulary_size = settings, vocabulary_size
        width = settings.embedding_size or vocabulary_size
        hidden = vocabulary_size if settings.output == "hidden" else settings.hidden_size
        self.embedding = (
            nn.Embedding(vocabulary_size, width, settings.padding_idx, settings.max_norm)
            if settings.embedding_size
            else None
        )
        self.stack = Stack(
            settings.cell,
            width,
            hidden,
            settings.layers,
            settings.bias,
            settings.batch_first,
            settings.dropout,
            settings.bidirectional,
            recurrence,
        )
        self.embedding_dropout = nn.Dropout(settings.embedding_dropout)
        self.dropout = nn.Dropout(settings.dropout)
        self.decoder = (
            nn.Linear(hidden * self.stack.directions, vocabulary_size)
            if settings.output == "linear"
            else nn.Identity()
        )
        if settings.tied and self.embedding is not None:
            self.decoder.weight = self.embedding.weight
        initialize(self, settings.initialization)
        if self.embedding is not None and settings.padding_idx is not None:
            nn.init.zeros_(self.embedding.weight.data[settings.padding_idx])

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.parameters()).device

    def initial_state(self, rows: int) -> States:
        """Return zeros: one state for each layer and direction, of B rows."""
        return self.stack.initial_state(rows)

    def forward(self, ids: Tensor, states: States, last: int = 0) -> tuple[Tensor, States]:
        """Run ids (T, B) from states on: logits (T, B, V) and the new states.

        With `last`, logits (S, B, V) of the last S steps only.
        """
        if self.embedding is not None:
            x = self.embedding_dropout(self.embedding(ids))  # (T, B, D)
        else:
            x = nn.functional.one_hot(ids, self.vocabulary_size).to(
                next(self.parameters()).dtype
            )  # (T, B, V)
        if self.settings.batch_first:
            outputs, after = self.stack(x.transpose(0, 1), states)
            outputs = outputs.transpose(0, 1)
        else:
            outputs, after = self.stack(x, states)
        return self.decoder(self.dropout(outputs[-last:])), after

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
