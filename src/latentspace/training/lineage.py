"""The run that another one began from: recorded in its environment.json, and known by its weights."""

from pathlib import Path
from typing import Any

import numpy as np

from ..core.errors import RunError
from ..core.wording import option
from ..data.splits import PARTS
from ..runs.by_weights import run_with_weights
from ..runs.directory import Run
from ..runs.tensors import fill
from .components import Components
from .context import TrainingContext


def lineage(parent: Run | None) -> dict[str, Any]:
    """What a run records of its parent."""
    if parent is None:
        return {}
    return {"parent": str(parent.path.resolve()), "parent_hash": parent.weights_hash}


def parent_of(run: Run) -> Run | None:
    """The run that `run` began from; None where it began from nothing.

    Raises:
        RunError: it is no longer there, nor beside this one.
    """
    place, weights = (run.environment.get(name) for name in ("parent", "parent_hash"))
    if place is None:
        return None
    found = run_with_weights(Path(place), str(weights), beside=run.path)
    if found is None:
        raise RunError(
            f"{place}, which {run.path} begins from, must be as it was",
            found="no run with these weights there",
            do="bring it back, or put it beside this one",
        )
    return found


def begin_from(parent: Run, components: Components) -> None:
    """Give the network, and the average of its weights, those of a finished run."""
    weights = parent.weights
    fill(components.learned, weights, parent.path / "weights.safetensors")
    if components.average is not None:
        components.average.load(weights)


def require_same_data(parent: Run, context: TrainingContext) -> None:
    """Refuse other images, or another split, than the parent's: raises RunError."""
    same = context.images.content_hash == parent.data.content_hash and all(
        np.array_equal(context.split.part(name), parent.split.part(name)) for name in PARTS
    )
    if not same:
        raise RunError(
            f"the images and the split of {parent.path} must be as they were",
            found=f"others in {context.images.source}",
            do=f"bring the images back to their place; {option('data')} names more images to learn from",
        )
