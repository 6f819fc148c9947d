"""Engine: what runs a model: token ids and a state in, logits, the next state and tokens drawn out."""

from .contract import Draws as Draws
from .contract import Engine as Engine
from .contract import Ids as Ids
from .contract import Logits as Logits
from .contract import State as State
from .contract import Written as Written
from .draw import draw as draw
from .draw import log_probabilities as log_probabilities
from .draw import pick as pick
from .draw import write_by_steps as write_by_steps
