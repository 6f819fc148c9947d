"""How much of a run is done, and the learning rate that belongs there. Knows nothing of models."""

import math
from dataclasses import dataclass

from elman.config import TrainSettings


@dataclass(frozen=True)
class Budget:
    """Steps, epochs or minutes, whichever the settings name."""

    settings: TrainSettings
    batches_per_epoch: int

    @property
    def steps(self) -> int | None:
        """All weight updates of the run; None where the clock decides."""
        if self.settings.steps is not None:
            return self.settings.steps
        if self.settings.epochs is not None:
            return max(1, round(self.settings.epochs * self.batches_per_epoch))
        return None

    def done(self, step: int, seconds: float) -> float:
        """Return the share of the budget, 0 to 1, that is used up after so many steps and seconds."""
        if self.steps is not None:
            return min(1.0, step / self.steps)
        return min(1.0, seconds / (60 * (self.settings.minutes or 0)))

    def learning_rate(self, step: int, done: float) -> float:
        """Return the rate of one update: a linear warm-up, then constant or half a cosine down to zero.

        The warm-up is over after a tenth of the budget at the latest, so that short runs reach the peak too.
        """
        rising = self.settings.warmup_steps
        warmup = min(1.0, max((step + 1) / rising, 10 * done)) if rising else 1.0
        fall = 0.5 * (1 + math.cos(math.pi * done)) if self.settings.schedule == "cosine" else 1.0
        return self.settings.learning_rate * warmup * fall
