"""`elman generate`: text from a model, printed as it is made."""

import sys
import time
from pathlib import Path
from typing import Annotated

import typer

EXAMPLE = 'Example: elman generate models/book "Once" -n 500 --temperature 0.8'


def command(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="A model folder.", show_default=False)],
    prompt: Annotated[
        str | None,
        typer.Argument(help="What the text begins with; without it, a new line.", show_default=False),
    ] = None,
    length: Annotated[int, typer.Option("--length", "-n", help="Tokens to write.")] = 500,
    temperature: Annotated[float, typer.Option(help="Below 1 safer, above 1 wilder.")] = 1.0,
    top_k: Annotated[int | None, typer.Option(help="Choose among the K most likely tokens.")] = None,
    top_p: Annotated[
        float | None, typer.Option(help="Choose among the likeliest that hold this share.")
    ] = None,
    greedy: Annotated[bool, typer.Option("--greedy", help="Always take the most likely token.")] = False,
    seed: Annotated[
        int | None, typer.Option(help="The same seed gives the same text.", show_default="random")
    ] = None,
    count: Annotated[int, typer.Option(min=1, help="Texts to write; they take seeds SEED, SEED+1, ...")] = 1,
    allow_leak: Annotated[
        bool, typer.Option("--allow-leak", help="Write with a model that saw what it had to predict.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
) -> None:
    """Write text with a model."""
    import secrets

    from elman.api import LanguageModel

    from .output import print_json

    loaded = LanguageModel.load(model)
    first_seed = secrets.randbelow(2**31) if seed is None else seed
    results = []
    for number in range(count):
        start, text = time.perf_counter(), ""
        pieces = loaded.stream(
            prompt,
            length,
            first_seed + number,
            allow_leak,
            temperature=temperature,
            top_k=top_k,
            top_p=top_p,
            greedy=greedy,
        )
        if not as_json:
            sys.stdout.write(prompt or "")
        for piece in pieces:
            text += piece
            if not as_json:
                sys.stdout.write(piece)
                sys.stdout.flush()
        if not as_json:
            sys.stdout.write("\n" if number == count - 1 else "\n\n---\n\n")
        seconds = time.perf_counter() - start
        results.append(
            {
                "prompt": prompt or "",
                "text": text,
                "tokens": length,
                "seconds": round(seconds, 4),
                "tokens_per_second": round(length / seconds, 1),
                "engine": loaded.engine.name,
                "seed": first_seed + number,
            }
        )
    if as_json:
        print_json(results if count > 1 else results[0])
