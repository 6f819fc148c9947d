"""What clients may ask, each field with its range; what is not named here is refused.

The forms are those of OpenAI's completions. What depends on the server's limits is checked where it is used.
"""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

Text = Annotated[str, Field(min_length=1)]
Stop = Annotated[str, Field(min_length=1, max_length=1000)]
Name = Annotated[str, Field(min_length=1, max_length=200)]


class Message(BaseModel):
    """A request: types as they are, no other fields, no infinite numbers."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, frozen=True)

    model: Name


class CompletionRequest(Message):
    """POST /v1/completions."""

    prompt: Text | None = None  # none: a new line; or nothing to read, where there is a state
    max_tokens: int = Field(16, ge=0)
    temperature: float = Field(1.0, ge=0, le=100)
    top_p: float = Field(1.0, gt=0, le=1)
    top_k: int | None = Field(None, ge=1)
    min_p: float = Field(0.0, ge=0, le=1)
    repetition_penalty: float = Field(1.0, ge=1, le=100)
    seed: int | None = Field(None, ge=0, lt=2**63)
    n: int = Field(1, ge=1, le=16)
    stop: Stop | Annotated[list[Stop], Field(max_length=4)] | None = None
    stream: bool = False
    logprobs: int | None = Field(None, ge=0, le=10)
    echo: bool = False
    state: Name | None = None  # go on from this one
    advance: bool = False  # leave it where the text ends

    @model_validator(mode="after")
    def _one_text_advances(self) -> "CompletionRequest":
        if self.advance and (self.state is None or self.n > 1):
            raise ValueError("advance needs a state, and n of 1")
        return self

    @property
    def stops(self) -> list[str]:
        """The stop strings."""
        return [self.stop] if isinstance(self.stop, str) else self.stop or []


class ScoreRequest(Message):
    """POST /v1/score."""

    text: Text


class StateRequest(Message):
    """POST /v1/states: a new one from a prompt, or a fork of one, with a prompt read after it."""

    prompt: Text | None = None
    state: Name | None = None
