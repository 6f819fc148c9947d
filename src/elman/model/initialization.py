"""How weights start. Knows the names of a cell's parameters, nothing of data or training."""

import torch
from torch import nn

from elman.cells import Cell

UNIFORM_BOUND = 0.1  # Zaremba et al. 2014 and the word language models after it


@torch.no_grad()
def initialize(network: nn.Module, kind: str) -> None:
    """Start the hidden weights as orthogonal or identity matrices, or all weights uniform in +-0.1, in place.

    A cell's forget gate (of the GRU: the update gate, which keeps the old state) starts with bias 1, so
    that it remembers by default (Jozefowicz et al. 2015), except under `uniform`, where biases start at 0.
    """
    if kind == "uniform":
        for parameter in network.parameters():
            if parameter.dim() > 1:
                parameter.uniform_(-UNIFORM_BOUND, UNIFORM_BOUND)
            else:
                parameter.zero_()
        return
    for cell in network.modules():
        if isinstance(cell, Cell):
            for gate in cell.recurrent_weight.chunk(cell.gates):  # (H, H)
                nn.init.orthogonal_(gate) if kind == "orthogonal" else nn.init.eye_(gate)
            if cell.bias is not None and cell.forget_gate is not None:
                cell.bias.chunk(cell.gates)[cell.forget_gate].fill_(1.0)
