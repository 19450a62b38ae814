"""latentspace data info"""

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..core.errors import ConfigurationError, OutputError
from . import console
from .options import Json, Reading, together

if TYPE_CHECKING:
    from ..data.facts import Facts
    from ..data.imageset import ImageSet

LISTS = {
    "copies": "no copies",
    "near-copies": "no near copies",
    "conflicts": "no two equal images with different labels",
    "blank": "no blank images",
    "unreadable": "no unreadable files",
    "sizes": "no sizes",
    "warnings": "no warnings",
}
CLASSES = 12  # named in the table, at most


def info(
    *,
    specs: Annotated[
        list[str],
        typer.Argument(
            metavar="SPEC...",
            help="The images: a SPEC, as in latentspace data --help; several are joined.",
        ),
    ],
    picture: Annotated[
        Path | None,
        "The file for the picture (.png, .svg, .pdf). \\[default: here, named after SPEC; none with "
        "--json or --list]",
        "FILE",
    ] = None,
    listed: Annotated[
        str | None,
        typer.Option("--list", metavar="WHAT", help=f"List only these, one per line: {', '.join(LISTS)}."),
    ] = None,
    json: Json = False,
    reading: Reading,
) -> None:
    """Look at images: sizes, levels, classes, copies, what was converted or skipped, and a picture.

    [bold]Examples[/bold]

      latentspace data info photos/

      latentspace data info photos/ --list copies

      latentspace data info scans/2023 scans/2024

      latentspace data info glyphs:1000 --picture glyphs.png
    """
    from ..data.facts import Facts
    from ..data.near_copies import MOST
    from ..data.sources import load_images
    from ..data.together import sets_of_near_copies

    if listed not in (None, *LISTS):
        raise ConfigurationError(
            f"--list takes one of: {', '.join(LISTS)}", found=repr(listed), do="name one of them"
        )
    if picture is not None:
        from ..figures.style import require_format

        require_format(picture)
    with console.following():
        images = load_images(reading.config(together(specs)))
        facts = Facts(images, sets_of_near_copies(images) if len(images) <= MOST else None)
        found = facts.to_json() if json else {}
        columns, rows = _listing(listed, facts) if listed else ([], _table(facts))
    if not json:
        _show(facts, listed, columns, rows)
    drawn = _draw(images, picture, specs) if picture or not (json or listed) else None
    if json:
        console.show_json({**found, "picture": None if drawn is None else str(drawn)})
    elif drawn is not None:
        console.made(drawn)


def _show(facts: "Facts", listed: str | None, columns: list[str], rows: list[list[str]]) -> None:
    """A list, or the table of all facts."""
    if listed and not rows:
        console.say(f"{facts.images.source}: {LISTS[listed]}")
    elif listed:
        console.show_table("", columns, rows)
    else:
        console.show_facts(facts.images.source, rows)
        _name_lists(facts)


def _table(facts: "Facts") -> list[list[str]]:
    """A row for each fact that the set has; what is there in every set comes first."""
    from ..core.wording import counted
    from ..data.cleaning import sentence
    from ..data.fitting import format_size

    images, levels, record = facts.images, facts.levels, facts.images.record
    mean, deviation = facts.mean_and_deviation
    colour = {1: "grey", 3: "colour"}.get(images.channels, counted(images.channels, "channel"))
    copies, conflicts = images.duplicates, counted(len(facts.conflicts), "set")
    rows = [
        ("images", f"{len(images):,}, {format_size(images.size)}, {colour}"),
        ("sizes", sentence([f"{size} ({many:,})" for size, many in facts.sizes.items()], most=4)),
        (
            "levels",
            f"{levels['used']} of 256, from {levels['lowest']} to {levels['highest']}; "
            f"mean {mean:.4f}, deviation {deviation:.4f} of 1",
        ),
        ("classes", _classes(facts)),
        ("blank images", f"{len(facts.blank):,}"),
        ("exact copies", _copies(copies.groups, copies.extra, "of equal ones")),
        ("near copies", _copies(near["sets"], near["images"]) if (near := facts.near_copies) else ""),
        ("conflicts", f"{conflicts} of equal images with different labels" if facts.conflicts else ""),
        ("parts", sentence([f"{name} {many:,}" for name, many in facts.parts.items()])),
        ("groups", _groups(facts)),
        ("skipped", sentence([f"{one.name}: {one.reason}" for one in record.unreadable], most=3)),
        ("copies dropped", f"{record.duplicates_dropped:,}" if record.duplicates_dropped else ""),
        ("converted", "; ".join(record.conversions)),
        ("warnings", "; ".join(facts.warnings)),
        ("content hash", images.content_hash[:16]),
    ]
    return [[name, said] for name, said in rows if said]


