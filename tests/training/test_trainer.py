"""The trainer against the same steps written out in plain torch, and against itself after a restore."""

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from elman.batches import WINDOWS
from elman.config import ModelSettings, TrainSettings
from elman.errors import DivergedError
from elman.model import Network
from elman.recurrence import choose, rivals
from elman.tokens.store import Tokens
from elman.training import Batch, Precision, Trainer, choose_pace

V, T, B = 9, 5, 3


def tokens(folder: Path) -> Tokens:
    np.random.default_rng(0).integers(0, V, 400).astype(np.uint8).tofile(folder / "ids")
    return Tokens(folder / "ids", np.dtype(np.uint8))


def trainer(folder: Path, **fields: object) -> Trainer:
    settings = TrainSettings.model_validate({"batch_size": B, "window": T, "steps": 60, "seed": 1, **fields})
    torch.manual_seed(2)
    model = ModelSettings(cell="lstm", hidden_size=8, embedding_size=6, dropout=0.2)
    network = Network(model, V)
    windows = WINDOWS[settings.sampling](tokens(folder), T, B, settings.seed)
    return Trainer(network, windows, settings, Precision("fp32", ""))


def draw(ours: Trainer) -> Batch:
    drawn = ours.windows.draw()
    inputs, targets = torch.from_numpy(drawn.inputs), torch.from_numpy(drawn.targets)
    return Batch(inputs, targets, ours.network.initial_state(B))


@pytest.mark.parametrize("penalty", [0.0, 0.3])
def test_steps_equal_plain_torch_with_carried_and_detached_state_clipping_and_schedule(
    penalty: float, tmp_path: Path
) -> None:
    options = {"optimizer": "adamw", "weight_decay": 0.1, "clip": 0.05, "learning_rate": 0.01}
    ours = trainer(tmp_path, state_penalty=penalty, **options)
    ours.network.dropout.p = 0.0
    embedding, lstm, linear = nn.Embedding(V, 6), nn.LSTM(6, 8), nn.Linear(8, V)
    cell = ours.network.stack.cells[0]
    with torch.no_grad():
        embedding.weight.copy_(ours.network.embedding.weight)
        lstm.weight_ih_l0.copy_(cell.input_weight)
        lstm.weight_hh_l0.copy_(cell.recurrent_weight)
        lstm.bias_ih_l0.copy_(cell.bias)
        lstm.bias_hh_l0.zero_()
        lstm.bias_hh_l0.requires_grad = False
        linear.weight.copy_(ours.network.decoder.weight)
        linear.bias.copy_(ours.network.decoder.bias)
    parameters = [p for m in (embedding, lstm, linear) for p in m.parameters() if p.requires_grad]
    matrices, vectors = [p for p in parameters if p.dim() > 1], [p for p in parameters if p.dim() == 1]
    plain = torch.optim.AdamW(
        [{"params": matrices, "weight_decay": 0.1}, {"params": vectors, "weight_decay": 0}], betas=(0.9, 0.99)
    )
    windows = WINDOWS["adjacent"](tokens(tmp_path), T, B, 1)
    state = None
    for progress in ours.steps():
        batch = windows.draw()
        if batch.fresh.all():
            state = None
        outputs, state = lstm(embedding(torch.from_numpy(batch.inputs)), state)
        loss = nn.functional.cross_entropy(
            linear(outputs).flatten(0, 1), torch.from_numpy(batch.targets).flatten()
        )
        plain.zero_grad()
        (loss + penalty * sum((part**2).mean() for part in state)).backward()
        norm = nn.utils.clip_grad_norm_(parameters, 0.05)
        for group in plain.param_groups:
            group["lr"] = progress.learning_rate
        plain.step()
        state = tuple(part.detach() for part in state)
        assert progress.nats == pytest.approx(loss.item(), abs=1e-5)
        assert progress.gradient_norm == pytest.approx(norm.item(), rel=1e-3)
    torch.testing.assert_close(ours.network.decoder.weight, linear.weight, rtol=0, atol=1e-4)
    assert progress.step == 60
    assert progress.tokens == 60 * T * B
    assert progress.done == 1.0


