"""latentspace index"""

from pathlib import Path
from typing import Annotated

from ..core.errors import ConfigurationError
from . import console
from .options import AskedImages, Device, Json, RunPath


def index(
    *,
    run: RunPath,
    out: Annotated[Path, "The index, a folder.", "PATH"],
    add: Annotated[bool, "Add to an existing index; exact copies of its images are left out."] = False,
    force: Annotated[bool, "Replace an existing index."] = False,
    json: Json = False,
    device: Device = "auto",
    asked: AskedImages,
) -> None:
    """Store the codes of images, so that `neighbours` finds similar ones quickly. Works with this run only.

    [bold]Examples[/bold]

      latentspace index runs/letters --out letters.index

      latentspace index runs/letters scans/ --out letters.index --add
    """
    from ..core.wording import counted
    from ..inference.given_images import image_set
    from ..inference.index import Index, is_index, refuse_taken_index
    from ..inference.trained import TrainedAutoencoder, encoder_run
    from ..runs.directory import Run

    if add and force:
        raise ConfigurationError(
            "--add keeps what --force replaces", found="both", do="leave out one of the two"
        )
    opened = encoder_run(Run.open(run))
    trained = TrainedAutoencoder.load(opened, device)
    kept = Index.open(out, trained) if add else None
    if kept is None and not (force and is_index(out)):
        refuse_taken_index(out)
    with console.following():
        images = image_set(trained, asked.read(opened)[0])
        if kept is None:
            Index.create(out, trained, images, force=force)
            added = len(images)
        else:
            added = kept.add(images)
    if json:
        console.show_json({"run": str(run), "out": str(out), "added": added})
        return
    known = len(images) - added
    there = f"; it has {counted(known)} already" if known else ""
    console.say(f"indexed {counted(added)}{there}")
    console.made(out)
