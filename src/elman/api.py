"""The library in one class; the command line is a thin layer on it.

from elman import LanguageModel
model = LanguageModel.train("book.txt", minutes=3)
print(model.evaluate()["nats_per_character"], model.generate("Once"))
"""

import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from elman.config import Settings, layer_of
from elman.engine import Engine
from elman.errors import FolderError, LeakError, RequestError, SettingsError
from elman.evaluation.gaps import gap_nats
from elman.evaluation.score import Scored, SurprisalStream, TokenScore
from elman.evaluation.spelling import Spelling
from elman.generation import GAP, Filled, Sampling, Stream, fill
from elman.packages import require
from elman.progress import Advance
from elman.runs.evaluation import evaluate
from elman.storage import ModelFolder
from elman.tokens import Tokenizer, load_tokenizer

if TYPE_CHECKING:
    from elman.insight.inspection import Inspection
    from elman.insight.trace import Trace
    from elman.model import Network

Texts = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]


class LanguageModel:
    """A trained model: made by `train` or `load`; it scores and writes."""

    def __init__(
        self, folder: ModelFolder, config: dict[str, Any], tokenizer: Tokenizer, engine: Engine
    ) -> None:
        self.folder, self.config, self.tokenizer, self.engine = folder, config, tokenizer, engine
        self.settings = Settings.model_validate(config["settings"])
        self._spelling = Spelling(config["spelling"])

    @classmethod
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

        `texts` are files, folders, globs, archives, `-`, or a named corpus; by default Python's own manual.
        `settings` maps dotted names to values ({"model.layers": 2}). With `resume` the run in `out` goes on.
        A model that sees what it has to predict is trained only with `allow_leak`.
        Progress is shown on standard error.

        Raises:
            ElmanError: for whatever the caller can mend; the message says how.
            KeyboardInterrupt: after Ctrl-C, once the run is saved.
        """
        require("training", "torch", "tensorboard")
        from elman.display import follow, working
        from elman.runs.opening import new_run, resumed_run
        from elman.runs.result import measure_result

        budget = {"minutes": minutes, "steps": steps, "epochs": epochs, "seed": seed}
        named = {f"train.{name}": value for name, value in budget.items() if value is not None}
        asked = layer_of({**(settings or {}), **named})
        path = Path(out) if out is not None else None
        with working() as advance:
            if not resume:
                run = new_run(
                    _names(texts or "python-manual"), path, recipe or "default", asked, allow_leak, advance
                )
            elif path is None:
                raise FolderError("--resume needs the folder of the run, found none; add --out DIR")
            elif recipe is not None:
                raise SettingsError(
                    f"--resume goes on with the recipe of the run, found --recipe {recipe}; leave that out"
                )
            else:
                run = resumed_run(path, _names(texts) if texts else [], asked, advance)
        try:
            if not follow(run):
                raise KeyboardInterrupt(
                    f"stopped and saved; go on with: elman train --resume --out {run.folder.path}"
                )
            with working() as advance:
                measure_result(run, advance)
        finally:
            run.close()
        return cls.load(run.folder.path)

    @classmethod
    def load(cls, folder: str | os.PathLike[str]) -> "LanguageModel":
        """Open a model folder.

        Raises:
            FolderError: a file is missing or damaged.
        """
        require("running a model", "torch")
        model_folder = ModelFolder(Path(folder))
        config, tokenizer_json = model_folder.read_config(), model_folder.read_tokenizer()
        weights = model_folder.read_weights()
        tokenizer = load_tokenizer(config["settings"]["tokenizer"], tokenizer_json)
        import torch

        from elman.model import Network, TorchEngine

        network = Network(Settings.model_validate(config["settings"]).model, tokenizer.size)
        try:
            network.load_state_dict({name: torch.from_numpy(array) for name, array in weights.items()})
        except RuntimeError:
            raise FolderError(
                f"{folder}/model.safetensors does not fit {folder}/config.json, expected the weights of the "
                "model that it describes; restore the files that belong together"
            ) from None
        return cls(model_folder, config, tokenizer, TorchEngine(network))

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Copy the model to another folder, without what only a run needs.

        Raises:
            FolderError: the folder is taken, or a file of this model is gone or damaged.
            StorageError: the folder cannot be written.
        """
        self.folder.copy(Path(folder))

    @property
    def gap_window(self) -> int | None:
        """Of a model that fills gaps, how many tokens it reads on each side; of one that writes on, none."""
        return self.settings.train.window if self.settings.model.two_stream else None

    @property
    def result(self) -> dict[str, Any] | None:
        """What was measured when training ended, as `elman train --json` prints it; None before that."""
        return self.folder.result()

    def evaluate(
        self,
        texts: Texts | None = None,
        part: str = "validation",
        characters: int | None = None,
        encoding: str | None = None,
        advance: Advance | None = None,
    ) -> dict[str, Any]:
        """Score a text the model has not learned, as one stream: a held-out part of its own, or another one.

        Returns nats_per_token, perplexity, bits_per_character, bits_per_byte, baselines and more, as
        `elman evaluate --json` prints them. `characters` limits how many are scored. The text that the
        model was trained on counts as its own.

        Raises:
            RequestError: `part` is neither validation nor test, or is named with another text.
            TextError: a text that cannot be read; a part that is empty.
        """
        nats = self.result["train"]["nats_per_token"] if self.result else None
        names = _names(texts) if texts is not None else None
        return evaluate(
            self._scored(), self.config, self.settings, nats, names, part, characters, encoding, advance
        )

    def score(self, text: str) -> list[TokenScore]:
        """Return the surprise of each token of a text, the first given nothing.

        A model that fills gaps says how much each surprises it between all the others.

        Raises:
            RequestError: the text is empty.
        """
        if not text:
            raise RequestError("the text is empty, expected at least one character to score")
        ids = self.tokenizer.encode(text)
        if self.gap_window is not None:
            nats = gap_nats(self.engine, ids, self.gap_window).nats.tolist()
        else:
            nats = [float(n) for block in SurprisalStream(self.engine).read(ids) for n in block]
        unknown = iter(self.tokenizer.unknown_pieces(text))
        scored = []
        for token, surprise in zip(ids.tolist(), nats, strict=True):
            if token == self.tokenizer.unknown:
                piece = next(unknown)
                scored.append(TokenScore(piece, surprise + self._spelling.nats(piece)))
            else:
                scored.append(TokenScore(self.tokenizer.pieces[token].decode("utf-8", "replace"), surprise))
        return scored

    def generate(self, prompt: str | None = None, length: int = 200, seed: int = 0, **how: Any) -> str:
        """Return what the model writes after a prompt: `length` tokens, the prompt left out.

        `how` takes temperature, top_k, top_p, greedy, allow_leak. The same seed gives the same text.

        Raises:
            RequestError: an empty prompt, or sampling that cannot be.
            LeakError: the model sees what it has to predict, and that is not allowed.
        """
        return "".join(self.stream(prompt, length, seed, **how))

    def stream(
        self,
        prompt: str | None = None,
        length: int = 200,
        seed: int = 0,
        allow_leak: bool = False,
        **sampling: Any,
    ) -> Iterator[str]:
        """Yield what `generate` returns, piece by piece as it is made; a character is never split."""
        how = Sampling(**sampling)
        if self.gap_window is not None:
            raise RequestError(
                f"{self.folder.path} fills gaps, expected a model that writes on; fill a gap by: elman fill "
                f"{self.folder.path} 'to {GAP}e'"
            )
        if self.config["leak"] and not allow_leak:
            raise LeakError(
                f"{self.folder.path} has learned with its future in sight, and writes without it; expected a "
                "model that does not see what it has to predict; write with it all the same by --allow-leak"
            )
        if length < 1:
            raise RequestError(f"the length is {length}, expected 1 token or more")
        if seed < 0:
            raise RequestError(f"the seed is {seed}, expected 0 or more")
        if prompt is None:
            prompt = self._opening()
        else:
            self._warn_of_unknown(prompt)
        return Stream(self.engine, self.tokenizer, prompt).text(length, how, seed)

    def fill(self, text: str, mark: str = GAP) -> Filled:
        """Put the likeliest token into each gap of a text: "to _e" -> "to be", and say how likely it was.

        Raises:
            RequestError: the model writes on and fills no gaps; a text without a gap, or of gaps alone.
        """
        if self.gap_window is None:
            raise RequestError(
                f"{self.folder.path} writes on and fills no gaps, expected a model with two streams; "
                "train one by: elman train TEXT --recipe fill"
            )
        self._warn_of_unknown(text.replace(mark, ""))
        return fill(self.engine, self.tokenizer, text, self.gap_window, mark)

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

    def inspect(self, text: str, tokens: int = 5000) -> "Inspection":
        """Read the first tokens of a text and measure what happens: surprise, units, gates, memory.

        Raises:
            RequestError: the text is empty; too few tokens; the model fills gaps.
        """
        from elman.insight.inspection import inspect

        return inspect(self._network, self.tokenizer, self._spelling, text, tokens)

    def _opening(self) -> str:
        """Return what a text starts after where there is no prompt: a new line, where the model knows one."""
        if self.tokenizer.unknown_pieces("\n"):
            return self.tokenizer.pieces[-1].decode()
        return "\n"

    @property
    def _network(self) -> "Network":
        network: Network = self.engine.network  # type: ignore[attr-defined]  # `load` makes a TorchEngine
        return network

    def _warn_of_unknown(self, text: str) -> None:
        if unknown := list(dict.fromkeys(self.tokenizer.unknown_pieces(text))):
            named = ", ".join(repr(piece) for piece in unknown)
            warnings.warn(f"not seen in training, read as <unk>: {named}", stacklevel=3)

    def _scored(self) -> Scored:
        return Scored(self.engine, self.tokenizer, self._spelling, self.config["leak"], self.gap_window)


def _names(texts: Texts) -> list[str]:
    return [os.fspath(texts)] if isinstance(texts, str | os.PathLike) else [os.fspath(name) for name in texts]
