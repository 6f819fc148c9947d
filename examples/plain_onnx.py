"""A model folder without elman: only onnxruntime, NumPy and the files. The same seed gives elman's text.

python examples/plain_onnx.py MODEL "Once" 200        (a model of characters)
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime


def main() -> None:
    """Read a prompt, then write one character after the other."""
    if len(sys.argv) != 4 or not sys.argv[3].isdecimal() or not (Path(sys.argv[1]) / "model.onnx").is_file():
        sys.exit(__doc__)
    folder, prompt = Path(sys.argv[1]), sys.argv[2]
    vocabulary = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))["model"]["vocab"]
    if unknown := set(prompt) - set(vocabulary):
        sys.exit(f"{unknown} is not among the characters of this model; leave it out")
    characters = sorted(vocabulary, key=vocabulary.__getitem__)
    onnxruntime.set_default_logger_severity(3)
    session = onnxruntime.InferenceSession((folder / "model.onnx").read_bytes())
    states = {i.name: np.zeros((1, i.shape[1]), np.float32) for i in session.get_inputs()[1:]}
    outputs, random = ["logits", *(f"next.{name}" for name in states)], np.random.default_rng(0)
    ids = np.array([[vocabulary[character]] for character in prompt])
    for _ in range(int(sys.argv[3])):
        logits, *after = session.run(outputs, {"ids": ids, **states})
        states = dict(zip(states, after, strict=True))
        scores = logits[-1, 0].astype(np.float64)
        scores[vocabulary.get("<unk>", [])] = -np.inf
        shares = np.exp(scores - scores.max())
        drawn = int(np.searchsorted(np.cumsum(shares / shares.sum()), random.random(), side="right"))
        sys.stdout.write(characters[drawn])
        ids = np.array([[drawn]])


if __name__ == "__main__":
    main()
