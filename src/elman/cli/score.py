"""`elman score`: how much each token of a text surprises a model."""

import math
import os
from typing import Annotated

import typer

from .engines import Engine, Int8, Model

EXAMPLE = 'Example: elman score models/book "to be or not"    (- reads standard input)'


def command(
    model: Model,
    text: Annotated[
        str, typer.Argument(help="The text itself, a file, or - for standard input.", show_default=False)
    ],
    encoding: Annotated[
        str | None, typer.Option(help="Character encoding of a file.", show_default="the model's own text's")
    ] = None,
    engine: Engine = None,
    int8: Int8 = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as one JSON object.")] = False,
) -> None:
    """Show the surprise of each token of a text, in bits."""
    from rich.table import Table

    from elman.api import LanguageModel
    from elman.text import cache_folder, find_sources, read_text

    from .output import data, print_json

    loaded = LanguageModel.load(model, engine, int8)
    if text == "-" or os.path.isfile(text):
        sources = find_sources([text], spool=cache_folder() / "pipes")
        text = "".join(read_text(sources, encoding or loaded.settings.encoding))
    scored = loaded.score(text)
    bits = [token.nats / math.log(2) for token in scored]
    if as_json:
        tokens = [{"token": token.piece, "bits": round(b, 4)} for token, b in zip(scored, bits, strict=True)]
        print_json({"bits": sum(bits), "bits_per_character": sum(bits) / len(text), "tokens": tokens})
        return
    table = Table("token", "bits", "", box=None, pad_edge=False)
    for token, b in zip(scored, bits, strict=True):
        table.add_row(repr(token.piece), f"{b:.2f}", "#" * min(40, round(2 * b)))
    data.print(table)
    data.print(f"{sum(bits):.1f} bits, {sum(bits) / len(text):.3f} bits per character")
