"""latentspace compare"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..core.errors import ConfigurationError
from . import console
from .options import Device, Json, MovedData, moved

if TYPE_CHECKING:
    from ..evaluation.card.compare import Compared, Comparison
    from ..runs.directory import Run


def compare(
    *,
    runs: Annotated[list[Path], typer.Argument(metavar="RUN RUN ...", help="Run directories, two or more.")],
    out: Annotated[Path | None, "Write a page with the table and the curves.", "PAGE.html"] = None,
    split: Annotated[str, "The part to evaluate on: test or validation.", "PART"] = "test",
    most: Annotated[int, "Largest number of images to evaluate.", "N"] = 2000,
    seed: Annotated[int, "Seed of the samples and the bootstrap.", "N"] = 0,
    data: MovedData = None,
    force: Annotated[bool, "Replace an existing file."] = False,
    json: Json = False,
    device: Device = "auto",
) -> None:
    """Compare finished runs: which differences are significant, and which settings differ.

    Each run gets its report card (`evaluate RUN --card`), unless it has one. Runs that are evaluated on the
    same images are compared image by image.

    [bold]Examples[/bold]

      latentspace compare runs/a runs/b --out compared.html

      latentspace compare runs/seed-0 runs/seed-1 runs/seed-2 --json
    """
    from ..core.output_files import refuse_file, write_file
    from ..evaluation.card.compare import compared, refuse_few
    from ..evaluation.card.make import refuse_card
    from ..inference.trained import refuse_unfinished
    from ..runs.directory import Run

    refuse_few(len(runs))
    refuse_card(split, most)
    if out is not None:
        require_page(out)
        refuse_file(out, force=force)
    opened = [Run.open(one) for one in runs]
    _refuse_twice(runs)
    for one in opened:
        refuse_unfinished(one)
    with console.following():
        cards = [_compared(one, data, split, most, seed, device) for one in opened]
        found = compared(cards, device)
    if out is not None:
        from ..report.comparison import comparison_page
        from ..report.page import render

        page = render(comparison_page(found, [one.record.card for one in cards]))
        write_file(out, page, force=force)
    if json:
        said = {} if out is None else {"out": str(out)}
        console.show_json({**found.to_json(), **said})
        return
    _show(found)
    if out is not None:
        console.made(out)


def _refuse_twice(runs: list[Path]) -> None:
    """Refuse a run that is named twice: raises ConfigurationError."""
    places = [one.resolve() for one in runs]
    twice = [str(one) for number, one in enumerate(runs) if places[number] in places[:number]]
    if twice:
        raise ConfigurationError(
            "runs that are compared are each named once",
            found=f"{', '.join(twice)} again",
            do="name another run; the same training with other seeds: train --seeds 3",
        )


def require_page(out: Path) -> None:
    """Refuse another ending than that of a page: raises ConfigurationError."""
    if out.suffix.casefold() != ".html":
        raise ConfigurationError(
            "the page is a .html file", found=out.name, do=f"name it for example {out.stem}.html"
        )


def _compared(run: "Run", data: str | None, part: str, most: int, seed: int, device: str) -> "Compared":
    from ..evaluation.card.compare import Compared
    from ..evaluation.card.make import card_record, evaluated_images

    images, other = evaluated_images(run, moved(run, data))
    if other is not None:
        raise ConfigurationError(
            "runs are compared on their own images",
            found="other images in --data (their content hash is not the run's)",
            do="leave --data out, or make a card of each: evaluate --card",
        )
    return Compared(run, card_record(run, images, part, most, seed, device), images)


def _show(found: "Comparison") -> None:
    from ..report.comparison import measure_rows, overlap_rows, setting_rows
    from ..report.measures import unbroken

    names = [Path(one).name for one in found.runs]
    console.show_table(
        "measures; * no other is significantly better",
        ["", *names],
        [map(unbroken, row) for row in measure_rows(found)],
    )
    if rows := setting_rows(found):
        console.show_table("settings that differ", ["", *names], rows)
    if rows := overlap_rows(found, names):
        console.show_table(
            "neighbours that two runs have in common",
            ["", "overlap", "each with raw pixels", "chance"],
            [map(unbroken, row) for row in rows],
        )
    for note in found.notes:
        console.say(note)
