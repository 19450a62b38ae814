"""latentspace generate"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from ..core.errors import ConfigurationError
from . import console
from .options import Device, Json, MovedData, Pair, RunPath, moved, pair
from .pictures import Made, ReplaceFolder, write_made

if TYPE_CHECKING:
    from ..inference.trained import TrainedAutoencoder
    from ..runs.directory import Run


@dataclass(frozen=True, kw_only=True)
class CodeOptions:
    """Which codes of their kind; None: not given."""

    count: Annotated[int | None, "Samples: how many. Grid: how many per side. \\[default: 40; 12]", "N"] = (
        None
    )
    seed: Annotated[int | None, "Samples and walk: the seed. \\[default: 0]", "N"] = None
    density: Annotated[
        str | None,
        "Samples of ae and dae: the density fitted to the codes. \\[default: mixture]",
        "mixture|independent",
    ] = None
    dimensions: Annotated[
        Pair | None,
        "Grid: the dimensions across and upwards, counted from 0. \\[default: 0,1]",
        "I,J",
        {"parser": pair("--dimensions=0,1", int)},
    ] = None
    range_: Annotated[
        Pair | None,
        "Grid: equal steps between these two values. \\[default: quantiles]",
        "LOW,HIGH",
        {"parser": pair("--range=-2,2", float)},
    ] = None
    frames: Annotated[int | None, "Walk: how many images. \\[default: 60]", "N"] = None
    data: MovedData = None


def generate(
    *,
    run: RunPath,
    out: Annotated[Path, "A new folder for the images.", "DIR"],
    what: Annotated[str, "Which codes to decode.", "samples|grid|walk"] = "samples",
    options: CodeOptions,
    force: ReplaceFolder = False,
    json: Json = False,
    device: Device = "auto",
) -> None:
    """Decode new codes: a PNG for each, one picture of all, and a GIF of a walk.

    New codes of a vae come from its prior. An ae or a dae has none: there samples come from a mixture of
    Gaussians that is fitted to the codes of its training images (--density independent: from a Gaussian for
    each dimension alone).

    [bold]Examples[/bold]

      latentspace generate runs/vae --count 40 --out pictures

      latentspace generate runs/vae --what grid --dimensions 2,5 --range=-3,3 --out plane

      latentspace generate runs/vae --what walk --frames 120 --out walked
    """
    from ..core.output_files import refuse_folder
    from ..inference.trained import TrainedAutoencoder
    from ..runs.directory import Run

    picture = _chosen(what, options)
    refuse_folder(out, force=force)
    opened = Run.open(run)
    trained = TrainedAutoencoder.load(opened, device)
    with console.following():
        made = picture.make(opened, trained, options)
    warnings = [made.warning] if made.warning else []
    facts = {"run": str(run), "what": what, "from": made.words, "warnings": warnings} if json else None
    write_made(trained, made, out, film=picture.film, force=force, json=facts)


def _samples(run: "Run", trained: "TrainedAutoencoder", options: CodeOptions) -> Made:
    from ..inference.sampling import draw, made_from, require_density

    count = 40 if options.count is None else options.count
    data, density = moved(run, options.data), require_density(options.density or "mixture")
    if options.density is not None and trained.model.prior is not None:
        raise ConfigurationError(
            "--density is of networks that have no prior",
            found=f"a run of {trained.experiment.kind}, whose prior is {trained.model.prior.words}",
            do="leave it out",
        )
    drawn = made_from(run, trained, data, lambda source: draw(source, count, options.seed or 0), density)
    return Made(drawn.codes, f"codes drawn from {drawn.distribution}", min(10, count))


def _walk(run: "Run", trained: "TrainedAutoencoder", options: CodeOptions) -> Made:
    from ..inference.code_paths import walk
    from ..inference.sampling import made_from

    frames = 60 if options.frames is None else options.frames
    data = moved(run, options.data)
    walked = made_from(run, trained, data, lambda source: walk(source, frames, options.seed or 0))
    return Made(walked.codes, walked.distribution, min(10, frames))


def _grid(run: "Run", trained: "TrainedAutoencoder", options: CodeOptions) -> Made:
    from ..figures import Steps
    from ..inference.sampling import grid, made_from

    side = 12 if options.count is None else options.count
    data = moved(run, options.data)
    plane = made_from(
        run, trained, data, lambda source: grid(source, options.dimensions or (0, 1), side, options.range_)
    )
    if plane.warning:
        console.logger.warning("%s", plane.warning)
    first, second = (f"dimension {number}" for number in plane.dimensions)
    return Made(
        plane.codes, plane.words, side, Steps(first, plane.across), Steps(second, plane.down), plane.warning
    )


@dataclass(frozen=True)
class Picture:
    """A kind of picture: how its codes are made, what it can be told, and whether it is also a film."""

    make: "Callable[[Run, TrainedAutoencoder, CodeOptions], Made]"
    options: tuple[str, ...]
    film: bool = False


PICTURES: Mapping[str, Picture] = {
    "samples": Picture(_samples, ("--count", "--seed", "--density")),
    "grid": Picture(_grid, ("--count", "--dimensions", "--range")),
    "walk": Picture(_walk, ("--frames", "--seed"), film=True),
}


def _chosen(what: str, options: CodeOptions) -> Picture:
    """The kind of picture that was asked for.

    Raises:
        ConfigurationError: no such kind of picture, or one that an option says nothing to.
    """
    if what not in PICTURES:
        raise ConfigurationError(
            f"--what takes one of: {', '.join(PICTURES)}", found=repr(what), do="name one of them"
        )
    named = [f"--{name.rstrip('_')}" for name, value in vars(options).items() if value is not None]
    for name in named:
        if name not in (*PICTURES[what].options, "--data"):
            raise ConfigurationError(
                f"--what {what} takes only {', '.join(PICTURES[what].options)}",
                found=name,
                do="leave it out",
            )
    return PICTURES[what]
