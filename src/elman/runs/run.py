"""One training run: trains, validates, samples, saves, and says what it does.

A run is a generator of events; the command line draws them, the library reads on. What it needs to go on
exactly is saved every half a minute, at each validation and at the end.
"""

import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

import torch

from elman.engine import Engine
from elman.errors import DivergedError, StorageError
from elman.evaluation.gaps import score_gap_part
from elman.evaluation.leak import Leak
from elman.evaluation.score import score_rows
from elman.evaluation.spelling import Spelling
from elman.generation import Sampling, Stream, fill
from elman.model import TorchEngine
from elman.storage import ModelFolder, Saved, Tensors
from elman.training import Progress, Trainer, strip_prefix

from .events import Event, Started, Stepped, Stopped, Validated
from .preparation import Preparation
from .shipping import write_graphs
from .tensorboard import TensorBoard

VALIDATIONS = 12  # over the budget, unless train.evaluate_every says otherwise
VALIDATION_SHARE = 0.1  # of the time, at most, where the clock is the budget
VALIDATION_TOKENS = 65_536  # read at each of them; the result at the end reads all
VALIDATION_ROWS = 32
STEPS_LOGGED = 10  # steps in one line of metrics.jsonl
SECONDS_BETWEEN_SAVES = 30.0
SAMPLE_TOKENS = 120


class Kept(NamedTuple):
    """The weights that the run is worth so far: those of the best validation, or of the last one."""

    step: int
    weights: Tensors


@dataclass
class Standing:
    """What a run remembers from step to step, apart from what its trainer does."""

    best: float | None = None  # nats of the best validation
    worse: int = 0  # validations since then
    validated: float = 0.0  # share of the budget that was used up at the last validation
    afford_from: float = 0.0  # seconds of the run from which another one takes no more than its share
    unlogged: list[float] = field(default_factory=list)  # nats of the steps since the last line of metrics


