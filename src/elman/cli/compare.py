"""`elman compare`: several models side by side, by bits per byte, as a table and as a picture."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from elman.runs.compared import Compared, Sample

EXAMPLE = "Example: elman compare models/book models/book-2 --plot books.svg"
SCORES = {  # of a row: its heading in the table, and how it is written
    "bits_per_byte": ("bits/\nbyte", ".3f"),
    "bits_per_character": ("bits/\nchar", ".3f"),
    "nats_per_token": ("nats/\ntoken", ".3f"),
    "perplexity": ("perplex-\nity", ".2f"),
}
SIZES = {
    "parameters": ("param-\neters", ",d"),
    "seconds": ("seconds", ".0f"),
    "tokens_per_second": ("tokens/\nsecond", ",.0f"),
}
SAMPLE_TOKENS = 120


def command(
    models: Annotated[
        list[Path], typer.Argument(metavar="MODEL...", help="Model folders.", show_default=False)
    ],
    plot: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Draw scores, sizes, speeds and samples into a .svg or .png."),
    ] = None,
    samples: Annotated[
        bool, typer.Option("--samples", help="Let each model write a few lines after the same beginning.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the rows as one JSON list.")] = False,
) -> None:
    """Compare trained models by their held-out scores."""
    from elman.display import talk
    from elman.errors import FolderError
    from elman.insight.comparison.lettering import legible
    from elman.packages import require
    from elman.runs.compared import differences, rank, read_compared, shared_prompt

    from .output import data, print_json

    if samples:
        require("samples", "torch")
    if plot is not None:
        from elman.insight.comparison.picture import picture_format

        picture_format(plot.suffix)  # refused before anything is read
    runs = read_compared(models)
    for run in runs:
        if run.result is None:
            talk.print(
                f"warning: {run.path} has no result yet; finish it: elman train --resume --out {run.path}"
            )
    rows = sorted(filter(None, [run.row() for run in runs]), key=rank)
    if not rows and plot is None:
        raise FolderError("none of these models has a result; expected one finished run or more to compare")
    notes = differences(rows)
    for note in notes:
        talk.print(f"warning: {note}")
    prompt = shared_prompt(runs)
    written = _write_samples(runs, prompt) if samples or plot else {}
    if plot is not None:
        _draw(plot, runs, written, prompt, notes)
    if as_json:
        print_json([row | _sample_of(row, written) for row in rows])
        return
    if rows:
        data.print(_table(rows))
    for path, sample in written.items():
        data.out(f"\n{path}", style="bold")
        data.out(legible(sample.text).strip("\n") if sample.written else f"({sample.text})")


def _table(rows: Sequence[dict[str, Any]]) -> "Table":
    from rich.table import Table

    from elman.runs.compared import LEAK

    leaks = any(row["leak"] for row in rows)
    caption = f"* {LEAK}: no quality" if leaks else None
    table = Table(box=None, pad_edge=False, collapse_padding=True, caption=caption, caption_justify="left")
    table.add_column("model", overflow="fold", vertical="bottom")
    table.add_column("token-\nizer", overflow="fold")
    for heading, _ in (*SCORES.values(), *SIZES.values()):  # a narrow terminal folds names, never digits
        table.add_column(heading, justify="right", no_wrap=True)
    for row in rows:
        mark = "*" if row["leak"] else ""
        scores = [f"{row[name]:{form}}{mark}" for name, (_, form) in SCORES.items()]
        sizes = [f"{row[name]:{form}}" for name, (_, form) in SIZES.items()]
        table.add_row(row["model"], row["tokenizer"], *scores, *sizes)
    # of models with different texts each has baselines of its own, and none is one for all
    shared = rows[0]["baselines"] if all(row["baselines"] == rows[0]["baselines"] for row in rows) else {}
    for name, bits in sorted(shared.items(), key=lambda item: item[1]):
        table.add_row(name, "", f"{bits:.3f}", *[""] * 6, style="dim")
    return table


def _write_samples(runs: Sequence["Compared"], prompt: str | None) -> dict[Path, "Sample"]:
    """Let each model write after the same beginning, with the same seed; or say why it does not."""
    from elman.api import LanguageModel
    from elman.display import working
    from elman.errors import ElmanError
    from elman.progress import counter
    from elman.runs.compared import LEAK, Sample

    written = {}
    with working() as advance:
        tally = counter(advance, "samples", len(runs))
        for run in runs:
            if run.leak:
                written[run.path] = Sample(LEAK, written=False)
            else:
                try:
                    text = LanguageModel.load(run.path).generate(prompt, SAMPLE_TOKENS, seed=0)
                    written[run.path] = Sample((prompt or "") + text, written=True)
                except ElmanError as error:
                    reason = str(error).partition(";")[0].removeprefix(str(run.path)).lstrip(" /")
                    written[run.path] = Sample(reason, written=False)
            if tally:
                tally(1)
    return written


def _sample_of(row: dict[str, Any], written: dict[Path, "Sample"]) -> dict[str, Any]:
    """Return what a row says of its sample where samples were written."""
    sample = written.get(Path(row["model"]))
    if sample is None:
        return {}
    return {"sample": sample.text} if sample.written else {"sample": None, "no_sample": sample.text}


def _draw(
    plot: Path,
    runs: Sequence["Compared"],
    written: dict[Path, "Sample"],
    prompt: str | None,
    notes: Sequence[str],
) -> None:
    from elman.display import talk
    from elman.errors import FolderError
    from elman.insight.comparison.picture import draw
    from elman.runs.compared import Shown
    from elman.storage.atomic import write_bytes
    from elman.text import cache_folder

    cache = cache_folder()
    shown = [Shown(run.name, run.row(), run.leak, run.curve(cache), written[run.path]) for run in runs]
    for run, drawn in zip(runs, shown, strict=True):
        if not drawn.curve:
            talk.print(f"warning: {run.path} has no curve: no validation yet, or its text left the cache")
    if not any(drawn.curve or drawn.row for drawn in shown):
        raise FolderError("none of these models has a validation or a result; expected something to draw")
    beginning = f"{prompt!r}" if prompt else "a new line"
    title = f"Samples: {SAMPLE_TOKENS} tokens after {beginning}, seed 0"
    write_bytes(plot, draw(shown, title, notes, plot.suffix))
    talk.print(f"drawn in {plot}")
