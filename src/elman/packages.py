"""Which package is missing for a piece of work, and how to install it. Imports none of them."""

from importlib.util import find_spec

from elman.errors import MissingPackageError


def require(work: str, *packages: str, extra: str = "train") -> None:
    """Say which extra of elman to install where a package is not.

    Raises:
        MissingPackageError: one of them is not installed.
    """
    missing = [package for package in packages if find_spec(package) is None]
    if missing:
        names = " and ".join(missing)
        raise MissingPackageError(
            f'{work} needs {names}, expected to be installed; do: pip install "elman[{extra}]"'
        )
