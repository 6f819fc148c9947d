import pytest
import torch
from torch import nn

from elman.config import TrainSettings
from elman.training.clipping import clip_gradients
from elman.training.exchange import Exchange
from elman.training.optimizer import Optimizer

CLASSES = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam, "adamw": torch.optim.AdamW}


@pytest.mark.parametrize("name", list(CLASSES))
@pytest.mark.parametrize("decay", [0.0, 0.3])
def test_steps_equal_those_of_torch_with_decay_on_matrices_only(name: str, decay: float) -> None:
    torch.manual_seed(0)
    ours, theirs = nn.Linear(3, 4).double(), nn.Linear(3, 4).double()
    theirs.load_state_dict(ours.state_dict())
    settings = TrainSettings.model_validate(
        {"steps": 1, "optimizer": name, "weight_decay": decay, "betas": (0.8, 0.95)}
    )
    optimizer = Optimizer(ours, settings, Exchange(ours, None))
    groups = [
        {"params": [theirs.weight], "weight_decay": decay},
        {"params": [theirs.bias], "weight_decay": 0.0},
    ]
    more = {} if name == "sgd" else {"betas": (0.8, 0.95), "eps": 1e-8}
    reference = CLASSES[name](groups, lr=1.0, foreach=False, fused=False, **more)
    for step in range(12):
        x = torch.randn(5, 3).double()
        for module in (ours, theirs):
            module.zero_grad()
            module(x).square().sum().backward()
        optimizer.step(0.01 * (step + 1))
        for group in reference.param_groups:
            group["lr"] = 0.01 * (step + 1)
        reference.step()
        torch.testing.assert_close(ours.weight, theirs.weight, rtol=0, atol=1e-12)
        torch.testing.assert_close(ours.bias, theirs.bias, rtol=0, atol=1e-12)


def test_clipping_keeps_the_direction_and_bounds_the_global_norm() -> None:
    module = nn.Linear(3, 4)
    module(torch.randn(5, 3)).square().sum().backward()
    before = torch.cat([p.grad.flatten() for p in module.parameters()])
    assert clip_gradients(module.parameters(), None) == pytest.approx(before.norm().item())
    assert clip_gradients(module.parameters(), 0.25) == pytest.approx(before.norm().item())
    after = torch.cat([p.grad.flatten() for p in module.parameters()])
    torch.testing.assert_close(after, before * 0.25 / before.norm(), rtol=1e-4, atol=0)
