"""What all commands share that run a model."""

from pathlib import Path
from typing import Annotated

import typer

Model = Annotated[
    Path, typer.Argument(metavar="MODEL", help="A model folder, or hf:OWNER/NAME.", show_default=False)
]
Engine = Annotated[
    str | None,
    typer.Option(help="onnx (ONNX Runtime, without torch) or torch.", show_default="onnx, where written"),
]
Int8 = Annotated[bool, typer.Option("--int8", help="Run in 8 bits, as elman export --int8 has written it.")]
