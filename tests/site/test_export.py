"""`elman export --to web`: what it writes, and what it refuses."""

import json
import re
import shutil
import subprocess
import sys
import zlib
from pathlib import Path

import pytest

from elman import LanguageModel
from elman.errors import ExportError, LeakError
from elman.site import write, write_site

WEB = Path(__file__).parents[2] / "web"
SMALL = {"model.hidden_size": 16, "train.batch_size": 4, "train.window": 16, "train.precision": "fp32"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("export")
    (made / "text.txt").write_text("the cat sat on a mat.\n" * 200)
    LanguageModel.train(made / "text.txt", out=made / "book", steps=20, settings=SMALL)
    return made


def export(folder: Path, *arguments: str, hidden: str = "") -> subprocess.CompletedProcess[str]:
    """Run the command in a folder; an import of the hidden package fails."""
    program = f"import sys; sys.modules[{hidden!r}] = None; from elman.cli import main; main()"
    command = [sys.executable, "-c", program, "export", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_the_folder_holds_the_page_the_model_and_what_the_page_needs_to_know(folder: Path) -> None:
    done = export(folder, "book", "site", "--to", "web", "--json", hidden="torch")
    assert done.returncode == 0, done.stderr
    assert done.stderr == "written to site; look at it: python -m http.server -d site\n"
    assert json.loads(done.stdout) == {"model": "book", "site": "site"}
    site, model = folder / "site", LanguageModel.load(folder / "book")
    assert model.result is not None
    files = {name: (folder / "book" / name).read_bytes() for name in ("model.onnx", "tokenizer.json")}
    assert json.loads((site / "site.json").read_text()) == {
        "backend": "local",
        "name": "book",
        "about": "lstm 1x16, character",
        "bits_per_character": model.result["validation"]["bits_per_character"],
        "tokenizer": "character",
        "unknown": 0,
        "opening": "\n",
        "states": [16, 16],
        "files": {name: {"bytes": len(data), "crc32": zlib.crc32(data)} for name, data in files.items()},
    }
    for name, data in files.items():
        assert (site / name).read_bytes() == data
    page = {path.relative_to(write.PAGE) for path in write.PAGE.rglob("*")}
    assert {path.relative_to(site) for path in site.rglob("*")} == page | {Path(name) for name in files}


def test_the_licences_of_what_the_page_holds_stand_beside_it(folder: Path, tmp_path: Path) -> None:
    """Those of the packages that the build puts into the page, in the versions that are installed."""
    write_site(LanguageModel.load(folder / "book").folder, tmp_path / "site")
    notices = (tmp_path / "site" / "NOTICES.txt").read_text()
    packages = json.loads((WEB / "package.json").read_text())["dependencies"]
    assert packages == {"onnxruntime-web": "1.30.0"}
    for name in (*packages, "onnxruntime-common"):
        package = json.loads((WEB / "node_modules" / name / "package.json").read_text())
        assert package["license"] == "MIT"
        assert f"{name} {package['version']}" in notices
    assert "MIT License\n\nCopyright (c) Microsoft Corporation\n\nPermission is hereby granted" in notices
    assert 'THE SOFTWARE IS PROVIDED "AS IS"' in notices
    (wasm,) = (tmp_path / "site" / "assets").glob("*.wasm")
    compiled = {name.decode() for name in re.findall(rb"/_deps/([a-z0-9_]+)-src/", wasm.read_bytes())}
    assert compiled == {"abseil_cpp", "onnx", "protobuf", "re2"}
    for name in ("Abseil", "ONNX", "protobuf", "RE2", "Eigen", "FlatBuffers", "nlohmann/json"):
        assert re.search(rf"^{name}\b", notices, re.MULTILINE), name


def test_a_model_without_a_graph_gets_one_first(folder: Path) -> None:
    shutil.copytree(folder / "book", folder / "bare")
    (folder / "bare" / "model.onnx").unlink()
    done = export(folder, "bare", "from-bare", "--to", "web")
    assert done.returncode == 0, done.stderr
    graph = (folder / "book" / "model.onnx").read_bytes()
    assert (folder / "from-bare" / "model.onnx").read_bytes() == graph


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["book", "taken", "--to", "web"], "taken is taken, expected a name that is free or an empty folder"),
        (["book", "text.txt", "--to", "web"], "text.txt is taken"),
        (["book", "--to", "web"], "--to web needs a folder to write, found none"),
        (["book", "new", "--to", "web", "--int8"], "--to web runs 32 bits"),
        (["book", "new", "--to", "phone"], "--to is 'phone', expected web"),
        (["nothing", "new", "--to", "web"], "no model folder nothing"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(folder: Path, arguments: list[str], said: str) -> None:
    (folder / "taken").mkdir(exist_ok=True)
    (folder / "taken" / "note.txt").write_text("mine")
    done = export(folder, *arguments)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"elman: {said}")
    assert not (folder / "new").exists()
    assert [path.name for path in (folder / "taken").iterdir()] == ["note.txt"]


def test_a_page_that_is_not_built_is_asked_for(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(write, "PAGE", tmp_path / "page")
    with pytest.raises(ExportError, match=r"the page is not built, expected it in .*; do: make web"):
        write_site(LanguageModel.load(folder / "book").folder, tmp_path / "site")
    assert not (tmp_path / "site").exists()


def test_models_that_do_not_write_on_are_refused(folder: Path, tmp_path: Path) -> None:
    fills = LanguageModel.train(
        folder / "text.txt", out=tmp_path / "fills", recipe="fill", steps=5, settings=SMALL
    )
    with pytest.raises(ExportError, match=r"fills gaps, expected a model that writes on"):
        write_site(fills.folder, tmp_path / "site")
    sees = {**SMALL, "model.bidirectional": True}
    leaks = LanguageModel.train(
        folder / "text.txt", out=tmp_path / "leaks", steps=5, settings=sees, allow_leak=True
    )
    with pytest.raises(LeakError, match=r"has learned with its future in sight"):
        write_site(leaks.folder, tmp_path / "site")
    assert not (tmp_path / "site").exists()
