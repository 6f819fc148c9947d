"""What the commands share in printing: JSON lines, the score beside its baselines, and progress."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.table import Table

from elman.progress import Advance

talk = Console(stderr=True, highlight=False)
# Lines that go into a pipe are not folded at the width of a terminal that is not there.
data = Console(highlight=False, width=None if sys.stdout.isatty() else 160)


def print_json(content: object) -> None:
    """Print one JSON value on one line of standard output."""
    print(json.dumps(content, ensure_ascii=False), flush=True)


def show_score(evaluation: dict[str, Any]) -> None:
    """Show a score beside its baselines, best first, and what it means."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading, justify in (("", "left"), ("bits per byte", "right")):
        table.add_column(heading, justify=justify)  # type: ignore[arg-type]
    rows = [("this model", evaluation["bits_per_byte"]), *evaluation["baselines"].items()]
    for name, bits in sorted(rows, key=lambda row: row[1]):
        table.add_row(name, f"{bits:.3f}", style="bold green" if name == "this model" else "")
    talk.print(
        f"{evaluation['part']}: {evaluation['nats_per_token']:.4f} nats per token, "
        f"perplexity {evaluation['perplexity']:.2f}, "
        f"{evaluation['bits_per_character']:.3f} bits per character, "
        f"{evaluation['bits_per_byte']:.3f} bits per byte ({_size(evaluation)})",
        soft_wrap=True,
    )
    talk.print(table)
    for sentence in evaluation["verdict"]:
        talk.print(sentence, soft_wrap=True)


@contextmanager
def working() -> Iterator[Advance]:
    """Show what is being done and how far it is: gives an `elman.progress.Advance`."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description:<10}"),
        BarColumn(),
        TextColumn("{task.completed:,.0f}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=talk, transient=True, disable=not sys.stderr.isatty()) as progress:
        tasks: dict[str, Any] = {}

        def advance(work: str, done: int, total: int | None = None) -> None:
            if work not in tasks:
                tasks[work] = progress.add_task(work, total=total)
            progress.advance(tasks[work], done)

        yield advance


def _size(evaluation: dict[str, Any]) -> str:
    scored, there = evaluation["characters"], evaluation["of_characters"]
    return f"{scored:,} characters" if scored == there else f"the first {scored:,} of {there:,} characters"
