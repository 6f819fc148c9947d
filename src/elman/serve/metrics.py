"""What happened since the start, in the text form of Prometheus."""

from collections import Counter
from collections.abc import Iterable

BOUNDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0)  # seconds

Sample = tuple[str, dict[str, str], float]  # a name, labels, a value


class Histogram:
    """How many values are at most as large as each bound."""

    def __init__(self, name: str, help_: str) -> None:
        self._name, self._help = name, help_
        self._counts, self._count, self._sum = [0] * len(BOUNDS), 0, 0.0

    def add(self, value: float) -> None:
        """Count a value."""
        self._count, self._sum = self._count + 1, self._sum + value
        for number, bound in enumerate(BOUNDS):
            self._counts[number] += value <= bound

    def lines(self) -> list[str]:
        """Return the histogram as text."""
        samples: list[Sample] = [
            ("_bucket", {"le": f"{bound:g}"}, count)
            for bound, count in zip(BOUNDS, self._counts, strict=True)
        ]
        samples += [
            ("_bucket", {"le": "+Inf"}, self._count),
            ("_sum", {}, self._sum),
            ("_count", {}, self._count),
        ]
        return family(self._name, "histogram", self._help, samples)


class Metrics:
    """What the server counts of requests."""

    def __init__(self) -> None:
        self.answers: Counter[int] = Counter()  # by status
        self.seconds = Histogram("elman_completion_seconds", "Time from a request to the end of its texts.")
        self.first = Histogram("elman_first_token_seconds", "Time from a request to its first characters.")

    def lines(self) -> list[str]:
        """Return all as text."""
        answers: list[Sample] = [("", {"status": str(n)}, count) for n, count in sorted(self.answers.items())]
        return [
            *family("elman_answers_total", "counter", "Requests answered, by HTTP status.", answers),
            *self.seconds.lines(),
            *self.first.lines(),
        ]


def family(name: str, kind: str, help_: str, samples: Iterable[Sample]) -> list[str]:
    """Return the lines of one metric; the name of a sample is added to that of the metric."""
    lines = [f"# HELP {name} {help_}", f"# TYPE {name} {kind}"]
    for suffix, labels, value in samples:
        named = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
        lines.append(f"{name}{suffix}{'{' + named + '}' if named else ''} {value:.10g}")
    return lines


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
