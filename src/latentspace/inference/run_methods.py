"""What the object that `latentspace.load` returns can do with codes, of an autoencoder as of a classifier."""

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ..core.html import table
from ..core.types import ImageArray
from ..data.given import Given
from ..runs.directory import Run

if TYPE_CHECKING:
    from ..data.imageset import ImageSet
    from .anomalies import Anomalies
    from .clusters import Clusters
    from .maps import Projection
    from .neighbours import Neighbours
    from .trained import TrainedAutoencoder


class RunMethods:
    """Methods that ask a run's encoder and decoder."""

    run: Run | None

    @property
    def encoder(self) -> "TrainedAutoencoder":
        """The network that encodes."""
        raise NotImplementedError

    def _repr_html_(self) -> str:
        """What it is, and of what run, in a notebook."""
        return table(repr(self).strip("<>"), {}) if self.run is None else self.run._repr_html_()

    def anomalies(
        self,
        images: Given | None = None,
        *,
        own: "ImageSet | None" = None,
        by: Literal["combined", "error", "distance", "appearance"] = "combined",
        false_alarms: float | None = None,
    ) -> "Anomalies":
        """How unusual images are; as `latentspace anomalies`.

        Args:
            images: as for `encode`; None: the run's own images.
            own: the run's own images, where Python alone has them.
            by: the score that ranks.
            false_alarms: the share of usual images that may be flagged; None: 0.01, or the lowest that so
                many validation images allow.

        Raises:
            LatentspaceError: as `find_anomalies`.
        """
        from .anomalies import find_anomalies

        return find_anomalies(self.encoder, images, own=own, by=by, false_alarms=false_alarms)

    def neighbours(
        self, images: Given, among: Given | None = None, count: int = 12, *, index: str | Path | None = None
    ) -> "Neighbours":
        """The images whose codes lie nearest; as `latentspace neighbours`.

        Args:
            images: as for `encode`.
            among: what is searched among, likewise; None: the images themselves, each without itself.
            count: how many for each image.
            index: what is searched among, as `latentspace index` keeps it.

        Raises:
            LatentspaceError: as `find_neighbours`; an index of another run.
        """
        from .index import Index
        from .neighbours import find_neighbours

        if index is None:
            return find_neighbours(self.encoder, images, among, count)
        kept = Index.open(Path(index), self.encoder).collection()
        return find_neighbours(self.encoder, images, kept, count)

    def map(
        self,
        images: Given | None = None,
        method: str = "pca",
        seed: int = 0,
    ) -> "Projection":
        """The images in the plane by their codes; as `latentspace map`.

        `points` has x and y of each, `place(codes)` those of other codes, `codes_at(points)` codes to decode.

        Args:
            images: as for `encode`; None: the run's own images.
            method: pca, tsne, umap or pacmap.

        Raises:
            LatentspaceError: as `maps.project`; the run's own images are not at hand.
        """
        from .given_images import own_or_given
        from .kept_refined import encoded_once
        from .maps import project, refuse_method

        refuse_method(method)
        return project(encoded_once(self.encoder, own_or_given(self.encoder, images)), method, seed)

    def clusters(self, images: Given | None = None, count: int | None = None, seed: int = 0) -> "Clusters":
        """Groups of images by their codes, without labels; as `latentspace clusters`.

        Args:
            images: as for `encode`; None: the run's own images.
            count: how many groups; None: as many as fit best.

        Raises:
            LatentspaceError: as `find_clusters`; the run's own images are not at hand.
        """
        from .clusters import find_clusters, refuse_count
        from .given_images import own_or_given
        from .kept_refined import encoded_once

        refuse_count(count)
        return find_clusters(encoded_once(self.encoder, own_or_given(self.encoder, images)), count, seed)

    def interpolate(
        self, first: Given, second: Given, frames: int = 24, *, spherical: bool = False
    ) -> ImageArray:
        """Pictures on the way between two images, frames x channels x height x width, in [0, 1].

        Args:
            first: one image, as for `encode`.
            second: another.
            frames: how many pictures, those of the two images among them.
            spherical: go along a great circle instead of a line, with a network that has a prior.

        Raises:
            LatentspaceError: fewer than two frames, not one image each, images unlike the run's.
        """
        from .code_paths import between
        from .given_images import one_image

        encoder = self.encoder
        path = between(frames, round_=spherical, prior=encoder.model.prior)
        start, end = (encoder.encode(one_image(encoder, one))[0] for one in (first, second))
        return encoder.decode(path(start, end, frames))

    def export(
        self,
        folder: str | Path,
        to: str = "onnx",
        *,
        force: bool = False,
    ) -> list[Path]:
        """Write the network for use without latentspace; the files. As `latentspace export`.

        Args:
            to: onnx, torchscript or safetensors.
            force: replace files of the same names.

        Raises:
            LatentspaceError: as `export.export`.
        """
        from .export import export
        from .trained import TrainedAutoencoder, TrainedClassifier

        assert isinstance(self, TrainedAutoencoder | TrainedClassifier)
        return export(self, Path(folder), to, force=force)
