"""`elman train`: from texts to a scored model folder."""

import signal
from pathlib import Path
from typing import Annotated, Any

import typer

EXAMPLE = "Example: elman train book.txt --minutes 3 --out models/book"


def command(
    texts: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="TEXT",
            help="Files, folders, globs, archives (.gz .bz2 .xz .zst .zip) or - for standard input; without "
            "any, the text of Python's own manual.",
            show_default=False,
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder of the model.", show_default="models/NAME-OF-TEXT")
    ] = None,
    recipe: Annotated[
        str | None,
        typer.Option(help="Named settings, see `elman recipes`; or a .toml file.", show_default="default"),
    ] = None,
    minutes: Annotated[float | None, typer.Option(help="Train for so many minutes.")] = None,
    steps: Annotated[int | None, typer.Option(help="Train for so many weight updates.")] = None,
    epochs: Annotated[float | None, typer.Option(help="Train for so many passes over the text.")] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the run in --out; a larger budget trains it longer.")
    ] = False,
    assignments: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Any setting, such as model.layers=2; repeat it."),
    ] = None,
    tokenizer: Annotated[str | None, typer.Option(help="character, byte, word or bpe.")] = None,
    split: Annotated[
        str | None, typer.Option(help="Percent for train/validation or train/validation/test, by position.")
    ] = None,
    encoding: Annotated[str | None, typer.Option(help="Character encoding of the text.")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of weights, windows and dropout.")] = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu, cuda or mps.")] = None,
    precision: Annotated[str | None, typer.Option(help="auto, fp32 or bf16.")] = None,
    recurrence: Annotated[str | None, typer.Option(help="auto, reference, fused, native or scan.")] = None,
    prompt: Annotated[
        list[str] | None, typer.Option(help="Continue this at each validation; repeat it.")
    ] = None,
    allow_leak: Annotated[
        bool, typer.Option("--allow-leak", help="Train a model that sees what it has to predict.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as one JSON object.")] = False,
) -> None:
    """Train a model on text and say what it is worth."""
    from elman.api import LanguageModel
    from elman.config import parse_assignment, process
    from elman.display import show_score, talk
    from elman.lessons import learn_pair
    from elman.recipes import load_recipe

    from .output import print_json

    flags: dict[str, Any] = {
        "tokenizer": tokenizer,
        "split": split,
        "encoding": encoding,
        "train.minutes": minutes,
        "train.steps": steps,
        "train.epochs": epochs,
        "train.seed": seed,
        "train.device": device,
        "train.precision": precision,
        "train.recurrence": recurrence,
        "train.prompts": prompt,
    }
    rank, count = process()
    leads = rank == 0  # of processes that torchrun started, the first one speaks
    if count > 1:  # torchrun sends it to all when one has ended; what that was is to be said first
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    asked = dict(map(parse_assignment, assignments or []))
    asked |= {name: value for name, value in flags.items() if value is not None}
    if not texts and not resume and recipe and load_recipe(recipe).settings.get("pair"):
        result = learn_pair(recipe, asked)
        if as_json:
            print_json(result)
        return
    try:
        model = LanguageModel.train(
            texts, out=out, recipe=recipe, settings=asked, resume=resume, allow_leak=allow_leak
        )
    except KeyboardInterrupt as interrupt:  # typer would swallow what it says
        if leads:
            talk.print(str(interrupt) or "interrupted")
        raise typer.Exit(130) from None
    if not leads:
        return
    result = model.result or {}
    show_score(result["validation"])
    example = "generate" if model.gap_window is None else "fill"
    arguments = "" if model.gap_window is None else ' "to _e"'
    talk.print(f"saved in {model.folder.path}; try: elman {example} {model.folder.path}{arguments}")
    if as_json:
        print_json(result)
