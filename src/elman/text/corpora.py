"""The name of a corpus in, its bytes out. Knows nothing of files, and fetches nothing."""

import io
from typing import BinaryIO

from elman.errors import TextError

CORPORA = ("python-manual",)


def open_corpus(name: str) -> BinaryIO:
    """Open one of CORPORA as a stream of UTF-8 bytes.

    `python-manual` is the text that Python's own `help()` shows: the topics of the language reference,
    about half a million characters, in the order of their names. It comes with every CPython and differs a
    little between versions.

    Raises TextError where this Python was installed without it.
    """
    if name != "python-manual":
        raise ValueError(f"no corpus is called {name!r}")
    try:
        from pydoc_data.topics import topics
    except ImportError:
        raise TextError(
            "this Python was installed without pydoc_data; expected the text of its manual; name a file "
            "instead"
        ) from None
    return io.BytesIO("".join(topics[key] for key in sorted(topics)).encode())
