"""Logits in, one token id for each row out. NumPy only; the same logits and seed give the same ids
everywhere.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from elman.errors import RequestError


@dataclass(frozen=True)
class Sampling:
    """How the next token is chosen; checked once, when it is made.

    `temperature` divides the logits; `top_k` keeps the k most likely tokens; `top_p` keeps the smallest set
    of most likely tokens that holds that share of the probability (Holtzman et al. 2020); `greedy` takes
    the most likely.
    """

    temperature: float = 1.0
    top_k: int | None = None
    top_p: float | None = None
    greedy: bool = False

    def __post_init__(self) -> None:
        """Refuse what cannot be sampled from, all problems in one line."""
        problems = []
        if not 0 < self.temperature < float("inf"):
            problems.append(f"temperature is {self.temperature:g}, expected more than 0 (or --greedy)")
        if self.top_k is not None and self.top_k < 1:
            problems.append(f"top-k is {self.top_k}, expected 1 or more")
        if self.top_p is not None and not 0 < self.top_p <= 1:
            problems.append(f"top-p is {self.top_p:g}, expected more than 0 and at most 1")
        if problems:
            raise RequestError("; ".join(problems))

    def probabilities(self, logits: NDArray[np.float32], forbidden: int | None = None) -> NDArray[np.float64]:
        """Return the distribution (V,) that a token is drawn from, given logits (V,); `forbidden` gets
        nothing.
        """
        scores = logits.astype(np.float64) / self.temperature
        if forbidden is not None:
            scores[forbidden] = -np.inf
        if self.top_k is not None and self.top_k < len(scores):
            scores[np.argsort(-scores, kind="stable")[self.top_k :]] = -np.inf
        probabilities: NDArray[np.float64] = np.exp(scores - scores.max())
        probabilities /= probabilities.sum()
        if self.top_p is not None and self.top_p < 1:
            order = np.argsort(-probabilities, kind="stable")
            before = np.cumsum(probabilities[order]) - probabilities[order]  # what more likely tokens hold
            probabilities[order[before >= self.top_p]] = 0.0
            probabilities /= probabilities.sum()
        return probabilities

    def choose(
        self, logits: NDArray[np.float32], random: np.random.Generator, forbidden: int | None = None
    ) -> int:
        """Return one id, given logits (V,)."""
        if self.greedy:
            scores = logits.copy()
            if forbidden is not None:
                scores[forbidden] = -np.inf
            return int(scores.argmax())
        cumulative = np.cumsum(self.probabilities(logits, forbidden))
        return min(
            int(np.searchsorted(cumulative, random.random() * cumulative[-1], side="right")), len(logits) - 1
        )
