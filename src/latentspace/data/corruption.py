"""Corruption: what a denoiser must undo, a function of (batch, generator). Nothing is clipped."""

from collections.abc import Callable
from typing import Literal, TypeAlias

import torch
from pydantic import Field, model_validator
from torch.nn.functional import conv2d, pad

from ..core.config import Config
from ..core.randomness import rows_drawn
from ..core.tensor_types import Images

Corruption: TypeAlias = Callable[[Images, torch.Generator], Images]


class CorruptionConfig(Config):
    """How images are corrupted."""

    noise: Literal["gaussian", "masking", "salt-and-pepper", "blur"] = Field(
        default="gaussian", description="what images are corrupted by"
    )
    strength: float = Field(
        default=0.1,
        ge=0,
        description="standard deviation of the noise (pixels lie in [0, 1]), share of the pixels, or "
        "pixels of blur",
    )

    @model_validator(mode="after")
    def _is_a_share(self) -> "CorruptionConfig":
        if self.noise in ("masking", "salt-and-pepper") and self.strength > 1:
            raise ValueError(f"strength = {self.strength:g}: {self.noise} takes a share of pixels, at most 1")
        return self

    @property
    def words(self) -> str:
        """What it does, in a sentence: "gaussian noise of strength 0.1"."""
        return f"{self.noise} noise of strength {self.strength:g}"

    def corruption(self) -> Corruption:
        """The function that corrupts a batch."""
        return {
            "gaussian": gaussian,
            "masking": masking,
            "salt-and-pepper": salt_and_pepper,
            "blur": blur,
        }[self.noise](self.strength)


def gaussian(std: float) -> Corruption:
    """Adds N(0, std^2) to every pixel."""

    def corrupt(batch: Images, generator: torch.Generator) -> Images:
        return batch + std * rows_drawn(
            lambda rows: torch.randn((rows, *batch.shape[1:]), generator=generator, device=batch.device),
            len(batch),
        )

    return corrupt


def masking(share: float) -> Corruption:
    """Blackens each pixel, in all its channels, with chance `share`."""

    def corrupt(batch: Images, generator: torch.Generator) -> Images:
        return batch * (_uniform(batch, generator) >= share)

    return corrupt


def salt_and_pepper(share: float) -> Corruption:
    """Turns each pixel black or white, with chance `share` / 2 each."""

    def corrupt(batch: Images, generator: torch.Generator) -> Images:
        drawn = _uniform(batch, generator)
        peppered = torch.where(drawn < share / 2, torch.zeros_like(batch), batch)
        return torch.where(drawn >= 1 - share / 2, torch.ones_like(batch), peppered)

    return corrupt


def blur(std: float) -> Corruption:
    """Smooths with a Gaussian of `std` pixels, cut at three of them; the border is repeated outwards."""

    def corrupt(batch: Images, generator: torch.Generator) -> Images:  # noqa: ARG001 - nothing is drawn
        if std == 0:
            return batch
        reach = max(1, int(3 * std + 0.5))
        offsets = torch.arange(-reach, reach + 1, device=batch.device, dtype=batch.dtype)
        kernel = torch.exp(-0.5 * (offsets / std).square())
        kernel = (kernel / kernel.sum()).repeat(batch.shape[1], 1)[:, None, None, :]
        channels = batch.shape[1]
        wide = pad(batch, (reach, reach, reach, reach), mode="replicate")
        rows = conv2d(wide, kernel, groups=channels)
        return conv2d(rows, kernel.transpose(2, 3), groups=channels)

    return corrupt


def _uniform(batch: Images, generator: torch.Generator) -> torch.Tensor:
    """One number in [0, 1) for each pixel, shared by its channels."""
    return rows_drawn(
        lambda rows: torch.rand((rows, 1, *batch.shape[2:]), generator=generator, device=batch.device),
        len(batch),
    )
