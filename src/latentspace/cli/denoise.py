"""latentspace denoise"""

from pathlib import Path
from typing import Annotated

import typer

from . import console
from .options import Device, Reading, Resize, RunPath, Strict
from .pictures import write_restored


def denoise(
    *,
    run: RunPath,
    images: Annotated[
        str,
        typer.Argument(metavar="IN", help="An image, a folder of images, or any SPEC that --data takes."),
    ],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="A new folder for the cleaned images.")],
    device: Device = "auto",
    resize: Resize = None,
    strict: Strict = None,
) -> None:
    """Clean images with a denoising autoencoder: a PNG for each, under its own name where it has one.

    Images must have the size that the run was trained on; --resize brings them there.

    [bold]Examples[/bold]

      latentspace denoise runs/denoiser scans/ cleaned

      latentspace denoise runs/denoiser letter.png cleaned --resize 28x28
    """
    from ..core.atomic_files import refuse_taken
    from ..core.wording import counted
    from ..inference.denoise import restore
    from ..runs.directory import Run

    refuse_taken(out)
    with console.following():
        reading = Reading(resize=resize, strict=strict)
        restored = restore(Run.open(run), reading.config(images), device)
        write_restored(restored, out)
    console.say(f"cleaned {counted(len(restored.names))}")
    console.made(out)
