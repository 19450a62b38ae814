"""Priors p(code): what codes are drawn from, and what a posterior is kept close to."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar, Final, NamedTuple, TypeAlias, final

import torch
from torch import Tensor, nn

from ..core.registry import Registry
from ..core.tensor_types import Codes, Images, KLTerms, PerImage
from .posteriors import Gaussian, Posterior

Encode: TypeAlias = Callable[[Images, torch.Generator | None], Posterior]

NARROW: Final = 0.25  # the variance of a mixture's components at first
STRETCH: Final = 2.0  # the largest logarithm of a coupling's scale, so that no code is far beyond all others


class Prior(ABC, nn.Module):
    """A distribution over codes. A module, so that a prior may have weights to learn.

    Args:
        code_size: numbers in a code.
    """

    words: ClassVar[str]
    """What it is, for a person: "N(0, I)"."""

    divisible: ClassVar[bool] = False
    """Whether threads may use it at once for parts of a batch: computing with it changes nothing."""

    def __init__(self, code_size: int) -> None:
        super().__init__()
        self.code_size = code_size

    @property
    def device(self) -> torch.device:
        """Where its weights are; of a prior without any, the CPU."""
        return next(iter(self.parameters()), torch.empty(0)).device

    @classmethod
    def beside(cls, encoder: nn.Module, shape: tuple[int, int, int], code_size: int) -> "Prior":  # noqa: ARG003
        """The prior of a network that has this encoder, for images of this shape. Most need neither."""
        return cls(code_size)

    def follow(self, network: nn.Module, encode: Encode) -> None:
        """Called once by a network whose images go through more than its encoder: `encode` is all of that."""

    @abstractmethod
    def log_prob(self, codes: Codes) -> PerImage:
        """The logarithm of the density at `codes`, in nats."""

    @abstractmethod
    def sample(self, count: int, generator: torch.Generator) -> Codes:
        """`count` codes, on the generator's device."""

    def gaussians(self) -> "Gaussians | None":
        """The Gaussians whose mixture this prior is; None: it is none."""
        return None

    def kl_terms(self, posterior: Posterior, codes: Codes) -> KLTerms:
        """The divergence from the posterior to this prior, in nats, in terms that add up to an image's.

        Here one term an image: log q(code | image) - log p(code) at a code drawn from the posterior, an
        unbiased estimate for any prior (https://arxiv.org/abs/1312.6114, equation 8). A prior with a closed
        form returns that, a term a dimension.

        Args:
            codes: drawn from the posterior.
        """
        return (posterior.log_prob(codes) - self.log_prob(codes))[:, None]


@final
class StandardNormal(Prior):
    """N(0, I): independent dimensions of mean 0 and variance 1."""

    words = "N(0, I)"
    divisible = True

    def log_prob(self, codes: Codes) -> PerImage:
        return -0.5 * (codes.square() + math.log(2 * math.pi)).sum(dim=1)

    def sample(self, count: int, generator: torch.Generator) -> Codes:
        return torch.randn(count, self.code_size, generator=generator, device=generator.device)

    def gaussians(self) -> "Gaussians":
        none = torch.zeros(1, self.code_size)
        return Gaussians(none[:, 0], none, none)

    def kl_terms(self, posterior: Posterior, codes: Codes) -> KLTerms:
        """1/2 (mean^2 + variance - 1 - log variance) of a Gaussian posterior's dimensions, in nats.

        The same paper, appendix B.
        """
        if not isinstance(posterior, Gaussian):
            return super().kl_terms(posterior, codes)
        variance = posterior.log_variance.exp()
        return 0.5 * (posterior.mean.square() + variance - 1 - posterior.log_variance)


@final
class MixtureOfGaussians(Prior):
    """Gaussians with diagonal covariances, whose weights, means and variances are learned with the network.

    J. Tomczak, M. Welling, "VAE with a VampPrior" (https://arxiv.org/abs/1705.07120), section 2, MoG.
    """

    words = "a learned mixture of Gaussians"
    divisible = True

    def __init__(self, code_size: int, components: int = 32) -> None:
        super().__init__(code_size)
        self.logits = nn.Parameter(torch.zeros(components))
        self.means = nn.Parameter(torch.zeros(components, code_size))
        self.log_variances = nn.Parameter(torch.zeros(components, code_size))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """About N(0, I) in sum: narrower components, their means drawn from what is missing."""
        nn.init.zeros_(self.logits)
        nn.init.normal_(self.means, std=math.sqrt(1 - NARROW))
        nn.init.constant_(self.log_variances, math.log(NARROW))

    def log_prob(self, codes: Codes) -> PerImage:
        return self.gaussians().log_prob(codes)

    def sample(self, count: int, generator: torch.Generator) -> Codes:
        return self.gaussians().sample(count, generator)

    def gaussians(self) -> "Gaussians":
        return Gaussians(self.logits, self.means, self.log_variances)


