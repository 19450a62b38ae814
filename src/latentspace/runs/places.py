"""A place for a run that nobody named one for."""

from pathlib import Path
from typing import Final

from ..core.atomic_files import exists

RUNS: Final = Path("runs")


def new_place(name: str) -> Path:
    """runs/NAME below the working directory, with a number where there is one already."""
    numbered = (RUNS / (name if number == 1 else f"{name}-{number}") for number in range(1, 10_000))
    return next(one for one in numbered if not exists(one))


def named_after(spec: str) -> str:
    """What a run of the images of a SPEC is called."""
    return Path(spec).name.split(".")[0].partition(":")[0] or "images"
