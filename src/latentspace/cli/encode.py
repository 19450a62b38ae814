"""latentspace encode"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

from ..core.errors import ConfigurationError
from ..core.wording import counted
from . import console
from .engines import computed_by
from .options import AskedImages, Device, Engine, Json, RunPath

if TYPE_CHECKING:
    from ..inference.encoding import EncodingPlan


@dataclass(frozen=True, kw_only=True)
class EncodingOptions:
    """What the table holds, and how it is computed."""

    panel: ClassVar = "Encoding"

    with_: Annotated[
        str | None,
        "More columns: images (as PNG), map (x and y, by PCA of the codes).",
        "images,map",
    ] = None
    no_error: Annotated[bool, "Leave out the reconstruction error; this saves the decoding."] = False
    refine: Annotated[
        int | None,
        "Improve each code by up to this many Gauss-Newton steps on its image: better reconstructions, "
        "slower. Without it, as many as the run has (`model.refine`).",
        "STEPS",
        {"min": 0, "max": 10_000},
    ] = None
    precision: Annotated[
        str,
        "Of the encoder; refinement is in float32. auto: bf16 if the hardware has it natively, else 32.",
        "auto|32|bf16",
    ] = "auto"
    shard: Annotated[str, "Encode only one share of the images: 2/4 is the second quarter.", "I/N"] = "1/1"
    device: Device = "auto"
    engine: Engine = "local"

    def extras(self, out: Path) -> tuple[str, ...]:
        """The further columns. Raises: ConfigurationError: unknown ones, or `out` cannot hold them."""
        from ..inference.encoding import EXTRAS

        extras = tuple(one.strip() for one in (self.with_ or "").split(",") if one.strip())
        if unknown := [one for one in extras if one not in EXTRAS]:
            raise ConfigurationError(
                f"--with takes some of: {', '.join(EXTRAS)}", found=unknown[0], do="name these alone"
            )
        if "images" in extras and out.suffix.casefold() != ".parquet":
            raise ConfigurationError(
                "--with images needs a table that holds pictures", found=out.name, do="write to a .parquet"
            )
        return extras


def encode(
    *,
    run: RunPath,
    out: Annotated[Path, "The table: .parquet, .csv, .npz, or .npy for the codes only.", "FILE"],
    resume: Annotated[bool, "Continue an interrupted command."] = False,
    force: Annotated[bool, "Replace an existing file."] = False,
    json: Json = False,
    options: EncodingOptions,
    asked: AskedImages,
) -> None:
    """Write the codes of images to a table, one row per image: name, label, part, code, error.

    [bold]Examples[/bold]

      latentspace encode runs/photos photos/ --out codes.csv

      latentspace encode runs/photos --out codes.parquet --with images,map
    """
    from ..inference.encoding import encode_to
    from ..inference.tables import refuse_table

    refuse_table(out, force=force)
    with console.following(), computed_by(options.engine, options.device) as computed:
        plan = _plan(run, out, options, asked)
        try:
            facts = encode_to(plan, out, resume=resume, force=force, computed=computed)
        except KeyboardInterrupt:
            console.note("interrupted; go on with the same command and --resume")
            raise
    if json:
        console.show_json({"out": str(out), **facts})
        return
    if facts["precision"] == "bf16":
        console.say("computed in bfloat16 (--precision 32 for float32)")
    if "mse_before_refinement" in facts:
        before, after = facts["mse_before_refinement"], facts["mse"]
        steps = counted(facts["refine"], "step")
        console.say(
            f"mean squared error per pixel: {after:.5f} with codes refined by {steps}, {before:.5f} without"
        )
    console.made(out)


def _plan(path: Path, out: Path, options: EncodingOptions, asked: AskedImages) -> "EncodingPlan":
    from ..inference.encoding import EncodingPlan
    from ..inference.precision import computed_in
    from ..inference.shard import Shard
    from ..inference.trained import TrainedAutoencoder
    from ..runs.directory import Run

    extras, shard = options.extras(out), Shard.parse(options.shard)
    run = Run.open(path)
    trained = TrainedAutoencoder.load(run, options.device)
    computed_in(options.precision, trained.device)  # what can be refused is refused before images are read
    run.refuse_damaged_split()
    images, own = asked.read(run)
    return EncodingPlan(
        run,
        trained,
        images,
        own,
        precision=options.precision,
        errors=not options.no_error,
        refine=options.refine,
        extras=extras,
        shard=shard,
    )