@final
class VampPrior(Prior):
    """The mean of the encoder's own posteriors of images that are learned with the network.

    J. Tomczak, M. Welling, "VAE with a VampPrior" (https://arxiv.org/abs/1705.07120), section 2. The images
    are logits, so that pixels stay in (0, 1), and the encoder sees them as it is evaluated, without dropout.
    A network's corrections of codes are part of its posteriors, and so of these too.

    Args:
        encoder: of the network whose prior this is; images, generator -> Gaussian.
        shape: channels, height and width of an image.
    """

    words = "the posteriors of learned images (VampPrior)"

    def __init__(
        self, code_size: int, encoder: nn.Module, shape: tuple[int, int, int], components: int = 32
    ) -> None:
        super().__init__(code_size)
        self.follow(encoder, encoder)
        self.images = nn.Parameter(torch.zeros(components, *shape))
        self.logits = nn.Parameter(torch.zeros(components))
        self.reset_parameters()

    @classmethod
    def beside(cls, encoder: nn.Module, shape: tuple[int, int, int], code_size: int) -> Prior:
        return cls(code_size, encoder, shape)

    def follow(self, network: nn.Module, encode: Encode) -> None:
        self._posterior = network, encode  # in a tuple, no part of this module: its weights are the network's

    def reset_parameters(self) -> None:
        nn.init.normal_(self.images)
        nn.init.zeros_(self.logits)

    def log_prob(self, codes: Codes) -> PerImage:
        return self.gaussians().log_prob(codes)

    def sample(self, count: int, generator: torch.Generator) -> Codes:
        return self.gaussians().sample(count, generator)

    def gaussians(self) -> "Gaussians":
        network, encode = self._posterior
        training = network.training
        network.eval()
        try:
            found = encode(torch.sigmoid(self.images), None)
        finally:
            network.train(training)
        if not isinstance(found, Gaussian):
            raise TypeError(f"a VampPrior is made of Gaussians, not of a {type(found).__name__}")
        return Gaussians(self.logits, found.mean, found.log_variance)


class Gaussians(NamedTuple):
    """Gaussians with diagonal covariances and the logits of their weights."""

    logits: Tensor
    means: Tensor
    log_variances: Tensor

    def log_prob(self, codes: Codes) -> PerImage:
        scaled = (codes[:, None] - self.means).square() * torch.exp(-self.log_variances)
        each = -0.5 * (scaled + self.log_variances + math.log(2 * math.pi)).sum(dim=2)
        return torch.logsumexp(each + torch.log_softmax(self.logits, dim=0), dim=1)

    def sample(self, count: int, generator: torch.Generator) -> Codes:
        chances = torch.softmax(self.logits, dim=0)
        chosen = torch.multinomial(chances, count, replacement=True, generator=generator)
        noise = torch.randn(count, self.means.shape[1], generator=generator, device=generator.device)
        return self.means[chosen] + torch.exp(0.5 * self.log_variances[chosen]) * noise


@final
class Flow(Prior):
    """N(0, I) bent by affine couplings, whose networks are learned with the autoencoder's.

    L. Dinh et al., "Density estimation using Real NVP" (https://arxiv.org/abs/1605.08803), section 3; as a
    prior: X. Chen et al., "Variational Lossy Autoencoder" (https://arxiv.org/abs/1611.02731), section 3.2.
    """

    words = "a learned flow"
    divisible = True

    def __init__(self, code_size: int, couplings: int = 6, neurons: int = 64) -> None:
        super().__init__(code_size)
        self.couplings = nn.ModuleList(
            _Coupling(code_size, number % 2, neurons) for number in range(couplings)
        )

    def log_prob(self, codes: Codes) -> PerImage:
        volume = codes.new_zeros(len(codes))
        for coupling in self.couplings:
            shift, log_scale = coupling(codes)
            codes = (codes - shift) * torch.exp(-log_scale)
            volume = volume - log_scale.sum(dim=1)
        return volume - 0.5 * (codes.square() + math.log(2 * math.pi)).sum(dim=1)

    def sample(self, count: int, generator: torch.Generator) -> Codes:
        codes = torch.randn(count, self.code_size, generator=generator, device=generator.device)
        for coupling in reversed(self.couplings):
            shift, log_scale = coupling(codes)
            codes = codes * torch.exp(log_scale) + shift
        return codes


class _Coupling(nn.Module):
    """Shift and scale of every other number of a code, told by those between, which stay as they are."""

    kept: Tensor

    def __init__(self, code_size: int, first: int, neurons: int) -> None:
        super().__init__()
        self.first = first
        self.register_buffer("kept", torch.empty(code_size), persistent=False)
        self.reset_parameters()
        self.network = nn.Sequential(
            nn.Linear(code_size, neurons), nn.SiLU(), _SmallLinear(neurons, 2 * code_size)
        )

    def reset_parameters(self) -> None:
        self.kept.copy_(torch.arange(len(self.kept)) % 2 == self.first)

    def forward(self, codes: Tensor) -> tuple[Tensor, Tensor]:
        shift, log_scale = self.network(codes * self.kept).chunk(2, dim=1)
        return shift * (1 - self.kept), STRETCH * torch.tanh(log_scale / STRETCH) * (1 - self.kept)


class _SmallLinear(nn.Linear):
    """A layer that adds little at first: a flow begins about N(0, I)."""

    def reset_parameters(self) -> None:
        nn.init.normal_(self.weight, std=0.01)
        nn.init.zeros_(self.bias)


PRIORS: Registry[type[Prior]] = Registry(
    "prior",
    {
        "standard-normal": f"{__name__}:StandardNormal",
        "mixture": f"{__name__}:MixtureOfGaussians",
        "flow": f"{__name__}:Flow",
        "vamp": f"{__name__}:VampPrior",
    },
)
