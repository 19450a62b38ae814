"""latentspace map"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from ..core.errors import ConfigurationError
from . import console
from .options import AskedImages, Device, Json, RunPath

if TYPE_CHECKING:
    import numpy as np

    from ..data.imageset import ImageSet
    from ..inference.maps import Projection


def map_(
    *,
    run: RunPath,
    out: Annotated[Path, "The table: .parquet, .csv or .npz; a .png goes next to it.", "FILE"],
    method: Annotated[
        str | None,
        "The method; umap and pacmap are extras to install. \\[default: pca]",
        "pca|tsne|umap|pacmap",
    ] = None,
    seed: Annotated[int | None, "Seed of a map that is not PCA. \\[default: 0]", "N"] = None,
    onto: Annotated[Path | None, "Place the images on this existing map: .parquet or .npz.", "MAP"] = None,
    force: Annotated[bool, "Replace an existing file."] = False,
    json: Json = False,
    device: Device = "auto",
    asked: AskedImages,
) -> None:
    """Make a two-dimensional map of images by their codes: a table with x and y of each, and a picture.

    Images that are placed on a map that is not PCA stand at the mean of the five with the nearest codes,
    weighted by 1 / distance.

    [bold]Examples[/bold]

      latentspace map runs/photos --out map.parquet

      latentspace map runs/photos --out map.parquet --method tsne

      latentspace map runs/photos new/ --out new.csv --onto map.parquet
    """
    from ..core.output_files import refuse_file, write_file
    from ..inference.kept_refined import encoded_once
    from ..inference.map_files import FORMATS, read_map, write_map
    from ..inference.maps import project, refuse_method
    from ..inference.run_images import Description
    from ..inference.tables import refuse_table
    from ..inference.trained import TrainedAutoencoder, encoder_run
    from ..runs.directory import Run

    refuse_table(out, force=force, formats=FORMATS)
    refuse_file(picture := out.with_suffix(".png"), force=force)
    _refuse_beside(onto, method, seed)
    refuse_method(method or "pca")
    opened = encoder_run(Run.open(run))
    trained = TrainedAutoencoder.load(opened, device)
    known = None if onto is None else read_map(onto, opened)
    opened.refuse_damaged_split()
    with console.following():
        images, own = asked.read(opened)
        codes = encoded_once(trained, images)
        made = project(codes, method or "pca", seed or 0) if known is None else known
        points = made.points if known is None else made.place(codes)
    drawn, columns = _picture(images, points, made, known), Description(opened, images, own).columns()
    write_map(out, made, codes, points, columns, seed=seed or 0, codes_of=opened.weights_hash, force=force)
    write_file(picture, drawn, force=force)
    if json:
        facts = {"run": str(run), "images": len(images), "picture": str(picture), "out": str(out)}
        console.show_json({**facts, **_facts(made, onto)})
        return
    console.say(f"a picture of it: {picture}")
    console.made(out)


def _facts(made: "Projection", onto: Path | None) -> dict[str, Any]:
    """What `--json` says of a map."""
    return {
        "method": made.method,
        **({} if onto is None else {"onto": str(onto)}),
        **({} if made.explained is None else {"explained": list(made.explained)}),
    }


def _refuse_beside(onto: Path | None, method: str | None, seed: int | None) -> None:
    given = [name for name, value in (("--method", method), ("--seed", seed)) if value is not None]
    if onto is not None and given:
        raise ConfigurationError(
            "--onto places images on a map as it was made",
            found=" and ".join(given),
            do="leave that out, or make a new map without --onto",
        )


def _picture(
    images: "ImageSet", points: "np.ndarray", made: "Projection", known: "Projection | None"
) -> bytes:
    """The places of the images, before those of the known map's where there is one."""
    from ..figures import code_map, draw_codes, png
    from ..inference.maps import NAMES

    drawn = code_map(
        points,
        explained=made.explained,
        labels=images.labels,
        class_names=images.class_names,
        method=None if made.linear is not None else NAMES[made.method],
        behind=None if known is None else known.points,
        size=made.codes.shape[1],
    )
    return png(draw_codes(drawn))
