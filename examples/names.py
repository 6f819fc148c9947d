"""New names like those in a file with one name a line; none of them stands in the file.

python examples/names.py names.txt 10
"""

import sys
import tempfile
from pathlib import Path

from elman import ElmanError, LanguageModel, Sampling


def main() -> None:
    """Learn the names for some seconds, then write new ones."""
    if len(sys.argv) != 3 or not sys.argv[2].isdecimal() or not Path(sys.argv[1]).is_file():
        sys.exit(__doc__)
    file, count = Path(sys.argv[1]), int(sys.argv[2])
    known, found, seed = set(file.read_text(encoding="utf-8").split("\n")), list[str](), 0
    with tempfile.TemporaryDirectory() as folder:
        small = {"model.hidden_size": 64, "model.dropout": 0.3}
        model = LanguageModel.train(file, out=Path(folder) / "names", minutes=0.2, settings=small)
        start = model.start("\n").state
    while len(found) < count and seed < 100 * count:
        name = "".join(model.start(state=start).text(40, Sampling(temperature=0.8), seed, stop="\n"))
        if len(name) > 1 and name not in known and name not in found:
            found.append(name)
        seed += 1
    print("\n".join(found))
    if len(found) < count:
        sys.exit(f"{seed} tries gave {len(found)} new names, expected {count}; give more names to learn from")


if __name__ == "__main__":
    try:
        main()
    except ElmanError as error:
        sys.exit(str(error))
