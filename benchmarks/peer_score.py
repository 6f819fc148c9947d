"""Scores a model that nanoGPT has trained, by its own code: python -m benchmarks.peer_score FOLDER CHECKPOINT

Prints nats per character of the whole held-out text, each character with at least 7/8 of the context that the
model takes, and of blocks from random places.
"""

import json
import sys
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from .time_to_quality import BLOCKS

BATCH = 512


@torch.inference_mode()
def main(folder: Path, checkpoint: Path) -> None:
    """Load and score."""
    sys.path.insert(0, str(folder))
    from model import GPT, GPTConfig  # nanoGPT's

    saved = torch.load(checkpoint, map_location="cpu", weights_only=True)
    network = GPT(GPTConfig(**saved["model_args"])).eval()
    network.load_state_dict(saved["model"])
    ids = torch.from_numpy(
        np.fromfile(folder / "data" / "shakespeare_char" / "val.bin", np.uint16).astype(int)
    )
    length = network.config.block_size

    def nats(inputs: Tensor, targets: Tensor) -> Tensor:
        logits, _ = network(inputs, targets)
        return cross_entropy(logits.transpose(1, 2), targets, reduction="none")  # (B, T)

    new = length // 8  # characters that each window adds
    first = nats(ids[None, :length], ids[None, 1 : length + 1]).sum()
    starts = torch.arange(new, len(ids) - length, new)
    rest = sum(
        nats(ids[at[:, None] + torch.arange(length)], ids[1 + at[:, None] + torch.arange(length)])[
            :, -new:
        ].sum()
        for at in starts.split(BATCH)
    )
    scored = length + new * len(starts)  # a few characters at the end are left
    random = torch.from_numpy(np.random.default_rng(0).integers(0, len(ids) - length - 1, BLOCKS))
    cold = nats(ids[random[:, None] + torch.arange(length)], ids[1 + random[:, None] + torch.arange(length)])
    json.dump({"whole": float(first + rest) / scored, "cold": float(cold.mean())}, sys.stdout)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
