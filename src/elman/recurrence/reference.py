"""The definition of right: a cell's `step`, once for each of T steps, in plain torch operations."""

import torch
from torch import Tensor

from elman.cells import Cell, State


def unroll(cell: Cell, x: Tensor, state: State) -> tuple[Tensor, State]:
    """Run a cell over a sequence: x (T, B, D) and a state -> outputs (T, B, H) and the state after the last
    step.
    """
    outputs = []
    for projected in cell.project(x).unbind(0):  # (B, G*H), one step
        state = cell.step(projected, state)
        outputs.append(cell.output(state))
    return torch.stack(outputs), state
