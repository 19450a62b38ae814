"""What the object that `latentspace.load` returns can do with codes, of an autoencoder as of a classifier."""

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ..data.given import Given

if TYPE_CHECKING:
    from ..data.imageset import ImageSet
    from .anomalies import Anomalies
    from .neighbours import Neighbours
    from .trained import TrainedAutoencoder


class RunMethods:
    """Methods that ask a run's encoder and decoder."""

    @property
    def encoder(self) -> "TrainedAutoencoder":
        """The network that encodes."""
        raise NotImplementedError

    def anomalies(
        self,
        images: Given | None = None,
        *,
        own: "ImageSet | None" = None,
        by: Literal["combined", "error", "distance"] = "combined",
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
