"""Writes the playground and a model side by side. Knows nothing of how the page runs the model.

The page is built from web/ into `elman/page`; its own site.json says that a server runs the models, and
the one that is written here that the model lies beside it.
"""

import json
import zlib
from pathlib import Path
from typing import Any

from elman.config import Settings
from elman.errors import ExportError, LeakError
from elman.generation import opening
from elman.loading import load
from elman.storage import ModelFolder
from elman.storage.atomic import refuse_unless_free, write_bytes

PAGE = Path(__file__).parents[1] / "page"


def write_site(model: ModelFolder, target: Path) -> None:
    """Write the page, the model and site.json into a new folder; index.html comes last.

    Raises:
        ExportError: the page is not built; the model fills gaps.
        LeakError: the model sees what it has to predict.
        FolderError: the target is taken; a file of the model is missing or damaged.
        StorageError: the target cannot be written.
    """
    refuse_unless_free(target)
    if not (PAGE / "index.html").exists():
        raise ExportError(f"the page is not built, expected it in {PAGE}; do: make web")
    config, tokenizer, engine = load(model, "onnx")
    settings = Settings.model_validate(config["settings"])
    if settings.model.two_stream:
        raise ExportError(
            f"{model.path} fills gaps, expected a model that writes on; train one by: elman train TEXT"
        )
    if config["leak"]:
        raise LeakError(
            f"{model.path} has learned with its future in sight, expected a model that does not see what it "
            "has to predict; train another"
        )
    files = {"model.onnx": model.read_graph(), "tokenizer.json": model.read_tokenizer().encode()}
    result = model.result()
    shape = settings.model
    site: dict[str, Any] = {
        "backend": "local",
        "name": model.path.resolve().name,
        "about": f"{shape.cell} {shape.layers}x{shape.hidden_size}, {tokenizer.kind}",
        "bits_per_character": result["validation"]["bits_per_character"] if result else None,
        "tokenizer": tokenizer.kind,
        "unknown": tokenizer.unknown,
        "opening": opening(tokenizer),
        "states": [part.shape[1] for part in engine.initial_state(1)],
        "files": {name: {"bytes": len(data), "crc32": zlib.crc32(data)} for name, data in files.items()},
    }
    files["site.json"] = (json.dumps(site, indent=2, ensure_ascii=False) + "\n").encode()
    page = {str(path.relative_to(PAGE)): path.read_bytes() for path in PAGE.rglob("*") if path.is_file()}
    index = page.pop("index.html")
    for name, data in {**page, **files, "index.html": index}.items():
        write_bytes(target / name, data)
