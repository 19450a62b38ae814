"""The page of a report card: what a run is worth, each number beside its baselines."""

from typing import Final

import numpy as np

from ..core.wording import counted, listed
from ..data.imageset import ImageSet
from ..evaluation.card.make import CardRecord
from ..evaluation.card.samples import drawn
from ..evaluation.card.subject import Subject
from ..evaluation.card.values import BESIDE, Row
from ..evaluation.card.values import Section as Part
from ..evaluation.codes import flat
from ..inference.nearest import nearest
from ..inference.trained import TrainedAutoencoder
from ..runs.directory import Run
from .gallery import Gallery, gallery
from .measures import BANDS, beside_cell, cell, curve_picture, number, titled
from .page import Finding, Page, Section, Table, numbered

HEADLINES: Final = {
    "mse": "Its pictures",
    "knn_accuracy": "The neighbours of its codes",
    "probe_accuracy": "Linear probes of its codes",
    "accuracy": "Its answers",
    "nmi": "Groups of its codes",
    "frechet": "Its samples",
}
WAYS: Final = {"better": "better than", "worse": "worse than", "even": "even with"}
RIVALS: Final = ("pca", "pixels", "random", "probe", "mean", "input")  # baselines
WORST: Final = 30  # images, and samples, that are shown
DRAWN_FROM: Final = 500  # images, whose doubled number of codes new ones for a picture are drawn from


def card_page(
    record: CardRecord, run: Run, images: ImageSet, device: str, other: ImageSet | None = None
) -> Page:
    """The page of a card.

    Args:
        images: the run's own.
        other: those that were evaluated, where these are not the run's own.
    """
    card = record.card
    evaluated = (
        f"the {counted(card.evaluated)} of its {card.part} part"
        if other is None
        else f"{counted(card.evaluated)} that are not its own ({other.source}); it learned from none of them"
    )
    lead = (
        f"A run of kind {card.kind} with {counted(card.code_size, 'number')} an image, evaluated on "
        f"{evaluated}. In brackets 95% intervals, by {card.draws:,} resamples of the images. Each "
        "number has its baselines: 'beaten' by the run, 'ahead' of it, or 'even', if it may be chance."
    )
    sections = [_section(part) for part in card.sections.values()]
    alarms = [
        Finding("Alarm", one, good=False, section=part.title)
        for part in card.sections.values()
        for one in part.alarms
    ]
    subject = Subject(run, images, card.part, DRAWN_FROM, card.seed, device, other)
    pictures = _pictures(record, subject)
    page = Page(
        f"Report card of {run.path.name}",
        lead,
        findings=(
            *alarms,
            *(
                found
                for part in card.sections.values()
                for row in part.rows
                if (found := _finding(part, row))
            ),
        ),
        sections=(*(one for one in sections if one is not None), *pictures),
        footer=(
            f"run {run.path.name}, weights {card.weights[:16]}",
            f"images: {card.data}, content hash {card.content_hash[:16]}, seed {card.seed}",
            *(f"Not measured: {one}." for part in card.sections.values() for one in part.absent),
        ),
    )
    return numbered(page)


def row_table(title: str, rows: list[Row], *, intervals: bool = True) -> Table:
    """A column for the run, and one for each that stands beside any of the rows, perhaps with intervals."""
    names = [name for name in BESIDE if any(name in row.beside for row in rows)]
    cells = [
        (titled(row), beside_cell(row, "run"), *(beside_cell(row, one, intervals=intervals) for one in names))
        for row in rows
    ]
    return Table(title, ("", BESIDE["run"], *(BESIDE[name] for name in names)), tuple(cells))


def _finding(part: Part, row: Row) -> Finding | None:
    """Whether the run beats what stands beside a main measure."""
    rivals = [name for name in RIVALS if name in row.verdicts]
    if row.name not in HEADLINES or not rivals:
        return None
    by_verdict = {
        verdict: [_the(name) for name in rivals if row.verdicts[name] == verdict] for verdict in WAYS
    }
    _, lost, even = by_verdict.values()
    title = titled(row)
    words = [
        f"{title[:1].upper()}{title[1:]} {cell(row.run)}",
        *(f"{WAYS[verdict]} {listed(some)}" for verdict, some in by_verdict.items() if some),
    ]
    good = False if lost else None if even else True
    headline = {True: "beat all baselines", False: "are behind a baseline", None: "are not ahead"}
    return Finding(
        f"{HEADLINES[row.name]} {headline[good]}", f"{'; '.join(words)}.", good, section=part.title
    )


def _the(name: str) -> str:
    """What stands beside the run, in a sentence."""
    return BESIDE[name] if name in ("pca", "pixels") else f"the {BESIDE[name].removeprefix('the ')}"


def _section(part: Part) -> Section | None:
    """The tables and curves of one side; nothing where it holds none."""
    if not part.rows and not part.curves:
        return None
    whole = [row for row in part.rows if not row.of]
    by_class = [row for row in part.rows if row.of]
    tables = [row_table(part.title, whole)] if whole else []
    if by_class:
        titles = {f"{one.title} {one.unit}".strip() for one in by_class}
        tables.append(row_table(f"{part.title}, class by class: {listed(sorted(titles))}", by_class))
    bands = (BANDS,) if part.curves else ()
    return Section(
        part.title,
        (*part.notes, *bands),
        tables=tuple(tables),
        pictures=tuple(curve_picture(one) for one in part.curves),
        grid=True,
    )


def _pictures(record: CardRecord, subject: Subject) -> list[Section]:
    """The worst reconstructions and some samples, of a run that decodes."""
    network = subject.network
    if not isinstance(network, TrainedAutoencoder):
        return []
    return [
        Section("The worst reconstructions", galleries=(_worst(record, network, subject.evaluated_set),)),
        Section("Samples and training images", galleries=(_samples(subject),)),
    ]


def _worst(record: CardRecord, network: TrainedAutoencoder, images: ImageSet) -> Gallery:
    errors = np.array(record.values["mse"], dtype=np.float64)
    order = np.argsort(-errors, kind="stable")[:WORST]
    rows = np.array(record.places, dtype=np.int64)[order]
    pixels = images.pixels[rows]
    names = images.names_of(rows)
    captions = [(name, f"error {number(error)}") for name, error in zip(names, errors[order], strict=True)]
    note = (
        "Left the image, right its reconstruction; the largest errors of the evaluated images. Below "
        "each the mean squared error per pixel."
    )
    return gallery({"image": pixels, "reconstruction": network.reconstruct(pixels)}, captions, note)


def _samples(subject: Subject) -> Gallery:
    """Samples, each beside the training image that is nearest by its pixels."""
    decoded = drawn(subject, WORST)
    pixels = subject.images.pixels[subject.learned]
    found = nearest(flat(decoded), flat(pixels), 1)
    rows = subject.learned[found.rows[:, 0]]
    captions = [
        (f"sample {place}, {name}", f"distance {number(distance)}")
        for place, (name, distance) in enumerate(
            zip(subject.images.names_of(rows), found.distances[:, 0], strict=True), start=1
        )
    ]
    note = (
        f"Left a sample, right the nearest of {counted(len(pixels), 'training image')} by its pixels. "
        "The distance is Euclidean, pixels lie in 0..1."
    )
    return gallery({"sample": decoded, "training image": subject.images.pixels[rows]}, captions, note)
