"""How weights start. Knows the names of a cell's parameters, nothing of data or training."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from elman.cells import Cell

UNIFORM_BOUND = 0.1  # Zaremba et al. 2014 and the word language models after it
NORMAL_DEVIATION = 0.01  # the tutorials that write the tensors out


@torch.no_grad()
def initialize(network: nn.Module, kind: str) -> None:
    """Start the weights of a network, in place, in one of these ways.

    - `orthogonal`, `identity`: the hidden weights; a cell's forget gate (of the GRU: the update gate, which
      keeps the old state) starts with bias 1, so that it remembers by default (Jozefowicz et al. 2015);
    - `uniform`, `normal`: all weights in +-0.1, or with deviation 0.01; all biases 0;
    - `torch`: as torch.nn starts its own: all weights and biases of a cell in +-1/sqrt(H).

    What is neither weight nor bias, as the decay of an RG-LRU, starts as its own module says.
    """
    if kind == "uniform":
        _fill(network, lambda weight: weight.uniform_(-UNIFORM_BOUND, UNIFORM_BOUND))
    elif kind == "normal":
        _fill(network, lambda weight: weight.normal_(0, NORMAL_DEVIATION))
    else:
        for cell in network.modules():
            if isinstance(cell, Cell):
                _start(cell, kind)


def _fill(network: nn.Module, start: Callable[[Tensor], Tensor]) -> None:
    for name, parameter in network.named_parameters():
        if parameter.dim() > 1:
            start(parameter)
        elif name.endswith("bias"):
            parameter.zero_()


def _start(cell: Cell, kind: str) -> None:
    if kind == "torch":
        bound = cell.hidden_size**-0.5
        for name, parameter in cell.named_parameters():
            if name.endswith(("weight", "bias")):
                parameter.uniform_(-bound, bound)
        return
    for gate in cell.recurrent_weight.chunk(cell.gates) if cell.recurrent else ():  # (H, H)
        nn.init.orthogonal_(gate) if kind == "orthogonal" else nn.init.eye_(gate)
    if cell.bias is not None and cell.forget_gate is not None:
        cell.bias.chunk(cell.gates)[cell.forget_gate].fill_(1.0)
