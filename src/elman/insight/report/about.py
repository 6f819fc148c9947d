"""What a model folder says of its model, in words, and how it learned, as charts. Knows no network."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from elman.config import Settings

from .charts import Axis, Line, line_chart

POINTS = 150  # of a curve, at most: neighbours are averaged


class About(NamedTuple):
    """The head and the end of a report."""

    name: str
    facts: list[tuple[str, str]]
    verdict: list[str]
    leak: str | None  # how the model sees what it has to predict, if it does
    window: int  # tokens through which it was trained
    curves: list[tuple[str, str]]  # a caption and a chart each
    samples: list[str]
    no_samples: str  # why there are none


def describe(
    name: str,
    config: dict[str, Any],
    result: dict[str, Any] | None,
    metrics: Sequence[dict[str, Any]],
    samples: list[str],
    no_samples: str = "",
) -> About:
    """Say what a model is, from config.json, its result (None where the run did not finish) and metrics."""
    settings, text = Settings.model_validate(config["settings"]), config["text"]
    model = settings.model
    sizes = f"{model.layers} \u00d7 {model.hidden_size} units" + (" in both directions" * model.bidirectional)
    width = f"embedding of {model.embedding_size}" if model.embedding_size else "one-hot"
    facts = [
        ("Cell", f"{model.cell}, {sizes}"),
        ("Input", f"{config['vocabulary_size']:,} {settings.tokenizer} tokens, {width}"),
        ("Recipe", config["recipe"]),
        ("Learned from", f"{', '.join(text['sources'])}: {text['characters']:,} characters"),
    ]
    verdict = ["training did not finish, or its result was deleted: there is no held-out score"]
    if result is not None:
        validation = result["validation"]
        held_out = "Held-out score, no quality" if config["leak"] else "Held-out score"
        scores = f"{validation['bits_per_character']:.3f} bits per character"
        facts += [
            ("Parameters", f"{result['parameters']:,}"),
            ("Training", f"{result['steps']:,} steps in {result['seconds']:,.0f} seconds"),
            (held_out, f"{scores}, {validation['bits_per_byte']:.3f} per byte"),
        ]
        verdict = validation["verdict"]
    curves = _curves(metrics)
    return About(name, facts, verdict, config["leak"], settings.train.window, curves, samples, no_samples)


def _curves(metrics: Sequence[dict[str, Any]]) -> list[tuple[str, str]]:
    """Draw the loss by steps and by seconds, where it was measured."""
    drawn = []
    for key, axis in (("step", "steps"), ("seconds", "seconds")):
        lines = [
            line
            for name, event, most in (("training", "train", POINTS), ("held out", "validation", 10 * POINTS))
            if (line := _line(name, [row for row in metrics if row["event"] == event], key, most)).x
        ]
        if lines:
            caption = f"nats per token by {axis}"
            chart = line_chart(
                f"Learning curves: {caption}; {_ends(lines)}",
                lines,
                Axis(axis, lambda value: f"{value:,.0f}"),
                Axis("nats per token", lambda value: f"{value:.2f}"),
            )
            drawn.append((caption, chart))
    return drawn


def _line(name: str, rows: Sequence[dict[str, Any]], key: str, most: int) -> Line:
    size = max(1, -(-len(rows) // most))
    together = [rows[start : start + size] for start in range(0, len(rows), size)]
    return Line(
        name,
        [float(several[-1][key]) for several in together],
        [sum(row["nats_per_token"] for row in several) / len(several) for several in together],
    )


def _ends(lines: Sequence[Line]) -> str:
    return ", ".join(f"{line.name} from {line.y[0]:.2f} to {line.y[-1]:.2f}" for line in lines)
