"""Which of how many processes this is, as `torchrun` says to those that it starts."""

import os


def process() -> tuple[int, int]:
    """Return the number of this process and how many there are; alone it is (0, 1)."""
    count = int(os.environ.get("WORLD_SIZE", "1"))
    return (int(os.environ["RANK"]), count) if count > 1 else (0, 1)
