"""What three minutes of training reach on texts that ELMAN_TEST_DATA holds, beside the best n-gram."""

import tempfile
from pathlib import Path

from .report import DATA, Table, train

RUNS = [
    ("tinyshakespeare.txt", ["--minutes", "3"]),
    ("quatrains.txt", ["--minutes", "3"]),
    ("wikitext2-valid.txt", ["--minutes", "3"]),
    ("wikitext2-valid.txt", ["--minutes", "3", "--tokenizer", "bpe"]),
    ("wikitext2-valid.txt", ["--minutes", "3", "--tokenizer", "word"]),
]


def measure() -> Table:
    """Train each once, seed 0, and report the held-out score of the whole command."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for number, (name, options) in enumerate(RUNS):
            if not (DATA / name).exists():
                rows.append([name, *["not measured"] * 5])
                continue
            result = train(DATA / name, Path(folder, str(number)), *options, "--seed", "0")
            validation = result["validation"]
            counted, bits = next((k, v) for k, v in validation["baselines"].items() if k.startswith("kneser"))
            rows.append(
                [
                    f"{name} {' '.join(options[2:])}".strip(),
                    f"{validation['nats_per_character']:.4f}",
                    f"{validation['bits_per_byte']:.3f}",
                    f"{bits:.3f} ({counted})",
                    f"{result['tokens_per_second']:,.0f}",
                    result["precision"],
                ]
            )
    heading = [
        "text",
        "nats per character",
        "bits per byte",
        "best n-gram, bits per byte",
        "tokens/s",
        "precision",
    ]
    return Table("Three minutes", "python -m benchmarks.quality", heading, rows, "One run each, seed 0.")


if __name__ == "__main__":
    print(measure().markdown())
