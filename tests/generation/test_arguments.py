"""Arguments of the wrong kind: one line that names all of them, whichever method they were given to."""

from collections.abc import Callable
from pathlib import Path

import pytest

from elman import LanguageModel
from elman.errors import RequestError


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> LanguageModel:
    folder: Path = tmp_path_factory.mktemp("arguments")
    (folder / "text.txt").write_text("the quick brown fox jumps over the lazy dog\n" * 40)
    small = {"model.hidden_size": 8, "train.batch_size": 2, "train.window": 8}
    return LanguageModel.train(folder / "text.txt", out=folder / "model", steps=2, settings=small)


WRONG = [
    (lambda model: model.generate("one", length="x"), "length is 'x', expected a whole number"),
    (lambda model: model.generate("one", length=True), "length is True, expected a whole number"),
    (
        lambda model: model.generate(5, seed=1.5, stop=[3]),
        "prompt is 5, expected a text; seed is 1.5, expected a whole number; "
        "stop is [3], expected a text or a list of texts",
    ),
    (lambda model: model.generate("one", greedy="yes"), "greedy is 'yes', expected True or False"),
    (lambda model: model.score(b"x"), "text is b'x', expected a text"),
    (lambda model: model.evaluate(characters=1.5), "characters is 1.5, expected a whole number"),
    (lambda model: model.save(5), "folder is 5, expected the name of a file or a folder"),
    (lambda model: model.load(5), "folder is 5, expected the name of a file or a folder"),
    (
        lambda model: model.generate("one", foo=1),
        "no argument is called foo, expected temperature, top_k, top_p, min_p, repetition_penalty, greedy",
    ),
    (lambda model: model.start("one").text("x", None, 0), "length is 'x', expected a whole number"),
]


@pytest.mark.parametrize(("call", "said"), WRONG)
def test_arguments_of_the_wrong_kind_are_one_line(model: LanguageModel, call: Callable, said: str) -> None:
    with pytest.raises(RequestError) as error:
        call(model)
    assert str(error.value) == said


def test_one_stop_string_is_as_good_as_a_list(model: LanguageModel) -> None:
    assert model.generate("one", stop="t", forbid="z") == model.generate("one", stop=["t"], forbid=["z"])
