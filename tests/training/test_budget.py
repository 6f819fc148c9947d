import math

import pytest

from elman.config import TrainSettings
from elman.training.budget import Budget


def budget(batches: int = 50, **fields: object) -> Budget:
    return Budget(TrainSettings.model_validate(fields), batches)


def test_each_budget_is_used_up_in_its_own_unit() -> None:
    assert budget(steps=200).done(50, 1e9) == 0.25
    assert budget(epochs=4.0).done(50, 1e9) == 0.25
    assert budget(minutes=2.0).done(10**9, 30) == 0.25
    assert budget(minutes=2.0).done(1, 1e9) == 1.0


def test_cosine_falls_by_half_at_half_and_to_zero_at_the_end() -> None:
    plan = budget(steps=10_000, learning_rate=0.4, warmup_steps=0)
    assert plan.learning_rate(0, 0.0) == 0.4
    assert plan.learning_rate(5000, 0.5) == pytest.approx(0.2)
    assert plan.learning_rate(9999, 1.0) == pytest.approx(0.0)
    assert plan.learning_rate(3333, 1 / 3) == pytest.approx(0.4 * (1 + math.cos(math.pi / 3)) / 2)


def test_warmup_rises_in_a_line_and_takes_a_tenth_of_a_short_run_at_most() -> None:
    plan = budget(minutes=1.0, learning_rate=1.0, warmup_steps=100, schedule="constant")
    assert [plan.learning_rate(step, 0.0) for step in (0, 49, 99, 5000)] == [0.01, 0.5, 1.0, 1.0]
    short = budget(steps=50, learning_rate=1.0, warmup_steps=100, schedule="constant")
    assert [short.learning_rate(step, step / 50) for step in (0, 3, 5)] == [0.01, pytest.approx(0.6), 1.0]
    timed = budget(minutes=1.0, learning_rate=1.0, warmup_steps=10**6, schedule="constant")
    assert [timed.learning_rate(9, done) for done in (0.05, 0.1, 0.5)] == [0.5, 1.0, 1.0]
