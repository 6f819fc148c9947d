"""Storage: the model folder and the resumable run, written whole or not at all. Never imports torch."""

from .folder import ModelFolder as ModelFolder
from .metrics import MetricsFile as MetricsFile
from .resume import ResumeFolder as ResumeFolder
from .resume import Saved as Saved
from .state import read_state as read_state
from .state import write_state as write_state
from .tensors import Tensors as Tensors
