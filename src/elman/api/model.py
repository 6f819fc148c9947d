"""The library in one class; the command line is a thin layer on it.

from elman import LanguageModel
model = LanguageModel.train("book.txt", minutes=3)
print(model.evaluate()["nats_per_character"], model.generate("Once"))
"""

import os
from collections.abc import Mapping, Sequence
from contextlib import closing
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from elman.config import Layer, layer_of
from elman.engine import Engine
from elman.errors import FolderError, RequestError, SettingsError
from elman.evaluation.score import Scored, TokenScore
from elman.evaluation.spelling import Spelling
from elman.evaluation.tokens import score_tokens
from elman.generation import checked
from elman.hub import fetch_model, fetch_texts, is_remote
from elman.loading import load, load_network
from elman.packages import require
from elman.progress import Advance
from elman.runs.evaluation import CHARACTERS_AT_MOST, evaluate
from elman.storage import ModelFolder
from elman.tokens import Tokenizer

from .writing import Writer

if TYPE_CHECKING:
    from elman.insight.inspection import Inspection
    from elman.insight.trace import Trace
    from elman.model import Network
    from elman.runs.run import Run
    from elman.training import Ranks

Texts = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]


class LanguageModel(Writer):
    """A trained model: made by `train` or `load`; it scores and writes."""

    def __init__(
        self, folder: ModelFolder, config: dict[str, Any], tokenizer: Tokenizer, engine: Engine
    ) -> None:
        super().__init__(folder, config, tokenizer, engine)
        self._spelling = Spelling(config["spelling"])

    @classmethod
    @checked
    def train(
        cls,
        texts: Texts | None = None,
        *,
        out: str | os.PathLike[str] | None = None,
        recipe: str | None = None,
        minutes: float | None = None,
        steps: int | None = None,
        epochs: float | None = None,
        seed: int | None = None,
        settings: Mapping[str, Any] | None = None,
        resume: bool = False,
        allow_leak: bool = False,
    ) -> "LanguageModel":
        """Train on texts and return the scored model; `result` says what it is worth.

        `texts` are files, folders, globs, archives, `-`, a named corpus, or datasets as hf:owner/name; by
        default Python's own manual.
        `settings` maps dotted names to values ({"model.layers": 2}). With `resume` the run in `out` goes on.
        A model that sees what it has to predict is trained only with `allow_leak`.
        Progress is shown on standard error. Where `torchrun` started several processes, each learns from its
        rows of every batch, the first one writes, and all return the model.

        Raises:
            ElmanError: for whatever the caller can mend; the message says how.
            KeyboardInterrupt: after Ctrl-C, once the run is saved.
        """
        require("training", "torch", "tensorboard")
        from elman.display import follow, working
        from elman.runs.following import FINISHED, STOPPED, follow_leader
        from elman.runs.result import measure_result
        from elman.training import join_ranks

        budget = {"minutes": minutes, "steps": steps, "epochs": epochs, "seed": seed}
        named = {f"train.{name}": value for name, value in budget.items() if value is not None}
        asked = layer_of({**(settings or {}), **named})
        path = Path(out) if out is not None else None
        ranks = join_ranks()
        try:
            if ranks.rank:
                folder = follow_leader(ranks)
            else:
                names = _names(texts) if texts else []
                with working() as advance:
                    run = _begin(names, path, recipe, asked, resume, allow_leak, advance, ranks)
                with closing(run):
                    folder = run.folder.path
                    if not follow(run):
                        ranks.agree(STOPPED)
                        raise KeyboardInterrupt(
                            f"stopped and saved; go on with: elman train --resume --out {folder}"
                        )
                    with working() as advance:
                        measure_result(run, advance)
                    ranks.agree(FINISHED)
        finally:
            ranks.leave()
        return cls.load(folder)

    @classmethod
    @checked
    def load(
        cls,
        folder: str | os.PathLike[str],
        engine: str | None = None,
        int8: bool = False,
        shared: bool = False,
    ) -> "LanguageModel":
        """Open a model folder, or hf:owner/name, with ONNX Runtime ("onnx", the default) or "torch".

        With `int8` the model runs in 8 bits, once `elman export --int8` has written it so. With `shared`
        ONNX Runtime leaves the cores to others between calls: for a program that does more than write.

        Raises:
            FolderError: a file is missing or damaged.
            RequestError: an engine that there is not.
        """
        name = os.fspath(folder)
        model_folder = ModelFolder(fetch_model(name) if is_remote(name) else Path(folder))
        return cls(model_folder, *load(model_folder, engine, int8, shared))

    @checked
    def save(self, folder: str | os.PathLike[str]) -> None:
        """Copy the model to another folder, without what only a run needs.

        Raises:
            FolderError: the folder is taken, or a file of this model is gone or damaged.
            StorageError: the folder cannot be written.
        """
        self.folder.copy(Path(folder))

    @checked
    def export(self, int8: bool = False, advance: Advance | None = None) -> dict[str, Any] | None:
        """Write model.onnx into the folder anew, and with `int8` model.int8.onnx.

        Returns what 8 bits cost on held-out text: bits_per_character, cost, characters, bytes.

        Raises:
            ExportError: a cell uses an operation that has no ONNX form.
            TextError: the model's own text is gone, so that the cost of 8 bits cannot be measured.
        """
        require("writing ONNX", "torch", "onnx")
        from elman.runs.shipping import measure_int8, write_graphs

        write_graphs(self.folder, self._network, int8)
        if not int8:
            return None
        path = self.folder.path
        return measure_int8(
            self.folder,
            lambda small: LanguageModel.load(path, "onnx", small).evaluate(
                characters=CHARACTERS_AT_MOST, advance=advance
            ),
        )

    @property
    def result(self) -> dict[str, Any] | None:
        """What was measured when training ended, as `elman train --json` prints it; None before that."""
        return self.folder.result()

    @checked
    def evaluate(
        self,
        texts: Texts | None = None,
        part: str = "validation",
        characters: int | None = None,
        encoding: str | None = None,
        dynamic: bool = False,
        advance: Advance | None = None,
    ) -> dict[str, Any]:
        """Score a text the model has not learned, as one stream: a held-out part of its own, or another one.

        Returns nats_per_token, perplexity, bits_per_character, bits_per_byte, baselines and more, as
        `elman evaluate --json` prints them. `characters` limits how many are scored. The text that the
        model was trained on counts as its own; of another one "learned" is the share of it that stands in the
        training part, if that is at hand. With `dynamic` the text is scored once more, by torch, in
        weights that learn from each few tokens after these are scored: "dynamic" has that score.

        Raises:
            RequestError: `part` is neither validation nor test, or is named with another text; `dynamic` of a
                model that does not read in one direction.
            TextError: a text that cannot be read; a part that is empty.
        """
        nats = self.result["train"]["nats_per_token"] if self.result else None
        names = _names(texts) if texts is not None else None
        scored = self._scored(dynamic)
        return evaluate(scored, self.config, self.settings, nats, names, part, characters, encoding, advance)

    @checked
    def score(self, text: str) -> list[TokenScore]:
        """Return the surprise of each token of a text, the first given nothing.

        A model that fills gaps says how much each surprises it between all the others.

        Raises:
            RequestError: the text is empty.
        """
        return score_tokens(self._scored(), text)

    @checked
    def trace(self, text: str, rows: int = 1, values: bool = False) -> "Trace":
        """Run the model on a text and record every operation with its shapes.

        Raises:
            RequestError: the text is empty.
        """
        from elman.insight.trace import trace

        if not text:
            raise RequestError("the text is empty, expected at least one character to trace")
        pieces = [piece.decode("utf-8", "replace") for piece in self.tokenizer.pieces]
        return trace(self._network, self.tokenizer.encode(text).tolist(), pieces, rows, values)

    @checked
    def inspect(self, text: str, tokens: int = 5000) -> "Inspection":
        """Read the first tokens of a text and measure what happens: surprise, units, gates, memory.

        Raises:
            RequestError: the text is empty; too few tokens; the model fills gaps.
        """
        from elman.insight.inspection import inspect

        return inspect(self._network, self.tokenizer, self._spelling, text, tokens)

    @cached_property
    def _network(self) -> "Network":
        return load_network(self.folder, self.config, self.tokenizer)

    def _scored(self, dynamic: bool = False) -> Scored:
        leak, window = self.config["leak"], self.gap_window
        learner = self._learner() if dynamic else None
        return Scored(self.engine, self.tokenizer, self._spelling, leak, window, learner)

    def _learner(self) -> Engine:
        if self.config["leak"] or self.gap_window is not None:
            raise RequestError(
                "dynamic evaluation learns from what has been read so far, expected a model that reads in "
                "one direction; leave dynamic out"
            )
        require("dynamic evaluation", "torch")
        from elman.training import DynamicEngine

        return DynamicEngine(load_network(self.folder, self.config, self.tokenizer))  # for its weights change


def _names(texts: Texts) -> list[str]:
    return [os.fspath(texts)] if isinstance(texts, str | os.PathLike) else [os.fspath(name) for name in texts]


def _begin(
    texts: Sequence[str],
    path: Path | None,
    recipe: str | None,
    asked: Layer,
    resume: bool,
    allow_leak: bool,
    advance: Advance | None,
    ranks: "Ranks",
) -> "Run":
    """Return the run in a folder that goes on, or a new one."""
    from elman.runs.opening import new_run, resumed_run

    if not resume:
        names = fetch_texts(texts or ["python-manual"])
        return new_run(names, path, recipe or "default", asked, allow_leak, advance, ranks)
    if path is None:
        raise FolderError("--resume needs the folder of the run, found none; add --out DIR")
    if recipe is not None:
        raise SettingsError(
            f"--resume goes on with the recipe of the run, found --recipe {recipe}; leave that out"
        )
    return resumed_run(path, texts, asked, advance, ranks)
