"""The recurrence in C++, forward and backward, and what stands between layers; compiled for the processor at
hand.
"""

from .between import LEVELS as LEVELS
from .between import drop as drop
from .between import normalize as normalize
from .library import lanes as lanes
from .unroll import SERVED as SERVED
from .unroll import refusal as refusal
from .unroll import unroll as unroll
