"""An exported model in a file that knows its own checksum, and the weights that it was made of.

The seal is the last entry of the file, an ONNX metadata property, so that every reader of ONNX can read the
file as it is.
"""

import hashlib
from pathlib import Path

from elman.errors import DamagedFileError

from .atomic import write_bytes

KEY = b"elman"
DIGITS = 64  # of a SHA-256
VALUE = 2 * DIGITS + 1  # both checksums and a space
# protobuf: field 14 of a model is a property, which has a key (1) and a value (2)
HEAD = (
    bytes([14 << 3 | 2, 0x80 | (len(KEY) + VALUE + 5) & 0x7F, (len(KEY) + VALUE + 5) >> 7])
    + bytes([1 << 3 | 2, len(KEY)])
    + KEY
    + bytes([2 << 3 | 2, 0x80 | VALUE & 0x7F, VALUE >> 7])
)


def write_graph(path: Path, content: bytes, weights: str) -> None:
    """Write a serialized ONNX model with its seal; `weights` is the checksum of what it was made of."""
    write_bytes(path, content + HEAD + f"{hashlib.sha256(content).hexdigest()} {weights}".encode())


def read_graph(path: Path) -> tuple[bytes, str]:
    """Return the model and the checksum of the weights that it was made of.

    Raises:
        FileNotFoundError: there is no such file.
        DamagedFileError: the file is not what was written.
    """
    data = path.read_bytes()
    content, seal = data[: -len(HEAD) - VALUE], data[-len(HEAD) - VALUE :]
    expected, _, weights = seal[len(HEAD) :].decode("ascii", "replace").partition(" ")
    if not seal.startswith(HEAD) or hashlib.sha256(content).hexdigest() != expected:
        raise DamagedFileError(f"{path} is damaged: its content does not match its checksum")
    return data, weights
