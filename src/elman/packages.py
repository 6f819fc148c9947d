"""Which package is missing for a piece of work, and how to install it. Imports none of them."""

from importlib.util import find_spec

from elman.errors import MissingPackageError


def require(work: str, *packages: str) -> None:
    """Say what to install where a package is not.

    Raises:
        MissingPackageError: one of them is not installed.
    """
    missing = [package for package in packages if find_spec(package) is None]
    if missing:
        raise MissingPackageError(
            f'{work} needs {" and ".join(missing)}, expected to be installed; do: pip install "elman[train]"'
        )
