"""A model folder and its network in; the graphs that run without torch out, and what 8 bits cost."""

from collections.abc import Callable
from typing import Any

from elman.export import export
from elman.model import Network
from elman.storage import ModelFolder

from .card import add_section


def write_graphs(folder: ModelFolder, network: Network, int8: bool = False) -> None:
    """Write model.onnx, and model.int8.onnx where it is wanted.

    Raises:
        ExportError: a cell uses an operation that has no ONNX form.
        StorageError: the folder cannot be written.
    """
    folder.write_graph(export(network))
    if int8:
        folder.write_graph(export(network, int8=True), "int8")


def measure_int8(folder: ModelFolder, evaluate: Callable[[bool], dict[str, Any]]) -> dict[str, Any]:
    """Score the model in 32 and in 8 bits, and say in the model card what the difference is.

    `evaluate` scores held-out text, in 8 bits or not.
    """
    full, small = evaluate(False), evaluate(True)
    sizes = {precision: folder.graph_size(precision) for precision in ("fp32", "int8")}
    cost = {
        "bits_per_character": {"fp32": full["bits_per_character"], "int8": small["bits_per_character"]},
        "cost": small["bits_per_character"] - full["bits_per_character"],
        "characters": full["characters"],
        "bytes": sizes,
    }
    add_section(
        folder,
        "In 8 bits",
        f"`model.int8.onnx` takes {sizes['int8'] / 1e6:.1f} MB, `model.onnx` {sizes['fp32'] / 1e6:.1f}. "
        f"On {full['characters']:,} held-out characters it scores {small['bits_per_character']:.4f} bits per "
        f"character, {cost['cost']:+z.4f} from the {full['bits_per_character']:.4f} of 32 bits.",
    )
    return cost
