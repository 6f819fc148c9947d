"""Recurrence: a cell over a whole sequence, by the reference loop, torch's kernels, our own, or a parallel
scan; `choose` says which and why.
"""

from . import fused as fused
from . import native as native
from . import reference as reference
from . import scan as scan
from .choose import PATHS as PATHS
from .choose import Choice as Choice
from .choose import Unroll as Unroll
from .choose import choose as choose
from .choose import rivals as rivals
from .lookup import Lookup as Lookup
