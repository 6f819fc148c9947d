"""metrics.jsonl: one JSON object a line, appended as a run goes; cut back to a step when a run goes on."""

import json
from pathlib import Path
from typing import Any

from elman.errors import FolderError, StorageError

from .atomic import write_bytes


class MetricsFile:
    """Appends measurements and can forget those after a step."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def append(self, row: dict[str, Any]) -> None:
        """Add one line: `event`, `step`, and what was measured.

        Raises:
            StorageError: it cannot be written.
        """
        try:
            with open(self.path, "a", encoding="utf-8") as file:
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
        except OSError as error:
            raise StorageError(
                f"cannot write {self.path}: {error.strerror}; free some space and go on with --resume"
            ) from None

    def read(self) -> list[dict[str, Any]]:
        """Return the measurements in order; a line that is damaged is left out."""
        return [row for _, row in self._lines() if row is not None]

    def cut(self, step: int) -> list[str]:
        """Forget results, what was measured after a step, and damaged lines; return what was damaged.

        A last line that was cut short is what a killed run leaves, and no damage.
        """
        lines = self._lines()
        damaged = [n for n, (line, row) in enumerate(lines, 1) if row is None and line.endswith(b"\n")]
        kept = [line for line, row in lines if row and row["step"] <= step and row["event"] != "result"]
        write_bytes(self.path, b"".join(kept))
        return [f"{self.path} is damaged in line {number}" for number in damaged]

    def _lines(self) -> list[tuple[bytes, dict[str, Any] | None]]:
        """Return each line and what it holds; None where that is no measurement."""
        try:
            raw = self.path.read_bytes()
        except FileNotFoundError:
            return []
        except OSError as error:
            raise FolderError(
                f"{self.path} cannot be read: {error.strerror}; mend that and try again"
            ) from None
        return [(line, _row(line)) for line in raw.splitlines(keepends=True)]


def _row(line: bytes) -> dict[str, Any] | None:
    try:
        row = json.loads(line)
        known = line.endswith(b"\n") and isinstance(row["event"], str) and isinstance(row["step"], int)
    except (ValueError, KeyError, TypeError):
        return None
    return row if known else None
