"""Ids and states in, logits and states out: embed or one-hot -> layers of cells -> logits. Knows no text.

With two streams a second stack reads from the end. The logits at t are then those of the token t itself,
made of the first stack's output before t and the second's after t, so that no token sees itself.

Axes: T steps, B rows, D width in, H hidden units, L layers, V vocabulary.
"""

import torch
from torch import Tensor, nn

from elman.config import ModelSettings
from elman.recurrence import Choice, Lookup
from elman.recurrence.lookup import pays

from .dropout import Dropout
from .initialization import initialize
from .norm import Norm
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
        self.stack = self._stack(width, hidden, recurrence)
        self.backward_stack = self._stack(width, hidden, recurrence) if settings.two_stream else None
        self.embedding_dropout = Dropout(settings.embedding_dropout)
        self.dropout = Dropout(settings.dropout)
        self.decoder = (
            nn.Linear(hidden * (2 if self.sees_ahead else 1), vocabulary_size)
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

    @property
    def sees_ahead(self) -> bool:
        """Whether later tokens have a part in the logits: in both directions, or in the second stream."""
        return self.settings.bidirectional or self.settings.two_stream

    @property
    def stacks(self) -> list[Stack]:
        """The stack that reads forward and, with two streams, the one that reads backward."""
        return [self.stack] if self.backward_stack is None else [self.stack, self.backward_stack]

    def use(self, choice: Choice) -> None:
        """Let all cells run by a path from now on; what stands between them follows."""
        for stack in self.stacks:
            stack.choice = choice
        for module in self.modules():
            if isinstance(module, Dropout | Norm):
                module.native = choice.name == "native"

    def initial_state(self, rows: int) -> States:
        """Return zeros: one state for each stack, layer and direction, of B rows."""
        return tuple(state for stack in self.stacks for state in stack.initial_state(rows))

    def forward(self, ids: Tensor, states: States, last: int = 0) -> tuple[Tensor, States]:
        """Run ids (T, B) from states on: logits (T, B, V) and the new states.

        The logits at t are those of the token after t; with two streams, those of the token at t.
        With `last`, logits (S, B, V) of the last S steps only.
        """
        x = self._read(ids)
        if self.backward_stack is None:
            outputs, after = self._run(self.stack, x, states)
        else:
            outputs, after = self._between(self.backward_stack, x, states)
        return self.decoder(self.dropout(outputs[-last:])), after

    def _read(self, ids: Tensor) -> Tensor | Lookup:
        """Embed ids (T, B): (T, B, D); or say where to look, which allows that each id be seen to once."""
        weight = next(self.parameters())
        if self._looks_up(ids):
            table = (
                torch.eye(self.vocabulary_size).to(weight)
                if self.embedding is None
                else self.embedding.weight
            )
            return Lookup(table, ids)
        if self.embedding is not None:
            embedded: Tensor = self.embedding_dropout(self.embedding(ids))
            return embedded
        return nn.functional.one_hot(ids, self.vocabulary_size).to(weight.dtype)

    def _looks_up(self, ids: Tensor) -> bool:
        """Whether what the first layer makes of an id is made of its row alone, and is made cheaper so."""
        options, table = self.settings, self.embedding
        changed = self.training and options.embedding_dropout or options.max_norm is not None
        if changed or options.padding_idx is not None or self.stack.choice.unroll_lookup is None:
            return False
        width = self.vocabulary_size if table is None else table.embedding_dim
        return pays(self.vocabulary_size, width, ids.numel())

    def _stack(self, width: int, hidden: int, recurrence: str) -> Stack:
        options = self.settings
        return Stack(
            options.cell,
            width,
            hidden,
            options.layers,
            options.bias,
            options.batch_first,
            options.dropout,
            options.bidirectional,
            recurrence,
            options.residual,
            options.weight_dropout,
        )

    def _run(self, stack: Stack, x: Tensor | Lookup, states: States) -> tuple[Tensor, States]:
        """Run a stack over x (T, B, D), in the order of axes that it wants: outputs (T, B, H)."""
        if not stack.batch_first:
            outputs, after = stack(x, states)
            return outputs, after
        outputs, after = stack(x.transpose(0, 1), states)
        return outputs.transpose(0, 1), after

    def _between(self, backward_stack: Stack, x: Tensor | Lookup, states: States) -> tuple[Tensor, States]:
        """Run both streams over x (T, B, D): at t, what one has read before t beside the other after t."""
        layers = self.settings.layers
        before, forward = self._run(self.stack, x, states[:layers])
        after, backward = self._run(backward_stack, x.flip(0), states[layers:])
        before = torch.cat([states[layers - 1][0][None], before[:-1]])  # (T, B, H)
        after = torch.cat([states[-1][0][None], after[:-1]]).flip(0)
        return torch.cat([before, after], dim=-1), (*forward, *backward)

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
