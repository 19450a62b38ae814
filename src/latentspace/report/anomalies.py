"""The page of anomalies: the most unusual images beside their reconstructions."""

from typing import Final

import numpy as np

from ..core.wording import counted
from ..inference.anomalies import FLOOR, NEIGHBOUR, Anomalies
from ..inference.trained import TrainedAutoencoder
from .gallery import gallery
from .page import Page, Section

WORST: Final = 100
SCORES: Final = {
    "combined": "reconstruction, code and appearance",
    "error": "their reconstruction",
    "distance": "their code",
    "appearance": "their appearance",
}


def anomalies_page(trained: TrainedAutoencoder, found: Anomalies, most: int = WORST) -> Page:
    """The page of the `most` unusual images."""
    _, first, copies = np.unique(found.ranks, return_index=True, return_counts=True)
    rows = found.order[first[:most]]
    worst = found.images.subset(rows)
    grid = gallery(
        {"image": worst.pixels, "its reconstruction": trained.reconstruct(worst)},
        [
            _caption(found, row, name, many)
            for row, name, many in zip(rows.tolist(), worst.names, copies[:most].tolist(), strict=True)
        ],
        "Left the image, right its reconstruction; of exact copies, one. Percentiles are among the run's "
        "validation images.",
    )
    flagged = int(found.flagged.sum())
    title = f"The most unusual of {counted(len(found.images))}"
    lead = (
        f"{counted(flagged, 'image')} of {len(found.images):,} lie over the threshold, which "
        f"{100 * found.false_alarms:.3g}% of usual images may pass. Ranked by {SCORES[found.by]}."
    )
    how = (
        "The error is the mean squared error a pixel, divided by the image's own variance plus "
        f"{FLOOR:g}. The distance is that of the image's code to the {NEIGHBOUR}th nearest code that the run "
        "learned from. The appearance is the Mahalanobis distance of plain statistics of the image (how "
        "bright and how dark its bands of rows and columns are, the shares of levels of brightness, the "
        "differences of neighbours) to those of the images that were learned from. All are put together as "
        "Fisher's statistic of their shares among validation images.",
        f"The threshold, {found.threshold:.4g} by {found.by}, is the score of a validation image: of images "
        "like these a larger share than the rate of false alarms does not lie above it.",
    )
    footer = (
        ()
        if trained.run is None
        else (f"run {trained.run.path.name}, weights {trained.run.weights_hash[:16]}",)
    )
    sections = (
        Section(f"The first {len(rows):,}", galleries=(grid,)),
        Section("How they were found", how),
    )
    return Page(title, lead, sections=sections, footer=(*footer, f"images: {found.images.source}"))


def _caption(found: Anomalies, row: int, name: str, copies: int) -> tuple[str, ...]:
    images, shares = found.images, found.percentiles
    label = () if images.labels is None else (f"label {images.class_names[images.labels[row]]}",)
    return (
        name if copies == 1 else f"{name} and {copies - 1} more",
        *label,
        f"error {found.error[row]:.3g} ({shares['error'][row]:.1f}%)",
        f"distance {found.distance[row]:.3g} ({shares['distance'][row]:.1f}%)",
        f"appearance {found.appearance[row]:.3g} ({shares['appearance'][row]:.1f}%)",
    )
