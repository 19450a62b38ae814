"""latentspace denoise"""

from pathlib import Path
from typing import Annotated

import typer

from ..core.errors import ConfigurationError
from . import console
from .options import AskedImages, Device, Json, RunPath
from .pictures import ReplaceFolder, write_restored


def denoise(
    *,
    run: RunPath,
    asked: AskedImages,
    folder: Annotated[
        Path | None, typer.Argument(metavar="OUT", help="A new folder for the cleaned images.")
    ] = None,
    out: Annotated[Path | None, "The same as OUT.", "DIR"] = None,
    force: ReplaceFolder = False,
    json: Json = False,
    device: Device = "auto",
) -> None:
    """Remove noise from images with a denoising autoencoder: a PNG for each, with the name of its file.

    Images of another size are brought to the one that the run was trained on; --strict refuses them.

    [bold]Examples[/bold]

      latentspace denoise runs/denoiser scans/ cleaned

      latentspace denoise runs/denoiser letter.png --out cleaned --strict
    """
    from ..core.output_files import refuse_folder
    from ..core.wording import counted
    from ..inference.denoise import denoised
    from ..inference.trained import TrainedAutoencoder
    from ..runs.directory import Run

    place = _place(folder, out)
    refuse_folder(place, force=force)
    opened = Run.open(run)
    trained = TrainedAutoencoder.load(opened, device)
    with console.following():
        found = denoised(trained, asked.read(opened)[0])
        write_restored(found, place, force=force)
    if json:
        console.show_json({"run": str(run), "images": len(found.names), "out": str(place)})
        return
    console.say(f"cleaned {counted(len(found.names))}")
    console.made(place)


def _place(folder: Path | None, out: Path | None) -> Path:
    """Where the images go. Raises: ConfigurationError: named nowhere, or twice."""
    place = folder or out
    if place is None or (folder and out):
        raise ConfigurationError(
            "denoise needs one place for the cleaned images",
            found="no OUT" if place is None else f"{folder} and --out {out}",
            do="write for example: latentspace denoise RUN scans/ --out cleaned",
        )
    return place
