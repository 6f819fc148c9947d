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
    folder, prompt, length = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    vocabulary = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))["model"]["vocab"]
    characters = sorted(vocabulary, key=vocabulary.__getitem__)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession((folder / "model.onnx").read_bytes(), options)
    states = {i.name: np.zeros((1, i.shape[1]), np.float32) for i in session.get_inputs() if i.name != "ids"}
    outputs, random = (
        ["logits", *(f"next.{name}" for name in states)],
        np.random.Generator(np.random.PCG64(0)),
    )
    ids = np.array([[vocabulary[character]] for character in prompt])
    for _ in range(length):
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
