"""Options that all commands share that run a model."""

from typing import Annotated

import typer

Engine = Annotated[
    str | None,
    typer.Option(help="onnx (ONNX Runtime, without torch) or torch.", show_default="onnx, where written"),
]
Int8 = Annotated[bool, typer.Option("--int8", help="Run in 8 bits, as elman export --int8 has written it.")]
