"""Characters per second of many streams that advance together, against torch, NumPy and the machine's limit.

LSTM 1x512 over 65 characters, weights as they start: speed does not depend on what they are. Every stream is
sampled at temperature 1. elman draws 64 characters of each stream in one call, as `elman generate` does.
torch runs in 32 bits and in bfloat16: eagerly, through nn.LSTM and through nn.LSTMCell, and compiled for each
number of streams, with frozen weights and the kernels that its own search finds. NumPy looks the input
product up, multiplies once for all gates and works in place. All use as many threads as they do by default.
Of each rival the fastest way, which a trial finds, is timed in turn with elman.
"""

import math
import statistics
import sys
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch._inductor import config as inductor

from elman.config import ModelSettings
from elman.engine import Draws
from elman.engine.onnx import OnnxEngine
from elman.export import export
from elman.generation.stream import AT_ONCE
from elman.model import Network

from .limits import BEYOND_CACHES, Limits, find_limits
from .report import Table, in_turn, spread

VOCABULARY, EMBEDDING, HIDDEN = 65, 128, 512
STREAMS = (1, 4, 16, 64, 256)
STEPS = 16 * AT_ONCE  # of one stream in one measurement; of B streams, this over the root of B
WEIGHTS = 4 * HIDDEN * HIDDEN + HIDDEN * VOCABULARY  # that a step multiplies by: its input is looked up
PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16}

Work = Callable[[], object]
State = tuple[Tensor, Tensor]  # h and c
Step = Callable[[Tensor, State], tuple[Tensor, State]]  # tokens (B,) in, the next ones out
Draw = Callable[[Tensor], Tensor]  # distributions (B, V) -> tokens (B,)


def elman(int8: bool) -> OnnxEngine:
    """Return the model as users run it."""
    settings = ModelSettings(cell="lstm", hidden_size=HIDDEN, embedding_size=EMBEDDING)
    return OnnxEngine(export(Network(settings, VOCABULARY), int8))


