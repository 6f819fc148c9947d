"""Learning one pair by heart: a source in, step by step what the network makes of it, up to the target.

This is how RNNCell and RNN are first met (hello -> ohlol). No text, no held-out part, no model folder.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch

from elman.batches import PairWindows
from elman.config import Settings
from elman.errors import SettingsError
from elman.model import Network
from elman.training import Precision, Trainer


class Attempt(NamedTuple):
    """What the network makes of the source after so many steps."""

    step: int
    nats: float  # mean loss of a character, before the step
    predicted: str


class PairRun:
    """A network of one pair; its tokens are the characters of the pair, sorted."""

    def __init__(self, settings: Settings) -> None:
        """Make the network from its seed.

        Raises:
            SettingsError: the settings name no pair, or one of two lengths.
        """
        if settings.pair is None:
            raise SettingsError("the recipe has no pair to learn; name a text, or set pair=[SOURCE, TARGET]")
        self.settings = settings
        self.source, self.target = settings.pair
        if len(self.source) != len(self.target):
            raise SettingsError(
                f"pair is {self.source!r} and {self.target!r}, expected two texts of one length"
            )
        self.characters = sorted({*self.source, *self.target})
        torch.manual_seed(settings.train.seed)
        self.network = Network(settings.model, len(self.characters), settings.train.recurrence)
        windows = PairWindows(self._ids(self.source), self._ids(self.target))
        self.trainer = Trainer(self.network, windows, settings.train, Precision("fp32", "one small pair"))

    def attempts(self) -> Iterator[Attempt]:
        """Learn to the end of the budget.

        Raises:
            DivergedError: the loss is no longer a number.
        """
        for progress in self.trainer.steps():
            yield Attempt(progress.step, progress.nats, self.predict(self.source))

    @torch.inference_mode()
    def predict(self, text: str) -> str:
        """Return the likeliest character at each step of a text, from a fresh state."""
        self.network.eval()
        ids = torch.from_numpy(self._ids(text))[:, None]
        logits, _ = self.network(ids, self.network.initial_state(1))  # (T, 1, V)
        return "".join(self.characters[i] for i in logits[:, 0].argmax(dim=-1).tolist())

    def _ids(self, text: str) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        return np.array([self.characters.index(character) for character in text], dtype=np.int64)
