"""Model: embed or one-hot -> layers -> logits; the state that goes in and comes out."""

from .engine import TorchEngine as TorchEngine
from .network import Network as Network
from .network import detach as detach
from .network import renew as renew
from .stack import Stack as Stack
from .stack import States as States
from .watching import running_by as running_by
