"""Training: loss, optimiser, schedule, and a loop that is a generator."""

from .precision import Precision as Precision
from .precision import choose_precision as choose_precision
from .trainer import Progress as Progress
from .trainer import Trainer as Trainer
