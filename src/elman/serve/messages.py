"""What clients may ask, each field with what is expected of it; what is not named here is refused.

The forms are those of OpenAI's completions. A description goes on from "expected": errors and the tables of
docs/stages/serve.md say it. What depends on the server's limits is checked where it is used.
"""

from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)

A_NAME = "the name of a model that is served"
A_STATE = "the name of a state, of 1 to 200 characters"


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Text = Annotated[str, Field(min_length=1)]
Stop = Annotated[str, Field(min_length=1, max_length=1000)]
Name = Annotated[str, Field(min_length=1, max_length=200)]
Texts = Annotated[list[Text], BeforeValidator(_listed), Field(min_length=1)]
Stops = Annotated[list[Stop], BeforeValidator(_listed), Field(max_length=4)]


class Form(BaseModel):
    """An object: types as they are, no other fields, no infinite numbers; null is the default."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _null_is_absent(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        return {
            name: value for name, value in given.items() if value is not None or name not in cls.model_fields
        }


class Message(Form):
    """A request to one model."""

    model: Name = Field(description=A_NAME)


class StreamOptions(Form):
    """What else a stream tells."""

    include_usage: bool = False


class CompletionRequest(Message):
    """POST /v1/completions."""

    prompt: Texts | None = Field(
        None, description="a string or a list of strings, none of them empty"
    )  # absent: a new line; or nothing to read, where there is a state
    max_tokens: int = Field(16, ge=0, description="a whole number, 0 or more")
    temperature: float = Field(1.0, ge=0, le=100, description="a number from 0 to 100")
    top_p: float = Field(1.0, gt=0, le=1, description="a number above 0, up to 1")
    top_k: int | None = Field(None, ge=1, description="a whole number, 1 or more")
    min_p: float = Field(0.0, ge=0, le=1, description="a number from 0 to 1")
    repetition_penalty: float = Field(1.0, ge=1, le=100, description="a number from 1 to 100")
    seed: int | None = Field(None, ge=0, lt=2**63, description="a whole number from 0 to 2^63 - 1")
    n: int = Field(1, ge=1, le=16, description="a whole number from 1 to 16")
    stop: Stops = Field([], description="a string or up to 4, of 1 to 1,000 characters each")
    stream: bool = Field(False, description="true or false")
    stream_options: StreamOptions = Field(
        StreamOptions(), description='an object like {"include_usage": true}'
    )
    logprobs: int | None = Field(None, ge=0, le=10, description="a whole number from 0 to 10")
    echo: bool = Field(False, description="true or false")
    state: Name | None = Field(None, description=A_STATE)  # go on from this one
    advance: bool = Field(
        False, description="false, or true with a state and one text (n of 1, one prompt)"
    )  # leave it where the text ends
    user: str = Field("", description="a string, which is ignored")
    best_of: int = Field(1, ge=1, description="1 or n: the server writes n texts and returns them all")
    suffix: str = Field("", max_length=0, description="null: the server writes on and does not fill gaps")
    frequency_penalty: float = Field(
        0.0, ge=0, le=0, description="0: the server has repetition_penalty instead"
    )
    presence_penalty: float = Field(
        0.0, ge=0, le=0, description="0: the server has repetition_penalty instead"
    )
    logit_bias: dict[str, float] = Field(
        {}, max_length=0, description="null or {}: the server does not favour single tokens"
    )

    @field_validator("advance")
    @classmethod
    def _one_text_advances(cls, advance: bool, others: ValidationInfo) -> bool:
        given = others.data
        if advance and (
            given.get("state") is None or given.get("n", 1) * len(given.get("prompt") or [""]) > 1
        ):
            raise ValueError
        return advance

    @field_validator("best_of")
    @classmethod
    def _all_are_returned(cls, best_of: int, others: ValidationInfo) -> int:
        if best_of not in (1, others.data.get("n")):
            raise ValueError
        return best_of

    @property
    def prompts(self) -> list[str]:
        """The prompts; an empty one is none."""
        return self.prompt or [""]


class ScoreRequest(Message):
    """POST /v1/score."""

    text: Text = Field(description="a string of at least one character")


class StateRequest(Message):
    """POST /v1/states: a new one from a prompt, or a fork of one, with a prompt read after it."""

    prompt: Text | None = Field(None, description="a string of at least one character")
    state: Name | None = Field(None, description=A_STATE)
