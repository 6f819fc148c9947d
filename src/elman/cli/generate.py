"""`elman generate`: text from a model, printed as it is made."""

import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from signal import SIGINT
from typing import Annotated

import typer

from .engines import Engine, Int8, Model

EXAMPLE = 'Example: elman generate models/book "Once" -n 500 --temperature 0.8'


def command(
    model: Model,
    prompt: Annotated[
        str | None,
        typer.Argument(help="What the text begins with; without it, a new line.", show_default=False),
    ] = None,
    length: Annotated[int, typer.Option("--length", "-n", help="Tokens to write.")] = 500,
    temperature: Annotated[
        float, typer.Option(help="Below 1 safer, above 1 wilder; 0 is the likeliest text, as --greedy.")
    ] = 1.0,
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
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Save the state after the printed text, also where --stop or Ctrl-C ended it.",
            show_default=False,
        ),
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
    from elman.display import talk
    from elman.errors import RequestError
    from elman.generation import Sampling
    from elman.storage.state import refuse_without_place

    from .output import print_json

    likeliest = {"--beam": beam is not None, "--greedy": greedy}
    drawing = {
        "--seed": seed is not None,
        "--count": count > 1,
        "--best-of": best_of > 1,
        "--temperature": temperature not in (0, 1),
        "--top-k": top_k is not None,
        "--top-p": top_p is not None,
        "--min-p": min_p is not None,
        "--repetition-penalty": beam is not None and repetition_penalty != 1,
    }
    named = [name for name, given in {**likeliest, **drawing}.items() if given]
    if len(named) > 1 and named[0] in likeliest:
        others = ", ".join(named[1:])
        raise RequestError(f"{named[0]} draws nothing, expected it alone, found {others}; leave one out")
    if save_state is not None and count > 1:
        raise RequestError(f"--save-state keeps one text, found --count {count}; leave one out")
    if save_state is not None:
        refuse_without_place(save_state)
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
        try:
            for piece in _interruptible(pieces):
                text += piece
                if not as_json:
                    sys.stdout.write(piece)
                    sys.stdout.flush()
        except KeyboardInterrupt:
            if save_state is None:
                raise
            loaded.save_state(stream.state, save_state)
            talk.print(f"\ninterrupted; the state after this text is in {save_state}")
            raise typer.Exit(130) from None
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


def _interruptible(pieces: Iterator[str]) -> Iterator[str]:
    """Yield pieces; Ctrl-C ends between two of them, wherever it fell."""
    from elman.signals import asking_first

    stopped = threading.Event()
    with asking_first(stopped.set, SIGINT):
        for piece in pieces:
            yield piece
            if stopped.is_set():
                raise KeyboardInterrupt
