"""What every cell promises: one step of recurrence over B rows. Knows nothing of tokens, layers or how it
is unrolled.

A cell is split in two. `project` holds what can be done for all T steps in one matrix product; `step` holds
only what must run in turn. Axes: T steps, B rows, D width in, H hidden units, G gates.
"""

from abc import ABC, abstractmethod
from copy import copy
from typing import Any, ClassVar, Self

import torch
from torch import Tensor, nn

State = Any  # a named tuple of tensors, each (B, H); the first is h


class Cell(nn.Module, ABC):
    """Interface of a cell. States are passed in and returned, never kept in `self`."""

    gates: ClassVar[int]  # G: how many (B, H) products one step needs
    state_type: ClassVar[type[Any]]  # the named tuple that holds a state
    forget_gate: ClassVar[int | None]  # which gate remembers, if one does
    activations: ClassVar[tuple[str, ...]]  # what sigmoid, tanh and relu give in `step`, in their order
    recurrent: ClassVar[bool] = True  # whether a step multiplies the state with weights

    recurrent_weight: nn.Parameter  # (G*H, H), of a recurrent cell

    def __init__(self, input_size: int, hidden_size: int, bias: bool = True) -> None:
        """Make weights (G*H, D) and, of a recurrent cell, (G*H, H), uniform in +-1/sqrt(H), and a bias (G*H,)
        of zeros where wanted.
        """
        super().__init__()
        self.input_size, self.hidden_size = input_size, hidden_size
        bound = hidden_size**-0.5
        self.input_weight = nn.Parameter(
            torch.empty(self.gates * hidden_size, input_size).uniform_(-bound, bound)
        )
        if self.recurrent:
            self.recurrent_weight = nn.Parameter(
                torch.empty(self.gates * hidden_size, hidden_size).uniform_(-bound, bound)
            )
        self.bias = nn.Parameter(torch.zeros(self.gates * hidden_size)) if bias else None

    def project(self, x: Tensor) -> Tensor:
        """Do the input products of all steps at once: (T, B, D) -> (T, B, G*H)."""
        return nn.functional.linear(x, self.input_weight, self.bias)

    @abstractmethod
    def step(self, projected: Tensor, state: State) -> State:
        """Advance by one step: projected (B, G*H), state -> the next state."""

    def output(self, state: State) -> Tensor:
        """Return what the layer above sees of a state: (B, H)."""
        hidden: Tensor = state[0]
        return hidden

    def with_recurrent_weight(self, weight: Tensor) -> Self:
        """Return this cell with another recurrent weight (G*H, H); all else is shared."""
        twin = copy(self)
        twin._parameters = {name: p for name, p in self._parameters.items() if name != "recurrent_weight"}
        object.__setattr__(twin, "recurrent_weight", weight)
        return twin

    def initial_state(self, rows: int) -> State:
        """Return a state of zeros for B rows."""
        zeros = self.input_weight.new_zeros(rows, self.hidden_size)
        return self.state_type(*(zeros for _ in self.state_type._fields))
