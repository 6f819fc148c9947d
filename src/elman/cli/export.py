"""`elman export`: a model as files that run without torch, and as a page that runs it in a browser."""

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
    to: Annotated[
        str | None,
        typer.Option(
            metavar="web", help="Write DIR as a page that runs the model in a browser, with no server."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as one JSON object.")] = False,
) -> None:
    """Write a model as ONNX, to run without torch; training has done so already, but for 8 bits."""
    from elman.api import LanguageModel
    from elman.display import talk, working
    from elman.storage.atomic import refuse_unless_free

    from .output import print_json

    if folder is not None:
        refuse_unless_free(folder)
    if to is not None:
        _write_site(model, folder, to, int8)
        talk.print(f"written to {folder}; look at it: python -m http.server -d {folder}", soft_wrap=True)
        if as_json:
            print_json({"model": str(model), "site": str(folder)})
        return
    loaded = LanguageModel.load(model, "torch")  # whatever the graph is that is there
    with working() as advance:
        cost = loaded.export(int8, advance)
    if folder is not None:
        loaded.save(folder)
    if cost is not None:
        bits, size = cost["bits_per_character"], cost["bytes"]
        talk.print(
            f"8 bits: {bits['int8']:.4f} bits per character where 32 bits reach {bits['fp32']:.4f} "
            f"({cost['cost']:+z.4f}), {size['int8'] / 1e6:.1f} MB where they take {size['fp32'] / 1e6:.1f}"
        )
    where = folder or model
    talk.print(f"written to {where}; try: elman generate {where}{' --int8' if int8 else ''}", soft_wrap=True)
    if as_json:
        print_json({"model": str(where), "int8": cost})


def _write_site(model: Path, folder: Path | None, to: str, int8: bool) -> None:
    """Write the page, and first model.onnx where the model folder has no whole one of its weights."""
    from elman.api import LanguageModel
    from elman.errors import DamagedFileError, MissingGraphError, RequestError
    from elman.site import write_site
    from elman.storage import ModelFolder

    if to != "web":
        raise RequestError(f"--to is {to!r}, expected web; leave it out to write ONNX alone")
    if folder is None:
        raise RequestError(
            "--to web needs a folder to write, found none; name it: elman export MODEL DIR --to web"
        )
    if int8:
        raise RequestError("--to web runs 32 bits, which browsers run faster, found --int8; leave it out")
    opened = ModelFolder(model)
    opened.read_config()
    try:
        opened.read_graph()
    except (MissingGraphError, DamagedFileError):
        LanguageModel.load(model, "torch").export()
    write_site(opened, folder)
