import json
from pathlib import Path

import pytest

from elman.config import Settings, describe_settings, layer_of, parse_assignment, settings_from
from elman.errors import SettingsError

STEPS = {"train": {"steps": 5}}


def test_later_layers_lie_on_top_and_a_budget_replaces_the_budget_below() -> None:
    settings = settings_from(
        [
            {"model": {"layers": 2, "hidden_size": 8}, "train": {"minutes": 3.0}},
            {"model": {"layers": 3}},
            STEPS,
        ]
    )
    assert (settings.model.layers, settings.model.hidden_size) == (3, 8)
    assert (settings.train.steps, settings.train.minutes) == (5, None)


def test_what_one_person_asks_is_one_layer_so_two_budgets_are_refused() -> None:
    asked = layer_of({"train.steps": 5, "train.epochs": 1.0, "model.layers": 2})
    assert asked == {"train": {"steps": 5, "epochs": 1.0}, "model": {"layers": 2}}
    with pytest.raises(
        SettingsError, match="one of steps, epochs and minutes is the budget, found steps and epochs"
    ):
        settings_from([asked])
    with pytest.raises(SettingsError, match="found none"):
        settings_from([{}])


@pytest.mark.parametrize(
    ("assignment", "layer"),
    [
        ("train.window=64", {"train": {"window": 64}}),
        ("train.learning_rate = 1e-3", {"train": {"learning_rate": 1e-3}}),
        ("model.tied=true", {"model": {"tied": True}}),
        ("train.clip=none", {"train": {"clip": "none"}}),
        ("model.cell=gru", {"model": {"cell": "gru"}}),
        ('train.prompts=["a", "b=c"]', {"train": {"prompts": ["a", "b=c"]}}),
        ("split=80/10/10", {"split": "80/10/10"}),
        ("encoding=", {"encoding": ""}),
    ],
)
def test_an_assignment_is_toml_or_none_or_a_bare_word(assignment: str, layer: dict) -> None:
    assert layer_of(dict([parse_assignment(assignment)])) == layer


def test_every_setting_is_described_and_survives_json() -> None:
    rows = list(describe_settings())
    assert all(description for _, _, description in rows)
    assert len({name for name, _, _ in rows}) == len(rows)
    settings = settings_from([STEPS, {"train": {"prompts": ["a"], "clip": None}}])
    assert Settings.model_validate(json.loads(settings.model_dump_json())) == settings
    shown = {name: value for name, value, _ in describe_settings(settings)}
    assert (shown["train.prompts"], shown["train.clip"], shown["train.steps"]) == ("[a]", "none", "5")


def test_the_stored_config_keeps_its_keys(tmp_path: Path) -> None:
    """config.json is read by other versions: a key may be added, and this list with it; none may go."""
    keys = json.loads((Path(__file__).parent / "golden" / "settings.json").read_text())
    assert json.loads(settings_from([STEPS]).model_dump_json()) == keys
