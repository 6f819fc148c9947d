"""What can be learned and looked at without a text: pairs such as hello -> ohlol, recipes as they start."""

import string
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from elman.config import Settings, layer_of, settings_from
from elman.errors import RequestError
from elman.packages import require
from elman.recipes import TYPICAL, load_recipe

if TYPE_CHECKING:
    from elman.insight.trace import Trace

# 85 tokens, the vocabulary of "from the unrolled model to the RNN"
ALPHABET = ["<unk>", *sorted("\n " + string.ascii_letters + string.digits + string.punctuation[:20])]


def learn_pair(recipe: str, settings: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Learn the pair of a recipe such as hello-cell by heart, showing each attempt on standard error.

    `settings` maps dotted names to values, {"train.seed": 3}.

    Raises:
        ElmanError: for whatever the caller can mend; the message says how.
    """
    require("training", "torch")
    from elman.display import follow_pair
    from elman.runs.pair import PairRun

    run = PairRun(_settings(recipe, settings or {}))
    attempt = follow_pair(run)
    return {
        "recipe": recipe,
        "source": run.source,
        "target": run.target,
        "predicted": attempt.predicted,
        "steps": attempt.step,
        "seconds": round(run.trainer.seconds, 3),
        "parameters": run.network.parameter_count(),
        "nats_per_token": attempt.nats,
    }


def trace_recipe(recipe: str, text: str, rows: int = 1, values: bool = False) -> "Trace":
    """Run the network of a recipe as it starts on a text and record every operation with its shapes.

    Its tokens are the characters of its pair, or an alphabet of 85.

    Raises:
        SettingsError: no recipe of that name.
        RequestError: an empty text, or one with other characters.
    """
    settings = _settings(recipe, {})
    require("running a model", "torch")
    import torch

    from elman.insight.trace import trace
    from elman.model import Network
    from elman.runs.pair import PairRun

    if settings.pair is not None:
        run = PairRun(settings)
        network, pieces = run.network, run.characters
    else:
        torch.manual_seed(settings.train.seed)
        network, pieces = Network(settings.model, len(ALPHABET), settings.train.recurrence), ALPHABET
    if not text:
        raise RequestError("the text is empty, expected at least one character to trace")
    if missing := sorted({character for character in text if character not in pieces}):
        raise RequestError(
            f"{recipe} has no {', '.join(map(repr, missing))}, expected text of {''.join(pieces)!r}"
        )
    return trace(network, [pieces.index(character) for character in text], pieces, rows, values)


def _settings(recipe: str, named: Mapping[str, Any]) -> Settings:
    return settings_from([*load_recipe(recipe).layers(*TYPICAL), layer_of(named)])
