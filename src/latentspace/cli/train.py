"""latentspace train"""

import time
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, stdev
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from ..core.errors import ConfigurationError
from . import console
from .engines import trained_by
from .options import Engine, ExperimentOptions, Reading, Task, moved, refuse_beside

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ..experiment.config import Experiment
    from ..runs.directory import Run
    from ..training.loop import EpochRecord
    from ..training.together.learn import Start
    from ..training.train import Training


@dataclass(frozen=True, kw_only=True)
class TrainingOptions:
    """Settings that have options of their own in train."""

    panel: ClassVar = "Training"

    epochs: Annotated[int | None, "Number of passes over the training images."] = None
    minutes: Annotated[
        float | None, "Instead of --epochs: as many epochs as fit in this time, measured at the start."
    ] = None
    batch_size: Annotated[
        int | None, "Images per training step. \\[default: the preset's, fewer in a small set]"
    ] = None
    learning_rate: Annotated[float | None, "Highest learning rate of the schedule."] = None
    code_size: Annotated[
        int | None,
        "How many numbers a code has. \\[default: by the images' side: 10 for 28x28 grey, "
        "64 for 32x32 colour]",
    ] = None
    learn_from: Annotated[
        str | None,
        "Which parts of the split to train on; --fit train+validation is the same.",
        "train|train+validation",
    ] = None
    keep: Annotated[
        str | None, "Which weights to keep: of the last epoch, or of the best validation score.", "last|best"
    ] = None
    augment: Annotated[
        str | None,
        "How training images are changed at random. auto: nothing in short trainings; only "
        "colour photographs are mirrored.",
        "auto|none|shift|affine|mirror",
    ] = None
    devices: Annotated[
        int | None,
        "Number of processes that share each batch, each on its own GPU or on some CPU cores.",
        {"min": 1},
    ] = None
    extra: Annotated[
        str | None, "Extra training images, which are never evaluated; a SPEC as for --data.", "SPEC"
    ] = None
    method: Annotated[
        str | None, "Classifier: encode the images once, or again in every epoch.", "codes|frozen-encoder"
    ] = None
    loss: Annotated[
        str | None,
        "Classifier: cross-entropy of the logits; report: with a second Softmax, as in the course report.",
        "cross-entropy|report",
    ] = None

    def settings(self, learn_from: str | None) -> dict[str, Any]:
        """As config.json nests them; None: not given."""
        if self.minutes is not None and self.epochs is not None:
            raise ConfigurationError(
                "--minutes is given instead of --epochs: it finds their number",
                found=f"--minutes {self.minutes:g} and --epochs {self.epochs}",
                do="leave one of them out",
            )
        of_table = ("epochs", "minutes", "batch_size", "learning_rate", "keep", "augment")
        return {
            "model": {"code_size": self.code_size},
            "objective": {"method": self.method, "loss": self.loss},
            "devices": self.devices,
            "training": {
                "fit": self.learn_from or learn_from,
                "extra": Reading().settings(self.extra).get("spec"),
                **{name: getattr(self, name) for name in of_table},
            },
        }


def train(
    *,
    context: Any,
    kind: Task = None,
    out: Annotated[Path | None, "The new run directory.", "RUN"] = None,
    resume: Annotated[Path | None, "Continue an interrupted run, with its settings.", "RUN"] = None,
    seeds: Annotated[
        int, "Number of trainings, with consecutive seeds; prints mean and spread.", {"min": 1, "max": 1_000}
    ] = 1,
    track: Annotated[
        str | None, "Log losses, settings and pictures with this tracker.", "tensorboard|mlflow|wandb"
    ] = None,
    engine: Engine = "local",
    training: TrainingOptions,
    options: ExperimentOptions,
) -> None:
    """Train a network: by default a residual network with the settings of the preset `default`.

    [bold]Examples[/bold]

      latentspace train ae --data notmnist --out runs/letters

      latentspace train ae --data photos/ --resize 32x32 --out runs/photos --code-size 4

      latentspace train classifier --encoder runs/letters --out runs/classifier

      latentspace train --resume runs/letters
    """
    if track is not None:
        from ..training.tracking import require_tracker

        require_tracker(track)
    if resume is not None:
        why = "a run goes on with the settings that it began with; --data says where its images are now"
        refuse_beside(context, "--resume", why, "--data", "--track", "--engine", "--threads")
        with trained_by(engine, options.device) as together:
            _resume(resume, options, track, together)
        return
    if kind is None or out is None:
        raise ConfigurationError(
            "train needs a task and a place for the run",
            found="no TASK" if kind is None else "no --out",
            do="write for example: latentspace train ae --data glyphs --out runs/first",
        )
    from ..experiment.recipe import Recipe
    from ..experiment.tasks import TASKS
    from ..experiment.usual import usual_preset

    changes, task = options.changes(training.settings(options.learn_from)), TASKS.require(kind)
    if options.recipe is not None:
        base = Recipe.load(options.recipe)
    else:
        base = Recipe(preset=changes.get("preset") or usual_preset(task, changes))
    experiment = base.experiment(task, changes)
    with trained_by(engine, options.device) as together:
        if seeds == 1:
            follow(_start(experiment, out, together), track)
        else:
            _several(experiment, out, seeds, track, together)


