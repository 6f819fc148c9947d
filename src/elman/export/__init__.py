"""Export: a trained network as ONNX, to run without torch."""

from .network import export as export
