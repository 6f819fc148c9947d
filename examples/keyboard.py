"""Keyboard suggestion: the three likeliest next words after each word that is typed.

python examples/keyboard.py MODEL        (train one with --tokenizer word)
"""

import sys

import numpy as np

from elman import ElmanError, LanguageModel
from elman.generation import Stream


def suggest(model: LanguageModel, stream: Stream) -> list[str]:
    """Return the words that are likeliest to come next."""
    state = stream.state
    logits, _ = model.engine.step(np.array([state.token]), state.memory)
    pieces = [model.tokenizer.pieces[token].decode() for token in np.argsort(-logits[0], kind="stable")]
    return [piece.strip() for piece in pieces if piece.strip().isalpha()][:3]


def main() -> None:
    """Read lines word by word, and print what a keyboard would offer after each."""
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    model = LanguageModel.load(sys.argv[1])
    for line in sys.stdin:
        stream = model.start()
        for number, word in enumerate(line.split()):
            inside = number or model.tokenizer.unknown_pieces(word)  # a word holds the space before it
            stream.read(f" {word}" if inside else word)
            print(f"{word:<16} {'  '.join(suggest(model, stream))}")


if __name__ == "__main__":
    try:
        main()
    except ElmanError as error:
        sys.exit(str(error))
