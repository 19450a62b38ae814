"""latentspace export"""

from pathlib import Path
from typing import Annotated

from . import console
from .options import Json, RunPath


def export(
    *,
    run: RunPath,
    out: Annotated[Path, "The folder that the files are put into.", "FOLDER"],
    to: Annotated[str, "The format.", "onnx|torchscript|safetensors"] = "onnx",
    force: Annotated[bool, "Replace files of the same names."] = False,
    json: Json = False,
) -> None:
    """Write a run's network for use without latentspace: encoder, decoder, and a classifier's head.

    Each file takes any number of images at once. What it computes is checked against PyTorch.

    [bold]Examples[/bold]

      latentspace export runs/photos --out photos-onnx

      latentspace export runs/classifier --to torchscript --out scripted
    """
    from ..inference.export import export as write

    with console.following():
        files = write(run, out, to, force=force)
    if json:
        console.show_json({"out": str(out), "files": [one.name for one in files]})
        return
    for one in files:
        console.made(one)
