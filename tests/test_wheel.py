"""The built wheel in a clean environment: what needs no torch works, and what needs it says what to
install.
"""

import json
import math
import re
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest

from elman import LanguageModel

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
    subprocess.run([*install, f"{wheel}[serve]"], check=True, capture_output=True)
    return folder / "venv" / "bin"


def run(environment: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(environment / "elman"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=environment)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained")
    (folder / "text.txt").write_text("".join(f"{n} plus one is {n + 1}.\n" for n in range(700)))
    settings = {"model.hidden_size": 32, "model.embedding_size": 16}
    LanguageModel.train(folder / "text.txt", out=folder / "model", steps=40, settings=settings).export(
        int8=True
    )
    return folder / "model"


@pytest.mark.slow
def test_the_wheel_has_no_torch_and_says_what_to_install_where_it_is_needed(environment: Path) -> None:
    missing = subprocess.run(
        [str(environment / "python"), "-c", "import torch"], capture_output=True, check=False
    )
    assert missing.returncode == 1
    assert "train" in run(environment, "--help").stdout
    assert "learning_rate" in run(environment, "recipes", "default").stdout
    done = run(environment, "train")
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.endswith('pip install "elman[train]"')


@pytest.mark.slow
@pytest.mark.parametrize("int8", [False, True])
def test_a_trained_folder_writes_and_scores_without_torch(
    environment: Path, trained: Path, int8: bool
) -> None:
    model = LanguageModel.load(trained, int8=int8)
    small = ["--int8"] if int8 else []
    written = run(environment, "generate", str(trained), "7 plus", "-n", "80", "--seed", "3", *small)
    assert written.stdout == "7 plus" + model.generate("7 plus", 80, seed=3) + "\n", written.stderr
    scored = json.loads(run(environment, "score", str(trained), "7 plus", "--json", *small).stdout)
    expected = sum(token.nats for token in model.score("7 plus")) / math.log(2)
    assert scored["bits"] == pytest.approx(expected, rel=1e-6)
    evaluated = run(environment, "evaluate", str(trained), "--json", *small)
    assert json.loads(evaluated.stdout)["nats_per_token"] == model.evaluate()["nats_per_token"]
    by_torch = run(environment, "generate", str(trained), "7", "--engine", "torch")
    assert by_torch.returncode == 2
    assert 'pip install "elman[train]"' in by_torch.stderr


@pytest.mark.slow
def test_a_trained_folder_is_served_and_becomes_a_site_without_torch(
    environment: Path, trained: Path, tmp_path: Path
) -> None:
    model = LanguageModel.load(trained)
    site = run(environment, "export", str(trained), str(tmp_path / "site"), "--to", "web")
    assert site.returncode == 0, site.stderr
    assert {"index.html", "model.onnx", "site.json", "tokenizer.json"} < {
        path.name for path in (tmp_path / "site").iterdir()
    }
    command = [str(environment / "elman"), "serve", str(trained), "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr is not None
        (address,) = re.findall(r"http://\S+:\d+", server.stderr.readline())
        asked = {"model": "model", "prompt": "7 plus", "max_tokens": 60, "seed": 5}
        answer = httpx2.post(f"{address}/v1/completions", json=asked, trust_env=False, timeout=30)
        page = httpx2.get(f"{address}/", trust_env=False, timeout=30)
        server.terminate()
        assert server.wait(30) == 0
    assert answer.json()["choices"][0]["text"] == model.generate("7 plus", 60, seed=5)
    assert "<title>" in page.text
