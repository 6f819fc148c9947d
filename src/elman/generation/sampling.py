"""Logits in, one token id for each row out. NumPy only; the same logits and seed give the same ids
everywhere.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from elman.engine import Draws, Logits, pick
from elman.errors import RequestError

from .arguments import refuse_wrong_kinds

GREEDY = 1e-30  # a temperature at which nothing but the likeliest token is left


@dataclass(frozen=True)
class Sampling:
    """How the next token is chosen; checked once, when it is made.

    `repetition_penalty` divides the positive logits of recent tokens and multiplies their negative ones
    (Keskar et al. 2019); `temperature` divides all logits; `top_k` keeps the k most likely tokens; `top_p`
    keeps the smallest set of most likely tokens that holds that share of the probability (Holtzman et al.
    2020); `min_p` keeps what is at least that share as likely as the likeliest (Nguyen et al. 2024);
    `greedy`, or temperature 0, takes the most likely.
    """

    temperature: float = 1.0
    top_k: int | None = None
    top_p: float | None = None
    min_p: float | None = None
    repetition_penalty: float = 1.0
    greedy: bool = False

    def __post_init__(self) -> None:
        """Refuse what cannot be sampled from, all problems in one line."""
        defaults = {field.name: field.default for field in fields(self)}
        refuse_wrong_kinds((name, given) for name, given in vars(self).items() if given is not defaults[name])
        problems = []
        if not 0 <= self.temperature < float("inf"):
            problems.append(f"temperature is {self.temperature:g}, expected 0 or more")
        if self.top_k is not None and self.top_k < 1:
            problems.append(f"top-k is {self.top_k}, expected 1 or more")
        if self.top_p is not None and not 0 < self.top_p <= 1:
            problems.append(f"top-p is {self.top_p:g}, expected more than 0 and at most 1")
        if self.min_p is not None and not 0 <= self.min_p <= 1:
            problems.append(f"min-p is {self.min_p:g}, expected 0 to 1")
        if not 1 <= self.repetition_penalty < float("inf"):
            problems.append(f"repetition-penalty is {self.repetition_penalty:g}, expected 1 or more")
        if problems:
            raise RequestError("; ".join(problems))

    @property
    def plain(self) -> bool:
        """Whether each logit counts for itself, so that an engine can draw many tokens in one call."""
        cuts = (self.top_k, self.top_p, self.min_p)
        return all(cut is None for cut in cuts) and self.repetition_penalty == 1

    @property
    def _draws_nothing(self) -> bool:
        return self.greedy or self.temperature == 0

    @property
    def _divisor(self) -> float:
        """What logits are divided by."""
        return GREEDY if self._draws_nothing else max(GREEDY, self.temperature)

    def draws(self, random: np.random.Generator, count: int, bias: Logits) -> Draws:
        """Return what an engine needs to draw `count` tokens of one row; `bias` (V,) is added to logits."""
        uniforms = np.zeros((count, 1)) if self._draws_nothing else random.random((count, 1))
        return Draws(uniforms, np.array([[self._divisor]]), bias[np.newaxis])

    def probabilities(
        self, logits: Logits, bias: Logits | None = None, recent: Iterable[int] = ()
    ) -> NDArray[np.float64]:
        """Return the distribution (V,) that a token is drawn from, given logits (V,).

        `bias` (V,) is added to the logits; `recent` are the tokens that the repetition penalty is for.
        """
        scores = (logits if bias is None else logits + bias).astype(np.float64)
        if self.repetition_penalty != 1 and (known := sorted(set(recent))):
            factor = np.where(scores[known] > 0, 1 / self.repetition_penalty, self.repetition_penalty)
            scores[known] *= factor
        if self._draws_nothing:
            likeliest = np.zeros(len(scores))
            likeliest[np.argmax(scores)] = 1.0
            return likeliest
        scores /= self._divisor
        if self.top_k is not None and self.top_k < len(scores):
            scores[np.argsort(-scores, kind="stable")[self.top_k :]] = -np.inf
        probabilities: NDArray[np.float64] = np.exp(scores - scores.max())
        probabilities /= probabilities.sum()
        if self.top_p is not None and self.top_p < 1:
            order = np.argsort(-scores, kind="stable")  # probabilities may tie where scores do not
            before = np.cumsum(probabilities[order]) - probabilities[order]  # what more likely tokens hold
            probabilities[order[before >= self.top_p]] = 0.0
            probabilities /= probabilities.sum()
        if self.min_p:
            probabilities[probabilities < self.min_p * probabilities.max()] = 0.0
            probabilities /= probabilities.sum()
        return probabilities

    def choose(
        self,
        logits: Logits,
        random: np.random.Generator,
        bias: Logits | None = None,
        recent: Iterable[int] = (),
    ) -> int:
        """Return one id, given logits (V,), by the inverse of the cumulative distribution."""
        uniform = 0.0 if self._draws_nothing else random.random()
        probabilities = self.probabilities(logits, bias, recent)
        return int(pick(probabilities[np.newaxis], np.array([uniform]))[0])


def forbid(vocabulary_size: int, ids: Iterable[int | None]) -> Logits:
    """Return a bias (V,) that keeps these tokens out; None is no token."""
    bias = np.zeros(vocabulary_size, dtype=np.float32)
    bias[[token for token in ids if token is not None]] = -np.inf
    return bias
