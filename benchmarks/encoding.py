"""Text to character tokens, one core: elman's look-up table against a dictionary loop and Hugging Face
tokenizers.
"""

from tokenizers import Tokenizer

from elman.tokens import learn_tokenizer

from .report import Table, in_turn, spread

SAMPLES = {
    "ASCII": "To be, or not to be: that is the question.\n" * 50_000,
    "Chinese": "天地玄黃，宇宙洪荒。日月盈昃，辰宿列張。\n" * 50_000,
}


def measure() -> Table:
    """Time each way of encoding on each sample, in turn."""
    rows = []
    for name, text in SAMPLES.items():
        tokenizer = learn_tokenizer("character", [text])
        identities = {piece.decode(): i for i, piece in enumerate(tokenizer.pieces)}
        rival = Tokenizer.from_str(tokenizer.to_json())
        size, short = len(text.encode()), text[: len(text) // 20]  # Hugging Face gets a twentieth: it is slow
        ours, loop, hugging = in_turn(
            lambda text=text, tokenizer=tokenizer: tokenizer.encode(text),
            lambda text=text, identities=identities: [identities.get(character, 0) for character in text],
            lambda short=short, rival=rival: rival.encode(short),
        )
        speeds = (
            [size / s / 1e6 for s in ours],
            [size / s / 1e6 for s in loop],
            [size / 20 / s / 1e6 for s in hugging],
        )
        ratios = [a / b for a, b in zip(speeds[0], speeds[1], strict=True)]
        rows.append([name, *(spread(speed) for speed in speeds), spread(ratios)])
    heading = ["text", "elman, MB/s", "dictionary loop, MB/s", "Hugging Face, MB/s", "elman / loop"]
    return Table("Characters to tokens", "python -m benchmarks.encoding", heading, rows)


if __name__ == "__main__":
    print(measure().markdown())
