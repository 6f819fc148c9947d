"""A model and its training text in, how much of what it writes is copied from there, out."""

from typing import Any

from elman.evaluation.copying import RUN, find_copies
from elman.evaluation.held_out import nearest
from elman.evaluation.score import Scored
from elman.generation import Sampling, Stream
from elman.text import Part, TextStore

SAMPLE_TOKENS = 2000


def measure_copies(model: Scored, text: TextStore, training: Part) -> dict[str, Any]:
    """Write a sample, seed 0, from the end of the training part on, and look for it there.

    Of a long training part the last 20 million characters are searched.
    """
    prompt = text.slice(max(training.start, training.stop - 100), training.stop)
    stream = Stream.after(model.engine, model.tokenizer, prompt)
    sample = "".join(stream.text(SAMPLE_TOKENS, Sampling(), seed=0))
    copied = find_copies(sample, lambda: nearest(text, training))
    return {"sample_tokens": SAMPLE_TOKENS, "run": RUN, "longest": copied.longest, "share": copied.share}
