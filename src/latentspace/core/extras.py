"""Libraries that the package works without: extras of it, looked for before long work begins."""

import warnings
from importlib import import_module
from importlib.util import find_spec

from .errors import ConfigurationError


def require_extra(extra: str, *modules: str, to: str) -> None:
    """Refuse work that needs what is not installed.

    Args:
        extra: the name of the extra that brings the modules.
        to: what they are needed for, after "to".

    Raises:
        ConfigurationError: one of the modules is missing, or cannot be loaded.
    """
    must = f"to {to}, {', '.join(modules)} must be installed"
    missing = [one for one in modules if find_spec(one) is None]
    if missing:
        raise ConfigurationError(
            must, found=f"no {', '.join(missing)}", do=f"pip install 'latentspace[{extra}]'"
        )
    for one in modules:
        try:
            with warnings.catch_warnings(action="ignore"):  # of what a library can do without
                import_module(one)
        except (ImportError, OSError, AttributeError, TypeError, ValueError, RuntimeError) as error:
            raise ConfigurationError(
                must,
                found=f"{one}, which cannot be loaded: {error}",
                do=f"pip uninstall {one}, then pip install 'latentspace[{extra}]'",
            ) from error
