"""The model card: what the model is and what it was measured to be worth."""

from typing import Any

from elman.config import Settings
from elman.storage import ModelFolder
from elman.text import TextStore


def model_card(settings: Settings, text: TextStore, result: dict[str, Any]) -> str:
    """Return README.md of a model folder, in Markdown with the header that model hubs read."""
    model, validation = settings.model, result["validation"]
    width = f"embedding {model.embedding_size}" if model.embedding_size else "one-hot input"
    rows = [("this model", validation["bits_per_byte"]), *validation["baselines"].items()]
    table = "\n".join(f"| {name} | {bits:.3f} |" for name, bits in sorted(rows, key=lambda row: row[1]))
    names = ", ".join(text.names[:5]) + (f" and {len(text.names) - 5} more" if len(text.names) > 5 else "")
    scored = f"{validation['characters']:,} of its {validation['of_characters']:,}"
    bits = f"{validation['bits_per_character']:.3f}"
    flag = (
        "\n**This model sees what it has to predict: its scores are no quality.**\n"
        if validation["leak"]
        else ""
    )
    verdict = "\n".join(f"- {sentence}" for sentence in validation["verdict"])
    streams = "two streams of " if model.two_stream else ""
    scored_as = (
        "each token as a gap between the others"
        if model.two_stream
        else "as one stream with the state carried"
    )
    use = 'fill MODEL_FOLDER "to _e"' if model.two_stream else 'generate MODEL_FOLDER "Once"'
    return f"""---
library_name: elman
tags: [recurrent, {model.cell}, language-model]
---

# {model.cell} language model
{flag}
{streams}{model.layers} x {model.hidden_size} hidden units, {width}, {result["parameters"]:,} parameters,
tokenizer: {settings.tokenizer} ({validation["tokens"]:,} tokens held out).

Trained with elman (recipe `{result["recipe"]}`) on {names}: {text.characters:,} characters,
split {settings.split} by position; {result["steps"]:,} steps in {result["seconds"]:.0f} seconds
on {result["device"]} in {result["precision"]}.

## Held-out score

The {validation["part"]} part, {scored} characters, {scored_as}:
{validation["nats_per_token"]:.4f} nats per token, perplexity {validation["perplexity"]:.2f},
{bits} bits per character, {validation["bits_per_byte"]:.3f} bits per byte.
On the training part: {result["train"]["nats_per_token"]:.4f} nats per token.

| | bits per byte |
| --- | --- |
{table}

{verdict}
{_copies(validation.get("copied"))}
## Use

    elman {use}
"""


def _copies(copied: dict[str, Any] | None) -> str:
    if copied is None:
        return ""
    return f"""
Of a sample of {copied["sample_tokens"]:,} tokens, {copied["share"]:.1%} stands in the training part
in runs of {copied["run"]} characters or more; the longest run has {copied["longest"]:,} characters.
"""


def add_section(folder: ModelFolder, title: str, text: str) -> None:
    """Put a section at the end of a folder's card, in place of an older one of this title."""
    before, _, after = folder.read_card().partition(f"\n## {title}\n")
    rest = after.partition("\n## ")[2]
    card = before.rstrip() + (f"\n\n## {rest.rstrip()}" if rest else "")
    folder.write_card(f"{card}\n\n## {title}\n\n{text}\n")
