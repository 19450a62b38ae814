"""latentspace interpolate"""

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from . import console
from .generate import between
from .options import Device, Json, MovedData, Resize, RunPath
from .pictures import write_made

_SAID = "An image file, or a place in the run's test part, counted from 0."
First: TypeAlias = Annotated[str, typer.Argument(metavar="A", help=_SAID)]
Second: TypeAlias = Annotated[str, typer.Argument(metavar="B", help=_SAID)]


def interpolate(
    *,
    run: RunPath,
    first: First,
    second: Second,
    out: Annotated[Path, "A new folder for the pictures.", "DIR"],
    frames: Annotated[int, "How many images, A and B among them.", "N"] = 24,
    spherical: Annotated[bool, "vae: go along a great circle instead of a line."] = False,
    data: MovedData = None,
    resize: Resize = None,
    json: Json = False,
    device: Device = "auto",
) -> None:
    """Decode the way from the code of one image to that of another: pictures, a sheet and a film.

    [bold]Examples[/bold]

      latentspace interpolate runs/letters 3 17 --out between

      latentspace interpolate runs/photos cat.png dog.png --out between --frames 48
    """
    from ..core.atomic_files import refuse_taken
    from ..inference.trained import TrainedAutoencoder
    from ..runs.directory import Run

    refuse_taken(out)
    opened = Run.open(run)
    trained = TrainedAutoencoder.load(opened, device)
    with console.following():
        made = between(
            opened, trained, (first, second), frames=frames, round_=spherical, data=data, resize=resize
        )
    facts = {"run": str(run), "first": first, "second": second} if json else None
    write_made(trained, made, out, film=True, json=facts)
