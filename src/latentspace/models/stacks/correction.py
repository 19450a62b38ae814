"""A correction of codes by an encoder that sees images beside what their codes decode to.

For images that it has not learned from, an encoder finds codes that are not the best which the decoder could
draw them from. J. Marino, Y. Yue, S. Mandt, "Iterative Amortized Inference"
(https://arxiv.org/abs/1807.09356).
"""

from collections.abc import Callable
from typing import Final, final

import torch
from torch import nn

from ...core.tensor_types import Codes, Images
from ..posteriors import Dirac, Gaussian, Posterior

SEEN: Final = 3  # times the channels of an image: the image, what its code decodes to, and the difference
BEGINNING: Final = 0.1  # the share of what it puts out that is added at first


@final
class Correction(nn.Module):
    """A posterior -> the same, moved by what an encoder says of the image beside its decoded code.

    Args:
        encoder: of images with three times the channels (`SEEN`); its posteriors are of the kind that is
            corrected.
        times: how often, one after the other.
    """

    def __init__(self, encoder: nn.Module, times: int = 1) -> None:
        super().__init__()
        self.encoder = encoder
        self.times = times
        self.gain = nn.Parameter(torch.full((1,), BEGINNING))

    @torch.no_grad()
    def begin_small(self) -> None:
        """Add hardly anything at first: for codes that are good from the beginning."""
        self.gain.fill_(BEGINNING**2)

    def forward(
        self,
        posterior: Posterior,
        images: Images,
        decode: Callable[[Codes], Images],
        generator: torch.Generator | None = None,
    ) -> Posterior:
        """The corrected posterior.

        Raises:
            TypeError: posteriors of another kind than a Gaussian or a Dirac.
        """
        for _ in range(self.times):
            posterior = self._once(posterior, images, decode(posterior.mean).to(images.dtype), generator)
        return posterior

    def _once(
        self, posterior: Posterior, images: Images, decoded: Images, generator: torch.Generator | None
    ) -> Posterior:
        change = self.encoder(torch.cat([images, decoded, images - decoded], dim=1), generator)
        moved = posterior.mean + self.gain * change.mean
        if isinstance(posterior, Gaussian):
            return Gaussian(moved, posterior.log_variance + self.gain * change.log_variance)
        if isinstance(posterior, Dirac):
            return Dirac(moved)
        raise TypeError(f"a Gaussian or a Dirac is corrected, not a {type(posterior).__name__}")
