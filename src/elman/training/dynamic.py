"""An engine that learns from what it reads: dynamic evaluation (Mikolov et al. 2010, Krause et al. 2018).

Each segment is predicted by weights that have learned from all segments before it, so that what is scored has
not been seen. What comes out is no score of the model as it is saved, and bears a name of its own.
"""

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from elman.config import TrainSettings
from elman.engine import Ids, Logits, State
from elman.model import Network, TorchEngine
from elman.model.engine import flat

from .exchange import Exchange
from .optimizer import Optimizer

SEGMENT = 32  # tokens between two changes of the weights
SETTINGS = TrainSettings.model_validate({"optimizer": "sgd", "learning_rate": 0.1, "clip": 1.0, "steps": 1})


class DynamicEngine(TorchEngine):
    """Runs a network and changes its weights; for one stream that is read from its start to its end."""

    name = "dynamic"

    def __init__(self, network: Network) -> None:
        super().__init__(network)
        self._exchange = Exchange(network, SETTINGS.clip)
        self._optimizer = Optimizer(network, SETTINGS, self._exchange)

    def feed(self, ids: Ids, state: State) -> tuple[Logits, State]:
        """Predict a segment and learn from it, then the next: ids (T, B) -> logits (T, B, V)."""
        logits = []
        for start in range(0, len(ids), SEGMENT):
            predicted, state = self._learn(ids[start : start + SEGMENT], state)
            logits.append(predicted)
        return np.concatenate(logits), state

    def _learn(self, ids: Ids, state: State) -> tuple[Logits, State]:
        """Predict ids (S, B), then change the weights by what the S - 1 later ones would have wanted."""
        read = self._tensor(ids)
        self.network.eval()
        logits, after = self.network(read, self._states(state))
        if len(ids) > 1:
            self._exchange.clear_gradients()
            loss = cross_entropy(logits[:-1].flatten(0, 1), read[1:].flatten())
            torch.autograd.backward(loss)
            self._exchange.gradients(loss.item())
            self._optimizer.step(SETTINGS.learning_rate)
        return logits.detach().cpu().numpy(), flat(after)
