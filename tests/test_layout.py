"""The shape of the package: the arrow of imports, and what works where torch is not installed."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

import elman

ROOT = Path(elman.__file__).parent
ORDER = (
    "errors",
    "packages",
    "engine",
    "progress",
    "signals",
    "text",
    "config",
    "recipes",
    "tokens",
    "batches",
    "cells",
    "recurrence",
    "model",
    "export",
    "training",
    "storage",
    "evaluation",
    "generation",
    "runs",
    "insight",
    "display",
    "lessons",
    "hub",
    "loading",
    "site",
    "api",
    "serve",
    "cli",
)
WITH_TORCH = {"cells", "recurrence", "model", "export", "training", "runs", "insight"}


def modules() -> list[tuple[str, Path]]:
    """Every module with the stage it belongs to, those of the package itself left out."""
    found = []
    for path in sorted(ROOT.rglob("*.py")):
        stage = path.relative_to(ROOT).parts[0].removesuffix(".py")
        if not stage.startswith("__"):
            found.append((stage, path))
    return found


def imports(path: Path, everywhere: bool) -> set[str]:
    """The absolute modules that a file imports: at its top, or everywhere in it."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = set()
    for node in ast.walk(tree) if everywhere else tree.body:
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names.add(node.module or "")
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 1, f"{path} imports from above its folder with dots"
    return names


def test_every_module_belongs_to_a_stage() -> None:
    assert {stage for stage, _ in modules()} == set(ORDER)
    assert len(modules()) > 60


def test_imports_point_up_the_line_of_stages() -> None:
    wrong = []
    for stage, path in modules():
        for name in imports(path, everywhere=True):
            used = name.split(".")[1] if name.startswith("elman.") else None
            if used in ORDER and ORDER.index(used) > ORDER.index(stage):
                wrong.append(f"{path.relative_to(ROOT)} uses {name}")
    assert wrong == []


def test_only_the_stages_that_compute_import_torch_at_the_top() -> None:
    users = {
        stage
        for stage, path in modules()
        if any(n.split(".")[0] == "torch" for n in imports(path, everywhere=False))
    }
    assert users == WITH_TORCH


def test_files_fit_three_screens() -> None:
    long = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for _, path in modules()}
    assert {name: lines for name, lines in long.items() if lines > 300} == {}


WITHOUT_TORCH = """
import sys
sys.modules["torch"] = None    # any import of torch fails from here on
import importlib, pkgutil
import elman
for stage in {stages}:
    module = importlib.import_module("elman." + stage)
    for found in pkgutil.iter_modules(getattr(module, "__path__", []), "elman." + stage + "."):
        importlib.import_module(found.name)
importlib.import_module("elman.runs.preparation")
print("ok")
"""


def test_all_other_stages_work_where_torch_is_not_installed() -> None:
    stages = [stage for stage in ORDER if stage not in WITH_TORCH]
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_TORCH.format(stages=stages)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "ok\n", done.stderr


@pytest.mark.parametrize("arguments", [["train", "x.txt"], ["trace", "char3", "--text", "goo"]])
def test_a_command_that_needs_torch_says_what_to_install(arguments: list[str], tmp_path: Path) -> None:
    """An import hook hides torch, as an environment without it would."""
    (tmp_path / "sitecustomize.py").write_text(
        "import importlib.util as u\n"
        "find = u.find_spec\n"
        "u.find_spec = lambda name, package=None: None if name == 'torch' else find(name, package)\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "elman", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
    )
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert 'pip install "elman[train]"' in done.stderr
