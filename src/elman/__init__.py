"""Recurrent language models to read, to train on a laptop, and to ship. Importing elman imports no torch."""

from importlib import import_module
from importlib.metadata import version

from .errors import ElmanError as ElmanError

__all__ = ["ElmanError", "LanguageModel", "__version__"]
__version__ = version("elman")


def __getattr__(name: str) -> object:
    """Import the library class only when it is asked for, so that `elman --help` starts at once."""
    if name == "LanguageModel":
        return import_module("elman.api").LanguageModel
    raise AttributeError(f"module 'elman' has no attribute {name!r}")
