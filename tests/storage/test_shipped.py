"""Exported models and saved states: they know their own checksum and what they belong to."""

from pathlib import Path

import numpy as np
import onnx
import pytest

from elman import LanguageModel
from elman.errors import DamagedFileError, FolderError, RequestError
from elman.generation import Sampling
from elman.runs.shipping import measure_int8
from elman.storage import read_state, write_state
from elman.storage.graph import read_graph

SMALL = {"model.hidden_size": 16, "train.batch_size": 4, "train.window": 16, "train.precision": "fp32"}


@pytest.fixture
def model(small_text: Path, tmp_path: Path) -> LanguageModel:
    return LanguageModel.train(small_text, out=tmp_path / "model", steps=20, settings=SMALL)


def test_training_writes_a_graph_that_any_reader_of_onnx_takes(model: LanguageModel) -> None:
    file = model.folder.path / "model.onnx"
    graph = onnx.load(file)
    onnx.checker.check_model(graph)
    (seal,) = graph.metadata_props
    assert seal.key == "elman"
    checksum, weights = seal.value.split()
    assert len(checksum) == 64
    assert read_graph(file)[1] == weights == model.folder.fingerprint()
    assert model.engine.name == "onnx"


def test_the_graph_is_used_and_torch_where_it_is_asked_for_or_no_graph_is_there(model: LanguageModel) -> None:
    path = model.folder.path
    by_torch = LanguageModel.load(path, engine="torch")
    assert by_torch.engine.name == "torch"
    assert by_torch.generate("the", 200, seed=4) == model.generate("the", 200, seed=4)
    (path / "model.onnx").unlink()
    assert LanguageModel.load(path).engine.name == "torch"
    with pytest.raises(FolderError, match=r"has no model.onnx; write it: elman export"):
        LanguageModel.load(path, engine="onnx")
    LanguageModel.load(path).export()
    assert LanguageModel.load(path).engine.name == "onnx"


@pytest.mark.parametrize("place", [10, 5000, -100, -1])
def test_a_damaged_graph_is_refused(model: LanguageModel, place: int) -> None:
    file = model.folder.path / "model.onnx"
    data = bytearray(file.read_bytes())
    data[place] ^= 1
    file.write_bytes(data)
    with pytest.raises((DamagedFileError, FolderError), match=r"model.onnx"):
        LanguageModel.load(model.folder.path, engine="onnx")
    LanguageModel.load(model.folder.path, engine="torch").export()
    assert LanguageModel.load(model.folder.path).engine.name == "onnx"


def test_a_graph_of_other_weights_is_not_used(model: LanguageModel, small_text: Path, tmp_path: Path) -> None:
    other = LanguageModel.train(small_text, out=tmp_path / "other", steps=21, settings=SMALL)
    stale = (other.folder.path / "model.onnx").read_bytes()
    (model.folder.path / "model.onnx").write_bytes(stale)
    with pytest.warns(UserWarning, match=r"torch runs instead: .* was made of other weights .* elman export"):
        assert LanguageModel.load(model.folder.path).engine.name == "torch"
    with pytest.raises(FolderError, match=r"was made of other weights"):
        LanguageModel.load(model.folder.path, engine="onnx")


@pytest.mark.parametrize("graph", ["model.onnx", "model.int8.onnx"])
def test_the_smallest_model_to_ship_is_a_graph_and_two_files(
    model: LanguageModel, tmp_path: Path, graph: str
) -> None:
    model.export(int8=True)
    small = tmp_path / "smallest"
    small.mkdir()
    for name in ("config.json", "tokenizer.json", graph):
        (small / name).write_bytes((model.folder.path / name).read_bytes())
    int8 = "int8" in graph
    loaded = LanguageModel.load(small, int8=int8)
    assert loaded.generate("the", 50) == LanguageModel.load(model.folder.path, int8=int8).generate("the", 50)
    loaded.save_state(loaded.start("the cat").state, tmp_path / "state")
    assert model.load_state(tmp_path / "state").recent == model.start("the cat").state.recent
    if int8:
        with pytest.raises(
            FolderError, match=r"has no model.onnx; it has model.int8.onnx alone: run it with --int8"
        ):
            LanguageModel.load(small)


