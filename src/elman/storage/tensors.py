"""Named arrays and a few values in one safetensors file that knows its own checksum. No pickle, no torch.

The checksum (SHA-256) is over names, types, shapes, contents and values, so that one changed bit anywhere
shows.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from elman.errors import DamagedFileError, FolderError

from .atomic import write_bytes

Tensors = dict[str, NDArray[Any]]


def write_tensors(path: Path, tensors: Tensors, values: dict[str, Any]) -> None:
    """Write arrays, and values that JSON can hold, in one step."""
    from safetensors.numpy import save

    text = json.dumps(values)
    # one key: safetensors writes several in an order that changes from run to run
    metadata = {"elman": json.dumps({"sha256": _checksum(tensors, text), "values": text})}
    write_bytes(path, save({name: np.asarray(array, order="C") for name, array in tensors.items()}, metadata))


def read_tensors(path: Path) -> tuple[Tensors, dict[str, Any]]:
    """Read what `write_tensors` wrote.

    Raises:
        FolderError: there is no such file, or it cannot be read.
        DamagedFileError: the file is torn, cut short, or not what was written.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise FolderError(f"{path} is missing, expected a file that elman wrote; restore it") from None
    except OSError as error:
        raise FolderError(f"{path} cannot be read: {error.strerror}; mend that and try again") from None
    try:
        tensors = load(data)
        header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
        metadata = json.loads(header["__metadata__"]["elman"])
        intact = metadata["sha256"] == _checksum(tensors, metadata["values"])
    except (SafetensorError, ValueError, KeyError, TypeError, OverflowError):
        intact = False
    if not intact:
        raise DamagedFileError(
            f"{path} is damaged: its content does not match its checksum; restore it from a copy"
        )
    return tensors, json.loads(metadata["values"])


def read_checksum(path: Path) -> str | None:
    """Return the checksum that a file says it has, read from its head alone; None where it has none."""
    try:
        with path.open("rb") as file:
            header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        checksum = json.loads(header["__metadata__"]["elman"])["sha256"]
    except (OSError, ValueError, KeyError, TypeError, MemoryError, OverflowError):
        return None
    return checksum if isinstance(checksum, str) else None


def _checksum(tensors: Tensors, values: str) -> str:
    digest = hashlib.sha256(values.encode())
    for name in sorted(tensors):
        array = np.asarray(tensors[name], order="C")
        digest.update(f"\n{name} {array.dtype.str} {array.shape} ".encode())
        digest.update(array.data)
    return digest.hexdigest()
