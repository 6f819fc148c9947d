"""Keyboard suggestion: the three likeliest next words after each word that is typed.

python examples/keyboard.py MODEL        (train one with --tokenizer word)
"""

import sys

import numpy as np

from elman import LanguageModel
from elman.generation import Stream

SUGGESTIONS = 3


def suggest(model: LanguageModel, stream: Stream) -> list[str]:
    """Return the words that are likeliest to come next."""
    state = stream.state
    logits, _ = model.engine.step(np.array([state.token]), state.memory)
    pieces = [model.tokenizer.pieces[token].decode() for token in np.argsort(-logits[0], kind="stable")]
    words = [piece.strip() for piece in pieces if piece.strip().isalpha()]
    return words[:SUGGESTIONS]


def main() -> None:
    """Read lines word by word, and print what a keyboard would offer after each."""
    model = LanguageModel.load(sys.argv[1])
    for line in sys.stdin:
        words = line.split()
        stream = model.start("\n" + words[0]) if words else None
        for number, word in enumerate(words):
            if stream is not None and number:
                stream.read(" " + word)
            if stream is not None:
                print(f"{word:<16} {'  '.join(suggest(model, stream))}")


if __name__ == "__main__":
    main()
