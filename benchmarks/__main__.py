"""`make bench`: every measurement, into docs/benchmarks.md; `python -m benchmarks NAME...`: only those named.

Run it alone on the machine. The sections of what is not measured stay as they are.
"""

import re
import sys
from collections.abc import Sequence
from pathlib import Path

from . import (
    cells,
    encoding,
    generation,
    gigabyte,
    parallel,
    quality,
    recurrence,
    scale,
    serve,
    start,
    streams,
    time_to_quality,
    training,
)

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"
TITLE = "# Benchmarks\n\nWritten by `make bench`; medians with the smallest and largest of the repeats.\n"
MODULES = {  # in the order of the page
    module.__name__.rpartition(".")[2]: module
    for module in (
        start,
        encoding,
        recurrence,
        training,
        parallel,
        generation,
        streams,
        serve,
        time_to_quality,
        cells,
        quality,
        gigabyte,
        scale,
    )
}


def main(names: Sequence[str]) -> None:
    """Measure, print and write the page."""
    if unknown := set(names) - MODULES.keys():
        sys.exit(
            f"found {', '.join(sorted(unknown))}; expected some of {', '.join(MODULES)}, or none for all"
        )
    sections = read(PAGE.read_text())
    for name, module in MODULES.items():
        if not names or name in names:
            sections[name] = module.measure().markdown()
            print(sections[name], flush=True)
            PAGE.write_text("\n".join([TITLE, *(sections[name] for name in MODULES if name in sections)]))


def read(page: str) -> dict[str, str]:
    """Return the sections of a page, each under the name of what measures it."""
    found = re.findall(r"^(## .*?^`python -m benchmarks\.(\w+)`.*?\n)", page, re.DOTALL | re.MULTILINE)
    return {name: section for section, name in found}


if __name__ == "__main__":
    main(sys.argv[1:])
