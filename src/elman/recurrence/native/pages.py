"""Memory in large pages, for weights that a window reads anew at each of its steps.

A processor fetches ahead to the end of a page and no further, and remembers where some of them lie. What
stands in pages of 2 MB is read faster than in pages of 4 KB.
"""

import mmap
import weakref
from collections import defaultdict
from contextlib import suppress

import torch
from torch import Tensor

PAGE = 2**21  # bytes
_free: defaultdict[int, list[Tensor]] = defaultdict(list)  # by their bytes: pages made anew are zeros first


def large_pages(count: int, kind: torch.dtype) -> Tensor:
    """Return room for numbers (N,) of a kind, as long as this tensor itself is held: no view of it counts.

    Raises:
        MemoryError: there is none.
    """
    size = count * kind.itemsize
    if size < PAGE // 2 or not hasattr(mmap, "MADV_HUGEPAGE"):
        return torch.empty(count, dtype=kind)
    free = _free[size]
    try:
        room = free.pop()
    except IndexError:
        room = _make_pages(size)
    lent = room.view(kind)
    weakref.finalize(lent, free.append, room).atexit = False
    return lent


def _make_pages(size: int) -> Tensor:
    """Return so many bytes, from the start of a page on."""
    try:
        mapped = mmap.mmap(-1, size + 2 * PAGE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    except OSError as error:
        raise MemoryError(f"no {size:,} bytes for weights") from error
    with suppress(OSError):  # a system without large pages
        mapped.madvise(mmap.MADV_HUGEPAGE)
    memory = torch.frombuffer(mapped, dtype=torch.uint8)
    start = -memory.data_ptr() % PAGE
    return memory[start : start + size]
