"""Every shipped recipe: valid for texts of every size, and able to learn."""

from pathlib import Path

import pytest

from elman import LanguageModel
from elman.config import settings_from
from elman.errors import SettingsError
from elman.lessons import learn_pair
from elman.recipes import load_recipe, recipe_names

SIZES = [(10, 5), (5_000, 40), (60_000, 60), (300_000, 3000), (10**6, 65), (10**7, 90), (10**9, 15_000)]


def test_all_recipes_are_found() -> None:
    assert recipe_names() == [
        "char-loop",
        "char-loop-concat",
        "char-rnn",
        "char-seq-rnn",
        "char-seq-rnn-identity",
        "char3",
        "default",
        "fill",
        "hello-cell",
        "hello-embedding",
        "hello-rnn",
        "hour",
        "lyrics-bi-gru",
        "lyrics-deep-lstm",
        "lyrics-gru",
        "lyrics-lstm",
        "lyrics-rnn",
        "lyrics-scratch",
        "lyrics-scratch-random",
        "min-gru",
        "min-lstm",
        "minute",
        "rg-lru",
        "rnn-model",
        "three-minutes",
    ]


@pytest.mark.parametrize("name", recipe_names())
@pytest.mark.parametrize("size", SIZES)
def test_a_recipe_is_valid_for_texts_of_every_size(name: str, size: tuple[int, int]) -> None:
    recipe = load_recipe(name)
    assert settings_from(recipe.layers(*size))
    assert recipe.description != "no description"


@pytest.mark.parametrize("name", recipe_names())
def test_a_recipe_trains_two_steps(name: str, small_text: Path, tmp_path: Path) -> None:
    model = LanguageModel.train(small_text, recipe=name, out=tmp_path / "model", steps=2, allow_leak=True)
    assert model.result is not None
    assert model.result["steps"] == 2


def test_small_texts_get_more_dropout_and_large_ones_more_minutes() -> None:
    recipe = load_recipe("default")
    chosen = [settings_from(recipe.layers(tokens, 65)) for tokens in (20_000, 100_000, 10**6, 10**8)]
    dropouts = [settings.model.dropout for settings in chosen]
    minutes = [settings.train.minutes or 0 for settings in chosen]
    assert dropouts == sorted(dropouts, reverse=True)
    assert dropouts[0] > dropouts[-1]
    assert minutes == sorted(minutes)
    assert minutes[0] < minutes[-1]


def test_the_more_time_the_more_units_and_dropout() -> None:
    recipe = load_recipe("default")
    chosen = [settings_from(recipe.layers(10**6, 65, minutes)).model for minutes in (0.05, 0.5, 1.5, 3, 20)]
    assert [model.cell for model in chosen] == ["gru", "gru", "gru", "lstm", "lstm"]
    sizes = [model.hidden_size for model in chosen]
    assert sizes == sorted(set(sizes))
    assert chosen[-1].dropout > chosen[-2].dropout
    assert chosen[-2] == settings_from(recipe.layers(10**6, 65)).model  # nothing asked for: three minutes
    words = [settings_from(recipe.layers(10**6, 5000, minutes)).model for minutes in (3, 20)]
    assert words[0] == words[1]  # not measured, so left as it is


def test_a_recipe_of_ones_own_is_a_file_with_cases(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(
        'description = "mine"\n[train]\nsteps = 3\n[[when]]\ntokens_below = 50\nmodel = { layers = 2 }\n'
        "[[when]]\nvocabulary_from = 30\nmodel = { hidden_size = 7 }\n"
        "[[when]]\nminutes_below = 0.5\nmodel = { cell = 'gru' }\n"
        "[[when]]\nminutes_from = 8\nmodel = { cell = 'rnn-tanh' }\n"
    )
    recipe = load_recipe(str(tmp_path / "mine.toml"))
    assert settings_from(recipe.layers(49, 29)).model.layers == 2
    assert settings_from(recipe.layers(50, 30)).model.layers == 1
    assert settings_from(recipe.layers(49, 29)).model.hidden_size == 512
    assert settings_from(recipe.layers(50, 30)).model.hidden_size == 7
    times = (), (0.4,), (0.5,), (7.9,), (8.0,)
    cells = [settings_from(recipe.layers(50, 30, *time)).model.cell for time in times]
    assert cells == ["lstm", "gru", "lstm", "lstm", "rnn-tanh"]
    (tmp_path / "broken.toml").write_text("train = [")
    with pytest.raises(SettingsError, match="recipe broken is not valid TOML"):
        load_recipe(str(tmp_path / "broken.toml"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[when]\ntokens_below = 5", "`when` is no list of tables"),
        ("[[when]]\nmodel = { layers = 2 }", r"\[\[when\]\] 1 needs a number for at least one of"),
        ("[[when]]\ntokens_below = '5'\nmodel = { layers = 2 }", "needs a number"),
        ("[[when]]\ntokens_below = 5\ntokenizer = 'byte'", "sets tokenizer; expected model and train"),
        (
            "[[when]]\ntokens_below = 5\nmodel = { layer = 2 }",
            r"\[\[when\]\] 1: model.layer is not a setting",
        ),
        ("description = 5", "description is 5, expected a text"),
    ],
)
def test_a_case_is_checked_before_a_text_of_its_size_comes_along(
    tmp_path: Path, text: str, said: str
) -> None:
    (tmp_path / "mine.toml").write_text(f"train = {{ steps = 3 }}\n{text}\n")
    with pytest.raises(SettingsError, match=said):
        load_recipe(str(tmp_path / "mine.toml"))


def test_a_recipe_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "latin.toml").write_bytes(b"description = 'caf\xe9'")
    with pytest.raises(SettingsError, match=r"no recipe file .*latin.toml \(is not UTF-8\)"):
        load_recipe(str(tmp_path / "latin.toml"))


@pytest.mark.parametrize("name", [name for name in recipe_names() if name.startswith("hello")])
@pytest.mark.parametrize("seed", range(20))
def test_hello_becomes_ohlol_from_every_seed(name: str, seed: int) -> None:
    learned = learn_pair(name, {"train.seed": seed})
    assert learned["predicted"] == "ohlol"


def test_a_pair_needs_two_texts_of_one_length() -> None:
    with pytest.raises(SettingsError, match="expected two texts of one length"):
        learn_pair("hello-cell", {"pair": ["hello", "hi"]})
    assert learn_pair("hello-cell", {"pair": ["abc", "bca"]})["predicted"] == "bca"
