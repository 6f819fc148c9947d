"""Log lines that stand out: bits per character of each line of standard input, given the lines before it.

python examples/anomaly.py MODEL < service.log        (train one on a log of ordinary days)
"""

import math
import sys

from elman import ElmanError, LanguageModel

THRESHOLD = 2.0  # times the mean of ordinary lines


def main() -> None:
    """Print each line with its surprise; mark those that surprise twice as much, and forget them."""
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    stream, total, lines = LanguageModel.load(sys.argv[1]).start("\n"), 0.0, 0
    for line in filter(str.strip, sys.stdin):  # an empty line says nothing
        bits = stream.surprise(line) / math.log(2) / len(line)
        odd = lines > 0 and bits > THRESHOLD * total / lines
        print(f"{'!' if odd else ' '} {bits:6.3f}  {line.rstrip()}", flush=True)
        if not odd:
            stream.read(line)
            total, lines = total + bits, lines + 1


if __name__ == "__main__":
    try:
        main()
    except ElmanError as error:
        sys.exit(str(error))
