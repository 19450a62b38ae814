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
from ..models.stacks.family import ResidualConfig, ResidualVariationalConfig
from ..models.stacks.linear import BesideLinearEncoder, LinearPath
from .components import learned_from

logger = logging.getLogger(__name__)

FITTED_TO: Final = 5000  # images, at most
MUCH: Final = (
    0.8  # of the variance: photographs have more in the usual code's components, letters and digits less
)
AT_ONCE: Final = 500


class PrincipalComponents:
    """Those of images that are learned from: computed when a network asks for so many, kept for others.

    A function of the images and the seed, so that a training that begins again has the same.
    """

    def __init__(self, experiment: Experiment, images: ImageSet, parts: Split) -> None:
        self._images = images
        draw, learned = numpy_generator(experiment.seed, "sample"), learned_from(experiment, parts)
        self._chosen = stratified_sample(learned, affordable(FITTED_TO, images.shape), images.labels, draw)
        self._kept: dict[int, Components] = {}

    def begin(self, network: nn.Module) -> None:
        """Give them to the linear path of a network; one without is left as it is.

        Codes with a prior begin with variance 1 in each number, as N(0, I) has. Others have variance 1 in the
        mean, and keep the distances that images have along the components: so neighbours stay neighbours.
        """
        paths = [one for one in network.modules() if isinstance(one, LinearPath)]
        for encoder in paths:
            if isinstance(encoder, BesideLinearEncoder):
                fitted = self._fitted(encoder)
                if getattr(network, "prior", None) is None:
                    alike = np.sqrt(np.mean(np.square(fitted.deviations)))
                    fitted = fitted._replace(deviations=np.full_like(fitted.deviations, alike))
                for path in paths:
                    path.begin(*(torch.from_numpy(one.astype(np.float32)) for one in fitted[:3]))

    def variance(self, network: nn.Module) -> float:
        """The share of the images' variance that the path of a network with one would hold."""
        encoder = next(one for one in network.modules() if isinstance(one, BesideLinearEncoder))
        return self._fitted(encoder).share

    def _fitted(self, encoder: BesideLinearEncoder) -> Components:
        size = len(encoder.directions)
        if size not in self._kept:
            self._kept[size] = self._computed(encoder, size)
        return self._kept[size]

    def _computed(self, encoder: BesideLinearEncoder, size: int) -> Components:
        batches = (self._chosen[first : first + AT_ONCE] for first in range(0, len(self._chosen), AT_ONCE))
        rows = [
            encoder.rows_of(torch.from_numpy(np.asarray(self._images.pixels[one])).float() / 255).numpy()
            for one in batches
        ]
        return principal_components(np.concatenate(rows), size)


def settle_linear_path(
    experiment: Experiment, shape: tuple[int, int, int], components: PrincipalComponents
) -> Experiment:
    """The plan with a linear path or none, which is said, in the place of `model.linear_path = auto`."""
    model = experiment.model
    if not isinstance(model, ResidualConfig | ResidualVariationalConfig) or model.linear_path != "auto":
        return experiment
    tried = experiment.model_copy(update={"model": model.model_copy(update={"linear_path": "on"})})
    share = components.variance(tried.build(shape))
    chosen = "on" if share >= MUCH else "off"
    logger.info(
        "linear path %s (%s hold %d %% of the variance; %s)",
        chosen,
        counted(model.code_size, "principal component"),
        int(100 * share),
        option("model.linear_path", "off" if chosen == "on" else "on"),
    )
    return experiment.model_copy(update={"model": model.model_copy(update={"linear_path": chosen})})
