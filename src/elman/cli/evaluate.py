"""`elman evaluate`: an honest score beside its baselines."""

from typing import Annotated

import typer

from .engines import Engine, Int8, Model

EXAMPLE = "Example: elman evaluate models/book other.txt"


def command(
    model: Model,
    texts: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="TEXT",
            help="Text to score; without any, the held-out part of the model's own.",
            show_default=False,
        ),
    ] = None,
    part: Annotated[
        str, typer.Option(help="Which part of the model's own text: validation or test.")
    ] = "validation",
    characters: Annotated[
        int | None, typer.Option(help="Score the first so many only.", show_default="all")
    ] = None,
    encoding: Annotated[
        str | None, typer.Option(help="Character encoding of TEXT.", show_default="the model's own text's")
    ] = None,
    dynamic: Annotated[
        bool,
        typer.Option(
            "--dynamic",
            help="Score once more in weights that learn from each few tokens after these are scored (torch).",
        ),
    ] = False,
    engine: Engine = None,
    int8: Int8 = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as one JSON object.")] = False,
) -> None:
    """Score a model on text that it has not learned."""
    from elman.api import LanguageModel
    from elman.display import show_score, working

    from .output import print_json

    loaded = LanguageModel.load(model, engine, int8)
    with working() as advance:
        evaluation = loaded.evaluate(
            list(texts) if texts else None, part, characters, encoding, dynamic, advance
        )
    show_score(evaluation)
    if as_json:
        print_json(evaluation)
