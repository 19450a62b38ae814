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
    private: Annotated[bool, "Make a new repository of the hub private."] = False,
    force: Annotated[bool, "Replace an existing run."] = False,
    json: Json = False,
    device: Device = "auto",
) -> None:
    """Share a finished run: weights, records, and a model card with figures and results.

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
        str, typer.Argument(metavar="SOURCE", help="The target of a push: a folder, or hf://OWNER/NAME.")
    ],
    out: Annotated[Path, "The new run directory.", "RUN"],
    json: Json = False,
) -> None:
    """Get a run that was pushed, as a run directory that every command can use.

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
