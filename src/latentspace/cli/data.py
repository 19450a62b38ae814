"""latentspace data info | fetch | render"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..core.errors import ConfigurationError, OutputError
from . import console
from .command import Group, add
from .options import Fonts, Json, Reading

if TYPE_CHECKING:
    from ..data.imageset import ImageSet

LISTS = ("copies", "blank", "unreadable")

app = typer.Typer(
    cls=Group,
    no_args_is_help=True,
    help="Look at images, fetch notMNIST, render letters.\n\n"
    "SPEC is notmnist, notmnist:large, glyphs, glyphs:COUNT, auto, or a path: {formats}; notMNIST is "
    "recognised among them.",
)


def info(
    *,
    spec: Annotated[
        str,
        typer.Argument(
            metavar="SPEC", help="The images: a word or a path, as latentspace data --help lists them."
        ),
    ],
    picture: Annotated[
        Path | None,
        "Where to put the picture (.png, .svg, .pdf). \\[default: here, named after SPEC; none with "
        "--json or --list]",
        "FILE",
    ] = None,
    listed: Annotated[
        str | None,
        typer.Option("--list", metavar="|".join(LISTS), help="List only these images, one on a line."),
    ] = None,
    json: Json = False,
    reading: Reading,
) -> None:
    """Say what SPEC holds: counts, classes, size, mean, duplicates, and a picture of some of it.

    [bold]Examples[/bold]

      latentspace data info photos/

      latentspace data info photos/ --list copies

      latentspace data info glyphs:1000 --picture glyphs.png
    """
    from ..data.sources import load_images

    if listed not in (None, *LISTS):
        raise ConfigurationError(
            f"--list takes one of: {', '.join(LISTS)}", found=repr(listed), do="name one of them"
        )
    if picture is not None:
        from ..figures.style import require_format

        require_format(picture)
    images = load_images(reading.config(spec))
    facts = _facts(images)
    drawn = _draw(images, picture, spec) if picture or not (json or listed) else None
    if json:
        console.show_json({**facts, "picture": None if drawn is None else str(drawn)})
        return
    if listed:
        _show_list(listed, images, facts)
    else:
        _show_facts(images.source, facts)
    if drawn is not None:
        console.made(drawn)


def _facts(images: "ImageSet") -> dict[str, Any]:
    import numpy as np

    from ..data.cleaning import blank, mean_and_deviation, sets_of_copies

    labels = np.zeros(0, np.int64) if images.labels is None else images.labels
    counts = np.bincount(labels, minlength=len(images.class_names)).tolist()
    mean, deviation = mean_and_deviation(images.pixels)
    height, width = images.size
    blanks = blank(images.pixels)
    return {
        "source": images.source,
        "images": len(images),
        "height": height,
        "width": width,
        "channels": images.channels,
        "mean": mean,
        "standard_deviation": deviation,
        "blank": len(blanks),
        "duplicate_groups": images.duplicates.groups,
        "duplicate_images": images.duplicates.extra,
        "largest_duplicate_group": images.duplicates.largest,
        "unreadable": [f"{one.name}: {one.reason}" for one in images.record.unreadable],
        "duplicates_dropped": images.record.duplicates_dropped,
        "conversions": list(images.record.conversions),
        "content_hash": images.content_hash,
        "per_class": dict(zip(images.class_names, counts, strict=True)),
        "blank_images": list(images.names_of(blanks)),
        "copies": [list(images.names_of(one)) for one in sets_of_copies(images.image_hashes)],
    }


def _show_facts(title: str, facts: Mapping[str, Any]) -> None:
    left_out = ("per_class", "blank_images", "copies")
    rows = [[key.replace("_", " "), _words(value)] for key, value in facts.items() if key not in left_out]
    console.show_table(title, ["", ""], rows)
    if facts["per_class"]:
        console.show_table("", ["class", "images"], [[k, f"{v:,}"] for k, v in facts["per_class"].items()])
    found = {"copies": facts["copies"], "blank": facts["blank_images"], "unreadable": facts["unreadable"]}
    if named := [f"--list {name}" for name, images in found.items() if images]:
        console.say(f"to see which: {', '.join(named)}")


def _show_list(listed: str, images: "ImageSet", facts: Mapping[str, Any]) -> None:
    """A row for each copy, blank or unreadable image; copies are told beside the first of their set."""
    kind = "row, from 0" if images.files is None else "file"
    columns, rows = {
        "copies": (
            [f"copy ({kind})", "is equal to"],
            [[name, same[0]] for same in facts["copies"] for name in same[1:]],
        ),
        "blank": ([f"blank ({kind})"], [[name] for name in facts["blank_images"]]),
        "unreadable": (["file", "reason"], [[one.name, one.reason] for one in images.record.unreadable]),
    }[listed]
    if rows:
        console.show_table("", columns, rows)
    else:
        none = {"copies": "no copies", "blank": "no blank images", "unreadable": "no unreadable files"}
        console.say(f"{images.source}: {none[listed]}")


def _words(value: Any) -> str:
    if isinstance(value, list):
        return "; ".join(value[:5]) + (f"; and {len(value) - 5} more" if len(value) > 5 else "") or "none"
    return console.number(value)


def _draw(images: "ImageSet", picture: Path | None, spec: str) -> Path | None:
    """Where the picture is; None where nobody asked for it and the working directory cannot be written."""
    from ..core.atomic_files import exists
    from ..figures.samples import draw_samples, sample_images
    from ..figures.style import save

    name = re.sub(r"[^\w.-]+", "-", Path(spec).name)[:100].strip(".-")
    path = picture or Path(f"{name or 'images'}-samples.png")
    there = exists(path)
    try:
        save(draw_samples(sample_images(images, seed=0)), path)
    except OutputError as error:
        if picture:
            raise
        console.logger.warning(
            "no picture: %s (%s); --picture FILE names another place", error.must, error.found
        )
        return None
    if there:
        console.say(f"{path} was there before and has been replaced")
    return path


def fetch(
    *,
    spec: Annotated[
        str, typer.Argument(metavar="notmnist|notmnist:large", help="Which set: 18,724 or 529,114 letters.")
    ] = "notmnist",
    timeout: Annotated[
        float, "How many seconds to wait for a mirror that sends nothing.", {"min": 0.1}
    ] = 30.0,
) -> None:
    """Fetch notMNIST into the cache directory, verify its checksum, and parse it once.

    [bold]Examples[/bold]

      latentspace data fetch

      latentspace data fetch notmnist:large --timeout 60
    """
    from ..data.catalog import notmnist

    sizes = {"notmnist": "small", "notmnist:large": "large"}
    if spec not in sizes:
        raise ConfigurationError(
            "data fetch takes notmnist or notmnist:large", found=repr(spec), do="name one of them"
        )
    path = notmnist.fetch(sizes[spec], timeout=timeout)  # type: ignore[arg-type]
    notmnist.load(sizes[spec])  # type: ignore[arg-type]
    console.made(path)


def render(
    *,
    out: Annotated[Path, "A new folder for the IDX files.", "DIR"],
    count: Annotated[int, "How many letters.", {"min": 1}] = 18_724,
    seed: Annotated[int, "Seed of what is drawn.", {"min": 0}] = 0,
    size: Annotated[int, "Height and width, in pixels.", {"min": 16}] = 28,
    fonts: Fonts = None,
    workers: Annotated[int | None, "How many processes. \\[default: one for each core]", {"min": 1}] = None,
) -> None:
    """Render letters A-J from fonts and write them as IDX files, which --data DIR reads.

    [bold]Example[/bold]

      latentspace data render --count 100000 --out letters
    """
    from ..core.atomic_files import refuse_taken
    from ..data.catalog.glyphs.render import render as draw
    from ..data.readers.idx import write_idx_folder

    refuse_taken(out)
    write_idx_folder(draw(count, seed=seed, fonts=fonts or "bundled", size=size, workers=workers), out)
    console.made(out)


for one in (info, fetch, render):
    add(app, one)
