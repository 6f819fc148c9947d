"""What people see on standard error while work goes on: progress bars, the events of a run, a score.

A pipe gets lines without bars or colours. What the user wrote is shown as it is, never read as markup.
"""

import math
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from signal import SIGINT, SIGTERM
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from elman.generation import GAP
from elman.progress import Advance
from elman.signals import asking_first

if TYPE_CHECKING:
    from elman.runs.events import Started, Stepped, Validated
    from elman.runs.pair import Attempt, PairRun
    from elman.runs.run import Run

# Lines are folded between words in a terminal, and not at all in a pipe.
talk = Console(stderr=True, highlight=False, markup=False, soft_wrap=not sys.stderr.isatty())
FIGURES = (
    "{task.percentage:>3.0f}%  step {task.fields[step]:,}  {task.fields[nats]:.3f} nats  "
    "ppl {task.fields[perplexity]:.2f}  {task.fields[bits]:.3f} bits/char  {task.fields[speed]:,.0f} tok/s"
)


@contextmanager
def working() -> Iterator[Advance]:
    """Show what is being done and how far it is: gives an `elman.progress.Advance`."""
    columns = (
        TextColumn("{task.description:<10}"),
        BarColumn(),
        TextColumn("{task.completed:,.0f}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=talk, transient=True, disable=not sys.stderr.isatty()) as progress:
        tasks: dict[str, Any] = {}

        def advance(work: str, done: int, total: int | None = None) -> None:
            if work not in tasks:
                tasks[work] = progress.add_task(work, total=total)
            progress.advance(tasks[work], done)

        yield advance


def follow(run: "Run") -> bool:
    """Run to the end with live progress; return False where Ctrl-C or SIGTERM came first."""
    from elman.runs.events import Started, Stepped, Stopped, Validated

    def stop() -> None:
        run.stop = True

    _show_preparation(run)
    begun = run.trainer.step
    # Ctrl-C and SIGTERM end the run after the step that is being done
    with asking_first(stop, SIGINT, SIGTERM), _Bar(run) as bar:
        for event in run.events():
            match event:
                case Started():
                    _show_start(run, event)
                case Stepped():
                    bar.show(event)
                case Validated():
                    _show_validation(event)
                case Stopped(finished=False):
                    return False
                case Stopped():
                    talk.print(f"{event.reason} after {run.trainer.step:,} steps")
                    if run.trainer.step == begun:
                        talk.print("nothing was left to do; a larger budget trains it longer")
    return True


def follow_pair(run: "PairRun") -> "Attempt":
    """Learn a pair to the end, showing what it predicts as that changes; return the last attempt."""
    shown, attempt = "", None
    for attempt in run.attempts():
        if attempt.predicted != shown:
            shown = attempt.predicted
            talk.print(f"step {attempt.step:>4}  loss {attempt.nats:.4f}  {run.source!r} -> {shown!r}")
    assert attempt is not None, "every budget has a step"
    outcome = "learned" if attempt.predicted == run.target else f"not learned, expected {run.target!r}"
    talk.print(f"{run.source!r} -> {attempt.predicted!r} after {attempt.step} steps: {outcome}")
    return attempt


def show_score(evaluation: dict[str, Any]) -> None:
    """Show a score beside its baselines, best first, and what it means."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("")
    table.add_column("bits per byte", justify="right")
    rows = [("this model", evaluation["bits_per_byte"]), *evaluation["baselines"].items()]
    for name, bits in sorted(rows, key=lambda row: row[1]):
        table.add_row(name, f"{bits:.3f}", style="bold green" if name == "this model" else "")
    scored, there = evaluation["characters"], evaluation["of_characters"]
    size = f"{scored:,} characters" if scored == there else f"the first {scored:,} of {there:,} characters"
    talk.print(
        f"{evaluation['part']}: {evaluation['nats_per_token']:.4f} nats per token, "
        f"perplexity {evaluation['perplexity']:.2f}, "
        f"{evaluation['bits_per_character']:.3f} bits per character, "
        f"{evaluation['bits_per_byte']:.3f} bits per byte ({size})"
    )
    talk.print(table)
    for sentence in evaluation["verdict"]:
        talk.print(sentence)
    if "dynamic" in evaluation:
        talk.print(dynamic_sentence(evaluation["dynamic"]))
    if "copied" in evaluation:
        talk.print(f"copied: {copied_sentence(evaluation['copied'])}")


def dynamic_sentence(score: dict[str, Any]) -> str:
    """Say what a model is worth that learns from the text as it is scored."""
    return (
        f"dynamic evaluation, learning from each few tokens after they are scored: "
        f"{score['nats_per_token']:.4f} nats per token, {score['bits_per_byte']:.3f} bits per byte"
    )


def copied_sentence(copied: dict[str, Any]) -> str:
    """Say how much of a sample stands in the training part."""
    return (
        f"{copied['share']:.1%} of a sample of {copied['sample_tokens']:,} tokens stands in the training "
        f"part in runs of {copied['run']} characters or more; the longest run has {copied['longest']:,}"
    )


class _Bar:
    """One line: how much of the budget is used up, a running mean of the loss, speed, time left."""

    def __init__(self, run: "Run") -> None:
        tokens = len(run.preparation.tokens.parts["train"])
        self._characters_per_token = run.preparation.part("train").stop / max(1, tokens)
        self._mean: float | None = None
        columns = (
            BarColumn(bar_width=None),
            TextColumn(FIGURES),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
        )
        self._bars = Progress(*columns, console=talk, disable=not sys.stderr.isatty())
        step = run.trainer.step
        self._task = self._bars.add_task(
            "", total=1.0, step=step, nats=0.0, perplexity=0.0, bits=0.0, speed=0.0
        )

    def __enter__(self) -> "_Bar":
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def show(self, stepped: "Stepped") -> None:
        """Move on by one step."""
        progress = stepped.progress
        self._mean = progress.nats if self._mean is None else 0.95 * self._mean + 0.05 * progress.nats
        self._bars.update(
            self._task,
            completed=progress.done,
            step=progress.step,
            nats=self._mean,
            perplexity=math.exp(min(self._mean, 700.0)),
            bits=self._mean / math.log(2) / self._characters_per_token,
            speed=stepped.tokens_per_second,
        )


def _show_preparation(run: "Run") -> None:
    text, settings, tokenizer = run.preparation.text, run.settings, run.preparation.tokens.tokenizer
    talk.print(
        f"{text.characters:,} characters, split {settings.split}; "
        f"{tokenizer.size:,} {settings.tokenizer} tokens in the vocabulary"
    )
    unknown = dict.fromkeys(
        piece for prompt in settings.train.prompts for piece in tokenizer.unknown_pieces(prompt)
    )
    if settings.model.two_stream:
        unknown.pop(GAP, None)
    if unknown:
        talk.print(f"warning: not in the training part, read as <unk>: {', '.join(map(repr, unknown))}")


def _show_start(run: "Run", started: "Started") -> None:
    model, precision, recurrence = run.settings.model, started.precision, started.recurrence
    processes = f" in {started.processes} processes" if started.processes > 1 else ""
    talk.print(
        f"{model.cell} {model.layers} x {model.hidden_size}, {started.parameters:,} parameters, "
        f"on {started.device}{processes}; precision {precision.name}: {precision.reason}; "
        f"recurrence {recurrence.name}: {recurrence.reason}"
    )
    for damaged in started.damaged:
        talk.print(f"warning: {damaged}; the previous good state is used, and the file written anew")
    if started.step:
        talk.print(f"going on from step {started.step:,}")


def _show_validation(validated: "Validated") -> None:
    mark = "  best so far" if validated.best else ""
    talk.print(
        f"step {validated.step:,}: quick validation {validated.nats_per_token:.4f} nats per token{mark}"
    )
    for prompt, sample in validated.samples.items():
        talk.print(f"  {prompt!r} -> {sample!r}")
