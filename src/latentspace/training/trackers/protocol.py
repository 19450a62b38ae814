"""What a tracker is: a log outside of the run, written from the records that the loop yields."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar

from PIL import Image

from ...core.extras import require_extra
from ...runs.directory import Run


class Tracker(ABC):
    """The log of one run, opened to be written to.

    Args:
        notes: what `notes` held when the run's log was last written; None: it has none yet.
        done: the epochs that are whole; what the log has of later ones is taken back.
    """

    module: ClassVar[str]
    """What is imported; the extra that brings it has the name of the tracker."""

    last: int
    """The last epoch that is in the log; 0: none."""

    is_new: bool
    """Whether the log was begun just now, and has no settings yet."""

    notes: Mapping[str, str]
    """What finds the log again."""

    @abstractmethod
    def __init__(self, run: Run, notes: Mapping[str, str] | None, done: int) -> None: ...

    @abstractmethod
    def settings(self, values: Mapping[str, str]) -> None:
        """The run's settings, at its beginning."""

    @abstractmethod
    def scalars(self, values: Mapping[str, float], epoch: int) -> None:
        """The numbers of an epoch."""

    @abstractmethod
    def picture(self, name: str, image: Image.Image, epoch: int) -> None:
        """A picture of what was learned until an epoch."""

    @abstractmethod
    def close(self, *, finished: bool) -> None:
        """Write what is not written yet.

        Args:
            finished: whether the training has ended.
        """

    @classmethod
    def require(cls, name: str) -> None:
        """Refuse to go on where its library is not installed: raises ConfigurationError."""
        require_extra(name, cls.module, to=f"track a training with {name}")
