"""A model folder in, its parts out, ready to run: by ONNX Runtime, or by torch where that is asked for."""

import warnings
from typing import TYPE_CHECKING, Any, NamedTuple

from elman.config import Settings
from elman.engine import Engine
from elman.errors import FolderError, MissingGraphError, RequestError
from elman.packages import require
from elman.storage import ModelFolder
from elman.tokens import Tokenizer, load_tokenizer

if TYPE_CHECKING:
    from elman.model import Network

ENGINES = ("onnx", "torch")


class Loaded(NamedTuple):
    """What a model folder holds."""

    config: dict[str, Any]
    tokenizer: Tokenizer
    engine: Engine


def load(folder: ModelFolder, engine: str | None = None, int8: bool = False, shared: bool = False) -> Loaded:
    """Open a model folder; without a wish by ONNX Runtime, or by torch where no graph is of its weights.

    `shared`: it runs beside other work and leaves the cores to that between calls.

    Raises:
        FolderError: a file is missing, damaged, or does not belong to the others.
        RequestError: an engine that there is not, or that has no 8 bits.
        MissingPackageError: torch is wanted and not installed.
    """
    if engine is not None and engine not in ENGINES:
        raise RequestError(f"engine is {engine!r}, expected {' or '.join(ENGINES)}")
    if int8 and engine == "torch":
        raise RequestError(
            "the torch engine has no 8 bits, expected --engine onnx with --int8; leave one out"
        )
    config = folder.read_config()
    tokenizer = load_tokenizer(config["settings"]["tokenizer"], folder.read_tokenizer())
    if engine == "torch":
        return _by_torch(folder, config, tokenizer)
    try:
        graph = folder.read_graph("int8" if int8 else "fp32")
    except MissingGraphError as error:
        if engine is not None or int8 or not folder.holds_weights():
            raise
        loaded = _by_torch(folder, config, tokenizer)
        if folder.holds_graph():
            warnings.warn(f"torch runs instead: {error}", stacklevel=2)
        return loaded
    from elman.engine.onnx import OnnxEngine

    running = OnnxEngine(graph, shared=shared)
    if running.vocabulary_size != tokenizer.size:
        raise FolderError(
            f"{folder.path}: model.onnx has {running.vocabulary_size} tokens, tokenizer.json "
            f"{tokenizer.size}, expected the same; restore the files that belong together"
        )
    return Loaded(config, tokenizer, running)


def _by_torch(folder: ModelFolder, config: dict[str, Any], tokenizer: Tokenizer) -> Loaded:
    network = load_network(folder, config, tokenizer)
    from elman.model import TorchEngine

    return Loaded(config, tokenizer, TorchEngine(network))


def load_network(folder: ModelFolder, config: dict[str, Any], tokenizer: Tokenizer) -> "Network":
    """Return the torch model of a folder.

    Raises:
        FolderError: the weights are missing, damaged, or those of another model.
        MissingPackageError: torch is not installed.
    """
    weights = folder.read_weights()
    require("running a model with torch", "torch")
    import torch

    from elman.model import Network

    network = Network(Settings.model_validate(config["settings"]).model, tokenizer.size)
    try:
        network.load_state_dict({name: torch.from_numpy(array) for name, array in weights.items()})
    except RuntimeError:
        raise FolderError(
            f"{folder.path}/model.safetensors does not fit {folder.path}/config.json, expected the weights "
            "of the model that it describes; restore the files that belong together"
        ) from None
    return network
