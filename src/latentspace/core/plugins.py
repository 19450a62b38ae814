"""Plug-ins: modules from outside the package that add members to its registries when they are imported.

An installed distribution names its module as an entry point of the group `latentspace`; a module of one's
own is named by the environment variable LATENTSPACE_PLUGINS, several with commas between. Both reach every
process, the workers of a search too.
"""

import os
from importlib import import_module
from importlib.metadata import entry_points

from .errors import ConfigurationError

GROUP = "latentspace"
VARIABLE = "LATENTSPACE_PLUGINS"

_loaded: set[str] = set()


def load_plugins() -> None:
    """Import each plug-in that this process has not imported yet.

    Raises:
        ConfigurationError: a module that cannot be imported.
    """
    named = [name.strip() for name in os.environ.get(VARIABLE, "").split(",") if name.strip()]
    if not _loaded:
        _loaded.add(GROUP)  # the scan for entry points happens once
        named += [point.module for point in entry_points(group=GROUP)]
    for name in named:
        if name not in _loaded:
            _loaded.add(name)  # before the import: the module itself asks a registry
            _import(name)


def _import(name: str) -> None:
    try:
        import_module(name)
    except ImportError as error:
        raise ConfigurationError(
            f"every plug-in of {VARIABLE} must be a module that can be imported",
            found=f"{name}: {error}",
            do=f"check the name and PYTHONPATH, or leave it out of {VARIABLE}",
        ) from error
