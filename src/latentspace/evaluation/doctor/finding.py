"""A finding: what was looked for in a set of images, what was found, and what to do about it."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol, TypeAlias

import numpy as np

from ...core.types import Int64Array

if TYPE_CHECKING:
    from .subject import Subject

# `bad` harms a training or its scores; `look`: may be as it should be; `skipped`: it could not be looked for.
Severity: TypeAlias = Literal["bad", "look", "fine", "skipped"]
ORDER: Final[tuple[Severity, ...]] = ("bad", "look", "fine", "skipped")


def no_rows() -> Int64Array:
    """No image."""
    return np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, eq=False)
class Numbers:
    """A table of evidence that is not of single images; the first cell of a row names it."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, eq=False)
class Finding:
    """What one finder has to say of a set.

    Args:
        headline: what was found, in a few words.
        evidence: how that shows, with the numbers: sentences.
        advice: what to do: sentences.
        command: a command that does it.
        rows: the images it is about, the worst first.
        details: a few words for each of them.
        beside: for each of them an image that it is compared with.
        examples: whether `rows` are examples of what was found, and not at fault themselves.
        other: whether `rows` are images of the other set, that the first is compared with.
        drop: the images that a cleaned table leaves out.
        count: how many things were found; as a rule, of images.
    """

    severity: Severity
    headline: str
    evidence: str = ""
    advice: str = ""
    command: str = ""
    rows: Int64Array = field(default_factory=no_rows)
    details: tuple[str, ...] = ()
    beside: Int64Array | None = None
    examples: bool = False
    other: bool = False
    drop: Int64Array = field(default_factory=no_rows)
    tables: tuple[Numbers, ...] = ()
    count: int | None = None

    @property
    def found(self) -> bool:
        return self.severity in ("bad", "look")

    def to_json(self, subject: "Subject") -> dict[str, Any]:
        """All of it, with the names of the images."""
        images = subject.other if self.other and subject.other is not None else subject.images
        content: dict[str, Any] = {
            "severity": self.severity,
            "found": self.found,
            "count": (len(self.rows) if self.count is None else self.count) if self.found else 0,
            "headline": self.headline,
            "evidence": self.evidence,
            "advice": self.advice,
            "command": self.command,
            "images": list(images.names_of(self.rows)),
            "details": list(self.details),
            "drop": list(subject.images.names_of(self.drop)),
            "tables": [
                {"title": one.title, "columns": list(one.columns), "rows": [list(row) for row in one.rows]}
                for one in self.tables
            ],
        }
        if self.beside is not None:
            content["beside"] = list(subject.images.names_of(self.beside))
        return content


class Finder(Protocol):
    """What looks for one fault; a member of `FINDERS`."""

    @property
    def title(self) -> str:
        """What it looks for, in a few words: "exact copies"."""

    def find(self, subject: "Subject") -> Finding: ...


def fine(headline: str, evidence: str = "") -> Finding:
    """Nothing was found."""
    return Finding("fine", headline, evidence)


def skipped(why: str) -> Finding:
    """It was not looked for."""
    return Finding("skipped", why)
