"""`elman train`: from texts to a scored model folder."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from elman.runs.events import Started, Validated
    from elman.runs.run import Run

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
        str, typer.Option(help="Named settings, see `elman recipes`; or a .toml file.")
    ] = "default",
    minutes: Annotated[float | None, typer.Option(help="Train for so many minutes.")] = None,
    steps: Annotated[int | None, typer.Option(help="Train for so many weight updates.")] = None,
    epochs: Annotated[float | None, typer.Option(help="Train for so many passes over the text.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in --out.")] = False,
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
    recurrence: Annotated[str | None, typer.Option(help="auto, reference or fused.")] = None,
    prompt: Annotated[
        list[str] | None, typer.Option(help="Continue this at each validation; repeat it.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as one JSON object.")] = False,
) -> None:
    """Train a model on text and say what it is worth."""
    from elman.api import require_torch
    from elman.config import combine, nested, parse_assignment
    from elman.errors import FolderError

    from .output import print_json, show_score, talk, working

    require_torch("training")
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
    asked = combine(
        [
            *(parse_assignment(assignment) for assignment in assignments or []),
            *(nested(name, value) for name, value in flags.items() if value is not None),
        ]
    )
    if resume and out is None:
        raise FolderError("--resume needs the folder of the run, found none; add --out DIR")

    from elman.runs.opening import new_run, resumed_run

    with working() as advance:
        if resume and out is not None:
            run = resumed_run(out, texts or [], asked, advance)
        else:
            run = new_run(texts or ["python-manual"], out, recipe, asked, advance)
    text, settings = run.preparation.text, run.settings
    talk.print(
        f"{text.characters:,} characters, split {settings.split}; "
        f"{run.preparation.tokens.tokenizer.size:,} {settings.tokenizer} tokens in the vocabulary"
    )
    if not _train(run, resume):
        _say_how_to_go_on(run)
        raise typer.Exit(130)
    with working() as advance:
        from elman.runs.result import measure_result

        result = measure_result(run, advance)
    show_score(result["validation"])
    talk.print(f"saved in {run.folder.path}; try: elman generate {run.folder.path}", soft_wrap=True)
    if as_json:
        print_json(result)


def _train(run: "Run", resume: bool) -> bool:
    """Run to the end with live progress; return False where Ctrl-C came first."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    from elman.runs.events import Started, Stepped, Stopped, Validated

    from .output import talk

    columns = (
        BarColumn(bar_width=None),
        TextColumn(
            "{task.percentage:>3.0f}%  step {task.fields[step]:,}  {task.fields[nats]:.3f} nats  "
            "ppl {task.fields[perplexity]:.2f}  {task.fields[bits]:.3f} bits/char  "
            "{task.fields[speed]:,.0f} tok/s"
        ),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    import math

    parts = run.preparation.tokens.parts["train"]
    characters_per_token = run.preparation.part("train").stop / max(1, len(parts))
    mean = None
    with _graceful(run), Progress(*columns, console=talk, disable=not sys.stderr.isatty()) as bars:
        bar = None
        for event in run.events(resume):
            if isinstance(event, Started):
                _show_start(run, event)
                bar = bars.add_task(
                    "", total=1.0, step=event.step, nats=0.0, perplexity=0.0, bits=0.0, speed=0.0
                )
            elif isinstance(event, Stepped) and bar is not None:
                progress = event.progress
                mean = progress.nats if mean is None else 0.95 * mean + 0.05 * progress.nats
                bars.update(
                    bar,
                    completed=progress.done,
                    step=progress.step,
                    nats=mean,
                    perplexity=math.exp(min(mean, 700.0)),
                    bits=mean / math.log(2) / characters_per_token,
                    speed=event.tokens_per_second,
                )
            elif isinstance(event, Validated):
                _show_validation(event)
            elif isinstance(event, Stopped):
                return event.finished
    return True


def _show_start(run: "Run", started: "Started") -> None:
    from .output import talk

    model = run.settings.model
    talk.print(
        f"{model.cell} {model.layers} x {model.hidden_size}, {started.parameters:,} parameters, "
        f"on {started.device}; "
        f"precision {started.precision.name}: {started.precision.reason}; "
        f"recurrence {started.recurrence}: {started.recurrence_reason}",
        soft_wrap=True,
    )
    for damaged in started.damaged:
        talk.print(f"warning: {damaged}; going on from the state saved before it", soft_wrap=True)
    if started.step:
        talk.print(f"going on from step {started.step:,}")


def _show_validation(validated: "Validated") -> None:
    from .output import talk

    mark = "  best so far" if validated.best else ""
    talk.print(f"step {validated.step:,}: validation {validated.nats_per_token:.4f} nats per token{mark}")
    for prompt, sample in validated.samples.items():
        talk.print(f"  {prompt!r} -> {sample!r}", markup=False, soft_wrap=True)


def _say_how_to_go_on(run: "Run") -> None:
    from .output import talk

    talk.print(f"stopped and saved; go on with: elman train --resume --out {run.folder.path}", soft_wrap=True)


@contextmanager
def _graceful(run: "Run") -> Iterator[None]:
    """Let Ctrl-C or SIGTERM end the run after the step that is being done; a second one ends it at once."""

    def stop(number: int, _: object) -> None:
        if run.stop:
            raise KeyboardInterrupt
        run.stop = True

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
