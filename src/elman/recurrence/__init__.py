"""Recurrence: a cell over a whole sequence, by the reference loop or by torch's kernels; `choose` says
which and why.
"""

from . import fused as fused
from . import reference as reference
from .choose import PATHS as PATHS
from .choose import Choice as Choice
from .choose import Unroll as Unroll
from .choose import choose as choose
