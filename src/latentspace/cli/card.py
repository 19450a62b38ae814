"""latentspace evaluate --card"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

from ..core.errors import ConfigurationError
from . import console
from .compare import require_page
from .engines import computed_by
from .options import OtherData, Reading

if TYPE_CHECKING:
    from ..evaluation.card.values import Card

PAGE = "card.html"


@dataclass(frozen=True, kw_only=True)
class CardOptions:
    """The report card of a run."""

    panel: ClassVar = "Report card"

    card: Annotated[bool, "Make the report card: each number with its baselines and an interval."] = False
    out: Annotated[Path | None, "The file for its page. \\[default: card.html in the run]", "PAGE.html"] = (
        None
    )
    most: Annotated[
        int | None,
        "Largest number of images to evaluate; baselines learn from twice as many. \\[default: 2000]",
        "N",
    ] = None
    card_seed: Annotated[int | None, "Seed of its samples and its bootstrap. \\[default: 0]", "N"] = None
    force: Annotated[bool, "Replace the page at --out."] = False

    def refuse_alone(self) -> None:
        """Refuse what says how a card is made where none is: raises ConfigurationError."""
        given = {
            "--out": self.out,
            "--most": self.most,
            "--card-seed": self.card_seed,
            "--force": self.force or None,
        }
        if found := [name for name, value in given.items() if value is not None]:
            raise ConfigurationError(
                "--card makes the report card that these belong to",
                found=f"{' and '.join(found)} without --card",
                do="add --card, or leave them out",
            )


def make_card(
    run: Path,
    split: str | None,
    data: OtherData,
    options: CardOptions,
    device: str,
    engine: str,
    *,
    json: bool,
) -> None:
    """Make the card of a run, its codes computed by this engine, and write its page."""
    from ..core.output_files import refuse_file
    from ..evaluation.card.make import card_record, evaluated_images, refuse_card
    from ..evaluation.card.subject import EVALUATED
    from ..inference.trained import refuse_unfinished
    from ..report.page import render
    from ..report.report_card import card_page
    from ..runs.directory import Run

    part, most = split or "test", options.most or EVALUATED
    refuse_card(part, most)
    if options.out is not None:
        require_page(options.out)
        refuse_file(options.out, force=options.force)
    opened = Run.open(run)
    refuse_unfinished(opened)
    spec = data.spec
    if spec is None and data.reading != Reading():
        raise ConfigurationError(
            "how images are read is said beside --data",
            found="no --data",
            do="leave it out: the run's own settings are used",
        )
    with console.following(), computed_by(engine, device) as computed:
        images, other = evaluated_images(opened, None if spec is None else data.reading.config(spec))
        if other is not None and split is not None:
            raise ConfigurationError(
                "other images than the run's have no parts",
                found=f"--split {split} and --data {spec}",
                do="leave --split out: all are evaluated that the run did not learn from",
            )
        record = card_record(opened, images, part, most, options.card_seed or 0, device, other, computed)
        page = render(card_page(record, opened, images, device, other))
    out = _written(page, run, options.out, force=options.force or options.out is None)
    if json:
        console.show_json({**record.card.to_json(), **({} if out is None else {"out": str(out)})})
        return
    _show(record.card)
    if out is not None:
        console.made(out)


def _written(page: str, run: Path, out: Path | None, *, force: bool) -> Path | None:
    """Write the page; None, said: nobody named a place, and the run cannot be written."""
    from ..core.errors import OutputError
    from ..core.output_files import write_file

    place = out or run / PAGE
    try:
        write_file(place, page, force=force)
    except OutputError as error:
        if out is not None:
            raise
        console.note(f"no page: {place} cannot be written ({error.found}); name another place with --out")
        return None
    return place


def _show(card: "Card") -> None:
    from ..report.measures import unbroken
    from ..report.report_card import row_table

    for part in card.sections.values():
        rows = [row for row in part.rows if not row.of]
        if rows:
            table = row_table(part.title, rows, intervals=False)  # the page has them
            console.show_table(table.title, list(table.columns), [map(unbroken, row) for row in table.rows])
        for one in part.alarms:
            console.note(one)
        for one in part.absent:
            console.say(f"not measured: {one}")
