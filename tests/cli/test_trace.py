"""`elman trace`: the shapes of the tutorials, as text, as JSON and as a picture."""

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from .test_bad_input import elman

GOO = "1x3 -> 1x42 -> 1x256 -> 1x85 -> softmax -> argmax -> "


@pytest.mark.parametrize("batch", [1, 512])
def test_the_three_character_model_on_goo_has_the_shapes_of_the_tutorial(batch: int, tmp_path: Path) -> None:
    done = elman("trace", "char3", "--text", "goo", "--batch", str(batch), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    first = done.stdout.splitlines()[0]
    assert first.startswith(GOO.replace("1x", f"{batch}x", 4))
    assert f"output of the last layer (T, B, H): 3x{batch}x256" in done.stdout
    assert f"state h (L, B, H): 1x{batch}x256" in done.stdout


def test_values_json_and_picture(tmp_path: Path) -> None:
    done = elman(
        "trace", "hello-cell", "--text", "hell", "--values", "--svg", "a.svg", "--json", cwd=tmp_path
    )
    traced = json.loads(done.stdout)
    assert traced["pieces"] == list("hell")
    assert traced["path"] == [[1, 4], [1, 4], [1, 4], [1, 4]]
    one_hot = traced["steps"][0]["operations"][0]
    assert one_hot["name"] == "one-hot"
    assert one_hot["values"] == [[[0, 1, 0, 0]]]  # h among e, h, l, o
    picture = ElementTree.parse(tmp_path / "a.svg").getroot()
    words = [text.text for text in picture.iter("{http://www.w3.org/2000/svg}text")]
    assert words.count("layer 1") == 4
    assert "1\u00d74" in words
