"""Report: an inspection as one page of HTML that asks for nothing else."""

from .about import describe as describe
from .page import render as render
