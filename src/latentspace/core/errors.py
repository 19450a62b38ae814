"""Every error that a user can cause, in one tree.

    LatentspaceError
    ├── ConfigurationError    a setting, a recipe or an argument that cannot be meant
    ├── DataError             images that cannot be found, read or used
    │   └── FetchError        no mirror delivered what was promised
    ├── RunError              a run directory that is missing, taken, damaged or of the wrong kind
    ├── OutputError           a place that cannot be written
    ├── DeviceError           a device or precision that this machine does not have
    └── TrainingError         a training that cannot go on

Each says what must hold, what was found instead, and what to do about it; none holds a
password or a control character.
"""

from .credentials import masked
from .printable import printable


class LatentspaceError(Exception):
    """The root: catch this to catch all that latentspace raises on purpose.

    Args:
        must: what must hold, a sentence.
        found: what was found instead.
        do: what the user can do now.
    """

    exit_code = 2

    def __init__(self, must: str, *, found: str, do: str) -> None:
        self.must, self.found, self.do = (printable(masked(text)) for text in (must, found, do))
        super().__init__(self.must, self.found, self.do)

    def __reduce__(self) -> tuple[object, ...]:
        return _remade, (type(self), self.must, self.found, self.do)

    def __str__(self) -> str:
        return f"{self.must}\n  found: {self.found}\n  do:    {self.do}"


class ConfigurationError(LatentspaceError):
    """A setting, a recipe or an argument that cannot be meant."""


class DataError(LatentspaceError):
    """Images that cannot be found, read or used."""


class FetchError(DataError):
    """No mirror delivered what was promised."""


class RunError(LatentspaceError):
    """A run directory that is missing, taken, damaged or of the wrong kind."""


class OutputError(LatentspaceError):
    """A place that cannot be written."""


class DeviceError(LatentspaceError):
    """A device or precision that this machine does not have."""


class TrainingError(LatentspaceError):
    """A training that cannot go on."""


def _remade(kind: type[LatentspaceError], must: str, found: str, do: str) -> LatentspaceError:
    """An error that comes from another process."""
    return kind(must, found=found, do=do)
