"""The autoencoder: encode -> Posterior, decode -> images. One class for the plain and the variational one."""

from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import ClassVar, Literal, NamedTuple, final

import torch
from pydantic import Field, field_validator
from torch import Tensor, nn

from ..core.config import Config, Width
from ..core.errors import ConfigurationError
from ..core.registry import known
from ..core.tensor_types import Codes, Images, KLTerms, Logits, PerImage, Scalar
from ..core.wording import option
from .decoders import ConvolutionalDecoder, VariationalDecoder
from .encoders import ConvolutionalEncoder, VariationalEncoder
from .layers.init import build_initialised
from .likelihoods import LIKELIHOODS, Likelihood, MeanSquared
from .ordered import shortened
from .posteriors import Posterior
from .priors import PRIORS, Prior
from .refinement import refined
from .remembered import remembered

SMALLEST_SIDE = 8  # three halvings leave one pixel of it


class NetworkConfig(Config):
    """A network's settings."""

    tasks: ClassVar[tuple[str, ...]] = ()
    """Tasks that may use it beside those that name it: a network from outside joins `ae` or `vae` so."""

    name: str = Field(description="the network, by its name in the registry of models")

    def fitted(self, shape: tuple[int, int, int]) -> "NetworkConfig":  # noqa: ARG002
        """The same with what was not named settled by the images' shape: channels, height and width."""
        return self

    @property
    def divisible(self) -> bool:
        """Whether threads may pass parts of a batch through it at once, and whether that is faster.

        A pass must change nothing in the network, and no image's result may depend on another image.
        """
        return False


class EncoderDecoderConfig(NetworkConfig):
    """The settings of a network that encodes images and decodes codes."""

    variational: ClassVar[bool] = False
    """Whether its posteriors have a variance."""

    code_size: Width = Field(default=10, description="numbers that an image is compressed to; `--code-size`")

    @abstractmethod
    def build(self, shape: tuple[int, int, int], generator: torch.Generator) -> "Autoencoder":
        """A new network on the CPU, its weights a function of the generator's seed.

        Args:
            shape: channels, height and width of an image.

        Raises:
            ConfigurationError: images that this network cannot take.
        """

    def distributions(
        self,
        encoder: nn.Module,  # noqa: ARG002
        shape: tuple[int, int, int],  # noqa: ARG002
    ) -> tuple[Likelihood, Prior | None]:
        """What the decoder's output says of pixels, and the prior of the codes that this encoder finds."""
        return MeanSquared(), None


class GenerativeConfig(EncoderDecoderConfig):
    """The settings of a network with a prior of its codes and a likelihood of the pixels."""

    prior: str = Field(default="standard-normal", description="of the codes")
    likelihood: str = Field(default="bernoulli", description="of the pixels, given the decoder's output")

    variational = True

    def distributions(self, encoder: nn.Module, shape: tuple[int, int, int]) -> tuple[Likelihood, Prior]:
        prior = PRIORS[self.prior].beside(encoder, shape, self.code_size)
        return LIKELIHOODS[self.likelihood](), prior

    @field_validator("prior")
    @classmethod
    def _prior_is_known(cls, name: str) -> str:
        return known(PRIORS, name)

    @field_validator("likelihood")
    @classmethod
    def _likelihood_is_known(cls, name: str) -> str:
        return known(LIKELIHOODS, name)


