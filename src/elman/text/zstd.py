"""A zstandard file in, its decompressed bytes out. Knows no names; imported only where it is needed."""

import io
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

READ_BYTES = 1 << 20
PIECE_BYTES = 1024  # little enough that the worst ratio, 128 KiB out of 4 bytes, makes 32 MiB
WINDOW_BYTES = (
    1 << 31
)  # the longest that the zstd command writes (--long=31), as large dumps of text are packed


class ZstdStream(io.RawIOBase):
    """Decompressed zstandard frames, one after another.

    zstandard's own reader takes a file that was cut off for a complete one; this one raises EOFError.
    """

    def __init__(self, file: io.RawIOBase | io.BufferedIOBase) -> None:
        """Read the compressed bytes of `file`, which stays its owner's to close."""
        from zstandard import ZstdDecompressor

        self._file = io.BufferedReader(cast(io.RawIOBase, file), READ_BYTES)
        self._new_frame = ZstdDecompressor(max_window_size=WINDOW_BYTES).decompressobj
        self._frame = self._new_frame()
        self._begun = False  # whether the present frame has been given any bytes
        self._ready = memoryview(b"")

    def readable(self) -> bool:
        """Say that this stream can be read."""
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        """Fill `buffer` as far as one piece goes; 0 at the end. Raises EOFError where a frame is cut off."""
        while not self._ready:
            piece = self._next_piece()
            if not piece:
                if self._begun:
                    raise EOFError("compressed file ended before the end of its last frame")
                return 0
            self._ready, self._begun = memoryview(self._frame.decompress(piece)), True
        view = memoryview(buffer).cast("B")
        count = min(len(view), len(self._ready))
        view[:count] = self._ready[:count]
        self._ready = self._ready[count:]
        return count

    def _next_piece(self) -> bytes:
        rest = b""
        if self._frame.eof:
            rest = self._frame.unused_data
            self._frame, self._begun = self._new_frame(), False
        return rest or self._file.read(PIECE_BYTES)
