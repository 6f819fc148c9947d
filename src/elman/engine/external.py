"""Whether an ONNX model keeps weights in other files, which could be any that this process may read.

Reads the protobuf encoding itself, for the `onnx` package is not there where a model is only run.
"""

from collections.abc import Iterator

# what is inside what: message -> field number -> message
INSIDE = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "function": {7: "node", 11: "attribute"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
    "tensor": {13: "external data", 14: "location"},
}
BODIES = 100  # messages inside one another, at most
VARINT, EIGHT_BYTES, BYTES, FOUR_BYTES = 0, 1, 2, 5  # wire types


def holds_external_data(content: bytes) -> bool:
    """Say whether a serialized model, or a graph inside it, names another file for its weights.

    Raises:
        ValueError: it is no protobuf message.
    """
    return _search(memoryview(content), "model", 0)


def _search(message: memoryview, kind: str, depth: int) -> bool:
    if depth > BODIES:
        raise ValueError("messages inside one another without end")
    for number, value in _fields(message):
        inside = INSIDE[kind].get(number)
        if inside == "external data" or (inside == "location" and value):
            return True
        if isinstance(value, memoryview) and inside in INSIDE and _search(value, inside, depth + 1):
            return True
    return False


def _fields(message: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Yield the number of each field with its value: an integer, or the bytes of what is inside."""
    place = 0
    while place < len(message):
        key, place = _varint(message, place)
        wire = key & 7
        if wire == VARINT:
            value, place = _varint(message, place)
            yield key >> 3, value
            continue
        if wire == BYTES:
            size, place = _varint(message, place)
        elif wire in (EIGHT_BYTES, FOUR_BYTES):
            size = 8 if wire == EIGHT_BYTES else 4
        else:
            raise ValueError(f"wire type {wire}")
        if place + size > len(message):
            raise ValueError("cut short")
        yield key >> 3, message[place : place + size]
        place += size


def _varint(message: memoryview, place: int) -> tuple[int, int]:
    value = shift = 0
    while place < len(message) and shift < 64:
        byte = message[place]
        value, place, shift = value | (byte & 0x7F) << shift, place + 1, shift + 7
        if byte < 0x80:
            return value, place
    raise ValueError("cut short")
