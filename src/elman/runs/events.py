"""What a run says while it goes, in the order in which it says it."""

from dataclasses import dataclass, field

from elman.recurrence import Choice
from elman.training import Precision, Progress


@dataclass(frozen=True)
class Started:
    """The first step is next."""

    precision: Precision
    recurrence: Choice
    device: str
    processes: int
    parameters: int
    step: int  # steps done before
    damaged: list[str]  # files that were not whole, a sentence for each; they are written anew


@dataclass(frozen=True)
class Stepped:
    """One weight update is done."""

    progress: Progress
    tokens_per_second: float


@dataclass(frozen=True)
class Validated:
    """The model was scored quickly: on the first tokens of the validation part, in rows from cold states."""

    step: int
    nats_per_token: float
    best: bool
    samples: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Stopped:
    """The run ends here: all done, out of patience, or asked to stop."""

    finished: bool
    reason: str


Event = Started | Stepped | Validated | Stopped
