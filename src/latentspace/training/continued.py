"""More epochs of a finished run: a new run that begins with its weights, and knows it as its parent.

It has the parent's images and split, so that nothing that was learned from is ever evaluated. More images are
learned from beside them, as `training.extra`. Its seed is the parent's plus one: order and noise are others.
"""

from pathlib import Path

from ..data.joined import BETWEEN
from ..experiment.config import Experiment
from ..runs.directory import Run, refuse_existing
from .train import Training, start


def start_continued(
    parent: Run,
    out: Path,
    epochs: int,
    more: str | None = None,
    device: str | None = None,
    threads: int | None = None,
) -> Training:
    """A training of `epochs` more epochs, in a new run at `out`.

    Args:
        more: a SPEC of images to learn from as well.
        device: where it computes; None: where the parent was to.
        threads: of the CPU; None: the parent's.

    Raises:
        LatentspaceError: a parent that has not ended, images that are no longer as they were, an `out` that
            is taken, or what `start` refuses.
    """
    refuse_existing(out)
    _ = parent.weights
    parent.refuse_damaged()
    plan = parent.experiment
    extra = BETWEEN.join(one for one in (plan.training.extra, more) if one)
    training = {**plan.training.model_dump(), "epochs": epochs, "minutes": None, "extra": extra or None}
    changes = {"training": training, "seed": plan.seed + 1, "device": device or plan.device}
    if threads is not None:
        changes["threads"] = threads
    return start(Experiment.parse({**plan.model_dump(), **changes}, "the new run's plan"), out, parent=parent)
