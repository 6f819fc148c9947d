"""What a run needs to go on exactly: one checked file for each of the last two saved states.

The newer of the two is used; where it is damaged, the older one is, and the caller is told which file was
not.
"""

from pathlib import Path
from typing import Any

from elman.errors import DamagedFileError, FolderError

from .tensors import Tensors, read_tensors, write_tensors

KEPT = 2


class ResumeFolder:
    """The folder `resume` of a model folder."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def saved(self) -> list[Path]:
        """Return the saved states, the newest first."""
        return sorted(self.path.glob("step-*.safetensors"), reverse=True)

    def write(self, step: int, tensors: Tensors, values: dict[str, Any]) -> None:
        """Save a state, and drop all but the last two."""
        write_tensors(self.path / f"step-{step:012d}.safetensors", tensors, values)
        for old in self.saved()[KEPT:]:
            old.unlink(missing_ok=True)
        for torn in self.path.glob(".step-*"):  # left by a run that was killed while it wrote
            torn.unlink(missing_ok=True)

    def read(self) -> tuple[Tensors, dict[str, Any], list[str]]:
        """Return the newest intact state, and what was wrong with newer ones.

        Raises:
            FolderError: there is no saved state.
            DamagedFileError: none of the saved states is intact.
        """
        damaged: list[str] = []
        for path in self.saved():
            try:
                tensors, values = read_tensors(path)
            except DamagedFileError as error:
                damaged.append(str(error).partition(";")[0])
                continue
            for newer in self.saved()[: len(damaged)]:
                newer.unlink()  # so that a state saved from here on is the newest
            return tensors, values, damaged
        if damaged:
            raise DamagedFileError(f"{'; '.join(damaged)}; no intact state is left: train again")
        raise FolderError(f"{self.path} holds no saved state to go on from; train without --resume")
