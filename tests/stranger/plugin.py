"""A plug-in as somebody outside the package would write it: task, network, objective, metric,
reader, executor.

Named by LATENTSPACE_PLUGINS, so every process of the tests knows it; nothing in `src/` does.
"""

from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
import torch
from in_process import InThisProcess
from pydantic import Field
from torch import Tensor, nn

from latentspace.core.errors import DataError
from latentspace.core.tensor_types import Codes, Images, Logits
from latentspace.data.batches import Batch
from latentspace.data.config import DataConfig
from latentspace.data.imageset import ImageSet
from latentspace.data.readers.registry import READERS, Reader
from latentspace.evaluation.metrics import METRICS, Case, Metric
from latentspace.experiment.tasks import TASKS, Task
from latentspace.models.autoencoder import Autoencoder, EncoderDecoderConfig, Passed
from latentspace.models.families import MODELS
from latentspace.models.layers.init import build_seeded
from latentspace.models.likelihoods import Gaussian as GaussianPixels
from latentspace.models.posteriors import Gaussian
from latentspace.models.priors import StandardNormal
from latentspace.objectives.families import OBJECTIVES
from latentspace.objectives.loss import Context, Loss, Objective, ObjectiveConfig
from latentspace.search.executors import EXECUTORS

# A network: residual blocks with batch normalisation, for images of any size.


class Block(nn.Module):
    """Two convolutions beside a shortcut; the size stays."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.path = nn.Sequential(
            nn.Conv2d(width, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.SiLU(),
            nn.Conv2d(width, width, 3, padding=1),
        )

    def forward(self, maps: Tensor) -> Tensor:
        return torch.nn.functional.silu(maps + self.path(maps))


class ResidualEncoder(nn.Module):
    def __init__(self, shape: tuple[int, int, int], width: int, code_size: int) -> None:
        super().__init__()
        self.maps = nn.Sequential(
            nn.Conv2d(shape[0], width, 3, padding=1), Block(width), nn.AdaptiveAvgPool2d(4)
        )
        self.head = nn.Linear(16 * width, 2 * code_size)

    def forward(self, images: Images, generator: torch.Generator | None = None) -> Gaussian:
        mean, log_variance = self.head(self.maps(images).flatten(1)).float().chunk(2, dim=1)
        return Gaussian(mean, log_variance)


class ResidualDecoder(nn.Module):
    def __init__(self, shape: tuple[int, int, int], width: int, code_size: int) -> None:
        super().__init__()
        self.head = nn.Linear(code_size, 16 * width)
        self.width = width
        self.maps = nn.Sequential(
            Block(width), nn.Upsample(size=shape[1:]), nn.Conv2d(width, shape[0], 3, padding=1)
        )

    def forward(self, codes: Codes) -> Logits:
        logits: Tensor = self.maps(self.head(codes).view(-1, self.width, 4, 4))
        return logits


class ResidualConfig(EncoderDecoderConfig):
    """A small residual network with Gaussian codes and Gaussian pixels."""

    tasks: ClassVar[tuple[str, ...]] = ("vae",)  # it can be had there too: --set model.name=stranger-residual

    name: Literal["stranger-residual"] = "stranger-residual"
    width: int = Field(default=8, ge=1, description="channels of every map")

    def build(self, shape: tuple[int, int, int], generator: torch.Generator) -> Autoencoder:
        return build_seeded(
            lambda: Autoencoder(
                ResidualEncoder(shape, self.width, self.code_size),
                ResidualDecoder(shape, self.width, self.code_size),
                GaussianPixels(),
                StandardNormal(self.code_size),
            ),
            generator,
        )


MODELS.add("stranger-residual", ResidualConfig)


# An objective: the ELBO, and a critic that is trained beside it.


class Critic(nn.Module):
    def __init__(self, code_size: int) -> None:
        super().__init__()
        self.layer = nn.Linear(code_size, 1)

    def forward(self, codes: Codes) -> Tensor:
        return self.layer(codes)[:, 0]


class CriticisedConfig(ObjectiveConfig):
    """Negative ELBO, and a critic that tells codes of images from codes of the prior."""

    tasks: ClassVar[tuple[str, ...]] = ("vae",)

    name: Literal["stranger-criticised"] = "stranger-criticised"
    weight: float = Field(default=0.1, ge=0, description="of what the critic says, in nats")

    @property
    def training(self) -> Objective:
        return self._loss

    def auxiliary(self, code_size: int) -> dict[str, nn.Module]:
        return {"critic": Critic(code_size)}

    def _loss(self, model: nn.Module, batch: Batch, context: Context) -> Loss:
        passed: Passed = model(batch.inputs, context.generator)
        (latent,) = passed.latents
        nll = -passed.likelihood.log_prob(passed.logits, batch.inputs).mean()
        kl = latent.kl_terms().sum(dim=1).mean()
        parts = {"nll": nll, "kl": kl, "stranger_score": (nll + kl) / batch.inputs[0].numel()}
        if "critic" not in context.auxiliary:  # in validation
            return Loss(nll + kl, parts)
        assert context.images > 0
        critic = context.auxiliary["critic"]
        real = torch.randn(latent.codes.shape, generator=context.generator, device=latent.codes.device)
        softplus = torch.nn.functional.softplus
        told = softplus(-critic(real)) + softplus(critic(latent.codes.detach()))
        fooled = torch.nn.functional.softplus(-critic(latent.codes)).mean()
        return Loss(nll + kl + self.weight * fooled, parts, {"critic": told.mean()})


OBJECTIVES.add("stranger-criticised", CriticisedConfig)

# A task that brings them together.

TASKS.add(
    "stranger",
    Task(
        title="stranger's autoencoder",
        models=("stranger-residual",),
        objectives=("stranger-criticised", "elbo"),
        score="stranger_score",
        training={"batch_size": 16, "learning_rate": 1e-3, "epochs": 3},
    ),
)

# A metric of every run that decodes.


def largest_error(case: Case) -> float | None:
    """The largest error of any pixel; None for a run that decodes nothing."""
    if not case.decodes:
        return None
    return max(float((decoded - images).abs().max()) for images, decoded in case.reconstructions())


METRICS.add(
    "largest_error", Metric("largest error of a pixel", largest_error, unit="", better="lower", digits=4)
)

# A reader: a text file whose first line is HEIGHT WIDTH, and then a line of hexadecimal bytes an image.


class HexReader:
    """Files that end in `.hex`."""

    words = "a .hex file"

    def knows(self, path: Path, start: bytes) -> bool:
        return path.suffix == ".hex"

    def read(self, path: Path, config: DataConfig) -> ImageSet:
        try:
            first, *rows = path.read_text(encoding="ascii").splitlines()
            height, width = map(int, first.split())
            pixels = np.array([list(bytes.fromhex(row)) for row in rows], dtype=np.uint8)
            return ImageSet(pixels.reshape(-1, 1, height, width), source=self.words)
        except ValueError as error:
            raise DataError(f"{path} must be {self.words}", found=str(error), do="make it again") from error


READER: Reader = HexReader()
READERS.add("hex", READER)

# An executor, which runs the trials of a search.

EXECUTORS.add("stranger", InThisProcess)
