"""Where files are kept that are not a user's own, and where they can be had."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import platformdirs

from ..core.errors import ConfigurationError

OFF: Final = "off"


def expanded(path: Path) -> Path:
    """`~` and `~user` made the home directory.

    Raises:
        ConfigurationError: there is no such user.
    """
    try:
        return path.expanduser()
    except RuntimeError as error:
        raise ConfigurationError(
            "a path that begins with ~ must name the home of a user",
            found=str(path),
            do="write the path in full, or ./~... for a folder of that name",
        ) from error


def keeps_images() -> bool:
    """Whether images that were read from files are kept in the cache."""
    return os.environ.get("LATENTSPACE_CACHE") != OFF


def cache_directory() -> Path:
    """`$LATENTSPACE_CACHE`, or the user's cache directory of this system; it need not exist.

    The value `off` keeps no images that were read; what is fetched is where it would be without it.

    Raises:
        ConfigurationError: the home of a user that is not there.
    """
    named = os.environ.get("LATENTSPACE_CACHE")
    return (
        expanded(Path(named)) if named and named != OFF else Path(platformdirs.user_cache_dir("latentspace"))
    )


@dataclass(frozen=True)
class Mirror:
    """A URL that a file can be had from, its MD5 checksum, and its length, or the most that it can be."""

    url: str
    md5: str
    size: int = 2**30  # bytes

    @property
    def file_name(self) -> str:
        return self.url.rpartition("/")[2]
