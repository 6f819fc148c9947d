"""`elman generate`: text from a model, printed as it is made."""

import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from .engines import Engine, Int8

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
    min_p: Annotated[
        float | None, typer.Option(help="Leave out what is less likely than this share of the likeliest.")
    ] = None,
    repetition_penalty: Annotated[
        float, typer.Option(help="Above 1: make tokens of the last 64 less likely.")
    ] = 1.0,
    greedy: Annotated[bool, typer.Option("--greedy", help="Always take the most likely token.")] = False,
    seed: Annotated[
        int | None, typer.Option(help="The same seed gives the same text.", show_default="random")
    ] = None,
    stop: Annotated[
        list[str] | None, typer.Option(metavar="TEXT", help="End before this text; may be repeated.")
    ] = None,
    forbid: Annotated[
        list[str] | None,
        typer.Option(metavar="TEXT", help="Write no token that holds this text; may be repeated."),
    ] = None,
    beam: Annotated[
        int | None, typer.Option(min=1, help="Search the likeliest text with so many beams; draws nothing.")
    ] = None,
    best_of: Annotated[
        int, typer.Option(min=1, help="Write so many texts and print the one that surprises the model least.")
    ] = 1,
    count: Annotated[int, typer.Option(min=1, help="Texts to write; they take seeds SEED, SEED+1, ...")] = 1,
    state: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Go on from a saved state.", show_default=False)
    ] = None,
    save_state: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Save the state after the text.", show_default=False)
    ] = None,
    engine: Engine = None,
    int8: Int8 = False,
    allow_leak: Annotated[
        bool, typer.Option("--allow-leak", help="Write with a model that saw what it had to predict.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
) -> None:
    """Write text with a model."""
    import secrets

    from elman.api import LanguageModel
    from elman.errors import RequestError
    from elman.generation import Sampling

    from .output import print_json

    if beam is not None and best_of > 1:
        raise RequestError("--beam searches and --best-of draws, expected one of them; leave one out")
    if save_state is not None and count > 1:
        raise RequestError(f"--save-state keeps one text, found --count {count}; leave one out")
    loaded = LanguageModel.load(model, engine, int8)
    how = Sampling(temperature, top_k, top_p, min_p, repetition_penalty, greedy)
    first_seed = secrets.randbelow(2**31) if seed is None else seed
    begun = loaded.load_state(state) if state else None
    stops, forbidden = tuple(stop or ()), loaded.tokens_with(forbid or ())
    results = []
    for number in range(count):
        start, text = time.perf_counter(), ""
        stream = loaded.start(prompt, begun, allow_leak)
        if beam is not None:
            pieces = iter([stream.beam(beam, length, stops, forbidden)])
        elif best_of > 1:
            seeds = first_seed + number * best_of
            pieces = iter([stream.best(best_of, length, how, seeds, stops, forbidden)])
        else:
            pieces = stream.text(length, how, first_seed + number, stops, forbidden)
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
        if save_state is not None:
            loaded.save_state(stream.state, save_state)
    if as_json:
        print_json(results if count > 1 else results[0])
