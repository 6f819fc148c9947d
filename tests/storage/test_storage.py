"""Files that are whole or not at all, and that say when they are not what was written."""

import json
import resource
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from elman.errors import DamagedFileError, FolderError
from elman.storage import MetricsFile, ModelFolder, ResumeFolder
from elman.storage.tensors import read_tensors, write_tensors

TENSORS = {
    "weight": np.arange(12, dtype=np.float32).reshape(3, 4),
    "step": np.array(7.0, dtype=np.float32),
    "random": np.arange(20, dtype=np.uint8),
}


def test_tensors_and_values_come_back_and_safetensors_reads_them(tmp_path: Path) -> None:
    write_tensors(tmp_path / "a.safetensors", TENSORS, {"big": 2**100, "list": [1, 2.5, None]})
    tensors, values = read_tensors(tmp_path / "a.safetensors")
    assert values == {"big": 2**100, "list": [1, 2.5, None]}
    independent = load_file(tmp_path / "a.safetensors")
    for name, array in TENSORS.items():
        assert np.array_equal(tensors[name], array)
        assert np.array_equal(independent[name], array)
        assert tensors[name].shape == array.shape


def test_every_flipped_bit_and_every_cut_is_detected_and_the_file_named(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    write_tensors(path, TENSORS, {"step": 3})
    whole = path.read_bytes()
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ (1 << place % 8)]) + whole[place + 1 :])
        with pytest.raises(DamagedFileError, match=r"a\.safetensors is damaged"):
            read_tensors(path)
    for length in range(0, len(whole), 7):
        path.write_bytes(whole[:length])
        with pytest.raises(DamagedFileError, match=r"a\.safetensors is damaged"):
            read_tensors(path)
    with pytest.raises(FolderError, match=r"b\.safetensors is missing"):
        read_tensors(tmp_path / "b.safetensors")


def test_the_last_two_states_are_kept_and_a_damaged_one_gives_way_to_the_one_before(tmp_path: Path) -> None:
    folder = ResumeFolder(tmp_path / "resume")
    for step in (1, 20, 300):
        folder.write(step, TENSORS, {"step": step})
    assert [path.name for path in folder.saved()] == [
        "step-000000000300.safetensors",
        "step-000000000020.safetensors",
    ]
    assert folder.read()[1] == {"step": 300}
    newest = folder.saved()[0]
    newest.write_bytes(newest.read_bytes()[:-5])
    _, values, damaged = folder.read()
    assert values == {"step": 20}
    assert len(damaged) == 1
    assert "step-000000000300.safetensors is damaged" in damaged[0]
    folder.forget_after(20)
    folder.write(21, TENSORS, {"step": 21})
    assert folder.read()[1:] == ({"step": 21}, [])
    for path in folder.saved():
        path.write_bytes(b"")
    with pytest.raises(DamagedFileError, match="no intact state is left"):
        folder.read()


def test_metrics_are_cut_back_to_a_step_and_a_torn_line_is_dropped(tmp_path: Path) -> None:
    metrics = MetricsFile(tmp_path / "metrics.jsonl")
    for step in (10, 20, 30):
        metrics.append({"event": "train", "step": step})
    metrics.append({"event": "result", "step": 20})
    with open(metrics.path, "a") as file:
        file.write('{"event": "tr')
    with open(metrics.path, "rb+") as file:
        file.seek(5)
        file.write(b"\xff")
    assert metrics.cut(20) == [f"{metrics.path} is damaged in line 1"]
    assert [json.loads(line)["step"] for line in metrics.path.read_text().splitlines()] == [20]
    metrics.cut(0)
    assert metrics.path.read_text() == ""


def test_a_config_or_tokenizer_that_was_changed_or_lost_is_named(tmp_path: Path) -> None:
    folder = ModelFolder(tmp_path)
    folder.write_config({"recipe": "default", "settings": {"tokenizer": "byte"}}, '{"a": 1}')
    assert folder.read_config()["recipe"] == "default"
    assert folder.read_tokenizer() == '{"a": 1}'
    text = (tmp_path / "config.json").read_text()
    for changed in (
        text.replace("default", "defaults"),
        text.replace('"format": 1', '"format": 1.5'),
        text[:-9],
        "",
    ):
        (tmp_path / "config.json").write_text(changed)
        with pytest.raises(FolderError, match=r"config\.json (is damaged|has format 1\.5)"):
            folder.read_config()
    (tmp_path / "config.json").write_text(text)
    (tmp_path / "tokenizer.json").write_text('{"a": 2}')
    with pytest.raises(DamagedFileError, match=r"tokenizer\.json is damaged"):
        folder.read_tokenizer()
    (tmp_path / "tokenizer.json").unlink()
    with pytest.raises(FolderError, match=r"has no tokenizer\.json"):
        folder.read_tokenizer()
    with pytest.raises(FolderError, match="no model folder"):
        ModelFolder(tmp_path / "nowhere").read_config()


WRITE_TOO_MUCH = """
import sys
from pathlib import Path
import numpy as np
from elman.errors import StorageError
from elman.storage import ResumeFolder
folder = ResumeFolder(Path(sys.argv[1]))
folder.write(1, {"a": np.zeros(10)}, {})
try:
    folder.write(2, {"a": np.zeros(100_000)}, {})
except StorageError as error:
    print(error)
print([path.name for path in folder.path.iterdir()])
"""


def test_a_disk_that_is_full_is_an_error_and_the_last_good_state_is_intact(tmp_path: Path) -> None:
    def no_large_files() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

    done = subprocess.run(
        [sys.executable, "-c", WRITE_TOO_MUCH, str(tmp_path / "resume")],
        preexec_fn=no_large_files,
        capture_output=True,
        text=True,
        check=True,
    )
    said, left = done.stdout.splitlines()
    assert "cannot write" in said
    assert "what was there before is intact" in said
    assert left == "['step-000000000001.safetensors']"
    assert ResumeFolder(tmp_path / "resume").read()[0]["a"].shape == (10,)
