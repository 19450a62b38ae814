"""Versions of installed packages, which a source tree on the path has none of."""

from functools import cache
from importlib import metadata
from typing import Final

NOT_INSTALLED: Final = "not installed"  # of a package that is only on the path


@cache
def version_of(package: str) -> str | None:
    """The installed version; None where it is not installed."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def said_version_of(package: str = "latentspace") -> str:
    """The installed version, or `not installed`."""
    return version_of(package) or NOT_INSTALLED
