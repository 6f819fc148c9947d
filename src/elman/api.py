"""The library in one class; the command line is a thin layer on it.

from elman import LanguageModel
model = LanguageModel.train("book.txt", minutes=3)
print(model.evaluate()["nats_per_character"], model.generate("Once"))
"""

import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from elman.config import Settings, combine, nested
from elman.engine import Engine
from elman.errors import FolderError, MissingPackageError, RequestError, TextError
from elman.evaluation.held_out import evaluate_foreign, evaluate_part
from elman.evaluation.score import Surprise
from elman.evaluation.spelling import Spelling
from elman.generation import Sampling, Stream
from elman.progress import Advance, counter
from elman.storage import FILES, ModelFolder
from elman.storage.atomic import write_bytes
from elman.text import Part, TextStore, cache_folder, find_text, open_text, split
from elman.tokens import Tokenizer, load_tokenizer

Texts = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]


class Surprising(NamedTuple):
    """One token of a scored text."""

    piece: str  # its characters; a part of a character shows as U+FFFD
    nats: float  # surprise, the cost of an unknown piece's spelling included


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
        texts: Texts = "python-manual",
        *,
        out: str | os.PathLike[str] | None = None,
        recipe: str = "default",
        resume: bool = False,
        settings: Mapping[str, Any] | None = None,
        **budget: float,
    ) -> "LanguageModel":
        """Train on texts and return the scored model; `LanguageModel.result` says what it is worth.

        `texts` are files, folders, globs, archives, `-`, or a named corpus. `settings` maps dotted names to
        values ({"model.layers": 2}); `budget` is one of minutes, steps, epochs, and may be joined by seed.

        Raises:
            ElmanError: for whatever the caller can mend; the message says how.
        """
        require_torch("training")
        from elman.runs.opening import new_run, resumed_run
        from elman.runs.result import measure_result

        named = {**(settings or {}), **{f"train.{name}": value for name, value in budget.items()}}
        asked = combine(nested(name, value) for name, value in named.items())
        path = Path(out) if out is not None else None
        if resume:
            if path is None:
                raise FolderError("no folder to go on in, expected the run's own; name it with out=")
            run = resumed_run(path, _names(texts) if texts != "python-manual" else (), asked)
        else:
            run = new_run(_names(texts), path, recipe, asked)
        for _ in run.events(resume):
            pass
        measure_result(run)
        return cls.load(run.folder.path)

    @classmethod
    def load(cls, folder: str | os.PathLike[str]) -> "LanguageModel":
        """Open a model folder.

        Raises:
            FolderError: a file is missing or damaged.
        """
        require_torch("running a model")
        model_folder = ModelFolder(Path(folder))
        config, tokenizer_json = model_folder.read_config()
        weights = model_folder.read_weights()
        tokenizer = load_tokenizer(config["settings"]["tokenizer"], tokenizer_json)
        if tokenizer.size != config["vocabulary_size"]:
            raise FolderError(
                f"{folder}/tokenizer.json has {tokenizer.size} tokens, expected {config['vocabulary_size']}; "
                "restore the file that belongs to the model"
            )
        import torch

        from elman.model import Network, TorchEngine

        network = Network(Settings.model_validate(config["settings"]).model, tokenizer.size)
        network.load_state_dict({name: torch.from_numpy(array) for name, array in weights.items()})
        return cls(model_folder, config, tokenizer, TorchEngine(network))

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Copy the model to another folder, without what only a run needs."""
        target = Path(folder)
        if ModelFolder(target).holds_a_run():
            raise FolderError(f"{target} holds another model; choose a folder that is free")
        for name in FILES:
            if (self.folder.path / name).exists():
                write_bytes(target / name, (self.folder.path / name).read_bytes())

    @property
    def result(self) -> dict[str, Any] | None:
        """What was measured when training ended, as `elman train --json` prints it; None before that."""
        return self.folder.result()

    def evaluate(
        self,
        texts: Texts | None = None,
        part: str = "validation",
        encoding: str | None = None,
        advance: Advance | None = None,
    ) -> dict[str, Any]:
        """Score a text the model has not learned: the held-out part of its own, or another one, as one
        stream.

        Returns nats_per_token, perplexity, bits_per_character, bits_per_byte, baselines and more, as
        `elman evaluate --json` prints them. The text that the model was trained on counts as its own.

        Raises:
            TextError: a text that cannot be read; no such part.
        """
        own = self.config["text"]
        text = None if texts is not None else find_text(own["fingerprint"], cache_folder())
        if text is None:
            names = own["sources"] if texts is None else _names(texts)
            text = open_text(
                names, cache_folder(), encoding or self.settings.encoding, counter(advance, "reading")
            )
        if text.fingerprint == own["fingerprint"]:
            training, held_out = self._parts(text, part)
            result = self.result or {}
            train_nats = result.get("train", {}).get("nats_per_token")
            return evaluate_part(
                self.engine,
                self.tokenizer,
                self._spelling,
                text,
                training,
                held_out,
                cache_folder(),
                train_nats,
                advance,
            )
        if texts is None:
            raise TextError(
                f"{', '.join(own['sources'])} is no longer the text the model learned; name a text to score"
            )
        learned = find_text(own["fingerprint"], cache_folder())
        training_part = (learned, self._parts(learned, "validation")[0]) if learned else None
        return evaluate_foreign(self.engine, self.tokenizer, self._spelling, text, training_part, advance)

    def score(self, text: str) -> list[Surprising]:
        """Return the surprise of each token of a text, the first given nothing.

        Raises:
            RequestError: the text is empty.
        """
        if not text:
            raise RequestError("the text is empty, expected at least one character to score")
        ids = self.tokenizer.encode(text)
        nats = [float(n) for block in Surprise(self.engine).read(ids) for n in block]
        unknown = iter(self.tokenizer.unknown_pieces(text))
        scored = []
        for token, surprise in zip(ids.tolist(), nats, strict=True):
            if token == self.tokenizer.unknown:
                piece = next(unknown)
                scored.append(Surprising(piece, surprise + self._spelling.nats(piece)))
            else:
                scored.append(Surprising(self.tokenizer.pieces[token].decode("utf-8", "replace"), surprise))
        return scored

    def generate(self, prompt: str | None = None, length: int = 200, seed: int = 0, **sampling: Any) -> str:
        """Return what the model writes after a prompt: `length` tokens, the prompt left out.

        `sampling` takes temperature, top_k, top_p, greedy. The same seed gives the same text.

        Raises:
            RequestError: an empty prompt, or sampling that cannot be.
        """
        return "".join(self.stream(prompt, length, seed, **sampling))

    def stream(
        self, prompt: str | None = None, length: int = 200, seed: int = 0, **sampling: Any
    ) -> Iterator[str]:
        """Yield what `generate` returns, piece by piece as it is made; a character is never split."""
        how = Sampling(**sampling)
        if length < 1:
            raise RequestError(f"the length is {length}, expected 1 token or more")
        if prompt is None:
            prompt = self._opening()
        elif unknown := list(dict.fromkeys(self.tokenizer.unknown_pieces(prompt))):
            named = ", ".join(repr(piece) for piece in unknown)
            warnings.warn(f"not seen in training, read as <unk>: {named}", stacklevel=2)
        return Stream(self.engine, self.tokenizer, prompt).text(length, how, seed)

    def _opening(self) -> str:
        """Return what a text starts after where there is no prompt: a new line, where the model knows one."""
        if self.tokenizer.unknown_pieces("\n"):
            return self.tokenizer.pieces[-1].decode()
        return "\n"

    def _parts(self, text: TextStore, name: str) -> tuple[Part, Part]:
        parts = {part.name: part for part in split(text.characters, self.settings.split)}
        if name not in parts:
            raise TextError(
                f"the split {self.settings.split} has no {name} part; train with --split 90/5/5 to have one"
            )
        return parts["train"], parts[name]


def require_torch(work: str) -> None:
    """Say what to install where torch is not.

    Raises:
        MissingPackageError: torch is not installed.
    """
    if find_spec("torch") is None or find_spec("tensorboard") is None:
        raise MissingPackageError(
            f'{work} needs torch and tensorboard, which are not installed: pip install "elman[train]"'
        )


def _names(texts: Texts) -> list[str]:
    return [os.fspath(texts)] if isinstance(texts, str | os.PathLike) else [os.fspath(name) for name in texts]
