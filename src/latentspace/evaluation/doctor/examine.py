"""All findings of a set, and the table of what a careful person would leave out."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...core.progress import tell
from ...data.readers.cleaned import write_cleaned
from .finding import ORDER, Finding, no_rows
from .registry import FINDERS
from .subject import Subject


@dataclass(frozen=True, eq=False)
class Diagnosis:
    """What was found, by the names of the finders, the worst first."""

    subject: Subject
    findings: dict[str, Finding]

    def found(self) -> dict[str, Finding]:
        """Those that found something."""
        return {name: one for name, one in self.findings.items() if one.found}

    def to_json(self) -> dict[str, Any]:
        images = self.subject.images
        return {
            "source": images.source,
            "images": len(images),
            "codes": self.subject.coder.words if "coder" in vars(self.subject) else None,
            "findings": {name: one.to_json(self.subject) for name, one in self.findings.items()},
        }


def examine(subject: Subject) -> Diagnosis:
    """Look for every fault of the registry."""
    found: dict[str, Finding] = {}
    for number, (name, finder) in enumerate(FINDERS.items(), start=1):
        found[name] = finder.find(subject)
        tell("faults looked for", number, len(FINDERS))
    order = sorted(found, key=lambda name: ORDER.index(found[name].severity))
    return Diagnosis(subject, {name: found[name] for name in order})


def cleaned(diagnosis: Diagnosis, path: Path, *, force: bool = False) -> int:
    """Write a cleaned table to `path`; how many images it drops.

    Each finding says which images it would leave out. One that stays, but was found, has the reason too.

    Raises:
        DataError: images that have no names of their own.
        OutputError: it cannot be written, or is there, and `force` does not let it be replaced.
    """
    subject = diagnosis.subject
    dropped = np.zeros(len(subject.images), dtype=bool)
    why: dict[int, list[str]] = {}
    for name, finding in diagnosis.found().items():
        dropped[finding.drop] = True
        rows = no_rows() if finding.examples or finding.other else finding.rows
        for row in np.unique(np.concatenate([rows, finding.drop])).tolist():
            why.setdefault(row, []).append(name)
    reasons = [" and ".join(why.get(row, [])) for row in range(len(dropped))]
    write_cleaned(path, subject.images, dropped, reasons, subject.spec, force=force)
    return int(dropped.sum())
