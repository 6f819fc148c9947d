"""A preparation in, all that learns out: network, windows and trainer, on a device, in a precision.

What this machine cannot do is refused here, before a folder is written.
"""

import torch

from elman.batches import WINDOWS, GapWindows, Windows
from elman.errors import SettingsError
from elman.model import Network
from elman.training import Precision, Trainer, choose_precision

from .preparation import Preparation


def make_trainer(preparation: Preparation, precision: str) -> Trainer:
    """Make the network from its seed, choose the precision (auto, fp32, bf16), stand before the first step.

    Raises:
        SettingsError: a device or a precision that this machine does not have.
        TextError: the training part is too short for one batch.
    """
    settings, tokenizer = preparation.settings, preparation.tokens.tokenizer
    device = _device(settings.train.device)
    windows = _windows(preparation)
    torch.manual_seed(settings.train.seed)
    network = Network(settings.model, tokenizer.size, settings.train.recurrence).to(device)
    return Trainer(network, windows, settings.train, _choose(precision, preparation, network, device))


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


def _choose(wanted: str, preparation: Preparation, network: Network, device: str) -> Precision:
    """Choose the precision on the first batch; the trainer's own windows stay where they are."""
    batch = _windows(preparation).draw()
    inputs, targets = (torch.from_numpy(ids).to(device) for ids in (batch.inputs, batch.targets))
    states = network.initial_state(inputs.shape[1])
    return choose_precision(network, inputs, targets, states, wanted)


def _device(wanted: str) -> str:
    available = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if wanted == "auto":
        return "cuda" if available["cuda"] else "cpu"
    if not available[wanted]:
        found = ", ".join(name for name, there in available.items() if there)
        raise SettingsError(f"train.device is {wanted}, but torch finds only {found} here; use --device auto")
    return wanted
