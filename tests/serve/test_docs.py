"""The page about the server: its examples run as they stand, and its tables are those of the code."""

import inspect
import json
import re
import subprocess
from pathlib import Path

import pytest

from elman import LanguageModel
from elman.cli.serve import command
from elman.serve import Limits
from elman.serve.messages import CompletionRequest, Message, ScoreRequest, StateRequest

from .conftest import running

PAGE = (Path(__file__).parents[2] / "docs" / "stages" / "serve.md").read_text(encoding="utf-8")
CURL = (
    'curl() { command curl --silent --show-error --fail-with-body "${@//localhost:8000/$ADDRESS}"; echo; }\n'
)


def rows(heading: str) -> list[list[str]]:
    """Return the rows of the table below a heading."""
    _, _, below = PAGE.partition(f"{heading}\n")
    table = re.search(r"(?:^\|.*\n)+", below, re.MULTILINE)
    assert table
    lines = table[0].splitlines()[2:]
    return [[cell.strip().strip("`") for cell in line.strip("|").split("|")] for line in lines]


def test_the_examples_run_as_they_stand(model: LanguageModel) -> None:
    blocks = re.findall(r"^```sh\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    with running({"plays": model}, Limits()) as server:
        done = subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", CURL + "".join(blocks)],
            capture_output=True,
            text=True,
            check=False,
            env={"ADDRESS": server.url.removeprefix("http://"), "PATH": "/usr/bin:/bin"},
        )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert len(blocks) == 5
    assert done.stdout.count("data: [DONE]") == 1
    assert re.findall(r'"deleted": ?true', done.stdout)


@pytest.mark.parametrize(
    ("address", "form"),
    [("completions", CompletionRequest), ("score", ScoreRequest), ("states", StateRequest)],
)
def test_the_table_of_an_address_has_each_field_as_the_code_has_it(address: str, form: type[Message]) -> None:
    def default(name: str) -> str:
        field = form.model_fields[name]
        if field.is_required():
            return "needed"
        return json.dumps(getattr(form.model_construct(), name), default=dict)

    expected = [[name, field.description, default(name)] for name, field in form.model_fields.items()]
    assert [row[:3] for row in rows(f"### `POST /v1/{address}`")] == expected


def test_the_limits_are_those_of_the_command() -> None:
    options = inspect.signature(command).parameters
    named = {option: default for _, option, default, _ in rows("## Limits")}
    assert named == {name: f"{options[name[2:].replace('-', '_')].default:g}" for name in named}
    others = {"models", "host", "port", "api_key", "int8"}
    assert {name[2:].replace("-", "_") for name in named} == set(options) - others
