"""One text between the batcher and its reader: where it stands after a stop string, token by token."""

import numpy as np
import pytest

from elman.engine import State
from elman.generation import StreamState
from elman.serve.job import Job, Order

SPELLINGS = [b"<unk>", b"a", b"b", b" at", b"\xc3", b"\xa9", b"x"]
LOGITS = np.zeros(len(SPELLINGS), dtype=np.float32)


def memory(step: int) -> State:
    """A batch of two rows, of which the second is that of the text: so many tokens were read."""
    return (np.array([[-1], [step]], dtype=np.float32),)


def written(tokens: list[int], stop: list[str]) -> Job:
    """Return a job that wrote tokens after a prompt, as the batcher lets it."""
    start = StreamState((np.zeros((1, 1), dtype=np.float32),), (6,))
    job = Job(
        Order(len(tokens), None, 0, stop, rewinds=True), start, np.array([], dtype=int), SPELLINGS, print
    )
    for step, token in enumerate(tokens):
        job.mark(memory(step), 1)
        job.take(token, LOGITS)
    job.keep(memory(len(tokens)), 1)
    return job


@pytest.mark.parametrize(
    ("tokens", "stop", "sent", "whole"),
    [
        ([1, 2, 1, 2], ["zz"], "abab", 4),  # no stop: after the last token
        ([1, 2, 1, 1], ["aa"], "ab", 2),
        ([1, 1, 1, 2], ["aab"], "a", 1),  # what was held back was sent in part
        ([1, 3], ["t"], "a a", 1),  # a token that is cut in two is not read
        ([1, 4, 5, 2], ["b"], "aé", 3),  # a character of two tokens
        ([1, 4, 5], ["é"], "a", 1),
        ([4, 2], ["b"], "\ufffd", 1),
        ([1], ["a"], "", 0),
    ],
)
def test_a_text_that_stops_stands_after_the_last_token_that_was_sent_whole(
    tokens: list[int], stop: list[str], sent: str, whole: int
) -> None:
    job = written(tokens, stop)
    assert "".join(piece.text for piece in job.fetch()) == sent
    assert job.state.recent == (6, *tokens[:whole])
    assert job.state.memory[0].tolist() == [[whole]]
    with pytest.raises(ValueError, match="read-only"):
        job.state.memory[0][0] = 1
