"""`elman inspect`: a report on what happens inside a model as it reads a text."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .engines import Model

if TYPE_CHECKING:
    from elman.api import LanguageModel

EXAMPLE = "Example: elman inspect models/book chapter.txt -o report.html"
SAMPLES, SAMPLE_TOKENS = 3, 300
CHARACTERS_AT_MOST = 1_000_000  # read of a file: more than any number of tokens that a page can show


def command(
    model: Model,
    text: Annotated[
        str, typer.Argument(help="The text itself, a file, or - for standard input.", show_default=False)
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="The HTML file to write.")] = Path("report.html"),
    tokens: Annotated[int, typer.Option(help="How many tokens of the text are read.")] = 5000,
    encoding: Annotated[
        str | None, typer.Option(help="Character encoding of a file.", show_default="the model's own text's")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print what was measured as one JSON object.")
    ] = False,
) -> None:
    """Look inside a model as it reads a text: surprise, units, gates, memory; one HTML file."""
    from elman.packages import require

    require("a report", "torch", "jinja2")
    from elman.api import LanguageModel
    from elman.display import talk
    from elman.errors import RequestError
    from elman.insight.report import describe, render
    from elman.storage.atomic import write_text
    from elman.text import cache_folder, find_sources, first_characters, read_text

    from .output import print_json

    if out.is_dir():
        raise RequestError(f"{out} is a folder, expected the name of a file; do: -o {out / 'report.html'}")
    loaded = LanguageModel.load(model)
    if text == "-" or os.path.isfile(text):
        sources = find_sources([text], spool=cache_folder() / "pipes")
        chunks = read_text(sources, encoding or loaded.settings.encoding)
        text = "".join(first_characters(chunks, CHARACTERS_AT_MOST))
    seen = loaded.inspect(text, tokens)
    samples, none = _samples(loaded)
    name = model.resolve().name
    about = describe(name, loaded.config, loaded.result, loaded.folder.metrics.read(), samples, none)
    write_text(out, render(seen, about))
    if as_json:
        print_json({"model": str(model), "report": str(out), **seen.as_dict(), "samples": samples})
    talk.print(f"the report is in {out}")


def _samples(loaded: "LanguageModel") -> tuple[list[str], str]:
    """Return what the model writes from the first few seeds, or why it writes nothing."""
    from elman.errors import ElmanError

    try:
        return [loaded.generate(length=SAMPLE_TOKENS, seed=seed) for seed in range(SAMPLES)], ""
    except ElmanError as error:
        return [], str(error)
