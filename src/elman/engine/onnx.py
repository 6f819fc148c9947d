"""ONNX Runtime as an engine: a model.onnx in, numpy arrays in and out. No torch."""

import os
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from elman.errors import FolderError

from .contract import Draws, Ids, Logits, State, Written
from .draw import write_by_steps
from .external import holds_external_data


class OnnxEngine:
    """Runs an exported model."""

    name = "onnx"

    def __init__(self, model: bytes, threads: int | None = None, shared: bool = False) -> None:
        """Open the model; it runs on as many threads as there are cores, four at most.

        Between calls its threads spin, which makes one stream half as fast again; `shared` they rest, and
        leave the cores to whatever else runs beside.

        Raises:
            FolderError: ONNX Runtime cannot run it.
        """
        threads = threads or min(4, os.cpu_count() or 1)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        options.log_severity_level = 3
        spinning = threads > 1 and not shared
        options.add_session_config_entry("session.intra_op.allow_spinning", "1" if spinning else "0")
        try:
            if holds_external_data(model):
                raise ValueError("it keeps weights in other files")
            self._session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # its errors have no common class of their own
            reason = str(error).partition("\n")[0]
            raise FolderError(
                f"the ONNX model cannot run ({reason}), expected one that elman wrote; write it anew with "
                "`elman export`"
            ) from None
        self._states = {i.name: i.shape[1] for i in self._session.get_inputs() if i.name.startswith("state.")}
        self._next = [f"next.{name}" for name in self._states]
        self._draws = any(i.name == "uniforms" for i in self._session.get_overridable_initializers())
        self.vocabulary_size: int = self._session.get_outputs()[0].shape[-1]

    def initial_state(self, rows: int) -> State:
        """Return the state before the first token, for B streams."""
        return tuple(np.zeros((rows, size), dtype=np.float32) for size in self._states.values())

    def step(self, ids: Ids, state: State) -> tuple[Logits, State]:
        """Advance every stream by one token: ids (B,) -> logits (B, V)."""
        logits, state = self.feed(ids[np.newaxis], state)
        return logits[0], state

    def feed(self, ids: Ids, state: State) -> tuple[Logits, State]:
        """Advance every stream by T tokens: ids (T, B) -> logits (T, B, V)."""
        logits, *after = self._session.run(["logits", *self._next], self._given(ids, state))
        return logits, tuple(after)

    def write(self, ids: Ids, state: State, draws: Draws) -> Written:
        """Read ids (T, B), then draw N tokens in each row, in one call."""
        if not self._draws:
            return write_by_steps(self, ids, state, draws)
        given = self._given(ids, state) | draws._asdict() | {"uniforms": draws.uniforms[..., np.newaxis]}
        drawn, logits, *after = self._session.run(["drawn", "logits", *self._next], given)
        return Written(drawn, logits, tuple(after))

    def _given(self, ids: Ids, state: State) -> dict[str, NDArray[Any]]:
        return {"ids": ids.astype(np.int64, copy=False), **dict(zip(self._states, state, strict=True))}
