"""latentspace interpolate"""

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from . import console
from .options import Device, Json, MovedData, Resize, RunPath, moved
from .pictures import Made, ReplaceFolder, write_made

_SAID = "An image file, or the number of an image in the run's test part, from 0."
First: TypeAlias = Annotated[str, typer.Argument(metavar="A", help=_SAID)]
Second: TypeAlias = Annotated[str, typer.Argument(metavar="B", help=_SAID)]


def interpolate(
    *,
    run: RunPath,
    first: First,
    second: Second,
    out: Annotated[Path, "A new folder for the images.", "DIR"],
    frames: Annotated[int, "How many images, including A and B.", "N"] = 24,
    spherical: Annotated[bool, "vae: follow a great circle instead of a line."] = False,
    data: MovedData = None,
    resize: Resize = None,
    force: ReplaceFolder = False,
    json: Json = False,
    device: Device = "auto",
) -> None:
    """Decode codes between those of two images: a PNG for each, one picture of all, and a GIF.

    [bold]Examples[/bold]

      latentspace interpolate runs/letters 3 17 --out between

      latentspace interpolate runs/photos cat.png dog.png --out between --frames 48
    """
    from ..core.output_files import refuse_folder
    from ..inference.code_paths import between
    from ..inference.sampling import images_named
    from ..inference.trained import TrainedAutoencoder, encoder_run
    from ..runs.directory import Run

    refuse_folder(out, force=force)
    opened = encoder_run(Run.open(run))
    trained = TrainedAutoencoder.load(opened, device)
    path = between(frames, round_=spherical, prior=trained.model.prior)
    with console.following():
        start, end = trained.encode(images_named(opened, (first, second), moved(opened, data), resize))
    how = "a great circle" if spherical else "a straight line"
    words = f"from image {first} to image {second}, on {how} between their codes"
    made = Made(path(start, end, frames), words, min(10, frames))
    facts = {"run": str(run), "first": first, "second": second} if json else None
    write_made(trained, made, out, film=True, force=force, back=True, json=facts)