@pytest.mark.parametrize("sampling", list(WINDOWS))
@pytest.mark.parametrize("optimizer", ["sgd", "adam", "adamw"])
def test_a_restored_trainer_ends_with_identical_weights(
    tmp_path: Path, sampling: str, optimizer: str
) -> None:
    whole = trainer(tmp_path, sampling=sampling, optimizer=optimizer)
    saved = None
    losses = []
    for progress in whole.steps():
        losses.append(progress.nats)
        if progress.step == 23:
            saved = whole.state()
    assert saved is not None
    torch.manual_seed(99)
    again = trainer(tmp_path, sampling=sampling, optimizer=optimizer, seed=5)
    again.restore(*saved)
    assert [progress.nats for progress in again.steps()] == losses[23:]
    for name, expected in whole.network.state_dict().items():
        assert torch.equal(again.network.state_dict()[name], expected), name


def test_a_loss_that_is_not_a_number_stops_and_names_the_setting_to_lower(tmp_path: Path) -> None:
    ours = trainer(tmp_path, optimizer="sgd", learning_rate=1e38, warmup_steps=0)
    with pytest.raises(
        DivergedError, match=r"became (nan|inf) at step \d+, .*lower train.learning_rate \(now 1e\+38\)"
    ):
        for _ in ours.steps():
            pass


def test_precision_is_what_was_asked_for_or_measured_and_weights_and_random_state_stay(
    tmp_path: Path,
) -> None:
    ours = trainer(tmp_path)
    before = {name: tensor.clone() for name, tensor in ours.network.state_dict().items()}
    random = torch.get_rng_state()
    batch, cell = draw(ours), ours.network.stack.cells[0]
    chosen, path = choose_pace(ours.network, batch, "auto", rivals(cell))
    assert chosen.name in ("fp32", "bf16")
    assert "fp32" in chosen.reason or "times as fast" in chosen.reason
    assert path.name == "fused"  # too small for another
    asked = [choose(cell, "reference")]
    assert choose_pace(ours.network, batch, "bf16", asked) == (("bf16", "asked for"), asked[0])
    assert torch.equal(torch.get_rng_state(), random)
    assert all(torch.equal(tensor, before[name]) for name, tensor in ours.network.state_dict().items())
    assert all(parameter.grad is None for parameter in ours.network.parameters())


def test_the_fastest_path_is_found_beside_work_that_comes_and_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = trainer(tmp_path)
    batch = draw(ours)
    paths = [choose(ours.network.stack.cells[0], name) for name in ("fused", "reference")]
    begin = time.perf_counter()

    def loss(network: Network, *_: object) -> tuple[torch.Tensor, None]:
        disturbed = time.perf_counter() - begin < 0.25
        quick = network.stack.choice.name == "fused"
        time.sleep((0.002 if quick else 0.004) * (5 if disturbed else 1))
        return sum(parameter.sum() for parameter in network.parameters()), None

    monkeypatch.setattr("elman.training.pace.batch_loss", loss)
    assert choose_pace(ours.network, batch, "fp32", paths)[1].name == "fused"


def test_training_does_not_import_what_compiles_models(tmp_path: Path) -> None:
    """Neither torch's compiler nor the algebra that it computes shapes with: a third of a second."""
    text = tmp_path / "text.txt"
    text.write_text("to be or not to be, that is the question\n" * 100)
    program = f"""
import sys
from elman import LanguageModel
LanguageModel.train({str(text)!r}, out={str(tmp_path / "model")!r}, steps=2, settings={{"train.window": 8}})
print(sorted({{"sympy", "torch._dynamo", "torch._inductor"}} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
