"""Runs of several processes: the first one leads, with the folder to itself; the others do as it does here.

What leads says, in this order: what the run is, what its saved state is, each step, and how it ended.
"""

from pathlib import Path
from signal import SIG_IGN, SIGINT, SIGTERM
from typing import Any

from elman.config import Settings
from elman.errors import RankError
from elman.signals import heard_by
from elman.storage import ModelFolder, Saved, Tensors
from elman.training import Ranks, Trainer

from .assembly import make_trainer
from .preparation import Preparation, prepare_again

FINISHED, STOPPED = 0.0, 1.0  # how a run ends


def lead(ranks: Ranks, preparation: Preparation, precision: str, recurrence: str) -> Trainer:
    """Say to the others what the run is, and return its trainer.

    Raises:
        SettingsError: a device, a precision or a path that this machine does not have.
        TextError: the training part is too short for one batch.
    """
    said = {
        "recipe": preparation.recipe,
        "asked": preparation.asked,
        "settings": preparation.settings.model_dump(mode="json"),
        "text": {"fingerprint": preparation.text.fingerprint, "sources": list(preparation.sources)},
        "pace": [precision, recurrence],
    }
    ranks.spread({}, said)
    return make_trainer(preparation, precision, recurrence, ranks)


def tell(ranks: Ranks, folder: ModelFolder, saved: Saved | None) -> None:
    """Say to the others where the run is kept, and the state that it goes on from."""
    tensors, values = (saved.tensors, saved.values) if saved else ({}, {})
    ranks.spread(tensors, {"folder": str(folder.path), "values": values})


def follow_leader(ranks: Ranks) -> Path:
    """Train as the leading process does, until the model is scored; return its folder.

    Raises:
        KeyboardInterrupt: the leading process was told to stop, and has saved the run.
        RankError: another process ended before.
    """
    with heard_by(SIG_IGN, SIGINT, SIGTERM):  # the one that leads says when to stop
        config = _hear(ranks)[1]
        preparation = prepare_again(config, Settings.model_validate(config["settings"]), {}, [])
        trainer = make_trainer(preparation, config["pace"][0], config["pace"][1], ranks)
        tensors, said = _hear(ranks)
        if said["values"]:
            trainer.restore(tensors, said["values"])
        trainer.follow()
        (end,) = ranks.agree(FINISHED)
    if end == STOPPED:
        raise KeyboardInterrupt
    return Path(said["folder"])


def _hear(ranks: Ranks) -> tuple[Tensors, dict[str, Any]]:
    """Return what the leading process says before the first step."""
    try:
        return ranks.spread({}, {})
    except RankError:
        raise RankError("another process ended before the run began; mend what it says") from None
