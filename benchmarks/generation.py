"""Characters per second of one stream, sampling included, against the plain loop that one writes in torch.

LSTM, GRU and Elman 1x512 over 65 characters, weights as they start: speed does not depend on what they are.
The engines write 2,048 characters as `elman generate` does; torch steps eagerly through nn.LSTM, nn.GRU or
nn.RNN in inference mode and draws by torch.multinomial. Then how much ten million characters of one stream
cost in memory, and whether they slow down.
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn

from elman.config import ModelSettings
from elman.engine.onnx import OnnxEngine
from elman.export import export
from elman.generation import Sampling, Stream
from elman.model import Network
from elman.tokens import learn_tokenizer

from .report import Table, in_turn, spread

CHARACTERS, VOCABULARY, EMBEDDING, HIDDEN = 2048, 65, 128, 512
LONG = 10_000_000
TWINS = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn-tanh": nn.RNN}


def plain_loop(cell: str) -> Callable[[], object]:
    """Return the loop that one writes in torch."""
    torch.manual_seed(0)
    embedding, rnn = nn.Embedding(VOCABULARY, EMBEDDING), TWINS[cell](EMBEDDING, HIDDEN)
    decoder = nn.Linear(HIDDEN, VOCABULARY)

    def write() -> None:
        with torch.inference_mode():
            token, state = torch.zeros(1, 1, dtype=torch.long), None
            for _ in range(CHARACTERS // 4):
                outputs, state = rnn(embedding(token), state)
                token = torch.multinomial(torch.softmax(decoder(outputs[0]), dim=-1), 1).T

    return write


def streams(cell: str) -> list[Stream]:
    """Return a stream in 32 bits and one in 8."""
    torch.manual_seed(0)
    tokenizer = learn_tokenizer("character", [bytes(range(33, 33 + VOCABULARY - 1)).decode()])
    network = Network(ModelSettings(cell=cell, hidden_size=HIDDEN, embedding_size=EMBEDDING), tokenizer.size)
    return [Stream.after(OnnxEngine(export(network, int8)), tokenizer, "A") for int8 in (False, True)]


def writing(stream: Stream, count: int = CHARACTERS) -> Callable[[], object]:
    """Return what writes some characters."""
    return lambda: sum(map(len, stream.text(count, Sampling(), seed=0)))


def measure() -> Table:
    """Time each cell in pairs with its twin."""
    rows = []
    for cell in TWINS:
        full, small = streams(cell)
        plain, fp32, int8 = in_turn(plain_loop(cell), writing(full), writing(small), repeats=7)
        plain = [4 * seconds for seconds in plain]
        ratios = [spread([a / b for a, b in zip(plain, times, strict=True)]) for times in (fp32, int8)]
        speeds = [spread([CHARACTERS / t for t in times], 0) for times in (plain, fp32, int8)]
        rows.append([f"{cell} 1x{HIDDEN}", *speeds, *ratios])
    return Table(
        "Writing, one stream",
        "python -m benchmarks.generation",
        [
            "model",
            "torch, characters/s",
            "32 bits, characters/s",
            "8 bits, characters/s",
            "32 bits / torch",
            "8 bits / torch",
        ],
        rows,
        long_run(),
    )


def long_run() -> str:
    """Return in a sentence what ten million characters of one stream cost."""
    (_, stream), speeds, memory = streams("lstm"), [], []
    for part in range(10):
        start = time.perf_counter()
        sum(map(len, stream.text(LONG // 10, Sampling(), seed=part)))
        speeds.append(LONG / 10 / (time.perf_counter() - start))
        memory.append(resident())
    return (
        f"{LONG:,} characters of one stream (LSTM, 8 bits), by tenths: {spread(speeds, 0)} characters/s; "
        f"resident memory {memory[0]:.1f} MB after the first tenth, {memory[-1]:.1f} after the last."
    )


def resident() -> float:
    """Return the memory that the process holds, in MB."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6


if __name__ == "__main__":
    sys.stdout.write(measure().markdown())
