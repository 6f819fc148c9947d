"""How good a model is after how many seconds of training: elman's default beside nanoGPT's recipe for a CPU.

tinyshakespeare, the first 90 % to train. Two protocols, the same for every model: the whole held-out text in
order (state carried; for nanoGPT every character with at least 7/8 of its context), and nanoGPT's own,
blocks from random places with a cold context. nanoGPT runs from its own source, unchanged, where
benchmarks/peers/nanoGPT holds it: git clone https://github.com/karpathy/nanoGPT benchmarks/peers/nanoGPT
"""

import json
import re
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from elman import LanguageModel
from elman.engine import Engine, log_probabilities

from .report import DATA, Table, train

TEXT = DATA / "tinyshakespeare.txt"
NANOGPT = Path(__file__).parent / "peers" / "nanoGPT"
SEEDS = (0, 1, 2)
BLOCKS = 400  # of the second protocol, in each size
LENGTHS = (64, 256)
FLAGS = {  # as its README gives them for a CPU
    "device": "cpu",
    "compile": False,
    "eval_iters": 20,
    "log_interval": 1,
    "block_size": 64,
    "batch_size": 12,
    "n_layer": 4,
    "n_head": 4,
    "n_embd": 128,
    "max_iters": 2000,
    "lr_decay_iters": 2000,
    "dropout": 0.0,
}


class Outcome(NamedTuple):
    """One model after training, in nats per character."""

    seconds: float
    whole: float
    cold: dict[int, float]  # by the length of a block


def nanogpt(seed: int, folder: Path) -> Outcome:
    """Train nanoGPT, and score what it saved as its best; evaluations on the way do not count as time."""
    data = NANOGPT / "data" / "shakespeare_char"
    if not (data / "val.bin").exists():
        (data / "input.txt").write_bytes(TEXT.read_bytes())
        subprocess.run([sys.executable, "prepare.py"], cwd=data, check=True, stdout=subprocess.DEVNULL)
    flags = [f"--{name}={value}" for name, value in {**FLAGS, "out_dir": str(folder)}.items()]
    seeded = (
        "import runpy, sys, torch; seed = torch.manual_seed; "
        f"torch.manual_seed = lambda n: seed(n + {seed}); sys.argv = sys.argv[1:]; "
        "runpy.run_path('train.py', run_name='__main__')"
    )
    command = [sys.executable, "-c", seeded, "train.py", "config/train_shakespeare_char.py", *flags]
    said = subprocess.run(command, cwd=NANOGPT, check=True, capture_output=True, text=True).stdout
    steps = {int(n): float(ms) / 1000 for n, ms in re.findall(r"iter (\d+): .* time ([\d.]+)ms", said)}
    validated, usual = set(map(int, re.findall(r"step (\d+): ", said))), statistics.median(steps.values())
    seconds = sum(usual if step in validated else spent for step, spent in steps.items())
    scored = subprocess.run(
        [sys.executable, "-m", "benchmarks.peer_score", str(NANOGPT), str(folder / "ckpt.pt")],
        check=True,
        capture_output=True,
        text=True,
    )
    result = json.loads(scored.stdout.splitlines()[-1])
    return Outcome(seconds, result["whole"], {64: result["cold"]})


def ours(seed: int, seconds: float, folder: Path) -> Outcome:
    """Train elman's default for so many seconds."""
    result = train(TEXT, folder, "--minutes", str(seconds / 60), "--seed", str(seed))
    model, text = LanguageModel.load(folder), TEXT.read_text()
    held_out = model.tokenizer.encode(text[int(0.9 * len(text)) :])
    cold = {length: cold_blocks(model.engine, held_out, length) for length in LENGTHS}
    return Outcome(result["seconds"], result["validation"]["nats_per_character"], cold)


def cold_blocks(engine: Engine, ids: NDArray[np.int64], length: int) -> float:
    """Return mean nats over blocks from random places, each from a fresh state."""
    starts = np.random.default_rng(0).integers(0, len(ids) - length - 1, BLOCKS)
    blocks = ids[starts + np.arange(length + 1)[:, np.newaxis]]  # (T + 1, B)
    logits, _ = engine.feed(blocks[:-1], engine.initial_state(BLOCKS))
    return -float(np.take_along_axis(log_probabilities(logits), blocks[1:, :, np.newaxis], axis=-1).mean())


def measure() -> Table:
    """Train both with three seeds: elman for a tenth of nanoGPT's time, and for all of it."""
    heading = ["model", "training, s", "whole held-out text", *(f"cold blocks of {n}" for n in LENGTHS)]
    rows = [["nanoGPT, its CPU recipe", *["not measured"] * 4]]
    seconds, remark = 150.0, "benchmarks/peers/nanoGPT is missing."
    with tempfile.TemporaryDirectory() as temporary:
        if NANOGPT.exists():
            theirs = [nanogpt(seed, Path(temporary, f"nanogpt-{seed}")) for seed in SEEDS]
            seconds = statistics.mean(outcome.seconds for outcome in theirs)
            rows = [_row("nanoGPT, its CPU recipe", theirs)]
            remark = ""
        for share in (0.1, 1.0):
            found = [ours(seed, share * seconds, Path(temporary, f"{share}-{seed}")) for seed in SEEDS]
            rows.append(_row("elman, default", found))
    return Table(
        "Time to quality",
        "python -m benchmarks.time_to_quality",
        heading,
        rows,
        f"tinyshakespeare, nats per character, mean and standard deviation of {len(SEEDS)} seeds. {remark} "
        "Published for the same text: minGRU 1.548, minLSTM 1.555 (Feng et al. 2024).",
    )


def _row(name: str, outcomes: Sequence[Outcome]) -> list[str]:
    cold = [
        _mean([outcome.cold[length] for outcome in outcomes]) if length in outcomes[0].cold else "-"
        for length in LENGTHS
    ]
    seconds = statistics.mean(outcome.seconds for outcome in outcomes)
    return [name, f"{seconds:.1f}", _mean([outcome.whole for outcome in outcomes]), *cold]


def _mean(values: Sequence[float]) -> str:
    return f"{statistics.mean(values):.4f} +- {statistics.stdev(values):.4f}"


if __name__ == "__main__":
    sys.stdout.write(measure().markdown())