def _classes(facts: "Facts") -> str:
    """`3, from 4 to 8 images: 1 (8), 2 (8), 10 (4)`"""
    from ..core.wording import counted
    from ..data.cleaning import sentence

    counts = facts.per_class
    if not counts and (found := facts.suggestion):
        named = sentence([f"{name} ({many:,})" for name, many in found.counts.items()], most=4)
        return f"no labels; names seem to have them: --label-by {shlex.quote(found.pattern)} gives {named}"
    if not counts:
        return "no labels"
    least, most = min(counts.values()), max(counts.values())
    each = f"{counted(least)} each" if least == most else f"from {least:,} to {counted(most)}"
    named = sentence([f"{name} ({many:,})" for name, many in counts.items()], most=CLASSES)
    return f"{len(counts):,}, {each}: {named}"


def _copies(sets: int, images: int, of: str = "") -> str:
    from ..core.wording import counted

    return f"{images:,}, in {counted(sets, 'set')} {of}".rstrip() if images else "0"


def _groups(facts: "Facts") -> str:
    from ..core.wording import counted

    groups = facts.groups
    return f"{groups['count']:,}, of {groups['smallest']:,} to {counted(groups['largest'])}" if groups else ""


def _name_lists(facts: "Facts") -> None:
    """Which lists have something to say."""
    found = {
        "copies": facts.copies,
        "near-copies": facts.near,
        "conflicts": facts.conflicts,
        "blank": facts.blank.tolist(),
        "unreadable": facts.images.record.unreadable,
        "sizes": facts.images.record.sizes,
    }
    if named := [f"--list {name}" for name, images in found.items() if images]:
        console.say(f"to see which: {', '.join(named)}")


def _listing(listed: str, facts: "Facts") -> tuple[list[str], list[list[str]]]:
    """The columns and rows of a list; copies are told beside the first of their set."""
    kind = "row, from 0" if facts.images.files is None else "file"
    if listed in ("copies", "near-copies"):
        near = listed == "near-copies"
        columns = ["near copy" if near else "copy", "is nearly equal to" if near else "is equal to"]
        sets = (facts.near or ()) if near else facts.copies
        names = map(facts.images.names_of, sets)
        rows = [[name, same[0]] for same in names for name in same[1:]]
    elif listed == "conflicts":
        columns = ["equal images", "class"]
        rows = [
            [name, facts.images.class_of(index)]
            for one in facts.conflicts
            for name, index in zip(facts.images.names_of(one), one.tolist(), strict=True)
        ]
    elif listed == "blank":
        columns, rows = ["blank"], [[name] for name in facts.images.names_of(facts.blank)]
    else:
        return _listing_of_source(listed, facts)
    return [f"{columns[0]} ({kind})", *columns[1:]], rows


def _listing_of_source(listed: str, facts: "Facts") -> tuple[list[str], list[list[str]]]:
    record = facts.images.record
    if listed == "unreadable":
        return ["file", "reason"], [[one.name, one.reason] for one in record.unreadable]
    if listed == "warnings":
        return ["warning"], [[one] for one in facts.warnings]
    examples = {f"{one.height}x{one.width}": one.example for one in record.sizes}
    rows = [[size, f"{many:,}", examples.get(size, "")] for size, many in facts.sizes.items()]
    return ["size", "images", "for example"], rows


def _draw(images: "ImageSet", picture: Path | None, specs: list[str]) -> Path | None:
    """Where the picture is; None where nobody asked for it and the working directory cannot be written."""
    from ..core.atomic_files import exists
    from ..figures.overview import draw_overview, overview
    from ..figures.style import save

    name = re.sub(r"[^\w.-]+", "-", "-".join(Path(spec).name for spec in specs))[:100].strip(".-")
    path = picture or Path(f"{name or 'images'}-samples.png")
    there = exists(path)
    try:
        save(draw_overview(overview(images, seed=0)), path)
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
