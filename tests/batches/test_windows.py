"""Windows, on ids that are their own positions, so that what was drawn can be read off."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from elman.batches import WINDOWS, AdjacentWindows, GapWindows, OverlappingWindows, RandomWindows
from elman.errors import TextError
from elman.tokens.store import Tokens

each = pytest.mark.parametrize("kind", list(WINDOWS))
shapes = st.tuples(st.integers(1, 7), st.integers(1, 5), st.integers(0, 200), st.integers(0, 2**31))


def positions(folder: Path, count: int) -> Tokens:
    path = folder / f"{count}.ids"
    np.arange(count, dtype=np.uint16).tofile(path)
    return Tokens(path, np.dtype(np.uint16))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("ids")


@each
@settings(deadline=None, max_examples=40)
@given(shape=shapes)
def test_each_target_is_the_token_after_its_input(folder: Path, kind: str, shape: Any) -> None:
    steps, rows, extra, seed = shape
    windows = WINDOWS[kind](positions(folder, rows * steps + rows + 1 + extra), steps, rows, seed)
    for _ in range(2 * windows.batches_per_epoch + 1):
        batch = windows.draw()
        assert batch.inputs.shape == (steps, rows)
        assert np.array_equal(batch.inputs[1:], batch.inputs[:-1] + 1)
        assert np.array_equal(batch.targets, batch.inputs[-len(batch.targets) :] + 1)


@settings(deadline=None, max_examples=40)
@given(shape=shapes)
def test_adjacent_rows_go_on_where_they_stopped_until_a_fresh_start(folder: Path, shape: Any) -> None:
    steps, rows, extra, seed = shape
    windows = AdjacentWindows(positions(folder, rows * (steps + 1) + extra), steps, rows, seed)
    last = None
    for number in range(3 * windows.batches_per_epoch):
        batch = windows.draw()
        assert (batch.fresh == (windows.position == 1)).all()
        if not batch.fresh.any():
            assert last is not None
            assert np.array_equal(batch.inputs[0], last + 1), number
        last = batch.inputs[-1]


@settings(deadline=None, max_examples=40)
@given(shape=shapes)
def test_random_windows_of_one_epoch_do_not_overlap(folder: Path, shape: Any) -> None:
    steps, rows, extra, seed = shape
    windows = RandomWindows(positions(folder, rows * steps + 1 + extra), steps, rows, seed)
    drawn = [windows.draw() for _ in range(windows.batches_per_epoch)]
    seen = np.concatenate([batch.inputs.ravel() for batch in drawn])
    assert len(np.unique(seen)) == len(seen)
    assert all(batch.fresh.all() for batch in drawn)


def test_overlapping_windows_predict_every_token_that_has_a_whole_window_before_it(folder: Path) -> None:
    windows = OverlappingWindows(positions(folder, 50), 8, 1, seed=3)
    targets = [windows.draw().targets.item() for _ in range(windows.batches_per_epoch)]
    assert sorted(targets) == list(range(8, 50))
    assert targets != sorted(targets)


def test_adjacent_sampling_of_thirty_tokens_is_that_of_the_tutorials(folder: Path) -> None:
    """0..29, batch 2, 6 steps: two rows of fifteen, read side by side, six tokens at a time."""
    windows = AdjacentWindows(positions(folder, 30), 6, 2, seed=5)
    assert windows.batches_per_epoch == 2
    first, second = windows.draw(), windows.draw()
    assert first.inputs.T.tolist() == [[0, 1, 2, 3, 4, 5], [15, 16, 17, 18, 19, 20]]
    assert first.targets.T.tolist() == [[1, 2, 3, 4, 5, 6], [16, 17, 18, 19, 20, 21]]
    assert second.inputs.T.tolist() == [[6, 7, 8, 9, 10, 11], [21, 22, 23, 24, 25, 26]]
    assert second.targets.T.tolist() == [[7, 8, 9, 10, 11, 12], [22, 23, 24, 25, 26, 27]]


def test_random_sampling_of_thirty_tokens_is_that_of_the_tutorials(folder: Path) -> None:
    """0..29, batch 2, 6 steps: the windows from 0, 6, 12 and 18, each once, in an order that is drawn."""
    orders = set()
    for seed in range(20):
        windows = RandomWindows(positions(folder, 30), 6, 2, seed)
        assert windows.batches_per_epoch == 2
        batches = [windows.draw(), windows.draw()]
        starts = np.concatenate([batch.inputs[0] for batch in batches]).tolist()
        assert sorted(starts) == [0, 6, 12, 18]
        for batch in batches:
            for row, target in zip(batch.inputs.T.tolist(), batch.targets.T.tolist(), strict=True):
                assert row == list(range(row[0], row[0] + 6))
                assert target == list(range(row[0] + 1, row[0] + 7))
        orders.add(tuple(starts))
    assert len(orders) > 5


@settings(deadline=None, max_examples=40)
@given(shape=shapes)
def test_the_first_adjacent_epoch_cuts_the_text_as_a_reshape_does(folder: Path, shape: Any) -> None:
    steps, rows, extra, seed = shape
    count = rows * (steps + 1) + extra
    windows = AdjacentWindows(positions(folder, count), steps, rows, seed)
    table = np.arange(count // rows * rows).reshape(rows, -1)
    for start in range(0, table.shape[1] - steps, steps):
        batch = windows.draw()
        assert np.array_equal(batch.inputs.T, table[:, start : start + steps])
        assert np.array_equal(batch.targets.T, table[:, start + 1 : start + steps + 1])
    assert windows.position == windows.batches_per_epoch


@pytest.mark.parametrize("kind", ["adjacent", "random"])
def test_later_epochs_cut_the_text_elsewhere(folder: Path, kind: str) -> None:
    windows = WINDOWS[kind](positions(folder, 203), 10, 4, seed=1)
    firsts = []
    for _ in range(6):
        drawn = [windows.draw().inputs for _ in range(windows.batches_per_epoch)]
        firsts.append(min(int(inputs.min()) for inputs in drawn))
    assert firsts[0] == 0
    assert len(set(firsts)) > 1


def test_gap_windows_are_random_windows_that_are_their_own_targets(folder: Path) -> None:
    gaps = GapWindows(positions(folder, 100), 7, 3, seed=4)
    windows = RandomWindows(positions(folder, 100), 7, 3, seed=4)
    for _ in range(2 * windows.batches_per_epoch):
        gap, window = gaps.draw(), windows.draw()
        assert np.array_equal(gap.inputs, window.inputs)
        assert np.array_equal(gap.targets, window.inputs)


@each
@settings(deadline=None, max_examples=25)
@given(shape=shapes, before=st.integers(0, 30))
def test_a_restored_state_goes_on_with_the_same_batches(
    folder: Path, kind: str, shape: Any, before: int
) -> None:
    steps, rows, extra, seed = shape
    tokens, rare = positions(folder, rows * steps + rows + 1 + extra), np.arange(2000) % 3 == 0
    windows = WINDOWS[kind](tokens, steps, rows, seed, rare, restart=0.3)
    for _ in range(before):
        windows.draw()
    saved = windows.state()
    expected = [windows.draw() for _ in range(12)]
    again = WINDOWS[kind](tokens, steps, rows, seed + 1, rare, restart=0.3)
    again.restore(saved)
    for batch in expected:
        other = again.draw()
        assert np.array_equal(batch.inputs, other.inputs)
        assert np.array_equal(batch.targets, other.targets)
        assert np.array_equal(batch.fresh, other.fresh)


def test_half_of_the_rare_tokens_are_shown_as_unknown_and_no_others(folder: Path) -> None:
    rare = np.zeros(4000, dtype=bool)
    rare[1000:] = True
    windows = RandomWindows(positions(folder, 4000), 10, 4, seed=1, rare=rare, unknown=0, hide=0.5)
    shown = np.concatenate([windows.draw().inputs.ravel() for _ in range(windows.batches_per_epoch)])
    hidden = (shown == 0).mean()
    assert 0.33 < hidden < 0.42  # half of three quarters is 0.375; 3,980 draws, six standard errors: 0.046
    assert set(shown[shown < 1000].tolist()) >= set(range(20, 980))


@each
def test_a_text_shorter_than_one_batch_is_refused(folder: Path, kind: str) -> None:
    with pytest.raises(
        TextError, match=r"has 9 tokens, expected at least .* one window of 5 steps in 8 rows"
    ):
        WINDOWS[kind](positions(folder, 9), 5, 8, seed=0)


def test_a_share_of_the_adjacent_rows_starts_anew_while_the_text_goes_on(folder: Path) -> None:
    windows = AdjacentWindows(positions(folder, 4001), 4, 10, seed=1, restart=0.1)
    batches = [windows.draw() for _ in range(windows.batches_per_epoch)]
    fresh = np.array([batch.fresh for batch in batches[1:]])
    assert 0.05 < fresh.mean() < 0.15  # 990 draws of 0.1; six standard errors: 0.057
    for before, after in zip(batches, batches[1:], strict=False):
        assert np.array_equal(after.inputs[0], before.inputs[-1] + 1)
