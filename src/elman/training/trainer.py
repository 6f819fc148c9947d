"""The training loop, as a generator: its caller prints, evaluates and saves between steps.

A network, windows and settings come in; numbers come out, and the weights have changed. Knows no files.
Several processes may train one network: one leads and yields, the others follow.
"""

import math
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from elman.batches import PairWindows, Windows
from elman.config import TrainSettings
from elman.errors import DivergedError
from elman.model import Network, States, detach, renew

from .budget import Budget
from .exchange import make_exchange
from .loss import batch_loss, mean_square
from .memory import keep_memory
from .optimizer import Optimizer
from .pace import Precision
from .ranks import ALONE, Ranks, Tensors

LEARN, SHOW, END = range(3)  # what the one that leads says to those that follow


class Progress(NamedTuple):
    """One step that is done."""

    step: int  # steps done, this one included
    nats: float  # loss per token of this batch
    learning_rate: float
    gradient_norm: float  # before clipping
    tokens: int  # targets learned from since the start
    seconds: float  # wall-clock time since the start, pauses between sessions left out
    done: float  # share of the budget, 0 to 1


class Trainer:
    """Truncated backpropagation through time over windows, one weight update a window."""

    def __init__(
        self,
        network: Network,
        windows: Windows | PairWindows,
        settings: TrainSettings,
        precision: Precision,
        ranks: Ranks = ALONE,
    ) -> None:
        keep_memory()
        self.network, self.windows, self.settings, self.precision = network, windows, settings, precision
        self.ranks = ranks
        self.budget = Budget(settings, windows.batches_per_epoch)
        self._exchange = make_exchange(network, settings.clip, ranks)
        self.optimizer = Optimizer(network, settings, self._exchange)
        self.step = self.tokens = 0
        self._device = network.device
        self._rows = self.ranks.rows(windows.rows)
        self._states = network.initial_state(self._rows.stop - self._rows.start)
        self.seconds = 0.0  # wall-clock time from the first step to the last one done, pauses left out

    def steps(self) -> Iterator[Progress]:
        """Train until the budget is used up. The caller may use the network in between, in any mode.

        Raises:
            DivergedError: the loss or its gradient is no longer a finite number; the weights are those
            before.
        """
        start = time.perf_counter() - self.seconds
        while (done := self.done) < 1:
            self.ranks.agree(LEARN, done)
            nats, gradient_norm, rate = self._learn(done)
            self.seconds = time.perf_counter() - start
            yield Progress(self.step, nats, rate, gradient_norm, self.tokens, self.seconds, self.done)

    def follow(self) -> None:
        """Do as the leading process does, until it ends the training."""
        while True:
            # dropout differs from rank to rank, and is the same again when a run goes on
            _seed(self._device, hash((self.settings.seed, self.ranks.rank, self.step)))
            what, done = self.ranks.agree(END, 1.0)
            if what == END:
                return
            if what == SHOW:
                self._states_of_all()
            else:
                self._learn(done)

    def end(self) -> None:
        """Let those that follow go."""
        self.ranks.agree(END, 1.0)

    def _learn(self, done: float) -> tuple[float, float, float]:
        """Do one step: the loss, the gradient's norm, the learning rate."""
        if not self.network.training:
            self.network.train()
        batch, rows = self.windows.draw(), self._rows
        states = renew(self._states, torch.from_numpy(batch.fresh[rows]).to(self._device))
        inputs, targets = (
            torch.from_numpy(ids[:, rows]).to(self._device) for ids in (batch.inputs, batch.targets)
        )
        self._exchange.clear_gradients()
        loss, states = batch_loss(self.network, inputs, targets, states, self.precision.name)
        objective = loss
        if self.settings.state_penalty:
            objective = loss + self.settings.state_penalty * mean_square(states)
        if self.settings.loss == "sum":
            objective = objective * batch.targets.size
        torch.autograd.backward(objective / self.ranks.size)
        nats, gradient_norm = self._exchange.gradients(loss.item())
        if not (math.isfinite(nats) and math.isfinite(gradient_norm)):
            raise DivergedError(self._diverged(nats, gradient_norm))
        rate = self.budget.learning_rate(self.step, done)
        self.optimizer.step(rate)
        self._states = detach(states)
        self.step, self.tokens = self.step + 1, self.tokens + batch.targets.size
        return nats, gradient_norm, rate

    def _states_of_all(self) -> States:
        """Return the states of all rows, those of other processes too."""
        return tuple(
            type(state)(*(self.ranks.gather(part, self.windows.rows) for part in state))
            for state in self._states
        )

    @property
    def done(self) -> float:
        """Share of the budget, 0 to 1, that is used up."""
        return self.budget.done(self.step, self.seconds)

    def state(self) -> tuple[Tensors, dict[str, Any]]:
        """Return all that the next step depends on: tensors, and values that JSON can hold."""
        tensors = {f"weights.{name}": _numpy(tensor) for name, tensor in self.network.state_dict().items()}
        self.ranks.agree(SHOW, 0.0)
        tensors |= {f"optimizer.{name}": _numpy(tensor) for name, tensor in self.optimizer.state().items()}
        for layer, state in enumerate(self._states_of_all()):
            for field, part in zip(state._fields, state, strict=True):
                tensors[f"state.{layer}.{field}"] = _numpy(part)
        tensors["random"] = torch.get_rng_state().numpy()
        if self._device.type == "cuda":
            tensors["random.cuda"] = torch.cuda.get_rng_state(self._device).numpy()
        values = {
            "step": self.step,
            "tokens": self.tokens,
            "seconds": self.seconds,
            "precision": self.precision.name,
            "recurrence": self.network.stack.choice.name,
            "windows": self.windows.state(),
        }
        return tensors, values

    def restore(self, tensors: Tensors, values: dict[str, Any]) -> None:
        """Go on exactly where a saved state stood, in its precision."""
        weights, remembered = (
            {name: _torch(array) for name, array in strip_prefix(prefix, tensors).items()}
            for prefix in ("weights.", "optimizer.")
        )
        # by all processes, in common memory too: the same numbers
        self.network.load_state_dict(weights)
        self.optimizer.restore(remembered)
        self._states = tuple(
            type(state)(
                *(
                    _torch(tensors[f"state.{layer}.{field}"][self._rows]).to(self._device)
                    for field in state._fields
                )
            )
            for layer, state in enumerate(self._states)
        )
        torch.set_rng_state(_torch(tensors["random"]))
        if "random.cuda" in tensors and self._device.type == "cuda":
            torch.cuda.set_rng_state(_torch(tensors["random.cuda"]), self._device)
        self.step, self.tokens = values["step"], values["tokens"]
        self.seconds = values["seconds"]
        self.windows.restore(values["windows"])

    def _diverged(self, nats: float, gradient_norm: float) -> str:
        found = (
            f"the loss became {nats}"
            if not math.isfinite(nats)
            else f"the gradient's norm became {gradient_norm}"
        )
        advice = f"lower train.learning_rate (now {self.settings.learning_rate:g})"
        if self.settings.clip is None or self.settings.clip > 1:
            advice += f" or train.clip (now {self.settings.clip or 'none'})"
        return f"{found} at step {self.step + 1}, expected a finite number; {advice}"


def strip_prefix(prefix: str, tensors: Tensors) -> Tensors:
    """Return the arrays whose names begin with it, by the rest of their names."""
    return {name.removeprefix(prefix): array for name, array in tensors.items() if name.startswith(prefix)}


def _seed(device: torch.device, seed: int) -> None:
    """Do what `torch.manual_seed` does for all kinds of devices, which takes as long as a small layer."""
    torch.default_generator.manual_seed(seed)
    if device.type == "cuda":
        torch.cuda.manual_seed(seed)


def _numpy(tensor: torch.Tensor) -> NDArray[Any]:
    return np.array(tensor.detach().cpu().numpy())  # a copy: training goes on


def _torch(array: NDArray[Any]) -> torch.Tensor:
    return torch.from_numpy(np.array(array))
