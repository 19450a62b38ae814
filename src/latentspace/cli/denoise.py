"""latentspace denoise"""

from pathlib import Path
from typing import Annotated

import typer

from . import console
from .options import Device, Json, Reading, RunPath
from .pictures import write_restored


def denoise(
    *,
    run: RunPath,
    images: Annotated[
        str,
        typer.Argument(metavar="IN", help="An image, a folder of images, or any SPEC that --data takes."),
    ],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="A new folder for the cleaned images.")],
    json: Json = False,
    device: Device = "auto",
    reading: Reading,
) -> None:
    """Clean images with a denoising autoencoder: a PNG for each, under its own name where it has one.

    Images of another size are brought to the one that the run was trained on; --strict refuses them.

    [bold]Examples[/bold]

      latentspace denoise runs/denoiser scans/ cleaned

      latentspace denoise runs/denoiser letter.png cleaned --strict
    """
    from ..core.atomic_files import refuse_taken
    from ..core.wording import counted
    from ..inference.denoise import restore
    from ..runs.directory import Run

    refuse_taken(out)
    with console.following():
        restored = restore(Run.open(run), reading.config(images), device)
        write_restored(restored, out)
    if json:
        console.show_json({"run": str(run), "images": len(restored.names), "out": str(out)})
        return
    console.say(f"cleaned {counted(len(restored.names))}")
    console.made(out)
