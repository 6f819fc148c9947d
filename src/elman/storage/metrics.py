"""metrics.jsonl: one JSON object a line, appended as a run goes; cut back to a step when a run goes on from
there.
"""

import json
from pathlib import Path
from typing import Any

from elman.errors import StorageError

from .atomic import write_bytes


class MetricsFile:
    """Appends measurements and can forget those after a step."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def append(self, row: dict[str, Any]) -> None:
        """Add one line."""
        try:
            with open(self.path, "a", encoding="utf-8") as file:
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
        except OSError as error:
            raise StorageError(
                f"cannot write {self.path}: {error.strerror}; free some space and go on with --resume"
            ) from None

    def cut(self, step: int) -> None:
        """Forget what was measured after a step, and a last line that was cut short."""
        kept = b""
        for line in self.path.read_bytes().splitlines(keepends=True) if self.path.exists() else []:
            try:
                row = json.loads(line)
            except ValueError:
                break
            if line.endswith(b"\n") and row["step"] <= step and row["event"] != "result":
                kept += line
        write_bytes(self.path, kept)
