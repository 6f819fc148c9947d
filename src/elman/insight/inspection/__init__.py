"""Inspection: a model reads a text, and what happens in it is measured: surprise, units, gates, memory."""

from .inspection import Inspection as Inspection
from .inspection import inspect as inspect
