"""`make bench`: every measurement, into docs/benchmarks.md. Run it alone on the machine."""

from pathlib import Path

from . import (
    encoding,
    generation,
    gigabyte,
    parallel,
    quality,
    recurrence,
    serve,
    start,
    time_to_quality,
    training,
)

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"


def main() -> None:
    """Measure, print and write the page."""
    sections = [
        "# Benchmarks\n\nWritten by `make bench`; medians with the smallest and largest of the repeats.\n"
    ]
    for module in (
        start,
        encoding,
        recurrence,
        training,
        parallel,
        generation,
        serve,
        time_to_quality,
        quality,
        gigabyte,
    ):
        table = module.measure().markdown()
        print(table, flush=True)
        sections.append(table)
    PAGE.write_text("\n".join(sections))


if __name__ == "__main__":
    main()
