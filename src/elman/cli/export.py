"""`elman export`: a model as files that run without torch."""

from pathlib import Path
from typing import Annotated

import typer

EXAMPLE = "Example: elman export models/book shipped --int8; elman generate shipped --int8"


def command(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="A model folder.", show_default=False)],
    folder: Annotated[
        Path | None,
        typer.Argument(metavar="DIR", help="Copy the model there, ready to ship.", show_default=False),
    ] = None,
    int8: Annotated[
        bool, typer.Option("--int8", help="Write the weights in 8 bits as well, and measure what that costs.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as one JSON object.")] = False,
) -> None:
    """Write a model as ONNX, to run without torch; training has done so already, but for 8 bits."""
    from elman.api import LanguageModel
    from elman.display import talk, working

    from .output import print_json

    loaded = LanguageModel.load(model)
    with working() as advance:
        cost = loaded.export(int8, advance)
    if folder is not None:
        loaded.save(folder)
    if cost is not None:
        bits, size = cost["bits_per_character"], cost["bytes"]
        talk.print(
            f"8 bits: {bits['int8']:.4f} bits per character where 32 bits reach {bits['fp32']:.4f} "
            f"({cost['cost']:+.4f}), {size['int8'] / 1e6:.1f} MB where they take {size['fp32'] / 1e6:.1f}"
        )
    where = folder or model
    talk.print(f"written to {where}; try: elman generate {where}{' --int8' if int8 else ''}", soft_wrap=True)
    if as_json:
        print_json({"model": str(where), "int8": cost})
