"""The run with certain weights: at its place, or near another run, as whole folders of runs can be moved."""

import logging
from contextlib import suppress
from itertools import chain
from pathlib import Path

from ..core.atomic_files import file_hash
from .directory import Run

logger = logging.getLogger(__name__)


def run_with_weights(place: Path, weights_hash: str, beside: Path | None = None) -> Run | None:
    """The run with these weights at `place`, in `beside`, next to it or its folder; None: there is none."""
    folders = [] if beside is None else [beside.resolve(), *beside.resolve().parents][:3]
    nearby = (one.resolve() for folder in folders for one in _inside(folder))
    looked_at: set[Path] = set()
    for path in chain([place.resolve()], nearby):
        if path not in looked_at and _weights_at(path) == weights_hash:
            if path != place.resolve():
                logger.info("%s is no longer there, but at %s (the same weights)", place, path)
            return Run.open(path)
        looked_at.add(path)
    return None


def _inside(folder: Path) -> list[Path]:
    """What lies in a folder, in order; nothing of one that is gone or may not be read."""
    with suppress(OSError):
        return sorted(folder.iterdir())
    return []


def _weights_at(path: Path) -> str | None:
    """The hash of the weights of the run at `path`, or None where no finished run is.

    The bytes are read once and no tensor is made of them: whoever opens the run checks them.
    """
    try:
        return file_hash(path / "weights.safetensors")
    except OSError:
        return None