def test_a_copy_goes_to_a_free_place_only(model: LanguageModel, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    model.save(tmp_path / "empty")
    for taken in (tmp_path / "empty", tmp_path / "small.txt"):
        with pytest.raises(FolderError) as error:
            model.save(taken)
        assert str(error.value) == (
            f"{taken} is taken, expected a name that is free or an empty folder; name another"
        )


def test_a_tokenizer_of_another_size_is_refused(model: LanguageModel, tmp_path: Path) -> None:
    (tmp_path / "other.txt").write_text("0123456789 abc\n" * 300)
    other = LanguageModel.train(tmp_path / "other.txt", out=tmp_path / "other", steps=2, settings=SMALL)
    for name in ("model.onnx", "model.safetensors"):
        (model.folder.path / name).write_bytes((other.folder.path / name).read_bytes())
    with pytest.raises(FolderError, match=r"model.onnx has \d+ tokens, tokenizer.json \d+"):
        LanguageModel.load(model.folder.path)


def test_engines_that_there_are_not_are_refused(model: LanguageModel) -> None:
    with pytest.raises(RequestError, match="engine is 'tensorflow', expected onnx or torch"):
        LanguageModel.load(model.folder.path, engine="tensorflow")
    with pytest.raises(RequestError, match="the torch engine has no 8 bits"):
        LanguageModel.load(model.folder.path, engine="torch", int8=True)
    with pytest.raises(FolderError, match=r"has no model.int8.onnx; write it: elman export .* --int8"):
        LanguageModel.load(model.folder.path, int8=True)


def test_what_8_bits_cost_is_measured_and_said_in_the_card(model: LanguageModel) -> None:
    cost = model.export(int8=True)
    assert cost is not None
    small = LanguageModel.load(model.folder.path, int8=True)
    exact = model.evaluate()["bits_per_character"]
    assert cost["cost"] == pytest.approx(small.evaluate()["bits_per_character"] - exact, abs=1e-9)
    assert 0 < abs(cost["cost"]) < 0.05 * exact
    card = (model.folder.path / "README.md").read_text()
    assert card.count("## In 8 bits") == 1
    assert f"{cost['cost']:+z.4f} from the {exact:.4f} of 32 bits" in card
    model.export(int8=True)
    assert (model.folder.path / "README.md").read_text() == card


def test_a_cost_that_rounds_to_nothing_has_no_minus(model: LanguageModel) -> None:
    model.export(int8=True)
    scores = {False: 0.5238, True: 0.5238 - 1e-6}
    measure_int8(model.folder, lambda int8: {"bits_per_character": scores[int8], "characters": 9})
    assert "+0.0000 from the 0.5238 of 32 bits" in model.folder.read_card()


def test_a_state_goes_on_in_another_process_and_not_with_another_model(
    model: LanguageModel, small_text: Path, tmp_path: Path
) -> None:
    stream = model.start("the cat")
    "".join(stream.text(30, Sampling(), 0))
    model.save_state(stream.state, tmp_path / "state")
    expected = "".join(stream.text(30, Sampling(), 1))
    again = LanguageModel.load(model.folder.path)
    going_on = again.start(state=again.load_state(tmp_path / "state"))
    assert "".join(going_on.text(30, Sampling(), 1)) == expected
    assert (tmp_path / "state").stat().st_size < 4096
    other = LanguageModel.train(small_text, out=tmp_path / "other", steps=21, settings=SMALL)
    with pytest.raises(RequestError, match="is the state of another model"):
        other.load_state(tmp_path / "state")
    foreign = other.start("the").state
    with pytest.raises(RequestError, match="the state is one of another model"):
        stream.state = foreign
    with pytest.raises(RequestError, match="the state is one of another model"):
        model.start(state=foreign)
    with pytest.raises(RequestError, match="the state is one of another model"):
        model.save_state(foreign, tmp_path / "never")
    with pytest.raises(RequestError, match="is no state of a stream"):
        model.load_state(model.folder.path / "model.safetensors")
    data = bytearray((tmp_path / "state").read_bytes())
    data[-3] ^= 1
    (tmp_path / "state").write_bytes(data)
    said = "state is damaged or no state of a stream, expected one that this model wrote with --save-state$"
    with pytest.raises(DamagedFileError, match=said):
        model.load_state(tmp_path / "state")
    with pytest.raises(FolderError, match="no file .*nothing, expected a state that this model wrote"):
        model.load_state(tmp_path / "nothing")
    with pytest.raises(RequestError, match="there is no folder .*nowhere for the state"):
        model.save_state(stream.state, tmp_path / "nowhere" / "state")
    with pytest.raises(RequestError, match="is a folder, expected the name of a file"):
        model.save_state(stream.state, tmp_path)
    assert not (tmp_path / "nowhere").exists()


def test_a_state_is_read_as_it_was_written(tmp_path: Path) -> None:
    memory = (np.arange(6, dtype=np.float32).reshape(1, 6), np.ones((1, 2), dtype=np.float32))
    write_state(tmp_path / "state", memory, (4, 9), "model")
    read, recent = read_state(tmp_path / "state", "model")
    assert recent == (4, 9)
    for part, expected in zip(read, memory, strict=True):
        np.testing.assert_array_equal(part, expected)
