"""The page of clusters: the typical and the unusual images of each."""

from collections.abc import Mapping
from typing import Final

import numpy as np

from ..core.types import Int64Array
from ..core.wording import counted
from ..data.imageset import ImageSet
from ..evaluation.clustering import GroupAgreement
from ..inference.clusters import MOST, NEIGHBOURS, Clusters
from .gallery import Gallery, gallery
from .page import Page, Section, Table

TYPICAL, ODD = 24, 12  # images of a group that are shown
GROUPS: Final = 60  # groups that are shown
NAMES: Final = {"codes": "codes", "pixels": "raw pixels", "pca": "PCA, with as many numbers as a code"}


def clusters_page(
    images: ImageSet, found: Clusters, agreement: Mapping[str, GroupAgreement] | None, run: str
) -> Page:
    """The page of `found`.

    Args:
        agreement: with the labels, of what is named in `NAMES`; None where there are no labels.
        run: what encoded the images, for the footer.
    """
    shown = range(min(GROUPS, found.count))
    lead = f"{counted(len(images))} in {counted(found.count, 'cluster')} by their codes, without labels."
    if agreement is not None:
        lead += f" Their agreement with the labels: NMI {agreement['codes'].nmi:.2f}."
    sections = (
        Section("All clusters", tables=(_overview(images, found), *_agreement(images, agreement))),
        *(Section(_title(images, found, one), galleries=_galleries(images, found, one)) for one in shown),
        Section("How they were found", _how(found)),
    )
    return Page("Clusters of images", lead, sections=sections, footer=(run, f"images: {images.source}"))


def most_common(images: ImageSet, rows: Int64Array) -> tuple[str, float] | None:
    """The class that most of these images have, and their share; None without labels."""
    if images.labels is None:
        return None
    counts = np.bincount(images.labels[rows])
    best = int(counts.argmax())
    return images.class_names[best], float(counts[best] / len(rows))


def _title(images: ImageSet, found: Clusters, group: int) -> str:
    rows = found.members(group)
    common = most_common(images, rows)
    label = "" if common is None else f", {common[1]:.0%} of them {common[0]}"
    return f"Cluster {group + 1}: {counted(len(rows))}{label}"


def _galleries(images: ImageSet, found: Clusters, group: int) -> tuple[Gallery, ...]:
    rows = found.members(group)
    typical = rows[:TYPICAL]
    odd = rows[len(typical) :][::-1][:ODD]
    notes = (
        "The most typical: their codes are nearest to the mean of the cluster.",
        "The oddest, oddest first.",
    )
    return tuple(
        gallery({"image": images.pixels[some]}, _captions(images, some), note)
        for some, note in zip((typical, odd), notes, strict=True)
        if len(some)
    )


def _captions(images: ImageSet, rows: Int64Array) -> list[tuple[str, ...]]:
    names = images.names_of(rows)
    if images.labels is None:
        return [(name,) for name in names]
    return list(zip(names, images.label_names(rows), strict=True))


def _overview(images: ImageSet, found: Clusters) -> Table:
    rows = []
    for group in range(found.count):
        members = found.members(group)
        common = most_common(images, members)
        label = () if common is None else (common[0], f"{common[1]:.0%}")
        rows.append((str(group + 1), f"{len(members):,}", *label, images.names_of(members[:1])[0]))
    labels = () if images.labels is None else ("most common label", "share")
    return Table("Clusters, the largest first", ("cluster", "images", *labels, "most typical"), tuple(rows))


def _agreement(images: ImageSet, agreement: Mapping[str, GroupAgreement] | None) -> tuple[Table, ...]:
    if agreement is None:
        return ()
    rows = tuple(
        (NAMES[name], f"{one.nmi:.3f}", f"{one.ari:.3f}", f"{one.accuracy:.3f}")
        for name, one in agreement.items()
    )
    note = (
        "NMI: normalised mutual information; ARI: adjusted Rand index; accuracy: of the best matching of "
        "clusters to classes. All are 1 if clusters and labels are the same. As many clusters by the same "
        f"method, on {counted(min(len(images), MOST))}."
    )
    return (Table("Agreement with the labels", ("clusters of", "NMI", "ARI", "accuracy"), rows, note),)


def _how(found: Clusters) -> tuple[str, ...]:
    how = (
        f"Spectral clustering of the graph that joins each code to the {NEIGHBOURS} nearest, so a cluster "
        "may have any shape."
    )
    if not found.silhouettes:
        return (how,)
    tried = ", ".join(f"{count}: {score:.3f}" for count, score in found.silhouettes.items())
    return (
        how,
        f"The number of clusters has the best mean silhouette of k-means among those tried: {tried}.",
    )