def _resume(path: Path, options: ExperimentOptions, track: str | None, together: "Start | None") -> None:
    from ..runs.directory import Run
    from ..runs.tracking import trackers_of
    from ..training.tracking import require_tracker
    from ..training.train import resume

    run = Run.open(path)
    track = track or next(iter(trackers_of(run)), None)
    if run.finished:
        with run.writing():  # sweeps what a death near its end has left
            run.refuse_damaged()
            _ = run.weights
            console.say(f"{path} has ended already: nothing to do")
        console.made(path)
    else:
        if track is not None:
            require_tracker(track)
        images = moved(run, options.data.spec)
        follow(resume(path, images, threads=options.threads, together=together), track)


def _start(experiment: "Experiment", out: Path, together: "Start | None") -> "Training":
    from ..training.train import start

    return start(experiment, out, together=together)


def follow(training: "Training", track: str | None = None, *, said: bool = True) -> "Run":
    """Train to the end, and show how it goes; `said`: and print where the run is."""
    from ..training.tracking import tracked

    records = training.records() if track is None else tracked(training, track)
    try:
        console.follow_training(training, training.experiment.kind, _with_hint(training, records))
    except KeyboardInterrupt:
        console.note(f"interrupted; go on with: latentspace train --resume {training.run.path}")
        raise
    _compare(training)
    if said:
        console.made(training.run.path)
    return training.run


LONG = 600.0  # seconds of a training that is worth a hint at how to make it shorter


def _with_hint(training: "Training", records: "Iterable[EpochRecord]") -> "Iterator[EpochRecord]":
    """`records`; after the first epoch a hint at what is shorter, where the others take long."""
    plan, began = training.experiment, time.monotonic()
    left = plan.training.epochs - 1 if training.run.state is None and plan.training.minutes is None else 0
    for number, record in enumerate(records):
        yield record
        seconds = (time.monotonic() - began) * left
        if number == 0 and seconds > LONG:
            console.say(
                f"about {console.clock(seconds)} more at this speed; shorter, in a new run: --minutes 5, "
                "or --preset fast for a first look"
            )


def _compare(training: "Training") -> None:
    """Say how the run's pictures are beside those of PCA; a warning where they are no better."""
    from ..evaluation.beside_pca import quickly_beside_pca

    if training.experiment.task.needs_encoder:
        return
    images, device = training.context.images, training.experiment.device
    found = quickly_beside_pca(training.run, images, device)
    if found.better:
        console.say(found.words)
    else:
        console.logger.warning("%s", found.said)


def _several(
    experiment: "Experiment", out: Path, seeds: int, track: str | None, together: "Start | None"
) -> None:
    from ..runs.directory import refuse_existing

    refuse_existing(out)
    scores: list[float] = []
    score = experiment.task.score
    for seed in range(experiment.seed, experiment.seed + seeds):
        plan = experiment.model_copy(update={"seed": seed})
        run = follow(_start(plan, out / f"seed-{seed}", together), track)
        last = run.metrics[-1]
        scores.append(last.get("validation", last["train"])[score])
    part = "validation" if experiment.training.fit == "train" else "training"
    each = " ".join(f"{one:.5f}" for one in scores)
    console.show_table(
        f"{part} {score} after the last epoch",
        ["seeds", "mean", "standard deviation", "each"],
        [[str(seeds), f"{mean(scores):.5f}", f"{stdev(scores):.5f}", each]],
    )
