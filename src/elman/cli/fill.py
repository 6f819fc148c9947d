"""`elman fill`: the likeliest token in each gap of a text."""

from pathlib import Path
from typing import Annotated

import typer

from .engines import Engine, Int8

EXAMPLE = 'Example: elman train book.txt --recipe fill --out models/gaps; elman fill models/gaps "to _e"'


def command(
    model: Annotated[
        Path, typer.Argument(metavar="MODEL", help="A model with two streams.", show_default=False)
    ],
    text: Annotated[str, typer.Argument(help="The text with its gaps.", show_default=False)],
    gap: Annotated[str, typer.Option(help="The character that marks a gap of one token.")] = "_",
    engine: Engine = None,
    int8: Int8 = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as one JSON object.")] = False,
) -> None:
    """Fill the gaps of a text from what stands on both sides, and say how likely that is."""
    import math

    from rich.table import Table

    from elman.api import LanguageModel
    from elman.display import talk

    from .output import print_json

    filled = LanguageModel.load(model, engine, int8).fill(text, gap)
    if as_json:
        print_json(
            {
                "text": filled.text,
                "bits": filled.nats / math.log(2),
                "gaps": [{**g._asdict(), "alternatives": dict(g.alternatives)} for g in filled.gaps],
            }
        )
        return
    print(filled.text)
    table = Table("position", "filled", "bits", "likeliest", box=None, pad_edge=False)
    for g in filled.gaps:
        likeliest = "  ".join(f"{piece!r} {probability:.1%}" for piece, probability in g.alternatives)
        table.add_row(str(g.position), repr(g.piece), f"{g.nats / math.log(2):.2f}", likeliest)
    talk.print(table)
