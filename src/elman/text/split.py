"""A number of characters in, the parts to train, validate and test on out. Knows nothing of the text."""

from dataclasses import dataclass

from elman.errors import SettingsError

NAMES = ("train", "validation", "test")


@dataclass(frozen=True)
class Part:
    """A stretch of the text: the characters from `start` up to, not including, `stop`."""

    name: str
    start: int
    stop: int


def split(characters: int, shares: str = "90/10") -> list[Part]:
    """Cut a text into consecutive parts that share it as `shares` says, in per cent.

    `shares` is train/validation or train/validation/test in whole numbers, such as "90/10" or "80/10/10".
    Each cut lies at floor(characters * cumulative share / 100), so the parts cover the text without a gap.

    Raises SettingsError where the shares cannot be used.
    """
    percentages = _percentages(shares)
    cuts = [characters * sum(percentages[:count]) // 100 for count in range(len(percentages) + 1)]
    return [Part(*part) for part in zip(NAMES, cuts, cuts[1:], strict=False)]


def _percentages(shares: str) -> list[int]:
    words = [word.strip() for word in shares.split("/")]
    numbers = [int(word) for word in words if word.isascii() and word.isdecimal() and len(word) <= 3]
    if len(numbers) < len(words) or len(words) not in (2, 3):
        fault = "is not two or three whole numbers"
    elif sum(numbers) != 100:
        fault = f"sums to {sum(numbers)}"
    elif 0 in numbers[:2]:
        fault = f"leaves nothing for {NAMES[numbers.index(0)]}"
    else:
        return numbers
    raise SettingsError(
        f"split {shares!r} {fault}; expected train/validation or train/validation/test in per cent, "
        "together 100; give for example 90/10 or 80/10/10"
    )
