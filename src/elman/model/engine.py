"""The torch model as an engine: numpy in, numpy out, no gradients. The contract is in `elman.engine`."""

from collections.abc import Iterable

import numpy as np
import torch

from elman.engine import Draws, Ids, Logits, State, Written, write_by_steps

from .network import Network
from .stack import States


class TorchEngine:
    """Runs a network where its weights are, in fp32, or in bf16 ("bf16") where speed counts more."""

    name = "torch"

    def __init__(self, network: Network, precision: str = "fp32") -> None:
        self.network, self.precision = network, precision
        self.vocabulary_size = network.vocabulary_size
        self._device = network.device
        self._types = [type(state) for state in network.initial_state(1)]

    def initial_state(self, rows: int) -> State:
        """Return the state before the first token, for B streams."""
        return flat(self.network.initial_state(rows))

    def step(self, ids: Ids, state: State) -> tuple[Logits, State]:
        """Advance every stream by one token: ids (B,) -> logits (B, V)."""
        logits, state = self.feed(ids[np.newaxis], state)
        return logits[0], state

    @torch.inference_mode()
    def feed(self, ids: Ids, state: State) -> tuple[Logits, State]:
        """Advance every stream by T tokens: ids (T, B) -> logits (T, B, V)."""
        training = self.network.training
        self.network.eval()
        with torch.autocast(self._device.type, dtype=torch.bfloat16, enabled=self.precision == "bf16"):
            logits, after = self.network(self._tensor(ids), self._states(state))
        self.network.train(training)
        return logits.float().cpu().numpy(), flat(after)

    def write(self, ids: Ids, state: State, draws: Draws) -> Written:
        """Read ids (T, B), then draw N tokens in each row."""
        return write_by_steps(self, ids, state, draws)

    def _tensor(self, ids: Ids) -> torch.Tensor:
        return torch.from_numpy(ids.astype(np.int64, copy=False)).to(self._device)

    def _states(self, state: State) -> States:
        parts = (torch.from_numpy(part.copy()).to(self._device) for part in state)
        return tuple(kind(*(next(parts) for _ in kind._fields)) for kind in self._types)


def flat(states: States) -> State:
    """Return states as an engine hands them out."""
    parts: Iterable[torch.Tensor] = (part for state in states for part in state)
    return tuple(part.detach().float().cpu().numpy() for part in parts)