@final
class AutoencoderConfig(EncoderDecoderConfig):
    """Three strided convolutions and two linear layers, and the same backwards.

    Foscarin 2021, section 2.1; the defaults are the best parameters that it names.
    """

    name: Literal["convolutional"] = "convolutional"
    conv1_channels: Width = Field(default=64, description="of the encoder's first convolution")
    conv2_channels: Width = Field(default=128, description="of its second")
    conv3_channels: Width = Field(default=128, description="of its third")
    neurons: Width = Field(default=128, description="of the linear layer between convolutions and code")

    def build(self, shape: tuple[int, int, int], generator: torch.Generator) -> "Autoencoder":
        """A new network on the CPU, its weights drawn from `generator`.

        Args:
            shape: channels, height and width of an image.

        Raises:
            ConfigurationError: images with a side under 8 pixels.
        """
        require_size(shape, variational=self.variational)
        channels = (self.conv1_channels, self.conv2_channels, self.conv3_channels)

        def build() -> Autoencoder:
            encoder = ConvolutionalEncoder(shape, channels, self.neurons, self.code_size)
            decoder = ConvolutionalDecoder(encoder, shape, channels, self.neurons, self.code_size)
            return Autoencoder(encoder, decoder, *self.distributions(encoder, shape))

        return build_initialised(build, generator)


@final
class VariationalConfig(GenerativeConfig):
    """Two strided convolutions with dropout and a linear layer, and the same backwards.

    Foscarin 2021, section 5.1, with its parameters.
    """

    name: Literal["convolutional-variational"] = "convolutional-variational"
    conv1_channels: Width = Field(default=200, description="of the encoder's first convolution")
    conv2_channels: Width = Field(default=400, description="of its second")
    dropout: float = Field(
        default=0.3,
        ge=0,
        lt=1,
        description="chance that a value is left out after each convolution of the encoder",
    )

    def build(self, shape: tuple[int, int, int], generator: torch.Generator) -> "Autoencoder":
        """The network for images of `shape` (channels, height, width), its weights drawn by `generator`."""
        require_size(shape, variational=self.variational)
        channels = (self.conv1_channels, self.conv2_channels)

        def build() -> Autoencoder:
            encoder = VariationalEncoder(shape, channels, self.dropout, self.code_size)
            decoder = VariationalDecoder(encoder, shape, channels, self.code_size)
            return Autoencoder(encoder, decoder, *self.distributions(encoder, shape))

        return build_initialised(build, generator)


class Latent(NamedTuple):
    """One level of codes in a pass: the posterior, the codes drawn from it, and their prior (None: none)."""

    posterior: Posterior
    codes: Codes
    prior: Prior | None

    def kl_terms(self) -> KLTerms:
        """The divergence from the posterior to the prior, in nats, in terms that add up to an image's.

        Raises:
            TypeError: a latent without a prior.
        """
        if self.prior is None:
            raise TypeError("a divergence needs a prior, and this network has none")
        return self.prior.kl_terms(self.posterior, self.codes)


class Passed(NamedTuple):
    """What one pass through an autoencoder leaves.

    Args:
        latents: every level of codes; most networks have one.
        logits: what the decoder puts out, and `likelihood` what that says of pixels.
        terms: what the network itself adds to any objective, such as a commitment loss.
    """

    latents: tuple[Latent, ...]
    logits: Logits
    likelihood: Likelihood
    terms: Mapping[str, PerImage] = {}

    @property
    def decoded(self) -> Images:
        """Pixels in [0, 1]."""
        return self.likelihood.mean(self.logits)

    @property
    def own_terms(self) -> dict[str, Scalar]:
        """`terms`, each as its mean over the images: to be minimised with what the objective has."""
        return {name: values.mean() for name, values in self.terms.items()}


