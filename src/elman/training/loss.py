"""The loss of one batch."""

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
