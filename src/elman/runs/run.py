"""One training run, from prepared text to model folder: trains, validates, samples, saves, and says what it
does.

A run is a generator of events; the command line draws them, the library reads on. What it needs to go on
exactly is saved every half a minute, at each validation and at the end.
"""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from elman.batches import WINDOWS
from elman.errors import DivergedError, SettingsError
from elman.evaluation.score import score_rows
from elman.evaluation.spelling import Spelling
from elman.generation import Sampling, Stream
from elman.model import Network, TorchEngine
from elman.storage import MetricsFile, ModelFolder, ResumeFolder
from elman.training import Precision, Progress, Trainer, choose_precision

from .events import Event, Started, Stepped, Stopped, Validated
from .preparation import Preparation
from .tensorboard import TensorBoard

VALIDATIONS = 12  # over the budget, unless train.evaluate_every says otherwise
VALIDATION_TOKENS = 65_536  # read at each of them; the result at the end reads all
VALIDATION_ROWS = 32
STEPS_LOGGED = 10  # steps in one line of metrics.jsonl
SECONDS_BETWEEN_SAVES = 30.0
SAMPLE_TOKENS = 120


class Run:
    """A run in a model folder: a new one, or one that goes on from its last intact state."""

    def __init__(self, preparation: Preparation, out: Path) -> None:
        self.preparation, self.settings = preparation, preparation.settings
        self.folder = ModelFolder(out)
        self.metrics = MetricsFile(out / "metrics.jsonl")
        self.resume_folder = ResumeFolder(out / "resume")
        self.stop = False  # set it to end the run after the step that is being done
        train = self.settings.train
        self.device = _device(train.device)
        torch.manual_seed(train.seed)
        tokenizer = preparation.tokens.tokenizer
        self.network = Network(self.settings.model, tokenizer.size, train.recurrence).to(self.device)
        rare = preparation.tokens.counts == 1 if tokenizer.unknown is not None else None
        training_part = preparation.tokens.parts["train"]
        self.windows = WINDOWS[train.sampling](
            training_part,
            train.window,
            train.batch_size,
            train.seed,
            rare,
            tokenizer.unknown or 0,
            train.restart,
        )
        self._best: dict[str, np.ndarray[Any, Any]] | None = None
        self._best_nats = float("inf")
        self._best_step = self._validations = self._worse = 0
        self._unlogged: list[float] = []
        self.precision = Precision("fp32", "")

    def events(self, resume: bool = False) -> Iterator[Event]:
        """Train to the end of the budget, or until `stop` is set.

        Raises:
            DivergedError: the loss is no longer a number; the folder keeps the last good state.
            StorageError: the folder cannot be written; what was saved before is intact.
        """
        damaged = self._restore() if resume and self.resume_folder.saved() else self._begin()
        choice = self.network.choice
        trainer = self.trainer
        yield Started(
            self.precision,
            choice.name,
            choice.reason,
            self.device,
            self.network.parameter_count(),
            trainer.step,
            damaged,
        )
        board = TensorBoard(self.folder.path / "tensorboard", purge_step=trainer.step)
        saved = first = time.perf_counter()
        tokens_before, reason = trainer.tokens, "the budget is used up"
        try:
            for progress in trainer.steps():
                speed = (progress.tokens - tokens_before) / max(time.perf_counter() - first, 1e-9)
                self._log(progress, speed, board)
                yield Stepped(progress, speed)
                if self._validation_due(progress):
                    validated = self._validate(progress)
                    board.add(
                        progress.step,
                        {"validation/nats_per_token": validated.nats_per_token},
                        validated.samples,
                    )
                    yield validated
                    trainer.network.train()
                    if (
                        self.settings.train.patience is not None
                        and self._worse >= self.settings.train.patience
                    ):
                        reason = f"{self._worse} validations without a better score"
                        break
                if self.stop:
                    break
                if time.perf_counter() - saved > SECONDS_BETWEEN_SAVES:
                    self.save()
                    saved = time.perf_counter()
        except DivergedError as error:
            last = self._best_step if self._best else "the last one saved"
            raise DivergedError(
                f"{error}; {self.folder.path} keeps the last good state (step {last})"
            ) from None
        finally:
            board.close()
        self.save()
        yield Stopped(not self.stop, "asked to stop" if self.stop else reason)

    def use_best(self) -> None:
        """Put the best weights into the network."""
        if self._best is not None:
            self.network.load_state_dict(
                {name: torch.from_numpy(array) for name, array in self._best.items()}
            )

    def save(self) -> None:
        """Save all that the rest of the run depends on, and publish the weights where none are the best
        yet.
        """
        tensors, values = self.trainer.state()
        best = self._best or {
            name.removeprefix("weights."): a for name, a in tensors.items() if name.startswith("weights.")
        }
        tensors |= {f"best.{name}": array for name, array in (self._best or {}).items()}
        values["run"] = {
            "best_nats": self._best_nats if self._best else None,
            "best_step": self._best_step,
            "validations": self._validations,
            "worse": self._worse,
            "unlogged": self._unlogged,
            "reason": self.precision.reason,
        }
        self.resume_folder.write(self.trainer.step, tensors, values)
        self.folder.write_weights(best, self._best_step if self._best else self.trainer.step)

    def _begin(self) -> list[str]:
        """Write the folder, choose the precision, save step 0."""
        self._write_config()
        self.metrics.cut(0)
        self.precision = self._choose_precision()
        self.trainer = Trainer(self.network, self.windows, self.settings.train, self.precision.name)
        self.save()
        return []

    def _write_config(self) -> None:
        preparation, tokenizer = self.preparation, self.preparation.tokens.tokenizer
        self.folder.write_config(
            {
                "recipe": preparation.recipe,
                "asked": preparation.asked,
                "settings": self.settings.model_dump(mode="json"),
                "vocabulary_size": tokenizer.size,
                "text": {
                    "fingerprint": preparation.text.fingerprint,
                    "sources": list(preparation.sources),
                    "characters": preparation.text.characters,
                    "bytes": preparation.text.bytes,
                },
                "spelling": Spelling.learn(
                    piece.decode("utf-8", "replace")
                    for i, piece in enumerate(tokenizer.pieces)
                    if i != tokenizer.unknown
                ).counts,
            },
            tokenizer.to_json(),
        )

    def _restore(self) -> list[str]:
        """Load the newest intact state and forget what was measured after it."""
        tensors, values, damaged = self.resume_folder.read()
        run = values["run"]
        self.precision = Precision(values["precision"], run["reason"])
        self.trainer = Trainer(self.network, self.windows, self.settings.train, self.precision.name)
        self.trainer.restore(tensors, values)
        best = {
            name.removeprefix("best."): array for name, array in tensors.items() if name.startswith("best.")
        }
        self._best = best or None
        self._best_nats = run["best_nats"] if best else float("inf")
        self._best_step, self._validations, self._worse = run["best_step"], run["validations"], run["worse"]
        self._unlogged = run["unlogged"]
        self._write_config()  # the budget may be another one
        self.metrics.cut(self.trainer.step)
        return damaged

    def _choose_precision(self) -> Precision:
        train = self.settings.train
        batch = WINDOWS[train.sampling](
            self.windows.tokens, train.window, train.batch_size, train.seed
        ).draw()
        inputs, targets = (torch.from_numpy(ids).to(self.device) for ids in (batch.inputs, batch.targets))
        states = self.network.initial_state(train.batch_size)
        return choose_precision(self.network, inputs, targets, states, train.precision)

    def _log(self, progress: Progress, speed: float, board: TensorBoard) -> None:
        self._unlogged.append(progress.nats)
        if progress.step % STEPS_LOGGED:
            return
        row = {
            "nats_per_token": sum(self._unlogged) / len(self._unlogged),
            "learning_rate": progress.learning_rate,
            "gradient_norm": progress.gradient_norm,
            "tokens": progress.tokens,
        }
        self._unlogged = []
        clock = {"seconds": round(progress.seconds, 3), "tokens_per_second": round(speed, 1)}
        self.metrics.append({"event": "train", "step": progress.step, **row, **clock})
        board.add(progress.step, {f"train/{name}": float(value) for name, value in row.items()})

    def _validation_due(self, progress: Progress) -> bool:
        every = self.settings.train.evaluate_every
        if every is not None:
            return progress.step % every == 0 or progress.done >= 1
        due = int(progress.done * VALIDATIONS) > self._validations
        self._validations = max(self._validations, int(progress.done * VALIDATIONS))
        return due

    def _validate(self, progress: Progress) -> Validated:
        engine, tokens = TorchEngine(self.network), self.preparation.tokens
        nats = score_rows(engine, tokens.parts["validation"], VALIDATION_ROWS, VALIDATION_TOKENS)
        best = nats < self._best_nats
        if best:
            self._best_nats, self._best_step, self._worse = nats, progress.step, 0
            self._best = {
                name: t.detach().cpu().numpy().copy() for name, t in self.network.state_dict().items()
            }
        else:
            self._worse += 1
        samples = {
            prompt: "".join(
                Stream(engine, tokens.tokenizer, prompt).text(SAMPLE_TOKENS, Sampling(), seed=progress.step)
            )
            for prompt in self.settings.train.prompts
        }
        row = {
            "nats_per_token": nats,
            "best": best,
            "samples": samples,
            "seconds": round(progress.seconds, 3),
        }
        self.metrics.append({"event": "validation", "step": progress.step, **row})
        self.save()
        return Validated(progress.step, nats, best, samples)


def _device(wanted: str) -> str:
    available = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if wanted == "auto":
        return "cuda" if available["cuda"] else "cpu"
    if not available[wanted]:
        found = ", ".join(name for name, there in available.items() if there)
        raise SettingsError(f"train.device is {wanted}, but torch finds only {found} here; use --device auto")
    return wanted
