"""`make docs`: rewrite what follows from the code: settings.md, commands.md, the pictures of the models."""

import os
import subprocess
import sys
from pathlib import Path

from elman.config import describe_settings
from elman.insight.drawing import draw
from elman.lessons import trace_recipe
from elman.recipes import CONDITIONS, load_recipe, recipe_names

DOCS = Path(__file__).parent
COMMANDS = (
    "",
    "train",
    "generate",
    "fill",
    "evaluate",
    "score",
    "compare",
    "inspect",
    "export",
    "push",
    "serve",
    "recipes",
    "trace",
)

PICTURES = {  # recipe -> the text that its network reads in docs/pictures/RECIPE.svg
    "char3": "goo",
    "char-seq-rnn": "hello",
    "hello-cell": "hello",
    "hello-embedding": "hello",
    "lyrics-rnn": "goo",
    "lyrics-deep-lstm": "goo",
    "lyrics-bi-gru": "goo",
    "rnn-model": "goo",
    "fill": "hello",
}

OWN_RECIPE = """
## A recipe of your own

Settings in a TOML file: `elman train book.txt --recipe mine.toml`. Each `[[when]]` changes model or train
settings for texts of some sizes, or where some time is asked for; all that match apply, in order.

```toml
description = "a small GRU; with an hour, a larger one"

[model]
cell = "gru"
hidden_size = 256

[train]
minutes = 5.0

[[when]]
minutes_from = 60
model = {{ hidden_size = 768, dropout = 0.4 }}
```

A condition is one of {conditions}: tokens of the training part, different ones among them, minutes asked for.
"""


def settings_page() -> str:
    """Return the table of all settings and the recipes."""
    rows = [f"| `{name}` | {value} | {description} |" for name, value, description in describe_settings()]
    recipes = [f"- `{name}`: {load_recipe(name).description}" for name in recipe_names()]
    return "\n".join(
        [
            "# Settings",
            "",
            "The same names in `--set KEY=VALUE`, in a recipe's TOML file and in config.json.",
            "The values here hold where neither the recipe nor the user says otherwise;",
            "`elman recipes NAME` shows those of a recipe.",
            "",
            "| setting | value | meaning |",
            "| --- | --- | --- |",
            *rows,
            "",
            "## Recipes",
            "",
            *recipes,
            "",
            OWN_RECIPE.format(conditions=", ".join(f"`{name}`" for name in CONDITIONS)).strip(),
            "",
        ]
    )


def commands_page() -> str:
    """Return what `--help` prints for every command."""
    plain = {**os.environ, "COLUMNS": "100", "NO_COLOR": "1", "TERM": "dumb"}
    sections = ["# Commands", ""]
    for command in COMMANDS:
        arguments = [sys.executable, "-m", "elman", *command.split(), "--help"]
        text = subprocess.run(arguments, capture_output=True, text=True, check=True, env=plain).stdout
        lines = [line.rstrip() for line in text.splitlines()]
        sections += [
            f"## elman {command}".rstrip(),
            "",
            "```text",
            *[line for line in lines if line],
            "```",
            "",
        ]
    return "\n".join(sections)


def picture(recipe: str) -> str:
    """Return the unrolled network of a recipe, drawn from a real run."""
    return draw(trace_recipe(recipe, PICTURES[recipe]))


PAGES = {"settings.md": settings_page, "commands.md": commands_page}

if __name__ == "__main__":
    for name, page in PAGES.items():
        (DOCS / name).write_text(page(), encoding="utf-8")
    for recipe in PICTURES:
        (DOCS / "pictures" / f"{recipe}.svg").write_text(picture(recipe), encoding="utf-8")
