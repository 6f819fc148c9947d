"""Every snippet of the book runs: Python in one namespace a page, commands with the output that is shown.

A page's snippets run in order, in an empty folder that holds the start of two texts. Training is cut to
three steps, and the sample in which copies are looked for to a hundred tokens; what a page claims about
longer runs is measured by the benchmarks and by docs/measured.py.
"""

import io
import re
import shlex
import sys
import warnings
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from elman.cli import main

from .pages import DOCS, FENCE, OPENING, Command, commands, matches, snippets

TEXTS = {"quatrains.txt": "quatrains", "shakespeare.txt": "tinyshakespeare"}  # name -> fixture
CHARACTERS = 20_000
BUDGET = re.compile(r"--(?:minutes|steps|epochs)[ =]\S+")


def different_pages() -> list[Path]:
    """Return the pages with snippets; of a page and its translation with the same ones, the first."""
    found: dict[object, Path] = {}
    for page in sorted(DOCS.rglob("*.md")):
        text = page.read_text(encoding="utf-8")
        if OPENING.search(text):
            found.setdefault(tuple(fence["body"] for fence in FENCE.finditer(text)), page)
    return list(found.values())


@pytest.mark.parametrize("page", different_pages(), ids=lambda page: str(page.relative_to(DOCS)))
def test_the_snippets_of_a_page_run_and_print_what_it_shows(
    page: Path, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = page.read_text(encoding="utf-8")
    for name, fixture in TEXTS.items():
        if name in text:
            whole: Path = request.getfixturevalue(fixture)
            start = whole.read_text(encoding="utf-8")[:CHARACTERS]
            (tmp_path / name).write_text(start, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("elman.runs.copies.SAMPLE_TOKENS", 100)
    namespace: dict[str, object] = {"__name__": "page"}
    for snippet in snippets(page):
        if snippet.kind == "python":
            placed = "\n" * (snippet.line - 1) + snippet.body  # so that a traceback names the page's line
            exec(compile(placed, str(page), "exec"), namespace)
        else:
            for command in commands(snippet.body):
                _check(command, f"{page}:{snippet.line}", monkeypatch)


def test_every_page_of_the_learner_has_python_commands_and_answers() -> None:
    pages = sorted((DOCS / "learn").glob("*.md"))
    assert len(pages) == 11
    for page in pages:
        kinds = {snippet.kind for snippet in snippets(page)}
        assert kinds == {"python", "console"}, f"{page.name} has only {kinds}"
        assert page.read_text(encoding="utf-8").count('??? note "Answer') == 3, page.name


def test_the_program_from_scratch_has_less_than_a_hundred_lines_and_no_layer_of_torch() -> None:
    program = max((s.body for s in snippets(DOCS / "learn" / "scratch.md")), key=len)
    assert 50 < len(program.splitlines()) < 100
    assert "nn.Module" not in program
    assert "nn.RNN" not in program


def test_output_matches_line_by_line_with_dots_for_any_lines() -> None:
    assert matches(["a", "...", "d"], ["a", "b", "c", "d"])
    assert matches(["a", "...", "b"], ["a", "b"])
    assert not matches(["a", "...", "d"], ["a", "b", "c"])
    assert not matches(["a"], ["a", "b"])
    assert not matches(["a.b"], ["acb"])


def _check(command: Command, place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run a command as a terminal would; where the page shows an error, it has to be refused so."""
    words = shlex.split(_shortened(command.words))
    assert words[0] == "elman", f"{place}: {command.words!r} is no command of elman"
    monkeypatch.setattr(sys, "argv", words)
    out, talk = io.StringIO(), io.StringIO()
    with warnings.catch_warnings(), redirect_stdout(out), redirect_stderr(talk):
        warnings.simplefilter("default")
        with pytest.raises(SystemExit) as ended:
            main()
    refused = any(line.startswith("elman: ") for line in command.expected)
    assert ended.value.code in ((2,) if refused else (0, None)), (
        f"{place}: {command.words}\n{talk.getvalue()}"
    )
    printed = [line.rstrip() for line in (talk if refused else out).getvalue().splitlines()]
    if command.expected:
        shown = matches(command.expected, printed)
        assert shown, f"{place}: {command.words} printed\n" + "\n".join(printed)


def _shortened(words: str) -> str:
    """Return a training command with three steps and one validation; pairs such as hello run in full."""
    if not words.startswith("elman train") or "--recipe hello" in words:
        return words
    return f"{BUDGET.sub('', words)} --steps 3 --set train.evaluate_every=3"
