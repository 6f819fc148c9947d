"""`elman recipes`: the named settings."""

from typing import Annotated

import typer

EXAMPLE = "Example: elman recipes default"


def command(
    name: Annotated[
        str | None, typer.Argument(help="Show all settings of this one.", show_default=False)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the recipes, or show every setting of one."""
    from rich.table import Table

    from elman.config import describe_settings, settings_from
    from elman.recipes import TYPICAL, load_recipe, recipe_names

    from .output import data, print_json

    if name is None:
        rows = [(shipped, load_recipe(shipped).description) for shipped in recipe_names()]
        content: object = dict(rows)
    else:
        recipe = load_recipe(name)
        settings = settings_from(recipe.layers(*TYPICAL))
        rows = [(f"{key} = {value}", description) for key, value, description in describe_settings(settings)]
        content = settings.model_dump(mode="json")
    if as_json:
        print_json(content)
        return
    table = Table(box=None, pad_edge=False, show_header=False)
    for row in rows:
        table.add_row(*row)
    if name is not None:
        data.print(f"{recipe.description}\n")
        if recipe.cases:
            data.print("For a text of a million tokens; other sizes, and other times, get other values:\n")
    data.print(table)
