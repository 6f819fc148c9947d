"""`elman compare`: several models side by side, by bits per byte."""

from pathlib import Path
from typing import Annotated

import typer

EXAMPLE = "Example: elman compare models/book models/book-2"


def command(
    models: Annotated[
        list[Path], typer.Argument(metavar="MODEL...", help="Model folders.", show_default=False)
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print the rows as one JSON list.")] = False,
) -> None:
    """Compare trained models by their held-out scores."""
    from rich.table import Table

    from elman.display import talk
    from elman.errors import FolderError
    from elman.storage import ModelFolder

    from .output import data, print_json

    rows = []
    for path in models:
        config, result = ModelFolder(path).read_config(), ModelFolder(path).result()
        if result is None:
            talk.print(f"warning: {path} has no result yet; finish it: elman train --resume --out {path}")
            continue
        validation = result["validation"]
        rows.append(
            {
                "model": str(path),
                "tokenizer": config["settings"]["tokenizer"],
                "text": config["text"]["fingerprint"],
                "split": config["settings"]["split"],
                "bits_per_byte": validation["bits_per_byte"],
                "bits_per_character": validation["bits_per_character"],
                "nats_per_token": validation["nats_per_token"],
                "perplexity": validation["perplexity"],
                "parameters": result["parameters"],
                "seconds": result["seconds"],
                "tokens_per_second": result["tokens_per_second"],
                "baselines": validation["baselines"],
            }
        )
    if not rows:
        raise FolderError("none of these models has a result; expected one finished run or more to compare")
    rows.sort(key=lambda row: row["bits_per_byte"])
    for what in ("text", "split"):
        if len({row[what] for row in rows}) > 1:
            talk.print(f"warning: these models learned with different {what}s; their scores do not compare")
    if as_json:
        print_json(rows)
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("model", "tokenizer"):
        table.add_column(heading)
    for heading in (
        "bits/byte",
        "bits/char",
        "nats/token",
        "perplexity",
        "parameters",
        "seconds",
        "tokens/s",
    ):
        table.add_column(heading, justify="right")
    for row in rows:
        table.add_row(
            row["model"],
            row["tokenizer"],
            f"{row['bits_per_byte']:.3f}",
            f"{row['bits_per_character']:.3f}",
            f"{row['nats_per_token']:.3f}",
            f"{row['perplexity']:.2f}",
            f"{row['parameters']:,}",
            f"{row['seconds']:.0f}",
            f"{row['tokens_per_second']:,.0f}",
        )
    for name, bits in sorted(rows[0]["baselines"].items(), key=lambda item: item[1]):
        table.add_row(name, "", f"{bits:.3f}", *[""] * 6, style="dim")
    data.print(table)
