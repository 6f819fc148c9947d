"""What a score means, in plain words: against the baselines, and against the score on the training part."""

from collections.abc import Mapping

from .baselines import Baseline
from .score import Score

SPELLED = 0.5  # of a score: above this share it is the spelling of what the vocabulary lacks that tells
MEMORISING = 0.75  # training nats below this share of the held-out nats
LEARNED = 0.5  # of a text: above this share of it in the training part, its score is none of what is new


def verdict(
    score: Score,
    baselines: Mapping[str, Baseline],
    train_nats_per_token: float | None,
    leak: str | None = None,
    learned: float | None = None,
) -> list[str]:
    """Return a few sentences about a score; `learned`: the share of the text that the model has learned."""
    if leak:
        return [f"leak: {leak}; the model sees what it has to predict, and its score is no quality"]
    if learned is not None and learned > LEARNED:
        return [
            f"learned: {learned:.0%} of this text stands in the training part, and this is no score of what "
            "is new; without a text the held-out part is scored"
        ]
    sentences, held_out = [], score.nats_per_known_token
    memorising = train_nats_per_token is not None and train_nats_per_token < MEMORISING * held_out
    if score.right is not None:
        sentences.append(
            f"gaps: {score.right / score.tokens:.1%} of the tokens guessed right, each with both its sides "
            "in sight; such scores compare with one another, not with those of models that write on"
        )
    if baselines:
        name, best = min(baselines.items(), key=lambda item: item[1].bits_per_byte)
        own, other = f"{score.bits_per_byte:.3f}", f"{best.bits_per_byte:.3f}"
        figures = f"{own} against {other} bits per byte"
        if own == other:
            sentences.append(f"as good as the best baseline, {name}: {own} bits per byte")
        elif score.bits_per_byte < best.bits_per_byte:
            sentences.append(f"better than every baseline: {figures} of the best, {name}")
        elif score.spelling_nats > SPELLED * score.nats:
            sentences.append(
                f"worse than {name}: {figures}; the vocabulary lacks most of it: train on text of this kind, "
                "or with --tokenizer byte"
            )
        elif memorising:
            sentences.append(f"worse than {name}: {figures}")
        else:
            sentences.append(
                f"worse than {name}: {figures}; train longer, or with a larger model or another recipe"
            )
    if memorising:
        sentences.append(
            f"memorising: {train_nats_per_token:.3f} nats per token on the training part, "
            f"{held_out:.3f} held out; raise model.dropout, lower model.hidden_size, "
            "or use more text"
        )
    if score.unknown:
        sentences.append(
            f"{score.unknown:,} pieces are not in the vocabulary; their spelling is part of the score "
            f"({score.spelling_nats / score.nats:.1%} of it)"
        )
    return sentences
