"""`elman trace`: every operation of a model on a text, with its real shapes."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from elman.insight.trace import Flow, Trace

EXAMPLE = "Example: elman trace char3 --text goo --svg goo.svg"


def command(
    name: Annotated[
        str, typer.Argument(metavar="RECIPE|MODEL", help="A recipe or a model folder.", show_default=False)
    ],
    text: Annotated[str, typer.Option(help="What the model reads.")] = "hello",
    batch: Annotated[int, typer.Option(min=1, help="Rows of that text side by side (B).")] = 1,
    values: Annotated[bool, typer.Option("--values", help="Show the numbers too.")] = False,
    svg: Annotated[Path | None, typer.Option(help="Draw the unrolled network into this file.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the trace as one JSON object.")] = False,
) -> None:
    """Show each operation with its shapes, for one step and for the sequence."""
    from elman.api import LanguageModel
    from elman.insight.drawing import draw
    from elman.lessons import trace_recipe
    from elman.storage.atomic import write_text

    from .output import data, print_json

    if Path(name).is_dir():
        traced = LanguageModel.load(name).trace(text, batch, values)
    else:
        traced = trace_recipe(name, text, batch, values)
    if svg is not None:
        write_text(svg, draw(traced))
    if as_json:
        print_json(traced.as_dict())
        return
    data.print("\n".join(_lines(traced)), soft_wrap=True)


def _lines(traced: "Trace") -> list[str]:
    sizes = [_size(shape) for shape in traced.path]
    outcome = f"{traced.predicted!r} ({traced.probability:.1%})"
    lines = [f"{' -> '.join([*sizes, 'softmax', 'argmax', outcome])}", ""]
    for flow in (*traced.steps, traced.sequence):
        lines += [flow.title, *_operations(flow), ""]
    states = traced.sequence.states
    lines.append(f"output of the last layer (T, B, H): {_size(traced.sequence.outputs)}")
    for part in dict.fromkeys(name.rpartition(" ")[2] for name in states):
        shapes = [shape for name, shape in states.items() if name.endswith(f" {part}")]
        lines.append(f"state {part} (L, B, H): {_size((len(shapes), *shapes[0]))}")
    return lines


def _operations(flow: "Flow") -> list[str]:
    lines = []
    for operation in flow.operations:
        shapes = f"{', '.join(map(_size, operation.inputs))} -> {_size(operation.output)}"
        outcome = f" {flow.predicted!r}" if operation.name == "argmax" else ""
        lines.append(f"  {operation.place:<17} {operation.name:<15} {shapes}{outcome}")
        if operation.values is not None:
            lines.append(f"  {'':<33} {_rounded(operation.values)}")
    return lines


def _rounded(values: object) -> str:
    if isinstance(values, list):
        return "[" + ", ".join(map(_rounded, values)) + "]"
    return f"{values:.3f}" if isinstance(values, float) else str(values)


def _size(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape)) or "1"
