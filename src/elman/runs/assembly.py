"""A preparation in, all that learns out: network, windows and trainer, on a device, at its best pace.

What this machine cannot do is refused here, before a folder is written.
"""

from typing import cast

import torch

from elman.batches import WINDOWS, GapWindows, Windows
from elman.cells import Cell
from elman.errors import SettingsError
from elman.model import Network
from elman.recurrence import choose, rivals
from elman.training import Batch, Ranks, Trainer, choose_pace

from .preparation import Preparation


def make_trainer(preparation: Preparation, precision: str, recurrence: str, ranks: Ranks) -> Trainer:
    """Make the network from its seed, choose the precision (auto, fp32, bf16) and the recurrence path, stand
    before the first step.

    Raises:
        SettingsError: a device, a precision or a path that this machine does not have.
        TextError: the training part is too short for one batch.
    """
    settings, tokenizer = preparation.settings, preparation.tokens.tokenizer
    device = _device(settings.train.device)
    windows = _windows(preparation)
    if windows.rows % ranks.size:
        raise SettingsError(
            f"train.batch_size is {windows.rows}, expected a multiple of {ranks.size} processes; "
            f"start as many as divide {windows.rows}"
        )
    if ranks.size > 1 and settings.model.max_norm is not None:
        raise SettingsError(
            "model.max_norm shortens weights as they are read, which several processes cannot do at once; "
            "train with one process"
        )
    torch.manual_seed(settings.train.seed)
    network = Network(settings.model, tokenizer.size).to(device)
    cell = cast(Cell, network.stack.cells[0])
    paths = rivals(cell) if recurrence == "auto" else [choose(cell, recurrence)]
    batch = _first_batch(preparation, network, ranks.rows(windows.rows))
    chosen, path = choose_pace(network, batch, precision, paths, ranks)
    network.use(path)
    return Trainer(network, windows, settings.train, chosen, ranks)


def _windows(preparation: Preparation) -> Windows:
    train, tokens = preparation.settings.train, preparation.tokens
    unknown = tokens.tokenizer.unknown
    kind = GapWindows if preparation.settings.model.two_stream else WINDOWS[train.sampling]
    return kind(
        tokens.parts["train"],
        steps=train.window,
        rows=train.batch_size,
        seed=train.seed,
        hide=train.hide,
        rare=tokens.counts == 1 if unknown is not None else None,
        unknown=unknown or 0,
        restart=train.restart,
    )


def _first_batch(preparation: Preparation, network: Network, rows: slice) -> Batch:
    """Return these rows of the first batch; the trainer's own windows stay where they are."""
    batch = _windows(preparation).draw()
    inputs, targets = (
        torch.from_numpy(ids[:, rows]).to(network.device) for ids in (batch.inputs, batch.targets)
    )
    return Batch(inputs, targets, network.initial_state(inputs.shape[1]))


def _device(wanted: str) -> str:
    available = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if wanted == "auto":
        return "cuda" if available["cuda"] else "cpu"
    if not available[wanted]:
        found = ", ".join(name for name, there in available.items() if there)
        raise SettingsError(f"train.device is {wanted}, but torch finds only {found} here; use --device auto")
    return wanted
