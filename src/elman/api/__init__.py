"""The library in one class; the command line is a thin layer on it."""

from .model import LanguageModel as LanguageModel
