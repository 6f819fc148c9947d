"""What a model writes: text after a prompt or from a state on, the likeliest text, what fills a gap."""

import os
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from elman.config import Settings
from elman.engine import Engine
from elman.errors import LeakError, RequestError
from elman.generation import (
    GAP,
    Filled,
    Sampling,
    Stream,
    StreamState,
    checked,
    fill,
    opening,
    refuse_foreign,
)
from elman.storage import ModelFolder, read_state, write_state
from elman.tokens import Tokenizer


class Writer:
    """A model folder, and an engine that runs it."""

    def __init__(
        self, folder: ModelFolder, config: dict[str, Any], tokenizer: Tokenizer, engine: Engine
    ) -> None:
        self.folder, self.config, self.tokenizer, self.engine = folder, config, tokenizer, engine
        self.settings = Settings.model_validate(config["settings"])
        self._fingerprint = folder.fingerprint()

    @property
    def gap_window(self) -> int | None:
        """Of a model that fills gaps, how many tokens it reads on each side; of one that writes on, none."""
        return self.settings.train.window if self.settings.model.two_stream else None

    def generate(self, prompt: str | None = None, length: int = 200, seed: int = 0, **how: Any) -> str:
        """Return what the model writes after a prompt: `length` tokens, the prompt left out.

        `how` takes what `stream` takes. The same seed gives the same text.

        Raises:
            RequestError: an empty prompt, or sampling that cannot be.
            LeakError: the model sees what it has to predict, and that is not allowed.
        """
        return "".join(self.stream(prompt, length, seed, **how))

    @checked
    def stream(
        self,
        prompt: str | None = None,
        length: int = 200,
        seed: int = 0,
        allow_leak: bool = False,
        stop: str | Sequence[str] = (),
        forbid: str | Sequence[str] = (),
        **sampling: Any,
    ) -> Iterator[str]:
        """Yield what `generate` returns, piece by piece as it is made; a character is never split.

        The text ends before a string in `stop`; tokens that hold a string in `forbid` are not written.
        `sampling` takes temperature, top_k, top_p, min_p, repetition_penalty, greedy.
        """
        ways = [field.name for field in fields(Sampling)]
        if unknown := [name for name in sampling if name not in ways]:
            raise RequestError(f"no argument is called {', '.join(unknown)}, expected {', '.join(ways)}")
        how = Sampling(**sampling)
        stream = self.start(prompt, allow_leak=allow_leak)
        return stream.text(length, how, seed, stop, self.tokens_with(forbid))

    def tokens_with(self, texts: str | Sequence[str]) -> list[int]:
        """Return the tokens that hold this text, or one of these.

        Raises:
            RequestError: no token holds one of them.
        """
        found = []
        for text in [texts] if isinstance(texts, str) else texts:
            held = text.encode()
            ids = [n for n, piece in enumerate(self.tokenizer.pieces) if held and held in piece]
            if not ids:
                raise RequestError(f"no token holds {text!r}, expected a text that stands within a token")
            found += ids
        return found

    @checked
    def start(
        self, prompt: str | None = None, state: StreamState | None = None, allow_leak: bool = False
    ) -> Stream:
        """Return a stream that has read a prompt, or from a state on: it writes, and its state is a value.

        Raises:
            RequestError: an empty prompt; the state of another model; a model that fills gaps.
            LeakError: the model sees what it has to predict, and that is not allowed.
        """
        if self.gap_window is not None:
            raise RequestError(
                f"{self.folder.path} fills gaps, expected a model that writes on; fill a gap by: elman fill "
                f"{self.folder.path} 'to {GAP}e'"
            )
        if self.config["leak"] and not allow_leak:
            raise LeakError(
                f"{self.folder.path} has learned with its future in sight, and writes without it; expected a "
                "model that does not see what it has to predict; write with it all the same by: "
                f"elman generate {self.folder.path} --allow-leak"
            )
        if prompt:
            self._warn_of_unknown(prompt)
        if state is None:
            beginning = opening(self.tokenizer) if prompt is None else prompt
            return Stream.after(self.engine, self.tokenizer, beginning, self._fingerprint)
        refuse_foreign(state, self._fingerprint)
        if prompt == "":
            raise RequestError("the prompt is empty, expected at least one character; leave it out to go on")
        stream = Stream(self.engine, self.tokenizer, state)
        stream.read(prompt or "")
        return stream

    @checked
    def save_state(self, state: StreamState, file: str | os.PathLike[str]) -> None:
        """Write a stream's state, some kilobytes, with the fingerprint of the model.

        Raises:
            RequestError: it is the state of another model; there is no place for the file.
            StorageError: the file cannot be written.
        """
        refuse_foreign(state, self._fingerprint)
        write_state(Path(file), *state)

    @checked
    def load_state(self, file: str | os.PathLike[str]) -> StreamState:
        """Read a state that this model wrote.

        Raises:
            FolderError: there is no such file, or it is damaged.
            RequestError: it is the state of another model.
        """
        return StreamState(*read_state(Path(file), self._fingerprint), self._fingerprint)

    @checked
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

    def _warn_of_unknown(self, text: str) -> None:
        if unknown := list(dict.fromkeys(self.tokenizer.unknown_pieces(text))):
            named = ", ".join(repr(piece) for piece in unknown)
            warnings.warn(f"not seen in training, read as <unk>: {named}", stacklevel=3)
