import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from elman.batches.permutation import Permutation


@settings(deadline=None)
@given(size=st.integers(1, 3000), key=st.integers(0, 2**62))
def test_it_is_a_bijection(size: int, key: int) -> None:
    moved = Permutation(size, key)(np.arange(size))
    assert np.array_equal(np.sort(moved), np.arange(size))


def test_another_key_gives_another_order_and_the_same_key_the_same() -> None:
    indices = np.arange(1000)
    assert np.array_equal(Permutation(1000, 1)(indices), Permutation(1000, 1)(indices))
    assert not np.array_equal(Permutation(1000, 1)(indices), Permutation(1000, 2)(indices))


def test_neighbours_land_as_far_apart_as_in_a_random_shuffle() -> None:
    """The mean distance of two random places in 0..n-1 is n/3; the bound is 6 standard errors wide."""
    size = 20_000
    distances = np.abs(np.diff(Permutation(size, 3)(np.arange(size))))
    assert abs(distances.mean() - size / 3) < 6 * (size / np.sqrt(18)) / np.sqrt(size)


def test_memory_does_not_grow_with_the_size() -> None:
    moved = Permutation(10**12, 5)(np.arange(100))
    assert len(set(moved.tolist())) == 100
    assert moved.max() < 10**12
