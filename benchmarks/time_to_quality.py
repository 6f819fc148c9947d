"""How good a model is after how many seconds of training: elman's recipes beside nanoGPT's own for a CPU.

tinyshakespeare, the first 90 % to train. Two protocols, the same for every model: the whole held-out text in
order (state carried; for nanoGPT every character with at least 7/8 of its context), and nanoGPT's own,
blocks from random places with a cold context. nanoGPT runs from its own source, unchanged, where
benchmarks/peers/nanoGPT holds it: git clone https://github.com/karpathy/nanoGPT benchmarks/peers/nanoGPT

The picture shows each model's validations on the way. A trainer of elman reads the first 65,536 held-out
characters for them, so what comes after these is scored once, for the table.
"""

import json
import re
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from elman import LanguageModel
from elman.engine import Engine, log_probabilities
from elman.evaluation.baselines import number_characters
from elman.evaluation.kneser_ney import kneser_ney_nats

from .charts import Curve, Panel, write
from .report import DATA, Picture, Table, in_turn, train

TEXT = DATA / "tinyshakespeare.txt"
NANOGPT = Path(__file__).parent / "peers" / "nanoGPT"
SEEDS = (0, 1, 2)
BLOCKS = 400  # of the second protocol, in each size
LENGTHS = (64, 256)
NANOGPT_NAME, NANOGPT_SECONDS = "nanoGPT, its CPU recipe", 150.0  # the seconds where it is missing
RECIPES: dict[str, tuple[str, float | None]] = {  # name and share of nanoGPT's time; none: the recipe's own
    "elman, default, 1/20 of that time": ("default", 0.05),
    "elman, default, 1/10 of it": ("default", 0.1),
    "elman, default": ("default", 1.0),
    "elman, min-gru": ("min-gru", 1.0),
    "elman, min-lstm": ("min-lstm", 1.0),
    "elman, three-minutes": ("three-minutes", None),
}
DRAWN = (NANOGPT_NAME, "elman, default", "elman, min-gru", "elman, min-lstm")
ORDER, POINTS = 6, 100  # of the n-grams; of a curve
PUBLISHED = {"minGRU": 1.548, "minLSTM": 1.555}
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
REMARK = (
    f"tinyshakespeare, nats per character, mean and standard deviation of {len(SEEDS)} seeds; the seconds of "
    f"the {ORDER}-gram are those of counting and scoring. The table scores all of the held-out text, once. "
    "The curves, means in a band from the smallest to the largest, are what trainers see of it on the way: "
    "elman's the first 65,536 of 111,540 characters, nanoGPT's random blocks of 64 from all of it. "
    f"Published (Feng et al. 2024): {', '.join(f'{model} {nats}' for model, nats in PUBLISHED.items())}."
)


class Outcome(NamedTuple):
    """One model after training, in nats per character."""

    seconds: float
    whole: float
    cold: dict[int, float]  # by the length of a block
    curve: list[tuple[float, float]] = []  # validations on the way: seconds of training, nats


def turn(seed: int, folder: Path) -> dict[str, Outcome]:
    """Train every model once, one after the other."""
    outcomes, seconds = dict[str, Outcome](), NANOGPT_SECONDS
    if NANOGPT.exists():
        outcomes[NANOGPT_NAME] = nanogpt(seed, folder / "nanogpt")
        seconds = outcomes[NANOGPT_NAME].seconds
    for number, (name, (recipe, share)) in enumerate(RECIPES.items()):
        budget = ["--minutes", str(share * seconds / 60)] if share else []
        outcomes[name] = ours(seed, recipe, budget, folder / str(number))
    return outcomes


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
    steps = [float(ms) / 1000 for ms in re.findall(r"iter \d+: .* time ([\d.]+)ms", said)]
    validated = {int(n): float(nats) for n, nats in re.findall(r"step (\d+): .* val loss ([\d.]+)", said)}
    usual = statistics.median(steps)
    spent = [usual if step in validated else seconds for step, seconds in enumerate(steps)]
    clock = list(accumulate(spent, initial=0.0))  # before each step
    scored = subprocess.run(
        [sys.executable, "-m", "benchmarks.peer_score", str(NANOGPT), str(folder / "ckpt.pt")],
        check=True,
        capture_output=True,
        text=True,
    )
    result = json.loads(scored.stdout.splitlines()[-1])
    curve = [(clock[step], nats) for step, nats in validated.items() if step]
    return Outcome(clock[-1], result["whole"], {64: result["cold"]}, curve)


