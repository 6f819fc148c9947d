"""What a run needs to go on exactly: one checked file for each of the last two saved states.

The newer of the two is used; where it is damaged, the older one is, and the caller is told which was not.
"""

from pathlib import Path
from typing import Any, NamedTuple

from elman.errors import DamagedFileError, StorageError

from .tensors import Tensors, read_tensors, write_tensors

KEPT = 2


class Saved(NamedTuple):
    """One saved state, and what was wrong with newer ones."""

    tensors: Tensors
    values: dict[str, Any]
    damaged: list[str]  # a sentence for each


class ResumeFolder:
    """The folder `resume` of a model folder."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def saved(self) -> list[Path]:
        """Return the files of the saved states, the newest first."""
        return sorted(self.path.glob("step-*.safetensors"), reverse=True)

    def write(self, step: int, tensors: Tensors, values: dict[str, Any]) -> None:
        """Save a state, and drop all but the last two.

        Raises:
            StorageError: it cannot be written.
        """
        try:
            write_tensors(self.path / f"step-{step:012d}.safetensors", tensors, values)
        except StorageError as error:
            raise StorageError(f"{error}, then go on with --resume") from None
        for old in self.saved()[KEPT:]:
            old.unlink(missing_ok=True)
        for torn in self.path.glob(".step-*"):  # left by a run that was killed as it wrote
            torn.unlink(missing_ok=True)

    def read(self) -> Saved | None:
        """Return the newest intact state; None where nothing was saved.

        Raises:
            DamagedFileError: none of the saved states is intact.
        """
        damaged: list[str] = []
        for path in self.saved():
            try:
                tensors, values = read_tensors(path)
            except DamagedFileError as error:
                damaged.append(str(error).partition(";")[0])
                continue
            return Saved(tensors, values, damaged)
        if damaged:
            raise DamagedFileError(f"{'; '.join(damaged)}; no intact state is left: train again")
        return None

    def forget_after(self, step: int) -> None:
        """Remove states of later steps, so that what is saved from here on is the newest."""
        for path in self.saved():
            if path.stem > f"step-{step:012d}":
                path.unlink(missing_ok=True)
