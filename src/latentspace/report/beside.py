"""Beside: published work that a page shows beside a run; the caller of a page passes it in."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias, runtime_checkable

from ..runs.directory import Run


@dataclass(frozen=True)
class PublishedFigure:
    """A published figure: its number there, and how ours differs."""

    number: str
    remark: str = ""


@runtime_checkable
class Beside(Protocol):
    """A published study, as the page of a run or of a search asks it.

    `kind` is a task: "ae". What a study does not have is None or empty.
    """

    @property
    def name(self) -> str:
        """What it is called over a column of its numbers."""

    def covers(self, kind: str, comparable: bool) -> bool:
        """Whether it has a study of this task, on images that are known to be the same."""

    def figure(self, kind: str, shown: str) -> PublishedFigure | None:
        """Its figure of what is shown: "losses", "reconstructions", "decodes", ..."""

    def result(self, kind: str, metric: str) -> str | None:
        """Its value of a metric."""

    def data(self, row: str) -> str | None:
        """What it says of its images, by the rows of the page's table of the data."""

    def parameters(self, kind: str) -> tuple[tuple[str, str], ...]:
        """The rows of its table of parameters: its name for each, and ours, dotted."""

    def plan(self, kind: str) -> Mapping[str, Any]:
        """Its settings, nested as in config.json."""

    def note(self, kind: str) -> str:
        """What stands under the table of parameters."""

    def remarks(self, kind: str) -> tuple[str, ...]:
        """Paragraphs of a run's section, after what holds of any run."""

    def notices(self, run: Run) -> tuple[str, ...]:
        """What must be known before any number is read."""

    def verdict(self, run: Run) -> str:
        """Whether a number of the run may be compared with its own: "no: 5 epochs, not 50"."""


# From a task, and whether its images are known to be the published ones, to what stands beside.
Find: TypeAlias = Callable[[str, bool], Beside | None]


def nothing(kind: str, comparable: bool) -> None:
    """No published study."""
