"""Layers of one cell, in one direction or both: sequences and states in, sequences and states out.

The options are those of torch.nn.RNN, by the same names, and `residual`. Axes: T steps, B rows, D width in,
H hidden units, L layers.
"""

from typing import cast

import torch
from torch import Tensor, nn

from elman.cells import CELLS, Cell, State
from elman.recurrence import Choice, Lookup, choose

from .dropout import Dropout
from .norm import Norm

States = tuple[State, ...]  # one for each layer; where there are two directions, forward before backward


class Stack(nn.Module):
    """L layers of one cell between a sequence and its outputs."""

    def __init__(
        self,
        cell: str,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        recurrence: str = "auto",
        residual: bool = False,
        weight_dropout: float = 0.0,
    ) -> None:
        """Make the cells; draws from torch's random state.

        `residual`: each layer reads its input normalised (Ba et al. 2016) and, where it is as wide as its
        input, adds to it; the outputs are normalised as well. `weight_dropout`: in training, this share of
        the recurrent weights is zero in a window (Wan et al. 2013; Merity et al. 2018).
        """
        super().__init__()
        self.batch_first, self.directions = batch_first, 2 if bidirectional else 1
        self.width = hidden_size * self.directions
        widths = [input_size, *[self.width] * (num_layers - 1)]
        self.cells = nn.ModuleList(
            CELLS[cell](width, hidden_size, bias) for width in widths for _ in range(self.directions)
        )
        self.norms = nn.ModuleList(map(Norm, [*widths, self.width])) if residual else None
        self.dropout, self.weight_dropout = Dropout(dropout), Dropout(weight_dropout)
        self.choice: Choice = choose(cast(Cell, self.cells[0]), recurrence)

    def initial_state(self, rows: int) -> States:
        """Return zeros: one state for each layer and direction, of B rows."""
        return tuple(cell.initial_state(rows) for cell in self.cells)  # type: ignore[operator]

    def forward(self, x: Tensor | Lookup, states: States) -> tuple[Tensor, States]:
        """Run x (T, B, D) from states on: outputs (T, B, H), of both directions (T, B, 2H), and new states.

        With `batch_first`, x and outputs are (B, T, .). A lookup is for a path with an `unroll_lookup`.
        """
        if self.batch_first:
            x = x.transpose(0, 1)
        after: list[State] = []
        for layer in range(len(states) // self.directions):
            if self.norms is None:
                x = self._layer(layer, self.dropout(x) if layer else x, states, after)
            else:
                norm = self.norms[layer]
                normed = x.through(norm) if isinstance(x, Lookup) else norm(x)
                made = self.dropout(self._layer(layer, normed, states, after))
                adds = self.cells[layer * self.directions].input_size == self.width
                x = made + (x.rows() if isinstance(x, Lookup) else x) if adds else made
        if self.norms is not None:
            x = self.norms[-1](x)
        assert not isinstance(x, Lookup)  # no layer gives one
        return x.transpose(0, 1) if self.batch_first else x, tuple(after)

    def _layer(self, layer: int, x: Tensor | Lookup, states: States, after: list[State]) -> Tensor:
        """Run the cells of one layer over a sequence; their new states join those `after`."""
        outputs = []
        for direction in range(self.directions):
            place = layer * self.directions + direction
            outputs.append(self._run(cast(Cell, self.cells[place]), x, states[place], after, direction))
        return torch.cat(outputs, dim=-1) if len(outputs) > 1 else outputs[0]

    def _run(self, cell: Cell, x: Tensor | Lookup, state: State, after: list[State], backward: int) -> Tensor:
        """Run one cell over a sequence, from its end where it looks backward."""
        x = x.flip(0) if backward else x
        if self.training and self.weight_dropout.p:
            cell = cell.with_recurrent_weight(self.weight_dropout(cell.recurrent_weight))
        if isinstance(x, Lookup):
            assert self.choice.unroll_lookup is not None
            outputs, state = self.choice.unroll_lookup(cell, x, state)
        else:
            outputs, state = self.choice.unroll(cell, x, state)
        after.append(state)
        return outputs.flip(0) if backward else outputs
