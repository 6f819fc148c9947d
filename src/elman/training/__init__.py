"""Training: loss, optimiser, schedule, and a loop that is a generator."""

from .dynamic import DynamicEngine as DynamicEngine
from .pace import Batch as Batch
from .pace import Precision as Precision
from .pace import choose_pace as choose_pace
from .ranks import ALONE as ALONE
from .ranks import Ranks as Ranks
from .ranks import join_ranks as join_ranks
from .trainer import Progress as Progress
from .trainer import Trainer as Trainer
from .trainer import strip_prefix as strip_prefix