class Run:
    """A run in a model folder of its own; `begin` or `go_on` comes first, then `events`, then `close`."""

    def __init__(
        self, preparation: Preparation, trainer: Trainer, folder: ModelFolder, leak: Leak | None = None
    ) -> None:
        self.preparation, self.trainer, self.folder = preparation, trainer, folder
        self.settings, self.network = preparation.settings, trainer.network
        self.config = {**_config(preparation), "leak": str(leak) if leak else None}
        self.stop = False  # set it to end the run after the step that is being done
        self._kept: Kept | None = None
        self._saved: int | None = None  # the step of what was saved last
        self._standing = Standing()
        self._damaged: list[str] = []

    @property
    def device(self) -> str:
        """Where the run computes: cpu, cuda or mps."""
        return self.network.device.type

    @property
    def gap_window(self) -> int | None:
        """Of a model that fills gaps, the tokens it reads at once; of others, none."""
        return self.settings.train.window if self.settings.model.two_stream else None

    def begin(self) -> None:
        """Write what the run starts from, and save step 0."""
        self._write_config()
        self.folder.metrics.cut(0)
        self.save()

    def go_on(self, saved: Saved) -> None:
        """Stand where a saved state stood, and write anew whatever in the folder is damaged or later."""
        self._damaged = saved.damaged + self.folder.problems()
        self.trainer.restore(saved.tensors, saved.values)
        values, kept = saved.values["run"], strip_prefix("kept.", saved.tensors)
        self._standing = standing = Standing(**values["standing"])
        if standing.best is not None:
            self._kept = Kept(values["kept"], kept or strip_prefix("weights.", saved.tensors))
        standing.validated = min(standing.validated, self.trainer.done)  # of the budget as it is now
        self.folder.resume.forget_after(self.trainer.step)
        self._damaged += self.folder.metrics.cut(self.trainer.step)
        self._write_config()  # the budget may be another one
        self.save()

    def events(self) -> Iterator[Event]:
        """Train to the end of the budget, or until `stop` is set.

        Raises:
            DivergedError: the loss is no longer a number; the folder keeps the last good state.
            StorageError: the folder cannot be written; what was saved before is intact.
        """
        trainer = self.trainer
        yield Started(
            trainer.precision,
            self.network.stack.choice,
            self.device,
            trainer.ranks.size,
            self.network.parameter_count(),
            trainer.step,
            self._damaged,
        )
        board = TensorBoard(self.folder.path / "tensorboard", first_step=trainer.step + 1)
        try:
            yield from self._train(board)
            if self._saved != trainer.step:
                self.save()
            self.trainer.end()
            self.use_kept()
            write_graphs(self.folder, self.network)
            board.close()
        except DivergedError as error:
            last = self._kept.step if self._kept else "the last one saved"
            raise DivergedError(
                f"{error}; {self.folder.path} keeps the last good state (step {last})"
            ) from None
        finally:
            with suppress(StorageError):  # where one is on its way, it is said already
                board.close()
        reason = "the budget is used up"
        if self.stop:
            reason = "asked to stop"
        elif self._out_of_patience():
            reason = f"{self._standing.worse} validations without a better score"
        yield Stopped(not self.stop, reason)

    def score_part(self, name: str, engine: Engine) -> float:
        """Return nats per token over the first tokens of a part, quickly."""
        tokens = self.preparation.tokens.parts[name]
        if (window := self.gap_window) is not None:
            return score_gap_part(engine, tokens, window, VALIDATION_TOKENS)
        return score_rows(engine, tokens, VALIDATION_ROWS, VALIDATION_TOKENS)

    def use_kept(self) -> None:
        """Put the weights that the run is worth into the network."""
        if self._kept is not None:
            weights = {name: torch.from_numpy(array) for name, array in self._kept.weights.items()}
            self.network.load_state_dict(weights)

    def save(self) -> None:
        """Save all that the rest of the run depends on; publish the kept weights, or the present."""
        tensors, values = self.trainer.state()
        kept = self._kept or Kept(self.trainer.step, strip_prefix("weights.", tensors))
        values |= {"config": self.config, "run": {"kept": kept.step, "standing": asdict(self._standing)}}
        if kept.step != self.trainer.step:  # else they are there already
            tensors |= {f"kept.{name}": array for name, array in kept.weights.items()}
        self.folder.resume.write(self.trainer.step, tensors, values)
        self.folder.write_weights(kept.weights, kept.step)
        self._saved = self.trainer.step

    def close(self) -> None:
        """Let other runs into the folder."""
        self.folder.release()

    def _write_config(self) -> None:
        self.folder.write_config(self.config, self.preparation.tokens.tokenizer.to_json())

    def _train(self, board: TensorBoard) -> Iterator[Event]:
        trainer, steps = self.trainer, self.trainer.steps()
        first, tokens_before = time.perf_counter(), trainer.tokens
        saved = first
        while not self.stop and not self._out_of_patience() and (progress := next(steps, None)):
            speed = (progress.tokens - tokens_before) / max(time.perf_counter() - first, 1e-9)
            self._log(progress, speed, board)
            yield Stepped(progress, speed)
            if self._validation_due(progress):
                with trainer.ranks.borrowed_threads():
                    validated = self._validate(progress)
                scalars = {"validation/nats_per_token": validated.nats_per_token}
                board.add(progress.step, scalars, validated.samples)
                board.flush()
                saved = time.perf_counter()
                yield validated
            elif time.perf_counter() - saved > SECONDS_BETWEEN_SAVES:
                self.save()
                saved = time.perf_counter()

    def _out_of_patience(self) -> bool:
        patience = self.settings.train.patience
        return patience is not None and self._standing.worse >= patience

    def _log(self, progress: Progress, speed: float, board: TensorBoard) -> None:
        unlogged = self._standing.unlogged
        unlogged.append(progress.nats)
        if progress.step % STEPS_LOGGED:
            return
        row = {
            "nats_per_token": sum(unlogged) / len(unlogged),
            "learning_rate": progress.learning_rate,
            "gradient_norm": progress.gradient_norm,
            "tokens": progress.tokens,
        }
        unlogged.clear()
        clock = {"seconds": round(progress.seconds, 3), "tokens_per_second": round(speed, 1)}
        self.folder.metrics.append({"event": "train", "step": progress.step, **row, **clock})
        board.add(progress.step, {f"train/{name}": float(value) for name, value in row.items()})

    def _validation_due(self, progress: Progress) -> bool:
        every, standing = self.settings.train.evaluate_every, self._standing
        if progress.done >= 1:
            return True
        if every is not None:
            return progress.step % every == 0
        if self.trainer.budget.steps is None and progress.seconds < standing.afford_from:
            return False
        return int(progress.done * VALIDATIONS) > int(standing.validated * VALIDATIONS)

    def _validate(self, progress: Progress) -> Validated:
        start, standing = time.perf_counter(), self._standing
        nats = self.score_part("validation", TorchEngine(self.network, self.trainer.precision.name))
        better = standing.best is None or nats < standing.best
        if better or self.settings.train.keep == "last":
            weights = {name: t.detach().cpu().numpy().copy() for name, t in self.network.state_dict().items()}
            self._kept = Kept(progress.step, weights)
        if better:
            standing.best, standing.worse = nats, 0
        else:
            standing.worse += 1
        samples = {prompt: self._sample(prompt, progress.step) for prompt in self.settings.train.prompts}
        row = {"nats_per_token": nats, "best": better, "samples": samples}
        clock = {"seconds": round(progress.seconds, 3)}
        self.folder.metrics.append({"event": "validation", "step": progress.step, **row, **clock})
        standing.validated = progress.done
        standing.afford_from = progress.seconds + (time.perf_counter() - start) / VALIDATION_SHARE
        self.save()
        return Validated(progress.step, nats, better, samples)

    def _sample(self, prompt: str, seed: int) -> str:
        """Write on from a prompt, or fill its gaps where that is what the model does."""
        engine, tokenizer = TorchEngine(self.network), self.preparation.tokens.tokenizer
        if (window := self.gap_window) is not None:
            return fill(engine, tokenizer, prompt, window).text
        return "".join(Stream.after(engine, tokenizer, prompt).text(SAMPLE_TOKENS, Sampling(), seed))


def _config(preparation: Preparation) -> dict[str, Any]:
    """Return what config.json says, apart from its checksums."""
    tokenizer, text = preparation.tokens.tokenizer, preparation.text
    learned = [piece for i, piece in enumerate(tokenizer.pieces) if i != tokenizer.unknown]
    return {
        "recipe": preparation.recipe,
        "asked": preparation.asked,
        "settings": preparation.settings.model_dump(mode="json"),
        "vocabulary_size": tokenizer.size,
        "text": {
            "fingerprint": text.fingerprint,
            "sources": list(preparation.sources),
            "characters": text.characters,
            "bytes": text.bytes,
        },
        "spelling": Spelling.learn(piece.decode("utf-8", "replace") for piece in learned).counts,
    }
