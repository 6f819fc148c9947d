"""Model folders in, what they show side by side out: names, rows of figures, curves in one unit.

Imports no torch. Knows nothing of tables or pictures.
"""

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from elman.evaluation.spelling import Spelling
from elman.storage import ModelFolder
from elman.text import find_text, split
from elman.tokens import load_tokenizer

LEAK = "sees what it has to predict"  # what is said of a model whose scores are no quality
CHARACTERS_AT_MOST = 1_000_000  # of the held-out part, to learn how many bytes a token has


class Point(NamedTuple):
    """One validation of a run."""

    step: int
    seconds: float  # of training
    bits_per_byte: float


class Sample(NamedTuple):
    """What a model wrote, or why it wrote nothing."""

    text: str
    written: bool


class Shown(NamedTuple):
    """One run as it is drawn."""

    name: str
    row: dict[str, Any] | None  # None where the run is not finished
    leak: str | None
    curve: Sequence[Point]
    sample: Sample


@dataclass(frozen=True)
class Compared:
    """One model folder among those that are compared; `result` is None where its run is not finished."""

    path: Path
    name: str  # what tells it from the others
    config: dict[str, Any]
    result: dict[str, Any] | None

    @property
    def leak(self) -> str | None:
        """How the model sees what it has to predict, if it does."""
        leak: str | None = self.config["leak"]
        return leak

    def row(self) -> dict[str, Any] | None:
        """Return what `compare --json` prints; None where there is no result."""
        if self.result is None:
            return None
        settings, validation = self.config["settings"], self.result["validation"]
        return {
            "model": str(self.path),
            "tokenizer": settings["tokenizer"],
            "text": self.config["text"]["fingerprint"],
            "split": settings["split"],
            "bits_per_byte": validation["bits_per_byte"],
            "bits_per_character": validation["bits_per_character"],
            "nats_per_token": validation["nats_per_token"],
            "perplexity": validation["perplexity"],
            "parameters": self.result["parameters"],
            "seconds": self.result["seconds"],
            "tokens_per_second": self.result["tokens_per_second"],
            "baselines": validation["baselines"],
            "leak": self.leak,
        }

    def curve(self, cache: Path) -> list[Point]:
        """Return the validations in bits per byte, so that tokenizers compare.

        They are kept in nats per token, without the spelling of what the vocabulary lacks; its price is
        added as it is in the result. How many bytes a token has is known from the result, or else from the
        text in the cache; there are no points where that is gone.
        """
        rows = [row for row in ModelFolder(self.path).metrics.read() if row["event"] == "validation"]
        if not rows or (totals := self._totals(cache)) is None:
            return []
        tokens, size, spelling = totals
        return [
            Point(
                row["step"], row["seconds"], (row["nats_per_token"] * tokens + spelling) / size / math.log(2)
            )
            for row in rows
        ]

    def _totals(self, cache: Path) -> tuple[int, int, float] | None:
        """Return tokens, bytes and nats of spelling of the same stretch of the held-out part."""
        if self.result:
            scored = self.result["validation"]
            return scored["tokens"], scored["bytes"], scored["spelling_nats"]
        text, settings = find_text(self.config["text"]["fingerprint"], cache), self.config["settings"]
        if text is None:
            return None
        part = split(text.characters, settings["split"])[1]
        held_out = text.slice(part.start, min(part.stop, part.start + CHARACTERS_AT_MOST))
        tokenizer = load_tokenizer(settings["tokenizer"], ModelFolder(self.path).read_tokenizer())
        spelling = Spelling(self.config["spelling"])
        nats = sum(map(spelling.nats, tokenizer.unknown_pieces(held_out)))
        return len(tokenizer.encode(held_out)), len(held_out.encode("utf-8", "surrogatepass")), nats


def read_compared(paths: Sequence[Path]) -> list[Compared]:
    """Read the model folders, in the order given.

    Raises:
        FolderError: a folder that is missing, or holds no model.
        DamagedFileError: a config that is not what was written.
    """
    folders = [ModelFolder(path) for path in paths]
    return [
        Compared(folder.path, name, folder.read_config(), folder.result())
        for folder, name in zip(folders, distinct_names(paths), strict=True)
    ]


def distinct_names(paths: Sequence[Path]) -> list[str]:
    """Return for each path its part between what all begin with and what all end with; never nothing."""
    parts = [Path(os.path.abspath(path)).parts for path in paths]
    shortest = min(map(len, parts))
    if len(set(parts)) == 1:
        return [path[-1] for path in parts]
    begin = len(os.path.commonprefix(parts))
    end = len(os.path.commonprefix([path[::-1] for path in parts]))
    begin = min(begin, shortest - 1)
    end = min(end, shortest - 1 - begin)
    return ["/".join(path[begin : len(path) - end]) for path in parts]


def differences(rows: Sequence[dict[str, Any]]) -> list[str]:
    """Say why the scores of these rows do not compare, where they do not.

    What is measured on one text against different baselines is not the same task.
    """
    unequal = [what for what in ("text", "split") if len({row[what] for row in rows}) > 1]
    if not unequal and len({tuple(sorted(row["baselines"])) for row in rows}) > 1:
        return ["these models are measured against different baselines; their scores do not compare"]
    return [f"these models learned with different {what}s; their scores do not compare" for what in unequal]


def rank(row: dict[str, Any]) -> tuple[bool, float]:
    """Order rows by their scores, those that are no quality last."""
    return row["leak"] is not None, row["bits_per_byte"]


def shared_prompt(runs: Sequence[Compared]) -> str | None:
    """Return the first prompt that all runs were given, None where there is none."""
    prompts = [run.config["settings"]["train"]["prompts"] for run in runs]
    return next((prompt for prompt in prompts[0] if all(prompt in others for others in prompts)), None)
