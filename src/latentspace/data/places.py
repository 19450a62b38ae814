"""Where files are kept that are not a user's own."""

import os
from pathlib import Path

import platformdirs


def cache_directory() -> Path:
    """`$LATENTSPACE_CACHE`, or the user's cache directory of this system; it need not exist."""
    named = os.environ.get("LATENTSPACE_CACHE")
    return Path(named).expanduser() if named else Path(platformdirs.user_cache_dir("latentspace"))
