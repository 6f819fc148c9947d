"""Messages between processes on one machine, by sockets.

Small ones take some tens of microseconds, where gloo takes half a millisecond. The first process hears the
others in their order, so that sums come out the same each time, and answers them; who is gone is noticed as
soon as it should speak. Knows nothing of what is said.
"""

import os
import socket
import struct
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

WAKEFUL = 200e-6  # seconds before a process that waits goes to sleep; to wake up takes as long
PATIENCE = 60.0  # seconds in which the others connect


class Line:
    """From the leader to each of the others, or from one of these to the leader."""

    def __init__(self, ends: Sequence[socket.socket], leads: bool) -> None:
        self._ends, self._leads = ends, leads

    def add(self, values: Sequence[float]) -> list[float]:
        """Return the sums of what each process says.

        Raises:
            OSError: another process is gone, here as below.
        """
        if not self._leads:
            _say(self._ends, values)
            return _hear(self._ends[0], len(values))
        rows = [values, *(_hear(end, len(values)) for end in self._ends)]
        sums = [sum(column) for column in zip(*rows, strict=True)]
        _say(self._ends, sums)
        return sums

    def agree(self, values: Sequence[float]) -> list[float]:
        """Return what the leader says."""
        if not self._leads:
            return _hear(self._ends[0], len(values))
        _say(self._ends, values)
        return list(values)

    def spread(self, content: bytes) -> bytes:
        """Return what the leader has."""
        (size,) = self.agree([len(content)])
        if self._leads:
            for end in self._ends:
                end.sendall(content)
            return content
        return _receive(self._ends[0], int(size))

    def memory(self, size: int) -> int:
        """Return an open file of so many bytes of zeros, the same memory in all processes."""
        if not self._leads:
            _, files, _, _ = socket.recv_fds(self._ends[0], 1, 1)
            if not files:
                raise ConnectionResetError
            return files[0]
        file = os.memfd_create("elman")
        os.truncate(file, size)
        for end in self._ends:
            socket.send_fds(end, [b"m"], [file])
        return file

    def files(self) -> list[int]:
        """Return what a poll for who is gone looks at."""
        return [end.fileno() for end in self._ends]

    def close(self) -> None:
        """Hang up."""
        for end in self._ends:
            end.close()


def open_line(rank: int, size: int, tell: Callable[[str], str]) -> Line:
    """Connect this process with the others; `tell` gives all of them what the leader says.

    Raises:
        OSError: another process is gone.
    """
    if rank:
        end = socket.socket(socket.AF_UNIX)
        end.connect(tell(""))
        _say([end], [rank])
        return Line([end], leads=False)
    with tempfile.TemporaryDirectory(prefix="elman-") as folder, socket.socket(socket.AF_UNIX) as door:
        path = str(Path(folder) / "line")
        door.bind(path)
        door.listen(size)
        door.settimeout(PATIENCE)
        tell(path)
        ends = [door.accept()[0] for _ in range(size - 1)]
        return Line(sorted(ends, key=lambda end: _hear(end, 1)), leads=True)


def _say(ends: Sequence[socket.socket], values: Sequence[float]) -> None:
    for end in ends:
        end.sendall(struct.pack(f"{len(values)}d", *values))


def _hear(end: socket.socket, count: int) -> list[float]:
    said, until = b"", time.perf_counter() + WAKEFUL
    while time.perf_counter() < until:
        with suppress(BlockingIOError):
            said = end.recv(8 * count, socket.MSG_DONTWAIT)
            break
    said += _receive(end, 8 * count - len(said))
    return list(struct.unpack(f"{count}d", said))


def _receive(end: socket.socket, size: int) -> bytes:
    """Return so many bytes, for which this process sleeps."""
    content = bytearray(size)
    rest = memoryview(content)
    while rest:
        if not (count := end.recv_into(rest)):
            raise ConnectionResetError
        rest = rest[count:]
    return bytes(content)
