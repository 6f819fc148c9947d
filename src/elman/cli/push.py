"""`elman push`: a model to a Hugging Face repository."""

from pathlib import Path
from typing import Annotated

import typer

EXAMPLE = "Example: elman push models/book hf:me/book; elman generate hf:me/book"


def command(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="A model folder.", show_default=False)],
    repository: Annotated[str, typer.Argument(metavar="hf:OWNER/NAME", show_default=False)],
    private: Annotated[bool, typer.Option("--private", help="Make a new repository private.")] = False,
) -> None:
    """Write a model to a Hugging Face repository, with the token in HF_TOKEN."""
    from elman.display import talk
    from elman.hub import push
    from elman.storage import ModelFolder

    address = push(ModelFolder(model), repository, private)
    talk.print(f"pushed to {address}; try: elman generate {repository}", soft_wrap=True)
