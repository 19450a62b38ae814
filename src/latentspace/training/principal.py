"""The principal components that a network's linear path has from the beginning."""

import logging
from typing import Final

import numpy as np
import torch
from torch import nn

from ..core.randomness import numpy_generator
from ..core.wording import counted, option
from ..data.imageset import ImageSet
from ..data.sampling import affordable, stratified_sample
from ..data.splits import Split
from ..experiment.config import Experiment
from ..inference.pca import Components, principal_components
from ..models.stacks.correction import Correction
from ..models.stacks.family import ResidualConfig, ResidualVariationalConfig
from ..models.stacks.linear import BesideLinearEncoder, LinearPath
from .components import learned_from

logger = logging.getLogger(__name__)

FITTED_TO: Final = 5000  # images, at most
MUCH: Final = 0.8  # of the variance: what the components of photographs hold, not those of letters
AT_ONCE: Final = 500


class PrincipalComponents:
    """Those of images that are learned from: computed when a network asks for so many, kept for others.

    A function of the images and the seed, so that a training that begins again has the same.
    """

    def __init__(self, experiment: Experiment, images: ImageSet, parts: Split) -> None:
        self._experiment, self._images, self._parts = experiment, images, parts
        self._kept: dict[int, Components] = {}

    def begin(self, network: nn.Module) -> None:
        """Give them to the linear path of a network; one without is left as it is.

        Codes with a prior begin with variance 1 in each number, as N(0, I) has. Others have variance 1 in the
        mean, and keep the distances that images have along the components: so neighbours stay neighbours.
        """
        encoder = _linear_encoder(network)
        if encoder is None:
            return
        directions, mean, deviations, _ = self._fitted(encoder)
        if getattr(network, "prior", None) is None:
            deviations = np.full_like(deviations, np.sqrt(np.mean(np.square(deviations))))
        begun = [torch.from_numpy(one.astype(np.float32)) for one in (directions, mean, deviations)]
        for path in network.modules():
            if isinstance(path, LinearPath):
                path.begin(*begun)
            elif isinstance(path, Correction):
                path.begin_small()

    def variance(self, network: nn.Module) -> float:
        """The share of the images' variance that a network's linear path would hold; none without one."""
        encoder = _linear_encoder(network)
        return 0.0 if encoder is None else self._fitted(encoder).share

    def count(self, size: int) -> int:
        """How many of `size` components there are: no more than images that are learned from."""
        return min(size, len(learned_from(self._experiment, self._parts)))

    def _fitted(self, encoder: BesideLinearEncoder) -> Components:
        size = len(encoder.directions)
        if size not in self._kept:
            self._kept[size] = self._computed(encoder, size)
        return self._kept[size]

    def _computed(self, encoder: BesideLinearEncoder, size: int) -> Components:
        learned = learned_from(self._experiment, self._parts)
        draw = numpy_generator(self._experiment.seed, "sample")
        most = affordable(FITTED_TO, self._images.shape)
        chosen = stratified_sample(learned, most, self._images.labels, draw)
        batches = (chosen[first : first + AT_ONCE] for first in range(0, len(chosen), AT_ONCE))
        rows = [
            encoder.rows_of(torch.from_numpy(np.asarray(self._images.pixels[one])).float() / 255).numpy()
            for one in batches
        ]
        return principal_components(np.concatenate(rows), size)


def _linear_encoder(network: nn.Module) -> BesideLinearEncoder | None:
    return next((one for one in network.modules() if isinstance(one, BesideLinearEncoder)), None)


def settle_linear_path(
    experiment: Experiment, shape: tuple[int, int, int], components: PrincipalComponents
) -> Experiment:
    """The plan with a linear path or none, which is said, in the place of `model.linear_path = auto`."""
    model = experiment.model
    if not isinstance(model, ResidualConfig | ResidualVariationalConfig) or model.linear_path != "auto":
        return experiment
    tried = experiment.model_copy(update={"model": model.model_copy(update={"linear_path": "on"})})
    share = components.variance(tried.build(shape))
    chosen, count = ("on" if share >= MUCH else "off"), components.count(model.code_size)
    logger.info(
        "linear path %s (%s %s %d %% of the variance; %s)",
        chosen,
        counted(count, "principal component"),
        "holds" if count == 1 else "hold",
        int(100 * share),
        option("model.linear_path", "off" if chosen == "on" else "on"),
    )
    return experiment.model_copy(update={"model": model.model_copy(update={"linear_path": chosen})})
