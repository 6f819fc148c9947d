"""What brings the playground to a browser: a plain file server with an exported site, and `elman serve`."""

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from elman import LanguageModel
from elman.site import write_site

from .page import served


@contextmanager
def files(model: LanguageModel) -> Iterator[str]:
    """Export a model and serve the folder; yields its address."""
    with tempfile.TemporaryDirectory() as folder:
        write_site(model.folder, Path(folder))
        with served(Path(folder)) as address:
            yield address


@contextmanager
def command(model: LanguageModel, *arguments: str) -> Iterator[str]:
    """Run `elman serve` on a free port; yields its address, and demands that it says no more than that."""
    serve = [sys.executable, "-m", "elman", "serve", str(model.folder.path), "--port", "0", *arguments]
    with subprocess.Popen(serve, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            line = process.stderr.readline()
            said = re.search(r" on (http://127\.0\.0\.1:\d+)[;,] ", line)
            assert said, line
            yield f"{said[1]}/"
        finally:
            process.terminate()
            rest = process.stderr.read()
    assert rest == ""


HOSTS = {"files": files, "server": command}
