"""Recurrent language models to read, to train on a laptop, and to ship. Importing elman imports no torch."""

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING

from .errors import ElmanError as ElmanError

if TYPE_CHECKING:
    from .api import LanguageModel as LanguageModel
    from .generation import Sampling as Sampling

__all__ = ["ElmanError", "LanguageModel", "Sampling", "__version__"]
__version__ = version("elman")
PLACES = {"LanguageModel": "elman.api", "Sampling": "elman.generation"}


def __getattr__(name: str) -> object:
    """Import what is large only when it is asked for, so that `elman --help` starts at once."""
    if name in PLACES:
        return getattr(import_module(PLACES[name]), name)
    raise AttributeError(f"module 'elman' has no attribute {name!r}")


def __dir__() -> list[str]:
    """Name what can be asked for."""
    return __all__
