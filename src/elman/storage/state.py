"""The state of a stream in a file of its own: what a model remembers of a text, and which model it was."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from elman.errors import DamagedFileError, FolderError, RequestError

from .tensors import read_tensors, write_tensors

Memory = tuple[NDArray[np.float32], ...]


def write_state(path: Path, memory: Memory, recent: Sequence[int], model: str) -> None:
    """Write a state; `model` is the checksum of the weights that made it.

    Raises:
        RequestError: there is no place for such a file.
        StorageError: the file cannot be written.
    """
    refuse_without_place(path)
    tensors: dict[str, NDArray[Any]] = {f"memory.{number}": part for number, part in enumerate(memory)}
    write_tensors(path, tensors, {"recent": list(recent), "model": model})


def refuse_without_place(path: Path) -> None:
    """Refuse to write a state where a folder has the name, or where there is no folder to write it in.

    Raises:
        RequestError: so it is.
    """
    if path.is_dir():
        raise RequestError(f"{path} is a folder, expected the name of a file for the state; name another")
    if not path.parent.is_dir():
        raise RequestError(f"there is no folder {path.parent} for the state, expected one; make it first")


def read_state(path: Path, model: str) -> tuple[Memory, tuple[int, ...]]:
    """Return a state of this model.

    Raises:
        FolderError: there is no such file.
        DamagedFileError: the file is not what was written, or something else.
        RequestError: it is the state of another model, or no state.
    """
    if not path.exists():
        raise FolderError(f"no file {path}, expected a state that this model wrote with --save-state")
    try:
        tensors, values = read_tensors(path)
    except DamagedFileError:
        raise DamagedFileError(
            f"{path} is damaged or no state of a stream, expected one that this model wrote with --save-state"
        ) from None
    if "recent" not in values or values.get("model") != model:
        found = "the state of another model" if "recent" in values else "no state of a stream"
        raise RequestError(f"{path} is {found}, expected one that this model wrote with --save-state")
    return tuple(tensors[f"memory.{number}"] for number in range(len(tensors))), tuple(values["recent"])
