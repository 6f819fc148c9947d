"""Files that were read before, known again by what the file system says of them: no byte is read.

Size, both times to the nanosecond, and the number of the file stand for its content, as in version control.
A file that changed in the last moments is not trusted: its next change might leave the same times.
"""

import hashlib
import json
import os
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from elman.text.sources import Source

SECONDS_AT_REST = 2.0


def stamp(sources: Sequence[Source], encoding: str) -> str | None:
    """Give a name for the files as they are now; None where a source is no file or was just written."""
    facts = []
    for source in sources:
        if source.file is None:
            return None
        status = source.file.stat()
        if time.time() - max(status.st_mtime, status.st_ctime) < SECONDS_AT_REST:
            return None
        times = status.st_mtime_ns, status.st_ctime_ns
        facts.append([source.name, os.path.abspath(source.file), status.st_ino, status.st_size, *times])
    return hashlib.sha256(json.dumps([encoding, facts]).encode()).hexdigest()[:32]


def recall(folder: Path, stamp: str | None) -> str | None:
    """Give the fingerprint that the files had when they were read; None where they were not."""
    try:
        return (folder / stamp).read_text(encoding="ascii") if stamp else None
    except (OSError, ValueError):
        return None


def remember(folder: Path, stamp: str | None, fingerprint: str) -> None:
    """Keep the fingerprint of the files; where that fails, they are read again next time."""
    if stamp:
        with suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            (folder / stamp).write_text(fingerprint, encoding="ascii")
