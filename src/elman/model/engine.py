"""The torch model as an engine: numpy in, numpy out, no gradients. The contract is in `elman.engine`."""

import numpy as np
import torch

from elman.engine import Ids, Logits

from .network import Network
from .stack import States


class TorchEngine:
    """Runs a network where its weights are, in fp32, or in bf16 ("bf16") where speed counts more."""

    name = "torch"

    def __init__(self, network: Network, precision: str = "fp32") -> None:
        self.network, self.precision = network, precision
        self.vocabulary_size = network.vocabulary_size
        self._device = network.device

    def initial_state(self, rows: int) -> States:
        """Return the state before the first token, for B streams."""
        return self.network.initial_state(rows)

    def step(self, ids: Ids, state: States) -> tuple[Logits, States]:
        """Advance every stream by one token: ids (B,) -> logits (B, V)."""
        logits, state = self.feed(ids[np.newaxis], state)
        return logits[0], state

    @torch.inference_mode()
    def feed(self, ids: Ids, state: States) -> tuple[Logits, States]:
        """Advance every stream by T tokens: ids (T, B) -> logits (T, B, V)."""
        training = self.network.training
        self.network.eval()
        with torch.autocast(self._device.type, dtype=torch.bfloat16, enabled=self.precision == "bf16"):
            logits, state = self.network(
                torch.from_numpy(ids.astype(np.int64, copy=False)).to(self._device), state
            )
        self.network.train(training)
        return logits.float().cpu().numpy(), state
