"""Cells: one step of recurrence, one cell per file. A new cell joins by its line in CELLS."""

from .cell import Cell as Cell
from .cell import State as State
from .elman import ElmanReluCell as ElmanReluCell
from .elman import ElmanTanhCell as ElmanTanhCell
from .gru import GRUCell as GRUCell
from .linear import LinearCell as LinearCell
from .lstm import LSTMCell as LSTMCell
from .minimal import MinGRUCell as MinGRUCell
from .minimal import MinLSTMCell as MinLSTMCell
from .rglru import RGLRUCell as RGLRUCell
from .unrolled import AddedInputCell as AddedInputCell
from .unrolled import JoinedInputCell as JoinedInputCell

CELLS: dict[str, type[Cell]] = {
    "rnn-tanh": ElmanTanhCell,
    "rnn-relu": ElmanReluCell,
    "gru": GRUCell,
    "lstm": LSTMCell,
    "rnn-added": AddedInputCell,
    "rnn-joined": JoinedInputCell,
    "min-gru": MinGRUCell,
    "min-lstm": MinLSTMCell,
    "rg-lru": RGLRUCell,
}
