"""latentspace reconstruct"""

from pathlib import Path
from typing import Annotated

from . import console
from .options import AskedImages, Device, Json, RunPath
from .pictures import ReplaceFolder, write_restored


def reconstruct(
    *,
    run: RunPath,
    out: Annotated[Path, "A new folder for the images.", "DIR"],
    force: ReplaceFolder = False,
    json: Json = False,
    device: Device = "auto",
    asked: AskedImages,
) -> None:
    """Encode images and decode their codes: a PNG for each, with the name of its file.

    [bold]Examples[/bold]

      latentspace reconstruct runs/photos photos/ --out seen

      latentspace reconstruct runs/photos --out seen --json
    """
    from ..core.output_files import refuse_folder
    from ..core.wording import counted
    from ..inference.denoise import restored
    from ..inference.trained import TrainedAutoencoder, encoder_run
    from ..runs.directory import Run

    refuse_folder(out, force=force)
    opened = encoder_run(Run.open(run))
    trained = TrainedAutoencoder.load(opened, device)
    with console.following():
        images, _ = asked.read(opened)
        mse = write_restored(restored(trained, images), out, force=force)
    if json:
        console.show_json({"run": str(run), "images": len(images), "mse": mse, "out": str(out)})
        return
    console.say(f"{counted(len(images))}, mean squared error per pixel {mse:.4g}")
    console.made(out)
