"""The settings: one definition makes the flag, the TOML key, the stored config and the row in the docs.

Layers of settings come in (a recipe, what the recipe says for a text of this size, what the user asked),
one checked and frozen `Settings` goes out. Knows nothing of models or torch.
"""

import difflib
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from elman.errors import ElmanError, SettingsError
from elman.text import find_codec, split

Layer = Mapping[str, Any]  # nested, as a TOML file reads: {"tokenizer": "byte", "model": {"layers": 2}}
BUDGETS = ("steps", "epochs", "minutes")

Cell = Literal["rnn-tanh", "rnn-relu", "gru", "lstm"]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1)]
Mean = Annotated[float, Field(ge=0, lt=1)]
Prompt = Annotated[str, Field(min_length=1)]


class Section(BaseModel):
    """What every group of settings shares: frozen, complete, no unknown names, no silent conversions."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, protected_namespaces=())


class ModelSettings(Section):
    """What the network is."""

    cell: Cell = Field("lstm", description="one step of recurrence: rnn-tanh, rnn-relu, gru or lstm")
    layers: Count = Field(1, description="recurrent layers, one above the other")
    hidden_size: Count = Field(512, description="hidden units of each layer (H)")
    embedding_size: Count | None = Field(
        None, description="width of the token embedding; none: one-hot input"
    )
    dropout: float = Field(
        0.0, ge=0, lt=1, description="share of units dropped between layers and on the outputs"
    )
    tied: bool = Field(False, description="one matrix serves as embedding and as output weights")
    bias: bool = Field(True, description="cells have bias terms")
    initialization: Literal["orthogonal", "uniform", "identity"] = Field(
        "orthogonal", description="hidden weights: orthogonal, all weights uniform in +-0.1, or the identity"
    )

    @model_validator(mode="after")
    def _tied_needs_one_width(self) -> Self:
        if self.tied and self.embedding_size != self.hidden_size:
            found = f"embedding_size {self.embedding_size or 'none'} and hidden_size {self.hidden_size}"
            raise ValueError(f"tied weights need equal widths, found {found}")
        return self


class TrainSettings(Section):
    """How the network learns. Exactly one budget holds: steps, epochs or minutes."""

    batch_size: Count = Field(16, description="rows of text learned from side by side (B)")
    window: Count = Field(48, description="steps of backpropagation through time (T)")
    sampling: Literal["adjacent", "random", "overlapping"] = Field(
        "adjacent",
        description="rows go on where they stopped; random windows; or overlapping windows with one target",
    )
    restart: float = Field(
        0.0, ge=0, le=1, description="share of adjacent rows whose state starts anew at each window"
    )
    optimizer: Literal["sgd", "adam", "adamw"] = Field("adamw", description="update rule")
    learning_rate: Positive = Field(8e-3, description="peak learning rate, reached after warm-up")
    weight_decay: float = Field(
        0.0, ge=0, allow_inf_nan=False, description="decay of matrices (not of biases)"
    )
    betas: tuple[Mean, Mean] = Field(
        (0.9, 0.99), strict=False, description="what Adam's means of gradients and of their squares keep"
    )
    clip: Positive | None = Field(1.0, description="largest global gradient norm; none: no clipping")
    schedule: Literal["constant", "cosine"] = Field("cosine", description="learning rate over the budget")
    warmup_steps: int = Field(
        100, ge=0, description="steps over which the learning rate rises, at most a tenth of the budget"
    )
    steps: Count | None = Field(None, description="budget: weight updates")
    epochs: Positive | None = Field(None, description="budget: passes over the training part")
    minutes: Positive | None = Field(
        None, description="budget: wall-clock time of training and its validations"
    )
    evaluate_every: Count | None = Field(
        None, description="steps between validations; none: 12 over the budget"
    )
    patience: Count | None = Field(None, description="stop after so many validations without a better score")
    prompts: tuple[Prompt, ...] = Field(
        (), strict=False, description="prompts that are continued at each validation"
    )
    seed: int = Field(0, ge=0, lt=2**63, description="seed of weights, windows and dropout")
    device: Literal["auto", "cpu", "cuda", "mps"] = Field("auto", description="where to compute")
    precision: Literal["auto", "fp32", "bf16"] = Field("auto", description="arithmetic of the training steps")
    recurrence: Literal["auto", "reference", "fused"] = Field(
        "auto", description="how a cell runs over a sequence"
    )

    @model_validator(mode="after")
    def _one_budget(self) -> Self:
        given = [name for name in BUDGETS if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(
                f"one of steps, epochs and minutes is the budget, found {' and '.join(given) or 'none'}"
            )
        return self


class Settings(Section):
    """All that decides what a run does, apart from the text."""

    tokenizer: Literal["character", "byte", "word", "bpe"] = Field("character", description="what a token is")
    vocabulary_size: Annotated[int, Field(ge=2)] | None = Field(
        None, description="most tokens of a word or bpe tokenizer; none: 10000 for word, 1024 for bpe"
    )
    split: str = Field(
        "90/10", description="percent of the text for train/validation or train/validation/test"
    )
    encoding: str = Field("utf-8", description="character encoding of the text")
    model: ModelSettings
    train: TrainSettings

    @field_validator("split")
    @classmethod
    def _split_can_be_made(cls, value: str) -> str:
        _try(split, 100, value)
        return value

    @field_validator("encoding")
    @classmethod
    def _encoding_is_known(cls, value: str) -> str:
        _try(find_codec, value)
        return value

    @model_validator(mode="after")
    def _vocabulary_size_goes_with_the_tokenizer(self) -> Self:
        if self.vocabulary_size is not None and self.tokenizer in ("character", "byte"):
            raise ValueError(
                f"vocabulary_size goes with tokenizer word or bpe, found tokenizer {self.tokenizer}"
            )
        if self.tokenizer == "bpe" and (self.vocabulary_size or 256) < 256:
            raise ValueError(
                f"bpe has a token for each of 256 bytes, found vocabulary_size {self.vocabulary_size}"
            )
        return self


def merge(layers: Iterable[Layer]) -> dict[str, Any]:
    """Lay settings over one another, later ones on top; a budget replaces every budget below it."""
    merged: dict[str, Any] = {"model": {}, "train": {}}
    for layer in layers:
        for key, value in layer.items():
            if key not in ("model", "train"):
                merged[key] = value
            elif not isinstance(value, Mapping):
                raise SettingsError(
                    f"{key} is {value!r}, expected a table of settings such as {key}.{_names()[key][0]}"
                )
            else:
                if key == "train" and any(value.get(budget) is not None for budget in BUDGETS):
                    merged["train"] = {k: v for k, v in merged["train"].items() if k not in BUDGETS}
                merged[key].update(value)
    return merged


def layer_of(named: Mapping[str, Any]) -> Layer:
    """Join what one person asked for, by dotted names, into one layer: two budgets in it are refused.

    {"model.layers": 2, "model.cell": "gru"} -> {"model": {"layers": 2, "cell": "gru"}}
    """
    layer: dict[str, Any] = {}
    for name, value in named.items():
        section, dot, key = name.partition(".")
        if not dot:
            layer[name] = value
        elif isinstance(table := layer.setdefault(section, {}), dict):
            table[key] = value
    return layer


def settings_from(layers: Iterable[Layer]) -> Settings:
    """Check the merged layers and return them as Settings.

    Raises:
        SettingsError: one line that names every unknown or wrong setting.
    """
    try:
        return Settings.model_validate(merge(layers))
    except ValidationError as error:
        problems = [_describe(dict(problem)) for problem in error.errors()]
        raise SettingsError("; ".join(problems) + "; `elman recipes default` shows every setting") from None


def parse_assignment(assignment: str) -> tuple[str, Any]:
    """Read one KEY=VALUE of the command line; the value is TOML, or `none`, or a bare word."""
    key, equals, text = assignment.partition("=")
    key, text = key.strip(), text.strip()
    if not equals or not key:
        raise SettingsError(f"--set {assignment!r} has no value; expected KEY=VALUE such as train.window=64")
    value: Any = text
    if text == "none":
        value = None
    else:
        try:
            value = tomllib.loads(f"value = {text}")["value"]
        except tomllib.TOMLDecodeError:
            value = text
    return key, value


def _try(check: Callable[..., object], *arguments: object) -> None:
    """Let a check of elman's speak as one of pydantic's."""
    try:
        check(*arguments)
    except ElmanError as error:
        raise ValueError(str(error)) from None


def describe_settings(settings: Settings | None = None) -> Iterator[tuple[str, str, str]]:
    """Yield (name, value, description) of every setting, in order; without settings, with its default."""
    sections: list[tuple[str, type[Section], Section | None]] = [
        ("", Settings, settings),
        ("model.", ModelSettings, settings.model if settings else None),
        ("train.", TrainSettings, settings.train if settings else None),
    ]
    for prefix, section, values in sections:
        for name, field in section.model_fields.items():
            if name in ("model", "train"):
                continue
            value = getattr(values, name) if values else field.default
            yield f"{prefix}{name}", _show(value), field.description or ""


def _show(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, tuple):
        return "[" + ", ".join(map(_show, value)) + "]"
    return str(value).lower() if isinstance(value, bool) else str(value) or "empty"


def _names() -> dict[str, list[str]]:
    return {
        "": list(Settings.model_fields),
        "model": list(ModelSettings.model_fields),
        "train": list(TrainSettings.model_fields),
    }


def _describe(problem: dict[str, Any]) -> str:
    """Say what one pydantic problem found and what was expected."""
    path = [str(part) for part in problem["loc"]]
    name, found = ".".join(path), problem["input"]
    if problem["type"] == "extra_forbidden":
        known = [f"{section}.{field}".lstrip(".") for section, fields in _names().items() for field in fields]
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.6) or [
            full for full in known if full.rpartition(".")[2] == path[-1]
        ]
        return f"{name} is not a setting" + (f", did you mean {near[0]}?" if near else "")
    if problem["type"] == "missing":
        return f"{name} is missing"
    if problem["type"] == "value_error":
        return str(problem["ctx"]["error"])
    expected = problem["msg"].replace("Input should be ", "").replace("a valid ", "")
    expected = expected.replace("String should have", "a text of")
    return f"{name} is {_show(found)}, expected {expected}"
