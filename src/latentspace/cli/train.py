"""latentspace train"""

from pathlib import Path
from statistics import mean, stdev
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from ..core.errors import ConfigurationError
from . import console
from .options import (
    Data,
    Deduplicate,
    Fonts,
    PlannedDevice,
    Precision,
    Quiet,
    Resize,
    SplitShares,
    Strict,
    Verbose,
    data_changes,
    given,
    moved,
    refuse_beside,
)

if TYPE_CHECKING:
    from ..experiment.config import Experiment
    from ..runs.directory import Run
    from ..training.train import Training


class ResumesAlone(TyperCommand):
    """A command whose --resume takes nothing beside it but --data."""

    def invoke(self, ctx: Any) -> Any:
        if ctx.params["resume"] is not None:
            why = "a run goes on with the settings that it began with; --data says where its images are now"
            refuse_beside(ctx, "--resume", why, "--data")
        return super().invoke(ctx)


def train(
    kind: Annotated[
        str | None,
        typer.Argument(
            metavar="MODEL", help="The kind of network: ae, dae (denoising), vae (variational), classifier."
        ),
    ] = None,
    data: Data = None,
    out: Annotated[Path | None, typer.Option(metavar="RUN", help="The new run directory.")] = None,
    resume: Annotated[
        Path | None, typer.Option(metavar="RUN", help="Go on with an interrupted run; its settings stay.")
    ] = None,
    recipe: Annotated[
        str | None, typer.Option(metavar="FILE", help="A TOML recipe, or a built-in one: quick, homework.")
    ] = None,
    encoder: Annotated[
        Path | None,
        typer.Option(metavar="RUN", help="Classifier: the ae, dae or vae run to learn from."),
    ] = None,
    method: Annotated[
        str | None,
        typer.Option(
            metavar="codes|frozen-encoder", help="Classifier: encode the images once, or anew in every epoch."
        ),
    ] = None,
    loss: Annotated[
        str | None,
        typer.Option(
            metavar="cross-entropy|report",
            help="Classifier: cross-entropy of logits, or, as in the report, of Softmax outputs.",
        ),
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(help="How many times to go through the training images.")
    ] = None,
    batch_size: Annotated[
        int | None,
        typer.Option(help="Images in a training step; by default the report's number, fewer in a small set."),
    ] = None,
    code_size: Annotated[int | None, typer.Option(help="How many numbers to compress an image to.")] = None,
    learning_rate: Annotated[
        float | None, typer.Option(help="Step size of the optimiser, at its highest.")
    ] = None,
    split: SplitShares = None,
    fit: Annotated[
        str | None,
        typer.Option(metavar="train|train+validation", help="Which parts of the split to learn from."),
    ] = None,
    keep: Annotated[
        str | None,
        typer.Option(
            metavar="last|best",
            help="Which weights to keep: of the last epoch, or of the best validation score.",
        ),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="Seed of weights, order and noise; the split has a seed of its own.")
    ] = None,
    seeds: Annotated[
        int, typer.Option(min=1, help="Train this often, with consecutive seeds, and give mean and spread.")
    ] = 1,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="Any setting by its name, such as training.schedule=cosine; may be repeated. "
            "`latentspace settings` lists them.",
        ),
    ] = None,
    device: PlannedDevice = None,
    precision: Precision = None,
    threads: Annotated[
        int | None, typer.Option(min=1, help="Threads of the CPU. \\[default: PyTorch's choice]")
    ] = None,
    resize: Resize = None,
    deduplicate: Deduplicate = None,
    strict: Strict = None,
    fonts: Fonts = None,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """Train a network; the report's published best parameters are the defaults.

    [bold]Examples[/bold]

      latentspace train ae --data notmnist --out runs/letters

      latentspace train ae --data photos/ --resize 32x32 --out runs/photos --code-size 4

      latentspace train classifier --encoder runs/letters --out runs/classifier

      latentspace train --resume runs/letters
    """
    if resume is not None:
        _resume(resume, data)
        return
    if kind is None or out is None:
        raise ConfigurationError(
            "train needs a model and a place for the run",
            found="no MODEL" if kind is None else "no --out",
            do="write for example: latentspace train ae --data glyphs --out runs/first",
        )
    changes: dict[str, Any] = {
        "seed": seed,
        "device": device,
        "precision": precision,
        "threads": threads,
        "data": data_changes(data, resize, deduplicate, strict, fonts),
        "split": {"shares": split},
        "encoder": None if encoder is None else str(encoder),
        "objective": {"method": method, "loss": loss},
        "model": {"code_size": code_size},
        "training": {
            "epochs": epochs,
            "batch_size": batch_size,
            "learning_rate": learning_rate,
            "fit": fit,
            "keep": keep,
        },
    }
    experiment = _plan(kind, recipe, changes, set_ or [])
    if seeds == 1:
        _run(_start(experiment, out))
    else:
        _several(experiment, out, seeds)


def _plan(kind: str, recipe: str | None, changes: dict[str, Any], assignments: list[str]) -> "Experiment":
    from ..core.config import merged, overrides
    from ..experiment.recipe import Recipe
    from ..experiment.tasks import TASKS

    base = Recipe() if recipe is None else Recipe.load(recipe)
    return base.experiment(TASKS.require(kind), merged(given(changes), overrides(assignments)))


def _resume(path: Path, data: str | None) -> None:
    from ..runs.directory import Run
    from ..training.train import resume

    run = Run.open(path)
    if run.finished:
        with run.writing():  # sweeps what a death near its end has left
            console.say(f"{path} has ended already: nothing to do")
        console.made(path)
    else:
        _run(resume(path, moved(run, data)))


def _start(experiment: "Experiment", out: Path) -> "Training":
    from ..training.train import start

    return start(experiment, out)


def _run(training: "Training") -> "Run":
    run, epochs = training.run, training.experiment.training.epochs
    state = run.state
    try:
        console.follow(training.records(), epochs, state.epoch if state else 0, training.experiment.kind)
    except KeyboardInterrupt:
        console.note(f"interrupted; go on with: latentspace train --resume {run.path}")
        raise
    console.made(run.path)
    return run


def _several(experiment: "Experiment", out: Path, seeds: int) -> None:
    from ..runs.directory import refuse_existing

    refuse_existing(out)
    scores: list[float] = []
    task = experiment.task
    for seed in range(experiment.seed, experiment.seed + seeds):
        run = _run(_start(experiment.model_copy(update={"seed": seed}), out / f"seed-{seed}"))
        last = run.metrics[-1]
        scores.append(last.get("validation", last["train"])[task.score])
    part = "validation" if experiment.training.fit == "train" else "training"
    console.show_table(
        f"{part} {task.score} after the last epoch",
        ["seeds", "mean", "standard deviation", "each"],
        [
            [
                str(seeds),
                f"{mean(scores):.5f}",
                f"{stdev(scores):.5f}",
                " ".join(f"{one:.5f}" for one in scores),
            ]
        ],
    )
