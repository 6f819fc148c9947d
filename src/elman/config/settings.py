"""The settings: one definition makes the flag, the TOML key, the stored config and the row in the docs.

Knows nothing of models or torch, nor where values come from.
"""

from collections.abc import Callable
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from elman.errors import ElmanError
from elman.text import find_codec, split

BUDGETS = ("steps", "epochs", "minutes")

Cell = Literal[
    "rnn-tanh", "rnn-relu", "gru", "lstm", "rnn-added", "rnn-joined", "min-gru", "min-lstm", "rg-lru"
]
LINEAR = ("min-gru", "min-lstm", "rg-lru")  # cells without recurrent weights
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(ge=0, lt=1)]
Prompt = Annotated[str, Field(min_length=1)]


class Section(BaseModel):
    """What every group of settings shares: frozen, complete, no unknown names, no silent conversions."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, protected_namespaces=())


class ModelSettings(Section):
    """What the network is."""

    cell: Cell = Field(
        "lstm",
        description="one step of recurrence: rnn-tanh, rnn-relu, gru, lstm, rnn-added or rnn-joined; or, "
        "linear in the state, min-gru, min-lstm or rg-lru",
    )
    layers: Count = Field(1, description="recurrent layers, one above the other (num_layers of torch)")
    hidden_size: Count = Field(512, description="hidden units of each layer and direction (H)")
    bidirectional: bool = Field(
        False, description="cells in both directions: what is predicted is seen, see --allow-leak"
    )
    two_stream: bool = Field(
        False, description="one stack reads what stands before a token, one what stands after it: fills gaps"
    )
    embedding_size: Count | None = Field(
        None, description="width of the token embedding; none: one-hot input"
    )
    padding_idx: Annotated[int, Field(ge=0)] | None = Field(
        None, description="token whose embedding stays zero"
    )
    max_norm: Positive | None = Field(None, description="largest norm of a token's embedding")
    embedding_dropout: Share = Field(0.0, description="share of the embedding dropped")
    dropout: Share = Field(0.0, description="share of units dropped between layers and on the outputs")
    weight_dropout: Share = Field(
        0.0, description="share of the recurrent weights dropped, others in each window"
    )
    output: Literal["linear", "hidden"] = Field(
        "linear", description="logits by a linear layer, or the hidden units themselves, one for each token"
    )
    tied: bool = Field(False, description="one matrix serves as embedding and as output weights")
    bias: bool = Field(True, description="cells have bias terms")
    batch_first: bool = Field(False, description="cells get (B, T, D) and give (B, T, H), as torch's option")
    residual: bool = Field(
        False, description="each layer reads its input normalised and adds to it what it makes of it"
    )
    initialization: Literal["orthogonal", "identity", "uniform", "normal", "torch"] = Field(
        "orthogonal",
        description="hidden weights orthogonal or the identity; all weights uniform in +-0.1 or normal with "
        "deviation 0.01; or as torch.nn starts its own",
    )

    @model_validator(mode="after")
    def _two_streams_read_in_one_direction_each(self) -> Self:
        if self.two_stream and self.bidirectional:
            raise ValueError("two_stream has a direction for each stack, found bidirectional too")
        if self.two_stream and self.output != "linear":
            raise ValueError(f"two_stream joins both streams by output linear, found {self.output}")
        return self

    @model_validator(mode="after")
    def _residual_layers_read_in_one_stack(self) -> Self:
        if self.residual and (self.two_stream or self.output != "linear"):
            found = "two_stream" if self.two_stream else f"output {self.output}"
            raise ValueError(f"residual needs one stack and output linear, found {found}")
        return self

    @model_validator(mode="after")
    def _only_recurrent_weights_are_dropped(self) -> Self:
        if self.weight_dropout and self.cell in LINEAR:
            raise ValueError(f"weight_dropout needs recurrent weights, and {self.cell} has none")
        return self

    @model_validator(mode="after")
    def _tied_needs_one_width(self) -> Self:
        width = self.hidden_size * (2 if self.bidirectional or self.two_stream else 1)
        if self.tied and (self.embedding_size != width or self.output != "linear"):
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
    hide: float = Field(
        0.0, ge=0, le=1, description="how often a token that the training part holds once is shown as <unk>"
    )
    loss: Literal["mean", "sum"] = Field("mean", description="over the steps and rows of a window")
    optimizer: Literal["sgd", "adam", "adamw"] = Field("adamw", description="update rule")
    learning_rate: Positive = Field(8e-3, description="peak learning rate, reached after warm-up")
    weight_decay: float = Field(
        0.0, ge=0, allow_inf_nan=False, description="decay of matrices (not of biases)"
    )
    state_penalty: float = Field(
        0.0, ge=0, allow_inf_nan=False, description="weight in the loss of the mean square of the states"
    )
    betas: tuple[Share, Share] = Field(
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
    keep: Literal["best", "last"] = Field(
        "best", description="the weights of the best validation, or of the last step"
    )
    patience: Count | None = Field(None, description="stop after so many validations without a better score")
    prompts: tuple[Prompt, ...] = Field(
        (), strict=False, description="prompts that are continued at each validation"
    )
    seed: int = Field(0, ge=0, lt=2**63, description="seed of weights, windows and dropout")
    device: Literal["auto", "cpu", "cuda", "mps"] = Field("auto", description="where to compute")
    precision: Literal["auto", "fp32", "bf16"] = Field("auto", description="arithmetic of the training steps")
    recurrence: Literal["auto", "reference", "fused", "native", "scan"] = Field(
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
    characters: Count | None = Field(None, description="use the first so many characters; none: all")
    line_ends: Literal["keep", "space"] = Field(
        "keep", description="keep line ends, each as one \\n, or turn them into spaces"
    )
    pair: tuple[Prompt, Prompt] | None = Field(
        None, strict=False, description="source and target of one length, learned where no text is named"
    )
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
    def _gaps_are_single_tokens_in_random_windows(self) -> Self:
        if self.model.two_stream and self.tokenizer not in ("character", "word"):
            raise ValueError(
                f"two_stream fills gaps of a whole character or word, found tokenizer {self.tokenizer}"
            )
        if self.model.two_stream and self.train.sampling != "random":
            raise ValueError(
                f"two_stream reads each window from both ends, which needs train.sampling random, found "
                f"{self.train.sampling}"
            )
        return self

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


def _try(check: Callable[..., object], *arguments: object) -> None:
    """Let a check of elman's speak as one of pydantic's."""
    try:
        check(*arguments)
    except ElmanError as error:
        raise ValueError(str(error)) from None
