"""Measurements for TensorBoard, beside metrics.jsonl."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from elman.errors import StorageError


class TensorBoard:
    """Writes scalars and texts to one folder; what stands there from `first_step` on is hidden."""

    def __init__(self, folder: Path, first_step: int) -> None:
        from torch.utils.tensorboard.writer import SummaryWriter

        self._folder = folder
        with self._explained():
            self._writer = SummaryWriter(str(folder), purge_step=first_step)

    def add(self, step: int, scalars: dict[str, float], texts: dict[str, str] | None = None) -> None:
        """Add numbers and texts of one step.

        Raises:
            StorageError: the disk is full, or cannot be written.
        """
        with self._explained():
            for name, value in scalars.items():
                self._writer.add_scalar(name, value, step)
            for name, text in (texts or {}).items():
                self._writer.add_text(name, text, step)

    def flush(self) -> None:
        """Write out what is left."""
        with self._explained():
            self._writer.flush()

    def close(self) -> None:
        """Write out what is left, and end."""
        with self._explained():
            self._writer.close()

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StorageError(
                f"cannot write {self._folder}: {error.strerror or error}; free some space and go on with "
                "--resume"
            ) from None
