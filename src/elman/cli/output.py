"""What the commands share in printing data: tables, and JSON on one line."""

import json
import sys

from rich.console import Console

# Lines that go into a pipe are not folded at the width of a terminal that is not there.
data = Console(highlight=False, markup=False, width=None if sys.stdout.isatty() else 160)


def print_json(content: object) -> None:
    """Print one JSON value on one line of standard output."""
    print(json.dumps(content, ensure_ascii=False), flush=True)
