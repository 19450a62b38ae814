"""latentspace generate"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..core.errors import ConfigurationError
from . import console
from .options import Device, MovedData, Quiet, Resize, RunPath, Verbose, moved, size

if TYPE_CHECKING:
    from ..core.types import CodeArray, ImageArray
    from ..figures import Steps
    from ..inference.trained import TrainedAutoencoder
    from ..runs.directory import Run

SHEET = 400  # images that a contact sheet shows at most


@dataclass(frozen=True)
class Wish:
    """What is asked for; `count` is None where the kind of picture has its own default."""

    count: int | None
    seed: int
    dimensions: tuple[int, int]
    span: tuple[float, float] | None
    images: tuple[str, str]
    spherical: bool
    resize: tuple[int, int] | None
    data: str | None


@dataclass(frozen=True)
class Made:
    """Codes, what a person should know of them, and how they lie on the sheet."""

    codes: "CodeArray"
    words: str
    columns: int = 10
    across: "Steps | None" = None
    down: "Steps | None" = None


def generate(
    run: RunPath,
    out: Annotated[Path, typer.Option(metavar="DIR", help="A new folder for the pictures.")],
    what: Annotated[
        str, typer.Option(metavar="samples|grid|interpolation|walk", help="Which codes are decoded.")
    ] = "samples",
    count: Annotated[
        int | None,
        typer.Option(metavar="N", help="Samples: how many. Grid: how many on a side. \\[default: 40; 12]"),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(metavar="N", help="Samples and walk: their seed. \\[default: 0]")
    ] = None,
    dimensions: Annotated[
        str | None,
        typer.Option(
            metavar="I,J", help="Grid: the dimensions across and upwards, counted from 0. \\[default: 0,1]"
        ),
    ] = None,
    range_: Annotated[
        str | None,
        typer.Option(
            "--range",
            metavar="LOW,HIGH",
            help="Grid: equal steps between these two values. \\[default: quantiles]",
        ),
    ] = None,
    images: Annotated[
        str | None,
        typer.Option(
            metavar="A,B",
            help="Interpolation: two image files, or two places in the test part. \\[default: 0,1]",
        ),
    ] = None,
    frames: Annotated[
        int | None,
        typer.Option(metavar="N", help="Interpolation and walk: how many images. \\[default: 24; 60]"),
    ] = None,
    spherical: Annotated[
        bool,
        typer.Option("--spherical", help="Interpolation, vae: go along a great circle instead of a line."),
    ] = False,
    data: MovedData = None,
    resize: Resize = None,
    device: Device = "auto",
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """Decode new codes into pictures: a PNG for each, a contact sheet, and a film of a path or a walk.

    New codes of a vae come from its prior. An ae or a dae has none: there they come from a Gaussian that is
    fitted to the codes of its training images.

    [bold]Examples[/bold]

      latentspace generate runs/vae --count 40 --out pictures

      latentspace generate runs/vae --what grid --dimensions 2,5 --range=-3,3 --out plane

      latentspace generate runs/vae --what interpolation --images 3,17 --out between
    """
    given = {
        "--count": count, "--seed": seed, "--dimensions": dimensions, "--range": range_, "--images": images,
        "--frames": frames, "--spherical": spherical or None,
    }  # fmt: skip
    chosen = _chosen(what, [name for name, value in given.items() if value is not None])
    wish = Wish(
        count=count if frames is None else frames,
        seed=seed or 0,
        dimensions=_pair("--dimensions", "0,1", int, dimensions or "0,1"),
        span=None if range_ is None else _pair("--range", "-2,2", float, range_),
        images=_pair("--images", "3,17", str, images or "0,1"),
        spherical=spherical,
        resize=size(resize),
        data=data,
    )
    _generate(Path(run), out, chosen, wish, device)


def _generate(path: Path, out: Path, picture: "Picture", wish: Wish, device: str) -> None:
    from ..core.atomic_files import new_folder, refuse_taken
    from ..core.wording import counted
    from ..inference.image_files import numbered, there_and_back, write_film, write_pictures
    from ..inference.trained import TrainedAutoencoder
    from ..runs.directory import Run

    refuse_taken(out)
    run = Run.open(path)
    trained = TrainedAutoencoder.load(run, device)
    made = picture.make(run, trained, wish)
    decoded = trained.decode(made.codes)
    with new_folder(out) as folder:
        write_pictures(decoded, numbered(len(decoded)), folder)
        _write_sheet(decoded, made, folder / "sheet.png")
        if picture.film:
            write_film(decoded if picture.closed else there_and_back(decoded), folder / "film.gif")
    console.say(f"{counted(len(decoded))}: {made.words}")
    console.say(f"all on one sheet: {out / 'sheet.png'}")
    if picture.film:
        console.say(f"as a film: {out / 'film.gif'}")
    console.made(out)


def _samples(run: "Run", trained: "TrainedAutoencoder", wish: Wish) -> Made:
    from ..inference.sampling import draw, made_from

    count = 40 if wish.count is None else wish.count
    data = moved(run, wish.data)
    drawn = made_from(run, trained, data, lambda source: draw(source, count, wish.seed))
    return Made(drawn.codes, f"codes drawn from {drawn.distribution}", min(10, count))


def _walk(run: "Run", trained: "TrainedAutoencoder", wish: Wish) -> Made:
    from ..inference.code_paths import walk
    from ..inference.sampling import made_from

    frames = 60 if wish.count is None else wish.count
    data = moved(run, wish.data)
    walked = made_from(run, trained, data, lambda source: walk(source, frames, wish.seed))
    return Made(walked.codes, walked.distribution, min(10, frames))


def _grid(run: "Run", trained: "TrainedAutoencoder", wish: Wish) -> Made:
    from ..figures import Steps
    from ..inference.sampling import grid, made_from

    side = 12 if wish.count is None else wish.count
    data = moved(run, wish.data)
    plane = made_from(run, trained, data, lambda source: grid(source, wish.dimensions, side, wish.span))
    first, second = (f"dimension {number}" for number in plane.dimensions)
    return Made(plane.codes, plane.words, side, Steps(first, plane.across), Steps(second, plane.down))


def _between(run: "Run", trained: "TrainedAutoencoder", wish: Wish) -> Made:
    from ..inference.code_paths import linear, spherical
    from ..inference.sampling import images_named, prior

    if wish.spherical and trained.model.prior is None:
        raise ConfigurationError(
            "--spherical needs codes that lie around 0, as a vae's do",
            found=f"a run of {trained.experiment.kind}",
            do="leave it out",
        )
    frames = 24 if wish.count is None else wish.count
    zero = prior(trained.code_size).mean
    linear(zero, zero, frames)  # refuses too few frames before images are read
    start, end = trained.encode(images_named(run, wish.images, moved(run, wish.data), wish.resize))
    path, how = (spherical, "on a great circle") if wish.spherical else (linear, "on a straight line")
    codes = path(start, end, frames)
    words = f"from image {wish.images[0]} to image {wish.images[1]}, {how} between their codes"
    return Made(codes, words, min(10, len(codes)))


@dataclass(frozen=True)
class Picture:
    """A kind of picture: how its codes are made, what it can be told, and whether it is also a film.

    A film repeats: a closed one goes on from its last image to its first, another one goes back.
    """

    make: "Callable[[Run, TrainedAutoencoder, Wish], Made]"
    options: tuple[str, ...]
    film: bool = False
    closed: bool = False


PICTURES: Mapping[str, Picture] = {
    "samples": Picture(_samples, ("--count", "--seed")),
    "grid": Picture(_grid, ("--count", "--dimensions", "--range")),
    "interpolation": Picture(_between, ("--images", "--frames", "--spherical"), film=True),
    "walk": Picture(_walk, ("--frames", "--seed"), film=True, closed=True),
}


def _write_sheet(decoded: "ImageArray", made: Made, path: Path) -> None:
    from ..figures import draw_grid, image_grid, save

    more = len(decoded) > SHEET and made.across is None
    shown = decoded[:SHEET] if more else decoded
    words = f"{made.words[:1].upper()}{made.words[1:]}" + (f"; the first {SHEET}" if more else "")
    sheet = image_grid(shown, columns=made.columns, drawn_from=words, across=made.across, down=made.down)
    save(draw_grid(sheet), path)


def _chosen(what: str, given: Sequence[str]) -> Picture:
    """Raises: ConfigurationError: no such kind of picture, or one that an option says nothing to."""
    if what not in PICTURES:
        raise ConfigurationError(
            f"--what takes one of: {', '.join(PICTURES)}", found=repr(what), do="name one of them"
        )
    for name in given:
        if name not in PICTURES[what].options:
            raise ConfigurationError(
                f"--what {what} takes only {', '.join(PICTURES[what].options)}",
                found=name,
                do="leave it out",
            )
    return PICTURES[what]


def _pair(option: str, example: str, read: Any, text: str) -> tuple[Any, Any]:
    """`3,17` -> the two parts, each as `read` reads it. Raises: ConfigurationError: another form."""
    try:
        first, second = (read(part.strip()) for part in text.split(",") if part.strip())
    except ValueError as error:
        raise ConfigurationError(
            f"{option} takes two values with a comma between",
            found=repr(text),
            do=f"write for example {option}={example}",
        ) from error
    return first, second
