"""The built wheel in a clean environment: what needs no torch works, and what needs it says what to
install.
"""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True)
    (wheel,) = folder.glob("elman-*.whl")
    subprocess.run([sys.executable, "-m", "venv", str(folder / "venv")], check=True)
    install = [
        str(folder / "venv" / "bin" / "python"),
        "-m",
        "pip",
        "install",
        "--quiet",
        "-c",
        str(ROOT / "constraints.txt"),
    ]
    subprocess.run([*install, str(wheel)], check=True, capture_output=True)
    return folder / "venv" / "bin"


def run(environment: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(environment / "elman"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=environment)


@pytest.mark.slow
def test_the_wheel_without_torch_helps_lists_recipes_and_says_what_to_install(environment: Path) -> None:
    missing = subprocess.run(
        [str(environment / "python"), "-c", "import torch"], capture_output=True, check=False
    )
    assert missing.returncode == 1
    assert "train" in run(environment, "--help").stdout
    assert "learning_rate" in run(environment, "recipes", "default").stdout
    for arguments in (["train"], ["generate", "model"], ["evaluate", "model"], ["score", "model", "x"]):
        done = run(environment, *arguments)
        assert done.returncode == 2
        (line,) = done.stderr.splitlines()
        assert line.endswith('pip install "elman[train]"')
