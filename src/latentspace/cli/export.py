"""latentspace export"""

from pathlib import Path
from typing import Annotated

from . import console
from .options import Json, RunPath


def export(
    *,
    run: RunPath,
    out: Annotated[Path, "The folder for the files.", "FOLDER"],
    to: Annotated[str, "The format.", "onnx|torchscript|safetensors"] = "onnx",
    force: Annotated[bool, "Replace existing files."] = False,
    json: Json = False,
) -> None:
    """Write the network of a run for use without latentspace: encoder, decoder, classifier.

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
