"""Libraries that the package works without: extras of it, looked for before long work begins."""

from importlib.util import find_spec

from .errors import ConfigurationError


def require_extra(extra: str, *modules: str, to: str) -> None:
    """Refuse work that needs what is not installed.

    Args:
        extra: the name of the extra that brings the modules.
        to: what they are needed for, after "to".

    Raises:
        ConfigurationError: one of the modules is missing.
    """
    missing = [one for one in modules if find_spec(one) is None]
    if missing:
        raise ConfigurationError(
            f"to {to}, {', '.join(modules)} must be installed",
            found=f"no {', '.join(missing)}",
            do=f"pip install 'latentspace[{extra}]'",
        )
