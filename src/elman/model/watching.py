"""Lets a network run by a path of one's own, so that what passes by can be kept or written down."""

from collections.abc import Iterator
from contextlib import contextmanager

from elman.recurrence import Choice, Unroll

from .network import Network


@contextmanager
def running_by(unroll: Unroll, network: Network) -> Iterator[None]:
    """Let all cells of a network run by a path, without dropout; afterwards the network is as it was."""
    training, choice = network.training, network.stack.choice
    network.use(Choice("reference", "watched", unroll))
    network.eval()
    try:
        yield
    finally:
        network.use(choice)
        network.train(training)
