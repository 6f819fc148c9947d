"""Generation: logits -> text: sampling, streams that go on from a prompt, gaps that are filled.

Never imports torch.
"""

from .fill import GAP as GAP
from .fill import Filled as Filled
from .fill import fill as fill
from .sampling import Sampling as Sampling
from .stream import Stream as Stream
