"""Generation: logits -> text: sampling, and streams that go on from a prompt. Never imports torch."""

from .sampling import Sampling as Sampling
from .stream import Stream as Stream
