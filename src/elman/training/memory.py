"""Memory that a training step frees stays with the process, for the next step takes as much again.

glibc gives large blocks back to the system, by thresholds that it moves as a program goes. Where they come to
stand is chance: a step may begin with thousands of page faults, which take up to a quarter of its time.
"""

import ctypes
import functools
import sys

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3  # M_TRIM_THRESHOLD and M_MMAP_THRESHOLD of mallopt(3)
KEPT = 2**30  # bytes of free memory that may stay
LARGEST = 2**28  # bytes of a block that is kept so


@functools.cache
def keep_memory() -> None:
    """Let this process keep what it frees from now on, where the C library can be told to."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:
        mallopt(MMAP_THRESHOLD, LARGEST)
        mallopt(TRIM_THRESHOLD, KEPT)
