"""Token ids in, training windows out: T steps of B rows and what follows each. Knows no text and no models.

Three ways of drawing windows, those of the tutorials, and one for gaps. Each can be saved in the middle and
go on exactly.
"""

from abc import ABC, abstractmethod
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from elman.errors import TextError
from elman.tokens.store import Ids, Tokens

from .permutation import Permutation


class Batch(NamedTuple):
    """One step of learning: the targets belong to the last S of the T inputs (S is T, or 1).

    A target is the token after its input, or, of gap windows, that token itself.
    """

    inputs: Ids  # (T, B)
    targets: Ids  # (S, B)
    fresh: NDArray[np.bool_]  # (B,) rows whose state starts anew; the others go on where they stopped


class Windows(ABC):
    """Endless batches from one part of a text, epoch after epoch, the same for the same seed."""

    def __init__(
        self,
        tokens: Tokens,
        steps: int,
        rows: int,
        seed: int,
        rare: NDArray[np.bool_] | None = None,
        unknown: int = 0,
        hide: float = 0.0,
        restart: float = 0.0,
    ) -> None:
        """Read windows of `steps` tokens in `rows` rows.

        `rare` (V,) marks the tokens that the training part holds once. A share `hide` of them is shown as
        `unknown`: what is new in training stands for what will be new later (Good 1953), so that the model
        learns to expect it.

        `restart` is the share of adjacent rows that start from a fresh state although the text goes on. A
        model that seldom meets a fresh state in training can be thrown off by one for thousands of tokens.

        Raises:
            TextError: the part is too short for one batch.
        """
        self.tokens, self.steps, self.rows = tokens, steps, rows
        self._hide, self._restart = hide, restart
        self._rare, self._unknown = (rare if hide and rare is not None and rare.any() else None), unknown
        self._random = np.random.Generator(np.random.PCG64(seed))
        self.epoch = 0
        self.position = 0  # batches of this epoch that are done
        if len(tokens) < self.tokens_needed():
            raise TextError(
                f"the training part has {len(tokens):,} tokens, expected at least {self.tokens_needed():,} "
                f"for one window of {steps} steps in {rows} rows; use a longer text, or lower train.window "
                "and train.batch_size"
            )
        self._start_epoch()

    @property
    @abstractmethod
    def batches_per_epoch(self) -> int:
        """How many batches one pass over the text has."""

    @abstractmethod
    def tokens_needed(self) -> int:
        """How many tokens one batch takes at the least."""

    @abstractmethod
    def _start_epoch(self) -> None:
        """Draw what is random about an epoch."""

    @abstractmethod
    def _read(self) -> Batch:
        """Return the batch at the position."""

    def draw(self) -> Batch:
        """Return the next batch."""
        if self.position >= self.batches_per_epoch:
            self.epoch, self.position = self.epoch + 1, 0
            self._start_epoch()
        batch = self._read()
        self.position += 1
        return batch

    def state(self) -> dict[str, Any]:
        """Return the position and the random state, as plain numbers that JSON can hold."""
        return {
            "epoch": self.epoch,
            "position": self.position,
            "random": self._random.bit_generator.state,
            "drawn": self._drawn(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a saved state."""
        self.epoch, self.position = state["epoch"], state["position"]
        self._random.bit_generator.state = state["random"]
        self._set_drawn(state["drawn"])

    @abstractmethod
    def _drawn(self) -> int:
        """Return what `_start_epoch` drew, one number."""

    @abstractmethod
    def _set_drawn(self, drawn: int) -> None:
        """Take what an earlier `_start_epoch` drew."""

    def _spans(self, starts: Ids) -> Ids:
        """Return ids (T + 1, B) from each start on, some of the rare ones hidden."""
        spans = self.tokens.rows(starts, self.steps + 1)
        if self._rare is not None:
            hidden = self._rare[spans]
            hidden[hidden] = self._random.random(int(hidden.sum())) < self._hide
            spans[hidden] = self._unknown
        return spans


class AdjacentWindows(Windows):
    """Each row is one long stretch of the text, and each window goes on where the last one stopped.

    The first epoch starts at the first token, each later one at a random one of the first T tokens, so that
    windows are cut elsewhere each time.
    """

    @property
    def batches_per_epoch(self) -> int:
        """How many windows fit into a row."""
        return (self._stretch - 1) // self.steps

    def tokens_needed(self) -> int:
        """B rows of T tokens and one more to predict."""
        return self.rows * (self.steps + 1)

    def _start_epoch(self) -> None:
        slack = min(self.steps, len(self.tokens) - self.tokens_needed() + 1)
        self._set_drawn(int(self._random.integers(slack)) if self.epoch else 0)

    def _drawn(self) -> int:
        return self._offset

    def _set_drawn(self, drawn: int) -> None:
        self._offset = drawn
        self._stretch = (len(self.tokens) - drawn) // self.rows  # tokens in a row

    def _read(self) -> Batch:
        starts = self._offset + np.arange(self.rows) * self._stretch + self.position * self.steps
        spans = self._spans(starts)
        fresh = np.full(self.rows, self.position == 0)
        if self._restart:
            fresh |= self._random.random(self.rows) < self._restart
        return Batch(spans[:-1], spans[1:], fresh)


class ShuffledWindows(Windows):
    """Windows in random order: what random and overlapping windows share.

    The first epoch starts at the first token, as adjacent windows do.
    """

    targets_at_end: int  # how many of the last steps have a target; 0 means all

    @property
    @abstractmethod
    def stride(self) -> int:
        """Tokens from one window to the next."""

    @property
    def batches_per_epoch(self) -> int:
        """How many whole batches of windows one pass has."""
        return self._windows // self.rows

    def _drawn(self) -> int:
        return self._key

    def _start_epoch(self) -> None:
        self._set_drawn(int(self._random.integers(2**62)))

    def _set_drawn(self, drawn: int) -> None:
        self._key = drawn
        slack = min(self.stride, len(self.tokens) - self.tokens_needed() + 1)
        self._offset = drawn % slack if self.epoch else 0
        self._windows = (len(self.tokens) - 1 - self._offset - self.steps) // self.stride + 1
        self._order = Permutation(self._windows, drawn)

    def _read(self) -> Batch:
        chosen = self._order(self.position * self.rows + np.arange(self.rows))
        spans = self._spans(self._offset + chosen * self.stride)
        return Batch(spans[:-1], spans[1:][-self.targets_at_end :], np.ones(self.rows, dtype=bool))


class RandomWindows(ShuffledWindows):
    """Windows that do not overlap, in random order, each from a fresh state."""

    targets_at_end = 0

    @property
    def stride(self) -> int:
        """A whole window."""
        return self.steps

    def tokens_needed(self) -> int:
        """B windows of T tokens, and one more to predict."""
        return self.rows * self.steps + 1


class GapWindows(RandomWindows):
    """Random windows whose targets are their own tokens: each stands in a gap between the others."""

    def _read(self) -> Batch:
        batch = super()._read()
        return batch._replace(targets=batch.inputs)


class OverlappingWindows(ShuffledWindows):
    """Every position of the text starts a window; only what follows the whole window is predicted."""

    targets_at_end = 1

    @property
    def stride(self) -> int:
        """One token."""
        return 1

    def tokens_needed(self) -> int:
        """B windows one token apart, and one more to predict."""
        return self.rows + self.steps
