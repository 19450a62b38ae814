"""latentspace encode"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from . import console
from .options import Device, Json, Reading, RunPath

if TYPE_CHECKING:
    from ..inference.encoding import EncodingPlan


def encode(
    *,
    run: RunPath,
    images: Annotated[
        str | None,
        typer.Argument(
            metavar="[DATA]",
            help="An image, a folder, or any SPEC that --data takes. [default: the run's own]",
        ),
    ] = None,
    out: Annotated[Path, "The table: .parquet, .csv, .npz, or .npy for codes alone.", "FILE"],
    with_: Annotated[
        str | None,
        "Further columns: images (as PNG), map (x and y, by PCA of the codes).",
        "images,map",
    ] = None,
    no_error: Annotated[bool, "Leave out the reconstruction error, which takes a decoding."] = False,
    precision: Annotated[
        str, "Precision. auto: bf16 where the hardware computes in it, else 32.", "auto|32|bf16"
    ] = "auto",
    shard: Annotated[str, "Encode one share of the images, such as 2/4.", "I/N"] = "1/1",
    resume: Annotated[bool, "Go on where an interrupted call ended."] = False,
    force: Annotated[bool, "Replace what is there."] = False,
    json: Json = False,
    device: Device = "auto",
    reading: Reading,
) -> None:
    """Write the codes of images to a table, a row an image: name, label, part, code, reconstruction error.

    [bold]Examples[/bold]

      latentspace encode runs/photos photos/ --out codes.csv

      latentspace encode runs/photos --out codes.parquet --with images,map
    """
    from ..core.errors import ConfigurationError
    from ..inference.encoding import EXTRAS, encode_to
    from ..inference.tables import refuse_table

    refuse_table(out, force=force)
    extras = tuple(one.strip() for one in (with_ or "").split(",") if one.strip())
    if unknown := [one for one in extras if one not in EXTRAS]:
        raise ConfigurationError(
            f"--with takes some of: {', '.join(EXTRAS)}", found=unknown[0], do="name these alone"
        )
    if "images" in extras and out.suffix.casefold() != ".parquet":
        raise ConfigurationError(
            "--with images needs a table that holds pictures", found=out.name, do="write to a .parquet"
        )
    with console.following():
        plan = _plan(
            run, images, reading, device, shard, precision=precision, errors=not no_error, extras=extras
        )
        try:
            facts = encode_to(plan, out, resume=resume, force=force)
        except KeyboardInterrupt:
            console.note("interrupted; go on with the same command and --resume")
            raise
    if json:
        console.show_json({"out": str(out), **facts})
        return
    console.made(out)


def _plan(
    path: Path, data: str | None, reading: Reading, device: str, shard: str, **how: Any
) -> "EncodingPlan":
    from ..inference.encoding import EncodingPlan, Shard
    from ..inference.run_images import asked_images
    from ..inference.trained import TrainedAutoencoder
    from ..runs.directory import Run

    share = Shard.parse(shard)
    run = Run.open(path)
    trained = TrainedAutoencoder.load(run, device)
    images, own = asked_images(run, data, reading.settings(data))
    return EncodingPlan(run, trained, images, own, shard=share, **how)
