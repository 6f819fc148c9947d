"""The settings: defined once, laid over one another in layers, checked, described.

settings       every setting with its default, its range and its meaning
description    settings, and what is wrong with them, in words
processes      which of how many processes this is
layers         recipe, what it says for a text of this size, what the user asked -> Settings
"""

from .description import describe_settings as describe_settings
from .layers import Layer as Layer
from .layers import layer_of as layer_of
from .layers import merge as merge
from .layers import parse_assignment as parse_assignment
from .layers import settings_from as settings_from
from .processes import process as process
from .settings import BUDGETS as BUDGETS
from .settings import ModelSettings as ModelSettings
from .settings import Settings as Settings
from .settings import TrainSettings as TrainSettings
