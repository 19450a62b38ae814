"""latentspace explore"""

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import typer

from ..core.errors import ConfigurationError, RunError
from . import console
from .options import AskedImages, Device

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ..explorer.actions import Actions
    from ..explorer.contents import Contents
    from ..explorer.growing import Growing
    from ..explorer.serving import Place
    from ..explorer.subject import Subject


@dataclass(frozen=True, kw_only=True)
class Serving:
    """Where the explorer is reached."""

    panel: ClassVar = "Server"

    port: Annotated[int, "The port; 0: any free port."] = 0
    no_browser: Annotated[bool, "Only print the URL; do not open a browser."] = False
    host: Annotated[str, "The address that the server listens on.", "ADDRESS"] = "127.0.0.1"
    allow_remote: Annotated[bool, "Let other machines connect, at --host."] = False


def explore(
    *,
    run: Annotated[
        str, typer.Argument(metavar="RUN|SPEC", help="A run directory, or images to train a network on.")
    ],
    export: Annotated[Path | None, "Write one HTML file that works without a server.", "FILE.html"] = None,
    force: Annotated[bool, "With --export: replace an existing file."] = False,
    minutes: Annotated[float, "With images: how long to train the network.", {"min": 0.01}] = 5.0,
    out: Annotated[Path | None, "With images: the new run. \\[default: runs/NAME]", "RUN"] = None,
    copies_to: Annotated[
        Path | None, "The folder for copies of selected images. \\[default: RUN/copies]", "DIR"
    ] = None,
    device: Device = "auto",
    serving: Serving,
    asked: AskedImages,
) -> None:
    """Show the latent space of images in the browser: a map, decoded images of any point, sliders, labels.

    [bold]Examples[/bold]

      latentspace explore runs/photos

      latentspace explore runs/photos new/ --no-browser --port 8000

      latentspace explore runs/photos --export photos.html

      latentspace explore photos/ --minutes 5
    """
    from ..explorer.contents import Contents
    from ..explorer.serving import Place
    from ..inference.export import require_onnx
    from ..runs.directory import Run

    require_onnx()
    place = Place(serving.host, serving.port, serving.allow_remote)
    path = Path(run)
    if not Run.exists(path):
        _refuse_export(path, export)
        growing = _growing(run, asked, minutes, out, device)
        thread = threading.Thread(target=growing.train, daemon=True)
        thread.start()
        actions = _actions(lambda: growing.contents, growing.out, copies_to)
        _serve(actions, place, browser=not serving.no_browser, progress=lambda: growing.progress)
        growing.ended.set()
        if thread.is_alive() and not Run(growing.out).finished:
            begun = Run.exists(growing.out)
            console.say(
                f"the training was not at its end: latentspace train --resume {growing.out}"
                if begun
                else "the training had not begun: nothing is kept"
            )
        return
    if export is not None:
        _export(path, asked, device, export, force=force)
        return
    with console.following():
        contents = Contents(_subject(path, asked, device))
    _serve(_actions(lambda: contents, path, copies_to), place, browser=not serving.no_browser)


def _refuse_export(path: Path, export: Path | None) -> None:
    if export is not None:
        raise ConfigurationError(
            "--export takes a run",
            found=str(path),
            do="explore the images first, or train: latentspace train ae --data SPEC --out RUN",
        )


def _growing(spec: str, asked: AskedImages, minutes: float, out: Path | None, device: str) -> "Growing":
    """The images, and the training that is to begin. Raises: LatentspaceError: as reading and training."""
    from ..data.sources import load_images
    from ..experiment.recipe import Recipe
    from ..experiment.tasks import TASKS
    from ..explorer.growing import Growing
    from ..runs.directory import refuse_existing
    from ..runs.places import named_after, new_place

    if asked.images or asked.data:
        raise ConfigurationError(
            "images are named once", found=f"{spec}, which is no run, and others", do="name a run before them"
        )
    place = out or new_place(named_after(spec))
    refuse_existing(place)
    changes = {"data": asked.reading.settings(spec), "training": {"minutes": minutes}, "device": device}
    experiment = Recipe(preset="default").experiment(TASKS.require("ae"), changes)
    with console.following():
        images = load_images(experiment.data)
    console.say(f"trains for {minutes:g} min: {place}")
    return Growing(images, experiment, place)


def _actions(contents: "Callable[[], Contents]", run: Path, copies: Path | None) -> "Actions":
    """What the page may ask for. Raises: OutputError: the run's labels are damaged."""
    from ..explorer.actions import Actions
    from ..explorer.labels import Labels, beside

    labels = Labels(beside(run))
    labels.read()
    return Actions(contents, labels, copies or run / "copies")


def _serve(
    actions: "Actions",
    place: "Place",
    *,
    browser: bool,
    progress: "Callable[[], Mapping[str, Any] | None]" = lambda: None,
) -> None:
    from ..explorer.serving import serve

    def said(address: str) -> None:
        console.say(f"the explorer is at {address} (Ctrl-C ends it)")
        if not place.local:
            console.note("others than this machine can reach it: whoever has the address sees the images")

    try:
        serve(actions, place, said=said, browser=browser, progress=progress)
    except KeyboardInterrupt:
        path = actions.labels.path
        console.say(f"ended; {f'labels are in {path}' if path.exists() else 'no labels were given'}")


def _export(path: Path, asked: AskedImages, device: str, out: Path, *, force: bool) -> None:
    from ..core.output_files import refuse_file, write_file
    from ..explorer.contents import Contents
    from ..explorer.page import page

    refuse_file(out, force=force)
    with console.following():
        content = page(Contents(_subject(path, asked, device), pictures="WEBP", methods=("tsne",)))
    write_file(out, content, force=force)
    console.say(f"{len(content) / 1e6:.1f} MB, with all images and networks: it opens without a server")
    console.made(out)


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
    folder = Path(asked.images or asked.data or run.experiment.data.spec)
    return of_run(run, images, own=own, device=device, folder=folder)
