"""torch's own kernels (oneDNN, cuDNN, ATen) over a whole sequence, with the weights of our cells."""

import torch
from torch import Tensor

from elman.cells import Cell, ElmanReluCell, ElmanTanhCell, GRUCell, LSTMCell, State

SERVED = (ElmanTanhCell, ElmanReluCell, GRUCell, LSTMCell)


def unroll(cell: Cell, x: Tensor, state: State) -> tuple[Tensor, State]:
    """Run a cell over a sequence: x (T, B, D) and a state -> outputs (T, B, H) and the state after the last
    step.
    """
    weights: list[Tensor] = [cell.input_weight, cell.recurrent_weight]
    if cell.bias is not None:
        weights += [cell.bias, _recurrent_bias(cell, cell.bias)]
    initial = [part.unsqueeze(0) for part in state]  # (1, B, H): torch's axis of layers
    # has_biases, layers, dropout, train, bidirectional, batch_first
    options = (cell.bias is not None, 1, 0.0, torch.is_grad_enabled(), False, False)
    if isinstance(cell, LSTMCell):
        outputs, *final = torch.lstm(x, initial, weights, *options)
    else:
        kernel = {ElmanTanhCell: torch.rnn_tanh, ElmanReluCell: torch.rnn_relu, GRUCell: torch.gru}[
            type(cell)
        ]
        outputs, *final = kernel(x, initial[0], weights, *options)
    return outputs, cell.state_type(*(part.squeeze(0) for part in final))


def _recurrent_bias(cell: Cell, bias: Tensor) -> Tensor:
    """Return the second bias (G*H,) that torch's kernels want: only the GRU's candidate has one of its
    own.
    """
    zeros = torch.zeros_like(bias)
    if not isinstance(cell, GRUCell) or cell.candidate_bias is None:
        return zeros
    return torch.cat([zeros[: 2 * cell.hidden_size], cell.candidate_bias])
