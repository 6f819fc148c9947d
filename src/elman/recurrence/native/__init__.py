"""The recurrence in C++, forward and backward, compiled for the processor at hand."""

from .unroll import SERVED as SERVED
from .unroll import advance as advance
from .unroll import refusal as refusal
from .unroll import unroll as unroll
