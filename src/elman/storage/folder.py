"""The model folder: what a model is, in files that say themselves whether they are whole.

    config.json         what was asked and chosen, the text's fingerprint; carries a checksum of itself
    tokenizer.json      Hugging Face tokenizers format; its checksum stands in config.json
    model.safetensors   the best weights so far; carries its own checksum
    metrics.jsonl       one line for each measurement
    tensorboard/        the same, for TensorBoard
    README.md           the model card, with the measured results
    resume/             what a run needs to go on exactly

Knows nothing of torch: weights are arrays.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

from elman.errors import DamagedFileError, FolderError

from .atomic import write_text
from .tensors import Tensors, read_tensors, write_tensors

FORMAT = 1
CONFIG, TOKENIZER, WEIGHTS, CARD, METRICS = (
    "config.json",
    "tokenizer.json",
    "model.safetensors",
    "README.md",
    "metrics.jsonl",
)
FILES = (CONFIG, TOKENIZER, WEIGHTS, CARD, METRICS)  # what makes a model that can be copied elsewhere


class ModelFolder:
    """Reads and writes one model folder; every write is whole or not at all."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def holds_a_run(self) -> bool:
        """Say whether a run has written here."""
        return (self.path / CONFIG).exists() or (self.path / "resume").exists()

    def write_config(self, config: dict[str, Any], tokenizer_json: str) -> None:
        """Write tokenizer.json, then config.json with both checksums."""
        write_text(self.path / TOKENIZER, tokenizer_json)
        content = {"format": FORMAT, **config, "tokenizer_sha256": _sha256(tokenizer_json)}
        content["sha256"] = _sha256(json.dumps(content, sort_keys=True))
        write_text(self.path / CONFIG, json.dumps(content, indent=2, ensure_ascii=False) + "\n")

    def read_config(self) -> tuple[dict[str, Any], str]:
        """Return the config and the content of tokenizer.json.

        Raises:
            FolderError: a file is missing, or of a format that this version cannot read.
            DamagedFileError: a file is not what was written.
        """
        try:
            config: dict[str, Any] = json.loads(self._read(CONFIG))
            checksum = config.pop("sha256")
        except (ValueError, KeyError, AttributeError):
            raise self._damaged(CONFIG) from None
        if config.get("format") != FORMAT:
            raise FolderError(
                f"{self.path / CONFIG} has format {config.get('format')}, expected {FORMAT}; upgrade elman"
            )
        if checksum != _sha256(json.dumps(config, sort_keys=True)):
            raise self._damaged(CONFIG)
        tokenizer_json = self._read(TOKENIZER)
        if _sha256(tokenizer_json) != config["tokenizer_sha256"]:
            raise self._damaged(TOKENIZER)
        return config, tokenizer_json

    def write_weights(self, weights: Tensors, step: int) -> None:
        """Write the best weights so far."""
        write_tensors(self.path / WEIGHTS, weights, {"step": step})

    def read_weights(self) -> Tensors:
        """Return the best weights."""
        return read_tensors(self.path / WEIGHTS)[0]

    def write_card(self, text: str) -> None:
        """Write the model card."""
        write_text(self.path / CARD, text)

    def read_metrics(self) -> list[dict[str, Any]]:
        """Return the measurements in order; a last line that was cut short is left out."""
        lines = (self.path / METRICS).read_bytes().splitlines() if (self.path / METRICS).exists() else []
        metrics = []
        for line in lines:
            try:
                metrics.append(json.loads(line))
            except ValueError:
                break
        return metrics

    def result(self) -> dict[str, Any] | None:
        """Return the result of the finished run, or None where it did not finish."""
        results = [row for row in self.read_metrics() if row["event"] == "result"]
        return results[-1] if results else None

    def _read(self, name: str) -> str:
        try:
            return (self.path / name).read_text(encoding="utf-8")
        except FileNotFoundError:
            if not self.path.exists():
                raise FolderError(
                    f"no model folder {self.path}; make one: elman train TEXT --out {self.path}"
                ) from None
            raise FolderError(
                f"{self.path} has no {name}; expected a folder that `elman train` wrote, with "
                f"{', '.join(FILES[:3])}"
            ) from None
        except UnicodeDecodeError:
            raise self._damaged(name) from None
        except NotADirectoryError:
            raise FolderError(
                f"{self.path} is a file, expected a model folder that `elman train` wrote"
            ) from None

    def _damaged(self, name: str) -> DamagedFileError:
        return DamagedFileError(
            f"{self.path / name} is damaged: its content does not match its checksum; "
            f"go on from the saved run with `elman train --resume --out {self.path}`, or restore the file"
        )


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