def writing(engine: OnnxEngine, rows: int, steps: int) -> Work:
    """Return what writes with an engine."""
    random = np.random.default_rng(0)
    temperature, bias = np.ones((rows, 1)), np.zeros((1, VOCABULARY), dtype=np.float32)

    def write() -> None:
        ids, state = np.zeros((1, rows), dtype=np.int64), engine.initial_state(rows)
        for _ in range(steps // AT_ONCE):
            written = engine.write(ids, state, Draws(random.random((AT_ONCE, rows)), temperature, bias))
            ids, state = written.ids[-1:], written.state

    return write


def eager(rows: int, steps: int) -> dict[str, Work]:
    """Return the loops that one writes in torch."""
    works = {}
    for name, kind in PRECISIONS.items():
        state = torch.zeros(rows, HIDDEN, dtype=kind)
        works[f"nn.LSTM {name}"] = stepping(by_layer(kind), state[np.newaxis], steps)
        works[f"nn.LSTMCell {name}"] = stepping(by_cell(kind, multinomial), state, steps)
    return works


def compiled(rows: int, steps: int) -> dict[str, Work]:
    """Return the loops over a compiled step; what was compiled before is given up."""
    torch.compiler.reset()
    inductor.freezing = inductor.max_autotune = True  # the first has no effect among compile's own options
    works = {}
    for name, kind in PRECISIONS.items():
        step = torch.compile(by_cell(kind, race), fullgraph=True, dynamic=False)
        works[name] = stepping(step, torch.zeros(rows, HIDDEN, dtype=kind), steps)
    return works


def by_layer(kind: torch.dtype) -> Step:
    """Return a step through nn.LSTM."""
    (embedding, decoder), layer = ends(kind), nn.LSTM(EMBEDDING, HIDDEN, dtype=kind)

    def step(tokens: Tensor, state: State) -> tuple[Tensor, State]:
        outputs, state = layer(embedding(tokens)[np.newaxis], state)
        return multinomial(shares(decoder(outputs[0]))), state

    return step


def by_cell(kind: torch.dtype, draw: Draw) -> Step:
    """Return a step through nn.LSTMCell."""
    (embedding, decoder), cell = ends(kind), nn.LSTMCell(EMBEDDING, HIDDEN, dtype=kind)

    def step(tokens: Tensor, state: State) -> tuple[Tensor, State]:
        h, c = cell(embedding(tokens), state)
        return draw(shares(decoder(h))), (h, c)

    return step


def ends(kind: torch.dtype) -> tuple[nn.Embedding, nn.Linear]:
    """Return what stands before a layer and what stands after it."""
    return nn.Embedding(VOCABULARY, EMBEDDING, dtype=kind), nn.Linear(HIDDEN, VOCABULARY, dtype=kind)


def shares(logits: Tensor) -> Tensor:
    """Return the distributions that tokens are drawn from."""
    return torch.softmax(logits, dim=-1, dtype=torch.float32)


def multinomial(probabilities: Tensor) -> Tensor:
    """Draw by torch's own operation, which is never fused with others."""
    return torch.multinomial(probabilities, 1)[:, 0]


def race(probabilities: Tensor) -> Tensor:
    """Draw the token whose exponential waiting time ends first: the same distribution, and it fuses."""
    return (probabilities / torch.empty_like(probabilities).exponential_()).argmax(dim=-1)


def stepping(step: Step, state: Tensor, steps: int) -> Work:
    """Return the loop over a step, from h and c = `state`."""

    def write() -> None:
        with torch.inference_mode():
            tokens, after = torch.zeros(state.shape[-2], dtype=torch.long), (state, state.clone())
            for _ in range(steps):
                tokens, after = step(tokens, after)

    return write


def by_numpy(rows: int, steps: int) -> dict[str, Work]:
    """Return the loop in NumPy: streams are columns, and sigmoid(x) = tanh(x / 2) / 2 + 1 / 2."""
    random = np.random.default_rng(0)
    table, recurrent, decoder, bias = (  # rows of i, f, o and g; of the first three, halves
        random.uniform(-0.04, 0.04, shape).astype(np.float32)
        for shape in ((4 * HIDDEN, VOCABULARY), (4 * HIDDEN, HIDDEN), (VOCABULARY, HIDDEN), (VOCABULARY, 1))
    )

    def write() -> None:
        tokens, (h, c) = np.zeros(rows, dtype=np.int64), np.zeros((2, HIDDEN, rows), dtype=np.float32)
        projected, gates = np.empty((2, 4 * HIDDEN, rows), dtype=np.float32)
        sigmoids, (i, f, o, g) = gates[: 3 * HIDDEN], gates.reshape(4, HIDDEN, rows)
        scores = np.empty((VOCABULARY, rows), dtype=np.float32)
        for _ in range(steps):
            np.take(table, tokens, axis=1, out=projected, mode="clip")
            np.matmul(recurrent, h, out=gates)
            gates += projected
            np.tanh(gates, out=gates)
            sigmoids *= 0.5
            sigmoids += 0.5
            c *= f
            g *= i
            c += g
            np.tanh(c, out=h)
            h *= o
            np.matmul(decoder, h, out=scores)
            scores += bias
            scores -= scores.max(axis=0)
            np.exp(scores, out=scores)
            np.cumsum(scores, axis=0, out=scores)
            below = scores <= random.random(rows) * scores[-1]
            tokens = np.minimum(below.sum(axis=0), VOCABULARY - 1)

    return {"fp32": write}


RIVALS: dict[str, Callable[[int, int], dict[str, Work]]] = {
    "eager torch": eager,
    "torch.compile": compiled,
    "NumPy": by_numpy,
}


def refusal() -> str:
    """Return why torch cannot compile a step here; nothing where it can."""
    try:
        stepping(torch.compile(by_cell(torch.float32, race)), torch.zeros(1, HIDDEN), steps=1)()
    except Exception as error:  # a compiler can be missing or fail in many ways
        return str(error).partition("\n")[0]
    return ""


def fastest(works: dict[str, Work]) -> tuple[str, Work]:
    """Return what wins a trial, with its name."""
    trials = zip(in_turn(*works.values(), repeats=2), works.items(), strict=True)
    return min(trials, key=lambda trial: min(trial[0]))[1]


def compare(rows: int, engines: Sequence[OnnxEngine], limits: Limits, rivals: Sequence[str]) -> list[str]:
    """Return one row of the table."""
    steps = STEPS // math.isqrt(rows)
    ways = {name: fastest(RIVALS[name](rows, steps)) for name in rivals}
    works = [*(writing(engine, rows, steps) for engine in engines), *(work for _, work in ways.values())]
    full, small, *others = in_turn(*works, repeats=7)

    def speed(times: Sequence[float]) -> str:
        return spread([rows * steps / seconds for seconds in times], 0)

    said = dict.fromkeys(RIVALS, "not measured")
    for (name, (way, _)), times in zip(ways.items(), others, strict=True):
        said[name] = f"{way}: {speed(times)}"
    best = min(others, key=statistics.median)
    ratios = [spread([a / b for a, b in zip(best, times, strict=True)], 2) for times in (full, small)]
    least, cause = limits.least_seconds(rows)
    share = spread([100 * steps * least / seconds for seconds in full], 0)
    return [
        str(rows),
        speed(full),
        speed(small),
        *said.values(),
        *ratios,
        f"{rows / least:,.0f}, {cause}",
        share,
    ]


def measure() -> Table:
    """Time elman in turn with the best of each rival, for each number of streams."""
    torch.manual_seed(0)
    limits, engines, why_not = find_limits(WEIGHTS), [elman(int8) for int8 in (False, True)], refusal()
    rivals = [name for name in RIVALS if not (why_not and name == "torch.compile")]
    return Table(
        "Writing, many streams",
        "python -m benchmarks.streams",
        [
            "streams",
            "32 bits, characters/s",
            "8 bits, characters/s",
            *(f"{name}, characters/s" for name in RIVALS),
            "32 bits / best rival",
            "8 bits / best rival",
            "limit of 32 bits, characters/s",
            "share of it, %",
        ],
        [compare(rows, engines, limits, rivals) for rows in STREAMS],
        f"LSTM 1x{HIDDEN}, {VOCABULARY} characters, all streams together. The limit counts nothing but the "
        f"{4 * WEIGHTS / 1e6:.1f} MB of weights that a step needs and the products with them. A block of "
        f"that size, read again and again, comes at {limits.again / 1e9:.0f} GB/s from where it lies (one of "
        f"{BEYOND_CACHES >> 20} MB, too large for a cache, at {limits.memory / 1e9:.0f}); products of "
        f"matrices reach {limits.arithmetic / 1e9:.0f} GFLOP/s."
        + (f" torch.compile is not measured: {why_not}." if why_not else ""),
    )


if __name__ == "__main__":
    sys.stdout.write(measure().markdown())
