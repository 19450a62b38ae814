"""latentspace neighbours"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..core.errors import ConfigurationError
from . import console
from .options import Device, Json, Reading, RunPath

if TYPE_CHECKING:
    from ..inference.neighbours import Collection, Neighbours
    from ..inference.trained import TrainedAutoencoder

DRAWN = 20  # images that the picture has a row for
TABLE, PICTURE = "neighbours.csv", "neighbours.png"
FILES = {TABLE: (".csv", ".parquet", ".npz"), PICTURE: (".png",)}


def neighbours(
    *,
    run: RunPath,
    images: Annotated[str, typer.Argument(metavar="IMAGES", help="An image, a folder, or any SPEC.")],
    among: Annotated[
        str | None, "The images to search among. \\[default: the run's own images]", "SPEC"
    ] = None,
    index: Annotated[Path | None, "Search in this index, made by `latentspace index`.", "PATH"] = None,
    count: Annotated[int, "How many neighbours per image.", "N", {"min": 1, "max": 10_000}] = 12,
    out: Annotated[
        Path | None,
        "A table (.csv, .parquet, .npz), a picture (.png), or a folder for both.",
        "PATH",
    ] = None,
    force: Annotated[bool, "Replace an existing file or folder."] = False,
    json: Json = False,
    device: Device = "auto",
    reading: Reading,
) -> None:
    """Find the most similar images: those with the nearest codes.

    [bold]Examples[/bold]

      latentspace neighbours runs/letters letter.png --out near

      latentspace neighbours runs/letters new/ --among archive/ --count 5 --json

      latentspace neighbours runs/letters letter.png --index letters.index
    """
    from ..inference.neighbours import find_neighbours
    from ..inference.run_images import asked_images
    from ..inference.tables import write_table
    from ..inference.trained import TrainedAutoencoder, encoder_run
    from ..runs.directory import Run
    from .outputs import outputs

    if among and index:
        raise ConfigurationError(
            "neighbours are searched among images or an index",
            found="--among and --index",
            do="leave out one of the two",
        )
    files = {} if out is None else outputs(out, FILES, force=force)
    opened = encoder_run(Run.open(run))
    trained = TrainedAutoencoder.load(opened, device)
    if index is None and among is None:
        opened.refuse_damaged_split()
    with console.following():
        kept = None if index is None else _kept(index, trained)
        asked, _ = asked_images(opened, images, reading.settings(images))
        others = kept or asked_images(opened, among, reading.settings(among) if among else {})[0]
        found = find_neighbours(trained, asked, others, count)
        if TABLE in files:
            write_table(files[TABLE], [found.columns()], force=force)
        if PICTURE in files:
            _draw(found, files[PICTURE], force=force)
    _show(run, found, files, json=json)


def _kept(index: Path, trained: "TrainedAutoencoder") -> "Collection":
    from ..inference.index import Index

    return Index.open(index, trained).collection()


def _draw(found: "Neighbours", path: Path, *, force: bool) -> None:
    """A row for each image: the image, then its neighbours."""
    import numpy as np

    from ..figures import draw_rows, image_rows, save

    rows: dict[str, Any] = {}
    for number, name in enumerate(found.images.names[:DRAWN]):
        near = found.among.pixels(found.rows[number])
        words = name if name not in rows else f"{name} ({number + 1})"
        rows[words] = np.concatenate([found.images.pixels[number : number + 1], near])
    columns = found.rows.shape[1] + 1
    titles = ("image", *map(str, range(1, columns)))
    save(draw_rows(image_rows(rows, columns=columns, titles=titles)), path, force=force)


def _show(run: Path, found: "Neighbours", files: dict[str, Path], *, json: bool) -> None:
    facts: dict[str, Any] = {
        "run": str(run),
        "images": len(found.images),
        "among": len(found.among.codes),
        "recall": found.recall,
        "out": [str(path) for path in files.values()],
    }
    console.show_rows(facts, found.columns(), "neighbours", json=json)
    if json:
        return
    if found.recall < 1:
        console.say(f"found by a graph, which finds {found.recall:.1%} of the exact neighbours")
    for path in files.values():
        console.made(path)
