"""A page in, its snippets out, in order: Python to execute, and commands with what they print."""

import re
from pathlib import Path
from typing import NamedTuple

DOCS = Path(__file__).parents[2] / "docs"
FENCE = re.compile(
    r"^(?P<indent> *)```(?P<kind>python|console)[^\n]*\n(?P<body>.*?)^(?P=indent)```[ ]*$",
    re.MULTILINE | re.DOTALL,
)
OPENING = re.compile(r"^ *```(?:python|console)\b", re.MULTILINE)


class Snippet(NamedTuple):
    """One fenced block."""

    kind: str  # python or console
    line: int  # of the page, where its body starts
    body: str


class Command(NamedTuple):
    """One command of a console block."""

    words: str
    expected: list[str]  # lines of output; `...` stands for any lines


def snippets(page: Path) -> list[Snippet]:
    """Return the Python and console blocks of a page, indented ones (in answers) included."""
    text = page.read_text(encoding="utf-8")
    found = []
    for fence in FENCE.finditer(text):
        indent = len(fence["indent"])
        body = "".join(line[indent:] or "\n" for line in fence["body"].splitlines(keepends=True))
        found.append(Snippet(fence["kind"], text.count("\n", 0, fence.start("body")) + 1, body))
    assert len(found) == len(OPENING.findall(text)), f"{page}: a block is not closed at its own indent"
    return found


def commands(body: str) -> list[Command]:
    """Return the commands of a console block, each with the output that the page shows."""
    lines = body.replace("\\\n", " ").rstrip("\n").split("\n")  # a command may go on after a backslash
    assert lines[0].startswith("$ "), f"a console block starts with {lines[0]!r}, expected `$ elman ...`"
    starts = [place for place, line in enumerate(lines) if line.startswith("$ ")]
    spans = zip(starts, [*starts[1:], len(lines)], strict=True)
    return [Command(lines[start][2:], lines[start + 1 : stop]) for start, stop in spans]


def matches(expected: list[str], printed: list[str]) -> bool:
    """Say whether lines are those expected, where `...` stands for any number of lines."""
    pattern = "".join(r"(?:.*\n)*?" if line == "..." else re.escape(line) + r"\n" for line in expected)
    return re.fullmatch(pattern, "".join(f"{line}\n" for line in printed)) is not None