def ours(seed: int, recipe: str, budget: Sequence[str], folder: Path) -> Outcome:
    """Train one of elman's recipes."""
    result = train(TEXT, folder, "--recipe", recipe, *budget, "--seed", str(seed))
    model, text = LanguageModel.load(folder), TEXT.read_text()
    held_out = model.tokenizer.encode(text[int(0.9 * len(text)) :])
    cold = {length: cold_blocks(model.engine, held_out, length) for length in LENGTHS}
    curve = [
        (row["seconds"], row["nats_per_token"])
        for row in model.folder.metrics.read()
        if row["event"] == "validation"
    ]
    return Outcome(result["seconds"], result["validation"]["nats_per_character"], cold, curve)


def cold_blocks(engine: Engine, ids: NDArray[np.int64], length: int) -> float:
    """Return mean nats over blocks from random places, each from a fresh state."""
    starts = np.random.default_rng(0).integers(0, len(ids) - length - 1, BLOCKS)
    blocks = ids[starts + np.arange(length + 1)[:, np.newaxis]]  # (T + 1, B)
    logits, _ = engine.feed(blocks[:-1], engine.initial_state(BLOCKS))
    return -float(np.take_along_axis(log_probabilities(logits), blocks[1:, :, np.newaxis], axis=-1).mean())


def kneser_ney() -> Outcome:
    """Count n-grams on the training part and score the held-out text."""
    text = TEXT.read_text()
    cut = int(0.9 * len(text))

    def nats() -> float:
        numbered = number_characters([text[:cut]], text[cut:])
        totals = kneser_ney_nats(numbered.train, numbered.heldout, numbered.unknown, ORDER)
        return totals[-1] + numbered.spelling_nats

    return Outcome(statistics.median(in_turn(nats)[0]), nats() / (len(text) - cut), {})


def measure() -> Table:
    """Train all models with three seeds, and count n-grams."""
    with tempfile.TemporaryDirectory() as temporary:
        turns = [turn(seed, Path(temporary, str(seed))) for seed in SEEDS]
    found = {name: [outcomes[name] for outcomes in turns] for name in turns[0]}
    counted = kneser_ney()
    rows = [_row(name, outcomes) for name, outcomes in found.items()]
    if NANOGPT_NAME not in found:
        rows.insert(0, [NANOGPT_NAME, *["not measured"] * 4])
    name = f"Kneser-Ney {ORDER}-gram"
    rows.append([name, f"{counted.seconds:.1f}", f"{counted.whole:.4f}", *["-"] * len(LENGTHS)])
    return Table(
        "Time to quality",
        "python -m benchmarks.time_to_quality",
        ["model", "training, s", "whole held-out text", *(f"cold blocks of {n}" for n in LENGTHS)],
        rows,
        REMARK,
        picture(
            {name: found[name] for name in DRAWN if name in found},
            {name: counted.whole, **{f"{model}, published": nats for model, nats in PUBLISHED.items()}},
        ),
    )


def picture(found: dict[str, list[Outcome]], levels: dict[str, float]) -> Picture:
    """Draw each model's number at each second, and what is compared with as levels."""
    curves = [over_time(name, [outcome.curve for outcome in outcomes]) for name, outcomes in found.items()]
    end = max(curve.x[-1] for curve in curves)
    curves += [Curve(name, (0, end), (nats, nats), dashed=True) for name, nats in levels.items()]
    title = "tinyshakespeare, held-out text on the way"
    panel = Panel(title, "seconds of training", "nats per character, lower is better", curves)
    return write(
        "time-to-quality", "Nats per character of each model at each second of its training", [panel]
    )


def over_time(name: str, curves: Sequence[Sequence[tuple[float, float]]]) -> Curve:
    """Return mean, smallest and largest of several curves at the times that all of them have."""
    times = np.linspace(max(curve[0][0] for curve in curves), min(curve[-1][0] for curve in curves), POINTS)
    nats = np.stack([np.interp(times, *np.transpose(curve)) for curve in curves])
    low, high = nats.min(axis=0).tolist(), nats.max(axis=0).tolist()
    return Curve(name, times.tolist(), nats.mean(axis=0).tolist(), low, high)


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
