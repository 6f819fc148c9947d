"""The model folder: what a model is, in files that say themselves whether they are whole.

    config.json         what was asked and chosen, the text's fingerprint; carries a checksum of itself
    tokenizer.json      Hugging Face tokenizers format; its checksum stands in config.json
    model.safetensors   the best weights so far; carries its own checksum
    metrics.jsonl       one line for each measurement
    tensorboard/        the same, for TensorBoard
    model.onnx          the same weights as a graph that runs without torch; carries its own checksum
    model.int8.onnx     the same in 8 bits, where asked for
    README.md           the model card, with the measured results
    resume/             what a run needs to go on exactly
    .lock               held by the run that writes here

Knows nothing of torch: weights are arrays.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from elman.errors import DamagedFileError, ElmanError, FolderError, MissingGraphError, StorageError

from .atomic import refuse_unless_free, write_bytes, write_text
from .graph import read_graph, write_graph
from .metrics import MetricsFile
from .resume import ResumeFolder
from .tensors import Tensors, read_checksum, read_tensors, write_tensors

FORMAT = 1
CONFIG, TOKENIZER, WEIGHTS, CARD = "config.json", "tokenizer.json", "model.safetensors", "README.md"
GRAPHS = {"fp32": "model.onnx", "int8": "model.int8.onnx"}
METRICS, RESUME, TENSORBOARD = "metrics.jsonl", "resume", "tensorboard"
MODEL = (WEIGHTS, TOKENIZER, CONFIG)  # what a model cannot be without, in the order of writing a copy


class ModelFolder:
    """Reads and writes one model folder; every write is whole or not at all."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.metrics = MetricsFile(path / METRICS)
        self.resume = ResumeFolder(path / RESUME)
        self._lock = FileLock(path / ".lock", timeout=0)

    def refuse_if_taken(self) -> None:
        """Refuse a folder in which a new run would overwrite something.

        Raises:
            FolderError: another run is there, or a file of a name that a run writes.
        """
        if self.path.exists() and not self.path.is_dir():
            raise FolderError(
                f"{self.path} is a file, expected a folder or a name that is free; choose another --out"
            )
        if (self.path / CONFIG).exists() or (self.path / RESUME).exists():
            raise FolderError(
                f"{self.path} holds another run; go on with it (--resume --out {self.path}), or name a new "
                "folder with --out"
            )
        for name in (*MODEL, *GRAPHS.values(), CARD, METRICS, TENSORBOARD):
            if (self.path / name).exists():
                raise FolderError(
                    f"{self.path} holds {name}, which a run would overwrite; expected a folder without, or "
                    "a name that is free; choose another --out"
                )

    def claim(self) -> None:
        """Make the folder where there is none, and keep other runs out of it until `release`.

        Raises:
            FolderError: another run is writing here at this moment.
            StorageError: the folder cannot be made.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self._lock.acquire()
        except Timeout:
            raise FolderError(
                f"another run is writing to {self.path}; wait for its end, or name another folder with --out"
            ) from None
        except OSError as error:
            raise StorageError(
                f"cannot write to {self.path}: {error.strerror or error}; name another folder with --out"
            ) from None

    def release(self) -> None:
        """Let other runs in again."""
        self._lock.release()

    def write_config(self, config: dict[str, Any], tokenizer_json: str) -> None:
        """Write config.json with both checksums, then tokenizer.json."""
        content = {"format": FORMAT, **config, "tokenizer_sha256": _sha256(tokenizer_json)}
        content["sha256"] = _sha256(json.dumps(content, sort_keys=True))
        write_text(self.path / CONFIG, json.dumps(content, indent=2, ensure_ascii=False) + "\n")
        write_text(self.path / TOKENIZER, tokenizer_json)

    def read_config(self) -> dict[str, Any]:
        """Return the config.

        Raises:
            FolderError: the file is missing, or of a format that this version cannot read.
            DamagedFileError: the file is not what was written.
        """
        try:
            config: dict[str, Any] = json.loads(self._read(CONFIG))
            checksum = config.pop("sha256")
        except (ValueError, KeyError, AttributeError):
            raise self._damaged(CONFIG) from None
        if checksum != _sha256(json.dumps(config, sort_keys=True)):
            raise self._damaged(CONFIG)
        if config["format"] != FORMAT:
            raise FolderError(
                f"{self.path / CONFIG} has format {config['format']}, expected {FORMAT}; upgrade elman"
            )
        return config

    def read_tokenizer(self) -> str:
        """Return the content of tokenizer.json.

        Raises:
            FolderError: the file, or config.json, is missing.
            DamagedFileError: the file, or config.json, is not what was written.
        """
        expected = self.read_config()["tokenizer_sha256"]
        tokenizer_json = self._read(TOKENIZER)
        if _sha256(tokenizer_json) != expected:
            raise self._damaged(TOKENIZER)
        return tokenizer_json

    def holds_weights(self) -> bool:
        """Say whether a model was saved here."""
        return (self.path / WEIGHTS).exists()

    def write_weights(self, weights: Tensors, step: int) -> None:
        """Write the best weights so far."""
        write_tensors(self.path / WEIGHTS, weights, {"step": step})

    def read_weights(self) -> Tensors:
        """Return the best weights.

        Raises:
            FolderError: the file is missing.
            DamagedFileError: the file is not what was written.
        """
        if not self.holds_weights():
            raise self._missing(WEIGHTS)
        try:
            return read_tensors(self.path / WEIGHTS)[0]
        except DamagedFileError:
            raise self._damaged(WEIGHTS) from None

    def fingerprint(self) -> str:
        """Return what tells these weights from all others: their checksum.

        Raises:
            FolderError: there are no weights, and no graph of them.
        """
        if (here := read_checksum(self.path / WEIGHTS)) is not None:
            return here
        for precision in GRAPHS:
            if self.holds_graph(precision):
                return self._read_graph(precision)[1]
        raise FolderError(f"{self.path} has no {WEIGHTS}; restore it from a copy, or train again")

    def holds_graph(self, precision: str = "fp32") -> bool:
        """Say whether an ONNX model was written, of these weights or of others."""
        return (self.path / GRAPHS[precision]).exists()

    def graph_size(self, precision: str) -> int:
        """Return the size of an ONNX model in bytes."""
        return (self.path / GRAPHS[precision]).stat().st_size

    def write_graph(self, content: bytes, precision: str = "fp32") -> None:
        """Write the weights that are here as an ONNX model."""
        weights = read_checksum(self.path / WEIGHTS)
        write_graph(self.path / GRAPHS[precision], content, weights or "")

    def read_graph(self, precision: str = "fp32") -> bytes:
        """Return the ONNX model.

        Raises:
            MissingGraphError: there is none, or it was made of other weights than those that are here.
            FolderError: the file cannot be read.
            DamagedFileError: the file is not what was written.
        """
        content, weights = self._read_graph(precision)
        here = read_checksum(self.path / WEIGHTS)
        if here is not None and here != weights:
            raise MissingGraphError(
                f"{self.path / GRAPHS[precision]} was made of other weights than those in {WEIGHTS}; "
                f"write it anew: {self._export(precision)}"
            )
        return content

    def read_card(self) -> str:
        """Return the model card, or nothing where there is none yet."""
        return (self.path / CARD).read_text(encoding="utf-8") if (self.path / CARD).exists() else ""

    def write_card(self, text: str) -> None:
        """Write the model card."""
        write_text(self.path / CARD, text)

    def result(self) -> dict[str, Any] | None:
        """Return the result of the finished run, None where it did not finish."""
        results = [row for row in self.metrics.read() if row["event"] == "result"]
        return {k: v for k, v in results[-1].items() if k not in ("event", "step")} if results else None

    def problems(self) -> list[str]:
        """Return what is wrong with the files of the model itself, a sentence each."""
        found = []
        for read in (self.read_config, self.read_tokenizer, self.read_weights):
            try:
                read()
            except ElmanError as error:
                found.append(str(error).partition(";")[0])
        return list(dict.fromkeys(found))

    def refuse_if_damaged(self, work: str) -> None:
        """Refuse to have a model `work`, copied or pushed, of which a file is missing or damaged."""
        self.read_config()
        if problems := self.problems():
            raise FolderError(f"{'; '.join(problems)}; restore it before the model is {work}")

    def copy(self, target: Path) -> None:
        """Copy the model to another folder, without what only a run needs; config.json comes last.

        Raises:
            FolderError: the target is taken; a file of the model is missing or damaged.
            StorageError: the target cannot be written.
        """
        refuse_unless_free(target)
        self.refuse_if_damaged("copied")
        there = [name for name in (CARD, METRICS, *GRAPHS.values()) if (self.path / name).exists()]
        for name in (*there, *MODEL):
            write_bytes(target / name, (self.path / name).read_bytes())

    def _read_graph(self, precision: str) -> tuple[bytes, str]:
        """Return an ONNX model, and the checksum of the weights that it was made of."""
        path = self.path / GRAPHS[precision]
        try:
            return read_graph(path)
        except FileNotFoundError:
            if self.holds_weights():
                mend = f"write it: {self._export(precision)}"
            elif self.holds_graph("int8"):
                mend = f"it has {GRAPHS['int8']} alone: run it with --int8"
            else:
                mend = f"it has no {WEIGHTS} either: restore it from a copy"
            raise MissingGraphError(f"{self.path} has no {path.name}; {mend}") from None
        except DamagedFileError as error:
            raise DamagedFileError(f"{error}; write it anew: {self._export(precision)}") from None
        except OSError as error:
            raise FolderError(f"{path} cannot be read: {error.strerror}; mend that and try again") from None

    def _export(self, precision: str) -> str:
        return f"elman export {self.path}{' --int8' if precision == 'int8' else ''}"

    def _read(self, name: str) -> str:
        try:
            return (self.path / name).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            raise self._damaged(name) from None
        except FileNotFoundError:
            if not self.path.exists():
                raise FolderError(
                    f"no model folder {self.path}; make one: elman train TEXT --out {self.path}"
                ) from None
            raise self._missing(name) from None
        except NotADirectoryError:
            raise FolderError(
                f"{self.path} is a file, expected a model folder that `elman train` wrote"
            ) from None
        except OSError as error:
            raise FolderError(
                f"{self.path / name} cannot be read: {error.strerror}; mend that and try again"
            ) from None

    def _missing(self, name: str) -> FolderError:
        return FolderError(
            f"{self.path} has no {name}; expected a folder that `elman train` wrote, with "
            f"{', '.join(reversed(MODEL))}"
        )

    def _damaged(self, name: str) -> DamagedFileError:
        mend = (
            f"write it anew with `elman train --resume --out {self.path}`"
            if self.resume.saved()
            else "restore it from a copy, or train again"
        )
        return DamagedFileError(
            f"{self.path / name} is damaged: its content does not match its checksum; {mend}"
        )


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
