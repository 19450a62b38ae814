"""latentspace explore"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from ..core.errors import RunError
from . import console
from .options import AskedImages, Device, RunPath

if TYPE_CHECKING:
    from ..explorer.serving import Place
    from ..explorer.subject import Subject


def explore(
    *,
    run: RunPath,
    port: Annotated[int, "The port; 0: any that is free."] = 0,
    no_browser: Annotated[bool, "Print the address alone."] = False,
    host: Annotated[str, "The address that the server listens on.", "ADDRESS"] = "127.0.0.1",
    allow_remote: Annotated[bool, "Let other machines reach it, at --host."] = False,
    device: Device = "auto",
    asked: AskedImages,
) -> None:
    """Look at the latent space of images in the browser: a map, decodes of any place, sliders, labels.

    [bold]Examples[/bold]

      latentspace explore runs/photos

      latentspace explore runs/photos new/ --no-browser --port 8000
    """
    from ..explorer.contents import Contents
    from ..explorer.labels import Labels, beside
    from ..explorer.serving import Place, serve
    from ..inference.export import require_onnx

    require_onnx()
    place = Place(host, port, allow_remote)
    labels = Labels(beside(run))
    labels.read()
    with console.following():
        contents = Contents(_subject(run, asked, device))
    try:
        serve(
            lambda: contents, labels, place, said=lambda address: _say(address, place), browser=not no_browser
        )
    except KeyboardInterrupt:
        kept = f"labels are in {labels.path}" if labels.path.exists() else "no labels were given"
        console.say(f"ended; {kept}")


def _say(address: str, place: "Place") -> None:
    console.say(f"the explorer is at {address} (Ctrl-C ends it)")
    if not place.local:
        console.note("others than this machine can reach it: whoever has the address sees the images")


def _subject(path: Path, asked: AskedImages, device: str) -> "Subject":
    from ..explorer.subject import of_run
    from ..inference.trained import refuse_unfinished
    from ..runs.directory import Run

    run = Run.open(path)
    refuse_unfinished(run)
    try:
        images, own = asked.read(run)
    except RunError as error:
        console.note(f"{error.must}; found: {error.found}")
        return of_run(run, None, own=False, device=device)
    return of_run(run, images, own=own, device=device)
