"""The loss of one batch, and what it costs that states are large."""

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from elman.model import Network, States


def batch_loss(
    network: Network, inputs: Tensor, targets: Tensor, states: States, precision: str
) -> tuple[Tensor, States]:
    """Run inputs (T, B) and compare with targets (S, B) of the last S steps: mean nats, and the states."""
    with torch.autocast(inputs.device.type, dtype=torch.bfloat16, enabled=precision == "bf16"):
        logits, states = network(inputs, states, last=len(targets))
    return cross_entropy(logits.float().flatten(0, 1), targets.flatten()), states


def mean_square(states: States) -> Tensor:
    """Return the mean over all rows and units of the squares of states, summed over layers and parts.

    What an LSTM's cell adds up without end its output does not show, for it is squashed; but from a fresh
    state it takes as long to come there. To hold states small is to hold fresh and old ones alike, as
    Krueger and Memisevic (2015) and Merity et al. (2017) do for what a layer gives out.
    """
    return torch.stack([part.float().square().mean() for state in states for part in state]).sum()
