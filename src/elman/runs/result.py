"""What a finished run is worth: measured on what is shipped, written into the metrics and the model card."""

import math
from typing import Any

from elman.engine.onnx import OnnxEngine
from elman.evaluation.held_out import evaluate_part
from elman.evaluation.score import Scored
from elman.evaluation.spelling import Spelling
from elman.progress import Advance
from elman.text import cache_folder

from .card import model_card
from .copies import measure_copies
from .evaluation import CHARACTERS_AT_MOST
from .run import Run


def measure_result(run: Run, advance: Advance | None = None) -> dict[str, Any]:
    """Score the best weights of a finished run and return what `train --json` prints."""
    preparation, engine = run.preparation, OnnxEngine(run.folder.read_graph())
    train_nats = run.score_part("train", engine)
    parts = preparation.part("train"), preparation.part("validation")
    spelling, leak = Spelling(run.config["spelling"]), run.config["leak"]
    model = Scored(engine, preparation.tokens.tokenizer, spelling, leak, run.gap_window)
    validation = evaluate_part(
        model, preparation.text, *parts, cache_folder(), CHARACTERS_AT_MOST, train_nats, advance
    )
    if model.window is None:  # who fills gaps writes no samples of its own
        validation["copied"] = measure_copies(model, preparation.text, parts[0])
    trainer = run.trainer
    result = {
        "model": str(run.folder.path),
        "recipe": preparation.recipe,
        "parameters": run.network.parameter_count(),
        "steps": trainer.step,
        "seconds": round(trainer.seconds, 1),
        "tokens_per_second": round(trainer.tokens / trainer.seconds, 1) if trainer.seconds else 0.0,
        "precision": trainer.precision.name,
        "recurrence": run.network.stack.choice.name,
        "device": run.device,
        "train": {"nats_per_token": train_nats, "perplexity": math.exp(min(train_nats, 700.0))},
        "validation": validation,
    }
    run.folder.metrics.append({"event": "result", "step": trainer.step, **result})
    run.folder.write_card(model_card(run.settings, preparation.text, result))
    return result
