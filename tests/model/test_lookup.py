"""Input products made once for each token of the vocabulary, against those made at each step."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from elman.config import ModelSettings
from elman.model import Network
from elman.recurrence import Lookup, choose
from elman.recurrence.lookup import pays

VOCABULARY, STEPS, ROWS = 11, 40, 3
SHAPES = {
    "an embedding": {"embedding_size": 8},
    "one-hot": {},
    "two layers in two directions": {"embedding_size": 8, "layers": 2, "bidirectional": True},
    "two streams": {"embedding_size": 8, "two_stream": True},
    "residual layers": {"embedding_size": 8, "layers": 2, "residual": True},
    "residual layers as wide as their input": {"embedding_size": 16, "residual": True},
    "rows first": {"embedding_size": 8, "batch_first": True},
}


def passed(network: Network, ids: Tensor) -> tuple[list[Tensor], list[tuple[int, ...]]]:
    """Logits, states and gradients; and the shapes of what each cell has made input products of."""
    shapes = list[tuple[int, ...]]()
    for stack in network.stacks:
        for cell in stack.cells:
            cell.project = lambda x, cell=cell: shapes.append(tuple(x.shape)) or type(cell).project(cell, x)
    network.zero_grad()
    logits, states = network(ids, network.initial_state(ROWS))
    weights = torch.linspace(-1, 1, logits.numel(), dtype=logits.dtype).reshape(logits.shape)
    (logits * weights).sum().backward()
    gradients = [parameter.grad.clone() for parameter in network.parameters()]
    return [logits, *(part for state in states for part in state), *gradients], shapes


@pytest.mark.parametrize("options", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("cell", ["min-gru", "rg-lru"])
def test_each_token_is_seen_to_once_and_nothing_else_changes(cell: str, options: dict) -> None:
    torch.manual_seed(2)
    settings = ModelSettings.model_validate({"cell": cell, "hidden_size": 16, **options})
    network = Network(settings, VOCABULARY, "scan").double()
    ids = torch.randint(VOCABULARY, (STEPS, ROWS))
    found, seen = passed(network, ids)
    network.use(choose(network.stack.cells[0], "reference"))
    expected, seen_before = passed(network, ids)
    for ours, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-9)
    width = options.get("embedding_size", VOCABULARY)
    first = len(network.stacks) * (1 + options.get("bidirectional", False))  # cells that read tokens
    assert seen[0] == (VOCABULARY, width)
    assert seen.count((VOCABULARY, width)) == first
    assert seen_before[0] == (STEPS, ROWS, width)


@pytest.mark.parametrize("cell", ["rnn-tanh", "gru", "lstm"])
@pytest.mark.parametrize("bf16", [False, True])
def test_the_native_path_looks_up_what_torch_makes_at_each_step(cell: str, bf16: bool) -> None:
    bf16 = bf16 and "avx512_bf16" in Path("/proc/cpuinfo").read_text()
    torch.manual_seed(2)
    settings = ModelSettings(cell=cell, hidden_size=32, embedding_size=8)
    network, ids = Network(settings, VOCABULARY, "native"), torch.randint(VOCABULARY, (STEPS, ROWS))
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=bf16):
        found, seen = passed(network, ids)
        network.use(choose(network.stack.cells[0], "fused"))
        theirs, _ = passed(network, ids)
    network.double().use(choose(network.stack.cells[0], "reference"))
    exact, _ = passed(network, ids)
    assert seen == [(VOCABULARY, 8)]
    for ours, torchs, expected in zip(found, theirs, exact, strict=True):
        assert (ours - expected).norm() <= 2 * (torchs - expected).norm() + 1e-5 * expected.norm()


@pytest.mark.parametrize(
    "options",
    [{"padding_idx": 0}, {"max_norm": 0.5}, {"embedding_dropout": 0.5}],
    ids=["a padding row", "a largest norm", "dropout"],
)
def test_where_a_row_is_not_always_the_same_it_is_made_at_each_step(options: dict) -> None:
    settings = ModelSettings.model_validate(
        {"cell": "min-gru", "embedding_size": 8, "hidden_size": 16, **options}
    )
    network = Network(settings, VOCABULARY, "scan")
    _, seen = passed(network, torch.randint(VOCABULARY, (STEPS, ROWS)))
    assert seen == [(STEPS, ROWS, 8)]


def test_it_pays_where_the_sequence_is_longer_than_the_table() -> None:
    assert pays(entries=65, width=128, steps=48 * 16)
    assert not pays(entries=6000, width=256, steps=48 * 24)
    assert not pays(entries=65, width=128, steps=32)


def test_rows_are_those_of_an_embedding_and_so_are_their_gradients() -> None:
    torch.manual_seed(0)
    table, ids = torch.randn(5, 3, requires_grad=True), torch.randint(5, (7, 2))
    rows, weights = Lookup(table, ids).rows(), torch.randn(7, 2, 3)
    (gradient,) = torch.autograd.grad((rows * weights).sum(), table)
    twin = torch.nn.functional.embedding(ids, table)
    (expected,) = torch.autograd.grad((twin * weights).sum(), table)
    assert torch.equal(rows, twin)
    torch.testing.assert_close(gradient, expected)
    assert torch.equal(Lookup(table, ids).flip(0).rows(), twin.flip(0))
