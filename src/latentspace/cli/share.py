"""latentspace push | pull"""

from pathlib import Path
from typing import Annotated

import typer

from . import console
from .options import Device, Json, MovedData, RunPath, moved


def push(
    *,
    run: RunPath,
    target: Annotated[str, typer.Argument(metavar="TARGET", help="A new folder, or hf://OWNER/NAME.")],
    data: MovedData = None,
    private: Annotated[bool, "A new repository of the hub is for its owner alone."] = False,
    force: Annotated[bool, "Replace a run that is there."] = False,
    json: Json = False,
    device: Device = "auto",
) -> None:
    """Put a finished run where others find it: weights, records, and a model card with figures and results.

    A folder or a repository of the Hugging Face hub, in the layout that the hub expects. Images are not
    pushed, but the card shows some, and the records name the place that they were read from.

    [bold]Examples[/bold]

      latentspace push runs/photos shared/photos

      latentspace push runs/photos hf://me/photos --private
    """
    from ..inference.trained import encoder_of
    from ..report.card import model_card
    from ..runs.directory import Run
    from ..runs.sharing import packed, require_target
    from ..runs.sharing import push as put

    require_target(target, force=force)
    opened = Run.open(run)
    classifies = opened.experiment.task.needs_encoder
    encoder = encoder_of(opened.experiment, opened.encoder_hash, beside=run) if classifies else None
    with console.following():
        card, pictures = model_card(opened, target, moved(opened, data), device)
    files = packed(opened, card, pictures, encoder)
    put(files, target, force=force, private=private)
    if json:
        console.show_json({"target": target, "files": sorted(files)})
        return
    console.made(target)


def pull(
    *,
    source: Annotated[
        str, typer.Argument(metavar="SOURCE", help="A folder that was pushed to, or hf://OWNER/NAME.")
    ],
    out: Annotated[Path, "The new run directory.", "RUN"],
    json: Json = False,
) -> None:
    """Get a run that was pushed: a run directory, as if it had been trained here.

    [bold]Examples[/bold]

      latentspace pull shared/photos --out runs/photos

      latentspace pull hf://me/photos --out runs/photos
    """
    from ..runs.sharing import pull as get

    run = get(source, out)
    if json:
        console.show_json({"out": str(out), "kind": run.experiment.kind})
        return
    console.made(out)