@final
class Autoencoder(nn.Module):
    """An encoder and a decoder. `forward` is what training calls: one pass, everything an objective needs.

    Args:
        encoder: images, generator -> Posterior.
        decoder: codes -> logits of pixels.
        likelihood: what the logits say of pixels.
        prior: of the codes; None: codes cannot be drawn without codes of images.
        ordered: whether training leaves out the end of half of the codes (`shortened`).
        correction: posterior, images, `decode`, generator -> Posterior; None: codes are the encoder's.
        refine: steps of `refinement` that images take beyond that when they are encoded, but not in training.

    Attributes:
        divisible: as the settings that it is built of have it: whether threads may refine parts of a batch.
    """

    def __init__(
        self,
        encoder: nn.Module,
        decoder: nn.Module,
        likelihood: Likelihood,
        prior: Prior | None = None,
        *,
        ordered: bool = False,
        correction: nn.Module | None = None,
        refine: int = 0,
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder
        self.likelihood = likelihood
        self.prior = prior
        self.ordered = ordered
        self.correction = correction
        self.refine = refine
        self.divisible = False
        if prior is not None and correction is not None:
            prior.follow(self, self.posterior)

    def encode(
        self, images: Images, generator: torch.Generator | None = None, refine: int | None = None
    ) -> Posterior:
        """The posterior of each image, its mean refined.

        Args:
            generator: is drawn from by dropout alone, in training.
            refine: steps of refinement; None: the network's own, and none in training.
        """
        posterior = self.posterior(images, generator)
        steps = refine if refine is not None else 0 if self.training else self.refine
        if not steps:
            return posterior
        mean = posterior.mean
        found = self.refined(lambda rows: mean[rows], images, steps)
        # A gradient passes as if nothing had moved.
        return posterior.moved_to(mean + (found - mean).detach() if mean.requires_grad else found)

    def codes(self, images: Images, refine: int | None = None) -> Codes:
        """The mean of `encode`; an image whose refined code is remembered is not encoded at all."""
        steps = refine if refine is not None else 0 if self.training else self.refine
        if not steps:
            return self.posterior(images).mean
        return self.refined(lambda rows: self.posterior(images[rows]).mean, images, steps)

    def refined(self, begun: Callable[[Tensor | slice], Codes], images: Images, steps: int) -> Codes:
        """Codes after so many steps from those that `begun` gives of some rows; or as they are remembered."""

        def find(rows: Tensor | slice) -> Codes:
            parts = self.decoder, self.likelihood, self.prior
            return refined(begun(rows), images[rows], *parts, steps, divisible=self.divisible)

        return remembered(self, images, steps, find)

    def posterior(self, images: Images, generator: torch.Generator | None = None) -> Posterior:
        """The posterior as the encoder and its correction find it, not refined."""
        posterior: Posterior = self.encoder(images, generator)
        if self.correction is not None:
            posterior = self.correction(posterior, images, self.decode, generator)
        return posterior

    def decode(self, codes: Codes) -> Images:
        """Pixels in [0, 1]."""
        return self.likelihood.mean(self.decoder(codes))

    def forward(self, images: Images, generator: torch.Generator | None = None, samples: int = 1) -> Passed:
        """One pass; with more `samples` everything in it has so many rows an image, one behind the other.

        Args:
            samples: codes that are drawn of each image, which is encoded once.
        """
        posterior = self.encode(images, generator)
        if samples > 1:
            posterior = posterior.repeated(samples)
        codes = posterior.sample(generator)
        given = shortened(codes, generator) if self.ordered and self.training else codes
        return Passed((Latent(posterior, codes, self.prior),), self.decoder(given), self.likelihood)


@contextmanager
def unrefined(network: nn.Module) -> Iterator[None]:
    """Within it, images are encoded without refinement, as in training: for what is evaluated often."""
    found = {one: one.refine for one in network.modules() if isinstance(one, Autoencoder)}
    for one in found:
        one.refine = 0
    try:
        yield
    finally:
        for one, steps in found.items():
            one.refine = steps


def require_size(shape: tuple[int, int, int], *, variational: bool) -> None:
    """Refuse images with a side under 8 pixels: raises ConfigurationError."""
    if min(shape[1:]) < SMALLEST_SIDE:
        dense = option("model.name", "dense-variational" if variational else "dense")
        raise ConfigurationError(
            f"images must be at least {SMALLEST_SIDE}x{SMALLEST_SIDE} pixels for strided convolutions",
            found=f"{shape[1]}x{shape[2]}",
            do=f"enlarge them, for example with {option('resize', (2 * SMALLEST_SIDE,) * 2)}, or take a "
            f"network of dense layers ({dense})",
        )
