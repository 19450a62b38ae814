"""latentspace continue"""

from pathlib import Path
from typing import Annotated

from . import console
from .options import Json, PlannedDevice, Reading, RunPath, together


def continue_(
    *,
    run: RunPath,
    out: Annotated[Path, "The new run directory.", "NEW"],
    epochs: Annotated[int, "How many more epochs.", {"min": 1}],
    data: Annotated[
        list[str] | None,
        "More training images, fewer of them in each epoch, never evaluated. "
        "May be repeated to join several sets.",
        "MORE",
    ] = None,
    json: Json = False,
    device: PlannedDevice = None,
    threads: Annotated[int | None, "Threads of the CPU. \\[default: the parent's]", {"min": 1}] = None,
) -> None:
    """Train a finished run for more epochs, with more images if you like, as a new run.

    It begins with the parent's weights, and has its settings, images and split; the optimiser begins anew.
    What was interrupted goes on by `latentspace train --resume NEW`.

    [bold]Examples[/bold]

      latentspace continue runs/letters --epochs 20 --out runs/letters-2

      latentspace continue runs/photos --epochs 10 --data new-photos/ --out runs/photos-2
    """
    from ..runs.directory import Run
    from ..training.continued import start_continued
    from .train import follow

    more = Reading().settings(together(data or [])).get("spec")
    made = follow(start_continued(Run.open(run), out, epochs, more, device, threads), said=not json)
    if json:
        last = made.metrics[-1]
        console.show_json(
            {"run": str(out), "parent": str(run), "kind": made.experiment.kind, "epochs": len(made.metrics)}
            | {part: last[part] for part in ("train", "validation") if part in last}
        )
