"""Generation: logits -> text: sampling, streams that go on from a prompt, gaps that are filled.

Never imports torch.
"""

from .arguments import checked as checked
from .beam import Beam as Beam
from .beam import search as search
from .fill import GAP as GAP
from .fill import Filled as Filled
from .fill import fill as fill
from .sampling import Sampling as Sampling
from .sampling import forbid as forbid
from .state import StreamState as StreamState
from .state import refuse_foreign as refuse_foreign
from .stream import Stream as Stream
from .stream import opening as opening
